"""Poses: `draw_keypoints`, `draw_skeleton`, `draw_poses`."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from bodypix import body
from bodypix.drawing import checks
from bodypix.drawing.checks import Image
from bodypix.drawing.colors import ColorLike, rgb
from bodypix.errors import InvalidArgumentError
from bodypix.results import Pose

AQUA = (0, 255, 255)
"""The original demo's colour."""

_FRACTION_BITS = 4
# How far OpenCV's smooth filling reaches beyond the outline that it is given, in pixels (measured).
_SPREAD = 0.5
# Coordinates far outside the image, still safe in OpenCV's fixed point.
_FAR = 1e6


def draw_keypoints(
    image: Any,
    poses: Pose | Sequence[Pose],
    *,
    min_score: float = 0.1,
    color: ColorLike = AQUA,
    radius: float = 3,
) -> Image:
    """A dot on every keypoint whose score is at least `min_score`.

    Args:
        image: (H, W, 3) uint8 RGB.
        poses: a pose or a list of poses, in image pixels; keypoints outside the image are left
            out as far as they do not show.
        min_score: 0 to 1; the original demo's value is 0.1.
        color: colour of the dots.
        radius: radius in pixels.

    Returns:
        (H, W, 3) uint8 RGB, a new array.

    Raises:
        ImageError: the image is not (H, W, 3) uint8.
        InvalidArgumentError: no poses, not a colour, a number out of its range.
    """
    reach = max(0.0, checks.number("radius", radius, 0.0, 1000.0) - _SPREAD)
    ink = rgb(color)

    def draw(canvas: Image, points: NDArray[np.float64], seen: NDArray[np.bool_]) -> None:
        for point in _fixed(points[seen]):
            center = (int(point[0]), int(point[1]))
            size = round(reach * 2**_FRACTION_BITS)
            cv2.circle(canvas, center, size, ink, cv2.FILLED, cv2.LINE_AA, _FRACTION_BITS)

    return _drawn(image, poses, min_score, draw)


def draw_skeleton(
    image: Any,
    poses: Pose | Sequence[Pose],
    *,
    min_score: float = 0.1,
    color: ColorLike = AQUA,
    line_width: float = 2,
) -> Image:
    """A line for every pair of `body.SKELETON` whose two keypoints score at least `min_score`.

    Arguments, result and errors as in `draw_keypoints`; `line_width` in pixels.
    """
    width = checks.number("line_width", line_width, 1.0, 1000.0) - 2 * _SPREAD
    ink = rgb(color)

    def draw(canvas: Image, points: NDArray[np.float64], seen: NDArray[np.bool_]) -> None:
        for start, end in body.SKELETON:
            if seen[start] and seen[end]:
                corners = _fixed(_bar(points[start], points[end], max(0.0, width)))
                cv2.fillConvexPoly(canvas, corners, ink, cv2.LINE_AA, _FRACTION_BITS)

    return _drawn(image, poses, min_score, draw)


def draw_poses(
    image: Any,
    poses: Pose | Sequence[Pose],
    *,
    min_score: float = 0.1,
    color: ColorLike = AQUA,
    radius: float = 3,
    line_width: float = 2,
) -> Image:
    """Skeletons and, on top of them, keypoints; arguments as in those two functions."""
    lines = draw_skeleton(image, poses, min_score=min_score, color=color, line_width=line_width)
    return draw_keypoints(lines, poses, min_score=min_score, color=color, radius=radius)


def _drawn(
    image: Any,
    poses: Pose | Sequence[Pose],
    min_score: float,
    draw: Callable[[Image, NDArray[np.float64], NDArray[np.bool_]], None],
) -> Image:
    """A copy of the image on which `draw` was called for every pose."""
    canvas = np.ascontiguousarray(checks.rgb_image(image)).copy()
    lowest = checks.number("min_score", min_score, 0.0, 1.0)
    for pose in _pose_list(poses):
        positions = pose.positions
        seen = (pose.scores >= lowest) & np.isfinite(positions).all(axis=1)
        draw(canvas, positions, seen)
    return canvas


def _pose_list(poses: Pose | Sequence[Pose]) -> list[Pose]:
    found = checks.listed(poses, Pose)
    for pose in found:
        if not isinstance(pose, Pose):
            raise InvalidArgumentError(
                f"poses: expected a Pose or a list of them; got {type(pose).__name__}. "
                "Use `.all_poses` of a segmentation, or `.pose` of one of several people."
            )
    return found


def _bar(start: NDArray[np.float64], end: NDArray[np.float64], width: float) -> NDArray[np.float64]:
    """(4, 2) corners of a line of some width. (OpenCV's own lines are 1.4 pixels too wide.)"""
    along = end - start
    length = float(np.hypot(along[0], along[1]))
    across = np.array([-along[1], along[0]]) * (width / 2 / length if length else 0.0)
    return np.array([start + across, end + across, end - across, start - across])


def _fixed(points: NDArray[np.float64]) -> NDArray[np.int32]:
    """Coordinates in OpenCV's fixed point."""
    scaled: NDArray[np.float64] = np.rint(points.clip(-_FAR, _FAR) * 2**_FRACTION_BITS)
    return scaled.astype(np.int32)
