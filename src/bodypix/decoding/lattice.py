"""Painting an image with the nearest of several things, working out few of its pixels.

Distances from a pixel to people are dear (`instances`), and neighbours mostly have the same nearest
person. So the nearest is worked out at the nodes of a coarse lattice first, then at those of a fine
one inside cells whose corners disagree. Where fine corners still disagree, the distances of the
four are interpolated.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final, TypeAlias, TypeVar

import numpy as np
from numpy.typing import NDArray

from bodypix.scratch import SCRATCH

_AnyType = TypeVar("_AnyType", bound=np.generic)

Distances: TypeAlias = Callable[[NDArray[np.intp], NDArray[np.intp]], NDArray[np.float32]]
"""Rows and columns of n pixels -> (candidates, n) distances; n may be 0; all finite."""

FACTOR: Final = 4
"""Pixels from one fine node to the next, and fine nodes from one coarse node to the next."""

COARSE: Final = FACTOR * FACTOR
"""Pixels from one coarse node to the next."""

# Weights of a cell's upper left, upper right, lower left and lower right corner at its pixels.
_RAMP: Final = np.arange(FACTOR, dtype=np.float32) / FACTOR
_CORNER_WEIGHTS: Final = np.stack(
    [np.outer(row, column).ravel() for row in (1 - _RAMP, _RAMP) for column in (1 - _RAMP, _RAMP)]
)


def paint_nearest(
    mask: NDArray[np.uint8], values: Sequence[int], distances: Distances
) -> NDArray[np.signedinteger]:
    """Paint every pixel of a mask with the value of the nearest candidate.

    Args:
        mask: (H, W) uint8, not 0 where to paint.
        values: one for each candidate; among candidates equally near the first one wins.
        distances: what is near; nodes up to a coarse cell outside the image are asked for as well.

    Returns:
        (H, W) int8, or int16 if a value needs it: values; -1 outside the mask.
    """
    palette = np.array(values, dtype=owner_type(max(values)))
    fine_cells = _any_in_blocks(_padded(mask))
    coarse_cells = _any_in_blocks(fine_cells.view(np.uint8))

    coarse = _Nodes(coarse_cells, COARSE, distances)
    fine_cells &= _enlarged(coarse.disagree)
    fine = _Nodes(fine_cells, FACTOR, distances)
    small = _enlarged(palette[coarse.nearest])
    small[fine_cells] = palette[fine.nearest[fine_cells]]
    painted = _enlarged(small)

    rows, columns = np.nonzero(fine.disagree)
    inside = np.tensordot(fine.corners(rows, columns), _CORNER_WEIGHTS, axes=1)
    blocks = painted.reshape(len(small), FACTOR, -1, FACTOR)
    blocks[rows, :, columns, :] = palette[inside.argmin(axis=0)].reshape(-1, FACTOR, FACTOR)

    painted = painted[: mask.shape[0], : mask.shape[1]]
    outside: NDArray[np.bool_] = SCRATCH.array("outside", mask.shape, np.bool_)
    minus_one = outside.view(np.int8)
    np.negative(np.equal(mask, 0, out=outside).view(np.int8), out=minus_one)
    return np.bitwise_or(painted, minus_one, out=painted)


def owner_type(largest: int) -> type[np.int8 | np.int16]:
    """The smallest type for values from -1 up: whole images of bytes are handled the fastest."""
    return np.int8 if largest <= np.iinfo(np.int8).max else np.int16


class _Nodes:
    """The nearest candidates at the corners of some cells of a lattice.

    Attributes:
        nearest: (rows, columns) of cells: index of the candidate nearest to the upper left corner;
            0 where that was not asked for.
        disagree: (rows, columns) bool: those of the given cells whose corners differ.
    """

    def __init__(self, cells: NDArray[np.bool_], spacing: int, distances: Distances) -> None:
        rows, columns = cells.shape
        wanted = np.zeros((rows + 1, columns + 1), dtype=bool)
        wanted[:-1, :-1] = cells
        wanted[:-1, 1:] |= cells
        wanted[1:] |= wanted[:-1]
        nodes = np.flatnonzero(wanted)
        y, x = np.divmod(nodes, columns + 1)
        self._distances = distances(y * spacing, x * spacing)
        self._index = np.zeros(wanted.shape, dtype=np.intp)
        self._index.reshape(-1)[nodes] = np.arange(len(nodes))
        nearest = np.zeros(wanted.shape, dtype=np.intp)
        nearest.reshape(-1)[nodes] = self._distances.argmin(axis=0)
        self.nearest = nearest[:-1, :-1]
        self.disagree = nearest[:-1, 1:] != self.nearest
        self.disagree |= nearest[1:, :-1] != self.nearest
        self.disagree |= nearest[1:, 1:] != self.nearest
        self.disagree &= cells

    def corners(self, rows: NDArray[np.intp], columns: NDArray[np.intp]) -> NDArray[np.float32]:
        """(candidates, n, 4) distances at the corners of n cells, in the order of the weights."""
        corners = np.empty((len(rows), 4), dtype=np.intp)
        for corner in range(4):
            corners[:, corner] = self._index[rows + corner // 2, columns + corner % 2]
        return self._distances[:, corners]


def _padded(mask: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """The mask with zeros below and to the right, up to whole coarse cells."""
    height, width = mask.shape
    if height % COARSE == 0 and width % COARSE == 0:
        return np.ascontiguousarray(mask)
    padded = np.zeros((height + -height % COARSE, width + -width % COARSE), dtype=np.uint8)
    padded[:height, :width] = mask
    return padded


def _any_in_blocks(mask: NDArray[np.uint8]) -> NDArray[np.bool_]:
    """Whether any element of each block of FACTOR x FACTOR is not 0."""
    # Four bytes of a row are one uint32, which makes this 10 times as fast as `any`.
    rows = mask.view(np.uint32)
    blocks = np.bitwise_or.reduce(rows.reshape(-1, FACTOR, rows.shape[1]), axis=1)
    found: NDArray[np.bool_] = blocks != 0
    return found


def _enlarged(cells: NDArray[_AnyType]) -> NDArray[_AnyType]:
    """Every element repeated to a block of FACTOR x FACTOR."""
    rows, columns = cells.shape
    enlarged = np.empty((rows, FACTOR, columns * FACTOR), dtype=cells.dtype)
    enlarged[:] = np.repeat(cells, FACTOR, axis=1)[:, np.newaxis]
    return enlarged.reshape(rows * FACTOR, -1)
