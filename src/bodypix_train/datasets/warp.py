"""Sampling of corner-aligned grids at the cells of a crop."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from .sample import Bytes

Matrix = NDArray[np.float64]  # (2, 3), an affine map of (x, y, 1)

SHARP = 1.6  # a grid that is shrunk by more than this is made smaller first: it would alias


def on_grid(matrix: Matrix, shape: tuple[int, int], frame: tuple[int, int], stride: int) -> Matrix:
    """A crop's cells on a grid (h, w) that is corner aligned with a picture of ``frame`` (H, W).

    ``matrix`` maps crop pixels to picture pixels; crop cell i lies on crop pixel i * stride.
    """
    to_grid = np.array([[(shape[1] - 1) / (frame[1] - 1)], [(shape[0] - 1) / (frame[0] - 1)]])
    return np.hstack([matrix[:, :2] * stride, matrix[:, 2:]]) * to_grid


def on_smaller(local: Matrix, shape: tuple[int, int], small: tuple[int, int]) -> Matrix:
    """The same cells on the grid that `cv2.resize` makes of one of ``shape`` by INTER_AREA.

    That one keeps the edges of the picture in place, not the middles of the cells in its corners.
    """
    factor = np.array([[small[1] / shape[1]], [small[0] / shape[0]]])
    moved = local * factor
    moved[:, 2:] += 0.5 * factor - 0.5
    return moved


def shrinks(local: Matrix) -> float:
    """How many of the grid's cells lie between two neighbours of the crop's."""
    return float(np.sqrt(abs(np.linalg.det(local[:, :2]))))


def cells(size: int, stride: int) -> int:
    """Cells along the side of a crop of ``size`` pixels."""
    return (size - 1) // stride + 1


def warp(
    grid: Bytes, matrix: Matrix, frame: tuple[int, int], size: int, stride: int,
    border: tuple[int, int, int] = (0, 0, 0),
) -> Bytes:  # fmt: skip
    """Sample a grid at a crop's cells; it is corner aligned with a picture of ``frame`` (H, W)."""
    local = on_grid(matrix, (grid.shape[0], grid.shape[1]), frame, stride)
    side = cells(size, stride)
    # Part maps are smooth already.
    many = grid.ndim == 3 and grid.shape[2] > 4  # cv2 takes at most four channels at once
    scale = shrinks(local)
    if scale > SHARP and not many:
        small = (max(2, round(grid.shape[1] / scale)), max(2, round(grid.shape[0] / scale)))
        local = on_smaller(local, (grid.shape[0], grid.shape[1]), small[::-1])
        grid = cv2.resize(grid, small, interpolation=cv2.INTER_AREA)  # type: ignore[assignment]
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    if many:
        layers = [
            cv2.warpAffine(
                np.ascontiguousarray(grid[..., i : i + 4]), local, (side, side), flags=flags
            )
            for i in range(0, grid.shape[2], 4)
        ]
        return np.concatenate(layers, axis=2)  # type: ignore[return-value]
    return cv2.warpAffine(grid, local, (side, side), flags=flags, borderValue=border)  # type: ignore[return-value]


def warp_ids(ids: Bytes, matrix: Matrix, frame: tuple[int, int], size: int, stride: int) -> Bytes:
    """The same of a map (h, w) of ids: they do not mix, so the nearest one counts."""
    return cv2.warpAffine(  # type: ignore[return-value]
        ids,
        on_grid(matrix, (ids.shape[0], ids.shape[1]), frame, stride),
        (cells(size, stride), cells(size, stride)),
        flags=cv2.INTER_NEAREST | cv2.WARP_INVERSE_MAP,
    )
