"""Label grids whose corners are the picture's corner pixels."""

from __future__ import annotations

import cv2
import numpy as np

from .sample import Bytes


def corner_aligned(values: Bytes, height: int, width: int) -> Bytes:
    """Bilinear samples of a picture at a grid whose corners are the picture's corner pixels."""
    rows, columns = values.shape
    y = np.linspace(0, rows - 1, height, dtype=np.float32)
    x = np.linspace(0, columns - 1, width, dtype=np.float32)
    smoothed = cv2.GaussianBlur(values, (0, 0), 0.35 * rows / height)  # no aliasing
    grid_x, grid_y = np.meshgrid(x, y)
    return cv2.remap(smoothed, grid_x, grid_y, cv2.INTER_LINEAR)  # type: ignore[return-value]


def corner_nearest(values: Bytes, height: int, width: int) -> Bytes:
    """As `corner_aligned`, the nearest pixel each: for ids, which do not mix."""
    rows, columns = values.shape
    y = np.rint(np.linspace(0, rows - 1, height)).astype(np.intp)
    x = np.rint(np.linspace(0, columns - 1, width)).astype(np.intp)
    return np.ascontiguousarray(values[np.ix_(y, x)])
