"""Smaller pictures by averaging, several times as fast as one call of OpenCV's."""

from __future__ import annotations

from typing import Any, TypeVar

import cv2
import numpy as np
from numpy.typing import NDArray

_N = TypeVar("_N", np.uint8, np.float32)


def grid_size(height: int, width: int, longest: int) -> tuple[int, int]:
    """(width, height) of a picture's shape with at most `longest` pixels along its longer side."""
    factor = max(1.0, max(height, width) / longest)
    return max(1, int(width / factor + 0.5)), max(1, int(height / factor + 0.5))


def shrunk(picture: NDArray[_N], size: tuple[int, int]) -> NDArray[_N]:
    """A new picture of smaller (width, height), each pixel the mean of the area it covers.

    Where the sizes are no powers of two apart, areas are made of whole halved pixels and parts of
    them, so that a mean also takes a little from its neighbours.

    Args:
        picture: (H, W) or (H, W, C) uint8 (rounded at each halving) or float32, C at most 4.
        size: (width, height), neither larger than the picture's.
    """
    # Halving is OpenCV's fastest case: two halves take a sixth of the time of one quarter.
    small: NDArray[Any] = picture
    while (
        small.shape[1] >= 2 * size[0]
        and small.shape[0] >= 2 * size[1]
        and not (small.shape[0] % 2 or small.shape[1] % 2)
    ):
        half = (small.shape[1] // 2, small.shape[0] // 2)
        small = np.asarray(cv2.resize(small, half, interpolation=cv2.INTER_AREA))
    if small is not picture and (small.shape[1], small.shape[0]) == size:
        return small
    return np.asarray(cv2.resize(small, size, interpolation=cv2.INTER_AREA))
