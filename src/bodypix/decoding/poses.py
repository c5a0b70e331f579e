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
from typing import Final, NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from bodypix import body
from bodypix.decoding.pose_grid import PoseGrid, check_heads, sharpened
from bodypix.decoding.queue import queue_order
from bodypix.errors import InvalidArgumentError
from bodypix.geometry import Frame, pose_scale
from bodypix.results import Keypoint, Pose

LOCAL_MAXIMUM_RADIUS: Final = 1

_POSES_AT_ONCE: Final = 64
"""Poses compared with all others in one go, which bounds the memory that takes."""

_WINDOW: Final = np.ones((2 * LOCAL_MAXIMUM_RADIUS + 1,) * 2, dtype=np.uint8)


class FoundPoses(NamedTuple):
    """n poses as arrays, in the order of decoding."""

    positions: NDArray[np.float64]
    """(n, 17, 2) x, y."""
    keypoint_scores: NDArray[np.float64]
    """(n, 17), 0..1."""
    scores: NDArray[np.float64]
    """(n,), 0..1."""

    def poses(self, least_score: float = 0.0) -> list[Pose]:
        """Those of at least this score."""
        chosen = np.flatnonzero(self.scores >= least_score)
        return [
            _pose(self.positions[index], self.keypoint_scores[index], float(self.scores[index]))
            for index in chosen
        ]


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
    found = find_poses(
        heatmap_scores,
        short_offsets,
        displacement_fwd,
        displacement_bwd,
        output_stride=output_stride,
        max_detections=max_detections,
        score_threshold=score_threshold,
        nms_radius=nms_radius,
        frame=frame,
    )
    return found.poses()


def find_poses(
    heatmap_scores: NDArray[np.float32],
    short_offsets: NDArray[np.float32],
    displacement_fwd: NDArray[np.float32],
    displacement_bwd: NDArray[np.float32],
    *,
    output_stride: int,
    max_detections: int,
    score_threshold: float,
    nms_radius: float,
    frame: Frame | None,
) -> FoundPoses:
    """`decode_multiple_poses`, which explains the arguments, as arrays."""
    grid = PoseGrid(
        heatmap_scores, short_offsets, displacement_fwd, displacement_bwd, output_stride
    )
    found = list(islice(_roots_and_walks(grid, score_threshold, nms_radius), max_detections))
    roots = np.array([root for root, _ in found], dtype=np.intp)
    walks = np.array([walk for _, walk in found], dtype=np.intp).reshape(-1, body.KEYPOINTS)
    positions, keypoint_scores = grid.positions[walks], grid.point_scores(roots, walks)
    scores = _mean_scores(positions, keypoint_scores, nms_radius)
    if frame is not None:
        scale, before = _to_image(frame)
        positions = positions * scale - before
    return FoundPoses(positions, keypoint_scores, scores)


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
    check_heads(heatmap_scores, short_offsets=(short_offsets, 2 * body.KEYPOINTS))
    cells = argmax2d(heatmap_scores)
    rows, columns = cells[:, 0], cells[:, 1]
    ids = np.arange(body.KEYPOINTS)
    positions = sharpened(short_offsets, output_stride)[rows, columns, ids]
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
    scale = np.array([scale_x, scale_y])
    before = np.array([frame.padding.left, frame.padding.top], dtype=np.float64)
    return scale, before + (1.0 - scale) / 2.0 if frame.centred else before


def _roots_and_walks(
    grid: PoseGrid, score_threshold: float, nms_radius: float
) -> Iterator[tuple[int, list[int]]]:
    """Flat heatmap indices of the root and of all 17 points, of one pose after the other."""
    roots = _candidates(grid.scores, score_threshold)
    keypoints = roots % body.KEYPOINTS
    positions = grid.positions[roots]
    suppressed = np.zeros(len(roots), dtype=bool)
    for index in queue_order(grid.scores.reshape(-1)[roots]):
        if suppressed[index]:
            continue
        root = int(roots[index])
        walk = grid.walk(root)
        yield root, walk
        same_keypoints = grid.positions[np.array(walk)[keypoints]]
        suppressed |= _are_near(same_keypoints, positions, nms_radius)


def _mean_scores(
    positions: NDArray[np.float64], scores: NDArray[np.float64], nms_radius: float
) -> NDArray[np.float64]:
    """(n,) scores of poses, (n, 17, 2) and (n, 17): keypoints near earlier poses' count 0."""
    count = len(positions)
    own = np.empty(scores.shape, dtype=bool)
    for start in range(0, count, _POSES_AT_ONCE):
        some = slice(start, start + _POSES_AT_ONCE)
        near = _are_near(positions[some, np.newaxis], positions, nms_radius)
        near &= np.tri(count, k=-1, dtype=bool)[some, :, np.newaxis]
        own[some] = ~near.any(axis=1)
    means: NDArray[np.float64] = np.where(own, scores, 0.0).sum(axis=1) / body.KEYPOINTS
    return means


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
    positions: NDArray[np.float64], others: NDArray[np.float64], radius: float
) -> NDArray[np.bool_]:
    """Which of (..., 2) positions are within the radius, inclusive, of their counterparts."""
    apart = positions - others
    apart *= apart
    near: NDArray[np.bool_] = apart[..., 0] + apart[..., 1] <= radius * radius
    return near
