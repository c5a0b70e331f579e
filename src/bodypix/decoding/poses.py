"""Poses from the network's heads: where each person's 17 keypoints are.

Multi-pose decoding as in PersonLab (Papandreou et al. 2018) in the form of the JavaScript
original: local maxima of the heatmaps are roots, best first; from a root the pose tree is walked
along the displacement heads, each hop sharpened twice by the short offsets. Source: spec section 4.

Heads are float32 grids (H', W', C); two-part heads hold all dy, then all dx. Decoding works in
network pixels, scaling to image pixels comes last. Arithmetic is in double precision, as in
the original, because positions are rounded to cells at every hop.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import islice
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from bodypix import body
from bodypix.decoding.queue import queue_order
from bodypix.errors import InvalidArgumentError
from bodypix.geometry import Frame, pose_scale
from bodypix.results import Keypoint, Pose

LOCAL_MAXIMUM_RADIUS: Final = 1
OFFSET_REFINE_STEPS: Final = 2

_EDGES: Final = len(body.POSE_EDGES)
_WINDOW: Final = np.ones((2 * LOCAL_MAXIMUM_RADIUS + 1,) * 2, dtype=np.uint8)
_BACKWARD: Final = 0
_FORWARD: Final = 1


def _walk_from(root: int) -> tuple[tuple[int, int, int, int], ...]:
    """Hops (direction, edge, source, target) by which a pose grows from one known keypoint.

    Edges last to first, child to parent, then first to last, parent to child; a hop is made where
    its source is known and its target is not.
    """
    upward = [
        (_BACKWARD, edge, child, parent) for edge, (parent, child) in enumerate(body.POSE_EDGES)
    ]
    downward = [
        (_FORWARD, edge, parent, child) for edge, (parent, child) in enumerate(body.POSE_EDGES)
    ]
    known = {root}
    hops = []
    for hop in (*reversed(upward), *downward):
        _, _, source, target = hop
        if source in known and target not in known:
            known.add(target)
            hops.append(hop)
    return tuple(hops)


_WALKS: Final = tuple(_walk_from(root) for root in range(body.KEYPOINTS))


def decode_multiple_poses(
    heatmap_scores: NDArray[np.float32],
    short_offsets: NDArray[np.float32],
    displacement_fwd: NDArray[np.float32],
    displacement_bwd: NDArray[np.float32],
    *,
    output_stride: int,
    max_detections: int = 10,
    score_threshold: float = 0.4,
    nms_radius: float = 20.0,
    frame: Frame | None = None,
) -> list[Pose]:
    """Poses of all people, in the order in which their roots leave the queue.

    Args:
        heatmap_scores: (H', W', 17), 0..1: the keypoint heatmaps after the sigmoid.
        short_offsets: (H', W', 34), network pixels.
        displacement_fwd: (H', W', 32), network pixels, parent to child.
        displacement_bwd: (H', W', 32), network pixels, child to parent.
        output_stride: network pixels from one grid cell to the next.
        max_detections: at most so many poses.
        score_threshold: a root needs at least this heatmap score. Poses of a lower mean score stay
            in the list, as in the original.
        nms_radius: network pixels; a root this near to the same keypoint of an earlier pose is
            dropped, and such keypoints count nothing in a pose's score.
        frame: where the image lies in the network's input; None: answer in network pixels.

    Returns:
        Poses in image pixels (as `scale_poses` makes them), or in network pixels without a frame;
        keypoints may lie outside the image.

    Raises:
        InvalidArgumentError: heads that do not belong together.
    """
    grid = _PoseGrid(
        heatmap_scores, short_offsets, displacement_fwd, displacement_bwd, output_stride
    )
    found = islice(_found(grid, score_threshold, nms_radius), max_detections)
    scale, before = _to_image(frame) if frame else (1.0, 0.0)
    return [_pose(points * scale - before, scores, score) for points, scores, score in found]


def decode_single_pose(
    heatmap_scores: NDArray[np.float32],
    short_offsets: NDArray[np.float32],
    *,
    output_stride: int,
) -> Pose:
    """The one pose of a picture of one person: every keypoint at its heatmap's maximum.

    Faster than `decode_multiple_poses` and blind to who is who: two people give a mixture. Arrays
    and units as there; the first cell wins among equal ones; the pose's score is the mean.
    """
    _check_heads(heatmap_scores, {"short_offsets": (short_offsets, 2 * body.KEYPOINTS)})
    cells = argmax2d(heatmap_scores)
    rows, columns = cells[:, 0], cells[:, 1]
    ids = np.arange(body.KEYPOINTS)
    positions = _sharpened(short_offsets, output_stride)[rows, columns, ids]
    scores = heatmap_scores[rows, columns, ids].astype(np.float64)
    return _pose(positions, scores, float(scores.mean()))


def argmax2d(scores: NDArray[np.floating]) -> NDArray[np.intp]:
    """(C, 2) row and column of the first maximum of every channel of (H', W', C) scores."""
    flat = scores.reshape(-1, scores.shape[-1]).argmax(axis=0)
    return np.stack(np.divmod(flat, scores.shape[1]), axis=1)


def scale_poses(poses: Sequence[Pose], frame: Frame) -> list[Pose]:
    """Poses in network pixels brought to image pixels; nothing is clamped to the image.

    `X = x * (W + left + right) / w - left`, and so for Y (spec section 4, "Scaling out").
    """
    scale, before = _to_image(frame)
    return [_pose(pose.positions * scale - before, pose.scores, pose.score) for pose in poses]


def flip_pose_horizontal(pose: Pose, width: int, *, swap_sides: bool = False) -> Pose:
    """The pose as it lies in the mirrored picture: `x` becomes `width - 1 - x`.

    Args:
        pose: in pixels of an image of this width.
        width: image width in pixels, at least 1.
        swap_sides: keep names as they are (False: the same body, drawn mirrored, as in the
            original) or exchange left and right (True: the names that a mirrored *input* gave are
            put right).

    Raises:
        InvalidArgumentError: a width below 1.
    """
    if width < 1:
        raise InvalidArgumentError(f"width: expected at least 1 pixel, got {width!r}.")
    order = body.MIRRORED_KEYPOINTS if swap_sides else range(body.KEYPOINTS)
    return Pose(
        pose.score,
        [
            Keypoint(point.name, width - 1 - mirrored.x, mirrored.y, mirrored.score)
            for point, mirrored in zip(
                pose.keypoints, (pose.keypoints[index] for index in order), strict=True
            )
        ],
    )


def flip_poses_horizontal(
    poses: Sequence[Pose], width: int, *, swap_sides: bool = False
) -> list[Pose]:
    """`flip_pose_horizontal` of each; as in the original, nothing changes if `width` is not > 0."""
    if width <= 0:
        return list(poses)
    return [flip_pose_horizontal(pose, width, swap_sides=swap_sides) for pose in poses]


def _to_image(frame: Frame) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """What x, y are multiplied by, then lessened by, to come from network to image pixels."""
    scale_y, scale_x = pose_scale(frame.image_size, frame.input_size, frame.padding)
    before = (frame.padding.left, frame.padding.top)
    return np.array([scale_x, scale_y]), np.array(before, dtype=np.float64)


def _found(
    grid: _PoseGrid, score_threshold: float, nms_radius: float
) -> Iterator[tuple[NDArray[np.float64], NDArray[np.float64], float]]:
    """(17, 2) positions, (17,) scores and pose score of one pose after the other."""
    roots = _candidates(grid.scores, score_threshold)
    keypoints = roots % body.KEYPOINTS
    root_positions = grid.positions[roots]
    squared_radius = nms_radius * nms_radius
    suppressed = np.zeros(len(roots), dtype=bool)
    found = np.empty((len(roots), body.KEYPOINTS, 2))
    count = 0
    for index in queue_order(grid.scores.reshape(-1)[roots]):
        if suppressed[index]:
            continue
        positions, scores = grid.pose(int(roots[index]))
        own = ~_are_near(found[:count], positions, squared_radius).any(axis=0)
        yield positions, scores, float(scores.sum(where=own)) / body.KEYPOINTS
        found[count] = positions
        count += 1
        suppressed |= _are_near(positions[keypoints], root_positions, squared_radius)


def _pose(positions: NDArray[np.float64], scores: NDArray[np.float64], score: float) -> Pose:
    x, y = positions.T.tolist()
    points = map(Keypoint, body.KEYPOINT_NAMES, x, y, scores.tolist())
    return Pose(score, list(points))


def _candidates(scores: NDArray[np.float32], threshold: float) -> NDArray[np.intp]:
    """Flat (row, column, keypoint) indices of the possible roots, in that order.

    A cell qualifies if it reaches the threshold and no cell of the 3x3 window around it (clipped at
    the border) is strictly greater, so all cells of a plateau do.
    """
    # In double precision: float32(0.4) is above 0.4, and the original compares doubles.
    strong = scores.astype(np.float64) >= threshold
    if not strong.any():
        return np.empty(0, dtype=np.intp)
    # Outside the image OpenCV's dilation counts as minus infinity, which is the clipped window.
    return np.flatnonzero(strong & (scores >= cv2.dilate(scores, _WINDOW).reshape(scores.shape)))


def _are_near(
    positions: NDArray[np.float64], others: NDArray[np.float64], squared_radius: float
) -> NDArray[np.bool_]:
    """Which of (..., 2) positions are within the radius, inclusive, of their counterparts."""
    apart = positions - others
    apart *= apart
    near: NDArray[np.bool_] = apart[..., 0] + apart[..., 1] <= squared_radius
    return near


def _sharpened(short_offsets: NDArray[np.float32], output_stride: int) -> NDArray[np.float64]:
    """(H', W', 17, 2) x, y of every cell plus its short offset for every keypoint."""
    rows, columns, _ = short_offsets.shape
    positions = np.empty((rows, columns, body.KEYPOINTS, 2))
    y, x = positions[..., 1], positions[..., 0]
    y[:] = np.arange(0, rows * output_stride, output_stride).reshape(-1, 1, 1)
    y += short_offsets[..., : body.KEYPOINTS]
    x[:] = np.arange(0, columns * output_stride, output_stride).reshape(1, -1, 1)
    x += short_offsets[..., body.KEYPOINTS :]
    return positions


class _PoseGrid:
    """All that a walk along the pose tree looks up, by flat index (row, column, keypoint).

    Every point of a pose is some cell plus its short offset, so the cell nearest to it can be known
    beforehand for all of them: a hop of a walk is then a few look-ups and one rounding.

    Attributes:
        scores: (H', W', 17): the heatmaps.
        positions: (n, 2) x, y: the cell sharpened by its short offset, network pixels.
    """

    def __init__(
        self,
        heatmap_scores: NDArray[np.float32],
        short_offsets: NDArray[np.float32],
        displacement_fwd: NDArray[np.float32],
        displacement_bwd: NDArray[np.float32],
        output_stride: int,
    ) -> None:
        _check_heads(
            heatmap_scores,
            {
                "short_offsets": (short_offsets, 2 * body.KEYPOINTS),
                "displacement_fwd": (displacement_fwd, 2 * _EDGES),
                "displacement_bwd": (displacement_bwd, 2 * _EDGES),
            },
        )
        self._rows, self._columns, _ = heatmap_scores.shape
        self._stride = output_stride
        self.scores = heatmap_scores
        positions = _sharpened(short_offsets, output_stride)
        self.positions: NDArray[np.float64] = positions.reshape(-1, 2)
        nearest = np.floor(positions * (1.0 / output_stride) + 0.5)
        np.clip(nearest, 0.0, (self._columns - 1, self._rows - 1), out=nearest)
        cells = (nearest[..., 1] * self._columns + nearest[..., 0]).astype(np.intp)
        self._cells = cells.reshape(-1)
        # A walk is a chain of single look-ups, each depending on the last; memoryviews give Python
        # numbers several times as fast as arrays do.
        self._xy = self.positions.reshape(-1).data
        self._nearest = self._cells.data
        self._displacements = (_flat(displacement_bwd), _flat(displacement_fwd))

    def pose(self, root: int) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """(17, 2) x, y and (17,) scores of the pose that grows from a flat heatmap index."""
        nearest, xy, stride = self._nearest, self._xy, self._stride
        last_row, last_column = self._rows - 1, self._columns - 1
        keypoint = root % body.KEYPOINTS
        indices = [root] * body.KEYPOINTS
        for direction, edge, source, target in _WALKS[keypoint]:
            at = indices[source]
            displacements = self._displacements[direction]
            channel = nearest[at] * (2 * _EDGES) + edge
            # Truncation is as good as floor here: below 0 the clamp makes 0 of either.
            column = int((xy[2 * at] + displacements[channel + _EDGES]) / stride + 0.5)
            row = int((xy[2 * at + 1] + displacements[channel]) / stride + 0.5)
            column = 0 if column < 0 else min(column, last_column)
            row = 0 if row < 0 else min(row, last_row)
            cell = row * self._columns + column
            for _ in range(OFFSET_REFINE_STEPS - 1):
                cell = nearest[cell * body.KEYPOINTS + target]
            indices[target] = cell * body.KEYPOINTS + target
        ids = np.arange(body.KEYPOINTS)
        scores = self.scores.reshape(-1, body.KEYPOINTS)[self._cells[indices], ids].astype(float)
        scores[keypoint] = self.scores.reshape(-1)[root]
        return self.positions[indices], scores


def _flat(array: NDArray[np.float32]) -> memoryview:
    return np.ascontiguousarray(array, dtype=np.float32).reshape(-1).data


def _check_heads(
    heatmap_scores: NDArray[np.float32], others: dict[str, tuple[NDArray[np.float32], int]]
) -> None:
    if heatmap_scores.ndim != 3 or heatmap_scores.shape[2] != body.KEYPOINTS:
        raise InvalidArgumentError(
            f"heatmap_scores: expected shape (rows, columns, {body.KEYPOINTS}), "
            f"got {heatmap_scores.shape}."
        )
    for name, (head, channels) in others.items():
        expected = (*heatmap_scores.shape[:2], channels)
        if head.shape != expected:
            raise InvalidArgumentError(
                f"{name}: expected shape {expected}, the grid of heatmap_scores, got {head.shape}."
            )
