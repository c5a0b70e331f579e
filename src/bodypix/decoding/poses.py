"""Poses from the network's heads: where each person's 17 keypoints are.

Multi-pose decoding as in PersonLab (Papandreou et al. 2018) in the form of the JavaScript
original: local maxima of the heatmaps are roots, best first; from a root the pose tree is walked
along the displacement heads, each hop sharpened twice by the short offsets. Source: spec section 4.

Heads are float32 grids (H', W', C); two-part heads hold all dy, then all dx. Decoding works in
network pixels; `scale_poses` brings poses to image pixels. Arithmetic is in double precision, as in
the original, because positions are rounded to cells at every hop.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from bodypix import body
from bodypix.decoding.queue import queue_order
from bodypix.errors import InvalidArgumentError
from bodypix.geometry import ImageSize, Padding, pose_scale
from bodypix.results import Keypoint, Pose

LOCAL_MAXIMUM_RADIUS: Final = 1
OFFSET_REFINE_STEPS: Final = 2

_EDGES: Final = len(body.POSE_EDGES)
_WINDOW: Final = np.ones((2 * LOCAL_MAXIMUM_RADIUS + 1,) * 2, dtype=np.uint8)
# Every walk goes leaf to root along the backward head, then root to leaf along the forward one.
_BACKWARD: Final = tuple(
    (edge, child, parent) for edge, (parent, child) in reversed(list(enumerate(body.POSE_EDGES)))
)
_FORWARD: Final = tuple(
    (edge, parent, child) for edge, (parent, child) in enumerate(body.POSE_EDGES)
)


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

    Returns:
        Poses in network pixels; keypoints may lie outside the image.

    Raises:
        InvalidArgumentError: heads that do not belong together.
    """
    grid = _PoseGrid(
        heatmap_scores, short_offsets, displacement_fwd, displacement_bwd, output_stride
    )
    roots = _candidates(heatmap_scores, score_threshold)
    if not roots.size:
        return []
    root_keypoints = roots % body.KEYPOINTS
    root_positions = grid.positions[roots]
    squared_radius = nms_radius * nms_radius
    suppressed = np.zeros(len(roots), dtype=bool)
    earlier: list[NDArray[np.float64]] = []
    poses: list[Pose] = []
    for index in queue_order(heatmap_scores.reshape(-1)[roots]):
        if suppressed[index]:
            continue
        if len(poses) >= max_detections:
            break
        positions, scores = grid.pose(int(roots[index]))
        others = np.array(earlier).reshape(-1, body.KEYPOINTS, 2)
        counts = ~_are_near(others, positions, squared_radius).any(axis=0)
        score = float(scores[counts].sum()) / body.KEYPOINTS
        poses.append(_pose(positions, scores, score))
        earlier.append(positions)
        suppressed |= _are_near(positions[root_keypoints], root_positions, squared_radius)
    return poses


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


def scale_poses(
    poses: Sequence[Pose], image_size: ImageSize, input_size: ImageSize, padding: Padding
) -> list[Pose]:
    """Poses in network pixels brought to image pixels; nothing is clamped to the image.

    `X = x * (W + left + right) / w - left`, and so for Y (spec section 4, "Scaling out").
    """
    scale_y, scale_x = pose_scale(image_size, input_size, padding)
    return [
        Pose(
            pose.score,
            [
                Keypoint(
                    point.name,
                    point.x * scale_x - padding.left,
                    point.y * scale_y - padding.top,
                    point.score,
                )
                for point in pose.keypoints
            ],
        )
        for pose in poses
    ]


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


def _pose(positions: NDArray[np.float64], scores: NDArray[np.float64], score: float) -> Pose:
    points = zip(body.KEYPOINT_NAMES, positions.tolist(), scores.tolist(), strict=True)
    return Pose(score, [Keypoint(name, x, y, value) for name, (x, y), value in points])


def _candidates(scores: NDArray[np.float32], threshold: float) -> NDArray[np.intp]:
    """Flat (row, column, keypoint) indices of the possible roots, in that order.

    A cell qualifies if it reaches the threshold and no cell of the 3x3 window around it (clipped at
    the border) is strictly greater, so all cells of a plateau do.
    """
    if not scores.size:
        return np.empty(0, dtype=np.intp)
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
    beforehand for all of them: a hop of a walk is then three look-ups and one rounding.

    Attributes:
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
        self._scores = heatmap_scores.reshape(-1)
        positions = _sharpened(short_offsets, output_stride)
        self.positions: NDArray[np.float64] = positions.reshape(-1, 2)
        nearest = np.floor(positions * (1.0 / output_stride) + 0.5)
        np.clip(nearest, 0.0, (self._columns - 1, self._rows - 1), out=nearest)
        cells = (nearest[..., 1] * self._columns + nearest[..., 0]).astype(np.intp)
        self._next = (cells * body.KEYPOINTS + np.arange(body.KEYPOINTS)).reshape(-1)
        # A walk is a chain of single look-ups, each depending on the last; memoryviews give Python
        # numbers several times as fast as arrays do.
        self._flat_positions = memoryview(self.positions.reshape(-1))
        self._flat_next = memoryview(self._next)
        self._forward = _flat(displacement_fwd)
        self._backward = _flat(displacement_bwd)

    def pose(self, root: int) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """(17, 2) x, y and (17,) scores of the pose that grows from a flat heatmap index."""
        keypoint = root % body.KEYPOINTS
        known = {keypoint: root}
        for displacements, edges in ((self._backward, _BACKWARD), (self._forward, _FORWARD)):
            for edge, source, target in edges:
                if source in known and target not in known:
                    known[target] = self._hop(known[source], displacements, edge, target)
        indices = [known[index] for index in range(body.KEYPOINTS)]
        scores = self._scores[self._next[indices]].astype(np.float64)
        scores[keypoint] = self._scores[root]
        return self.positions[indices], scores

    def _hop(self, source: int, displacements: memoryview, edge: int, target: int) -> int:
        """Flat index of the target keypoint that one edge leads to."""
        at = self._flat_next[source] // body.KEYPOINTS * 2 * _EDGES + edge
        x = self._flat_positions[2 * source] + displacements[at + _EDGES]
        y = self._flat_positions[2 * source + 1] + displacements[at]
        row = min(max(math.floor(y / self._stride + 0.5), 0), self._rows - 1)
        column = min(max(math.floor(x / self._stride + 0.5), 0), self._columns - 1)
        index: int = (row * self._columns + column) * body.KEYPOINTS + target
        for _ in range(OFFSET_REFINE_STEPS - 1):
            index = self._flat_next[index]
        return index


def _flat(array: NDArray[np.float32]) -> memoryview:
    return memoryview(np.ascontiguousarray(array, dtype=np.float32).reshape(-1))


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
