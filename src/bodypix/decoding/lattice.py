"""Painting an image with the nearest of several things, working out few of its pixels.

Distances from a pixel to people are dear (`instances`), and neighbours mostly have the same nearest
person. So the nearest is worked out at the nodes of a coarse lattice first, then at those of a fine
one inside cells whose corners disagree. Where fine corners still disagree, the distances of the
four are interpolated.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import Final, TypeAlias, TypeVar

import numpy as np
from numpy.typing import NDArray

from bodypix.scratch import SCRATCH

_AnyType = TypeVar("_AnyType", bound=np.generic)

Distances: TypeAlias = Callable[[NDArray[np.intp], NDArray[np.intp]], NDArray[np.float32]]
"""Rows and columns of n pixels -> (candidates, n) distances; n may be 0; all finite."""

SPACINGS: Final = (32, 16, 4)
"""Pixels from one node to the next, for each lattice, coarse to fine."""

_COARSE: Final = SPACINGS[0]
_FINE: Final = SPACINGS[-1]
_STEPS: Final = tuple(pairwise(SPACINGS))

# Weights of a fine cell's upper left, upper right, lower left and lower right corner at its pixels.
_RAMP: Final = np.arange(_FINE, dtype=np.float32) / _FINE
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
    palette: NDArray[np.signedinteger] = np.array(values, dtype=owner_type(max(values)))
    occupied = {_FINE: _joined(_padded(mask), _FINE)}
    for spacing, finer in reversed(_STEPS):
        occupied[spacing] = _joined(occupied[finer], spacing // finer)

    nodes = _Nodes(occupied[_COARSE].view(np.bool_), _COARSE, palette, distances)
    labels, disagree = nodes.labels, nodes.disagree
    for spacing, finer in _STEPS:
        labels = _enlarged(labels, spacing // finer)
        disagree = _enlarged(disagree, spacing // finer)
        disagree &= occupied[finer].view(np.bool_)
        if disagree.any():
            nodes = _Nodes(disagree, finer, palette, distances)
            np.copyto(labels, nodes.labels, where=disagree)
            disagree = nodes.disagree
    painted = _enlarged(labels, _FINE)

    rows, columns = np.nonzero(disagree)
    if len(rows):
        inside = nodes.corners(rows, columns) @ _CORNER_WEIGHTS
        blocks = painted.reshape(len(labels), _FINE, -1, _FINE)
        blocks[rows, :, columns, :] = palette[inside.argmin(axis=0)].reshape(-1, _FINE, _FINE)

    painted = painted[: mask.shape[0], : mask.shape[1]]
    outside: NDArray[np.bool_] = SCRATCH.array("outside", mask.shape, np.bool_)
    minus_one = outside.view(np.int8)
    np.negative(np.equal(mask, 0, out=outside).view(np.int8), out=minus_one)
    painted |= minus_one
    return painted


def owner_type(largest: int) -> type[np.int8 | np.int16]:
    """The smallest type for values from -1 up: whole images of bytes are handled the fastest."""
    return np.int8 if largest <= np.iinfo(np.int8).max else np.int16


class _Nodes:
    """What is nearest at the corners of some cells of a lattice.

    Attributes:
        labels: (rows, columns) of cells: the palette's value at the upper left corner; arbitrary
            where that was not asked for.
        disagree: (rows, columns) bool: those of the given cells whose corners differ.
    """

    def __init__(
        self,
        cells: NDArray[np.bool_],
        spacing: int,
        palette: NDArray[np.signedinteger],
        distances: Distances,
    ) -> None:
        rows, columns = cells.shape
        wanted = np.zeros((rows + 1, columns + 1), dtype=bool)
        wanted[:-1, :-1] = cells
        wanted[:-1, 1:] |= cells
        wanted[1:] |= wanted[:-1]
        self._y, self._x = np.nonzero(wanted)
        self._distances = distances(self._y * spacing, self._x * spacing)
        at_nodes = np.zeros(wanted.shape, dtype=palette.dtype)
        at_nodes[self._y, self._x] = palette[self._distances.argmin(axis=0)]
        self.labels = at_nodes[:-1, :-1]
        self.disagree = at_nodes[:-1, 1:] != self.labels
        self.disagree |= at_nodes[1:, :-1] != self.labels
        self.disagree |= at_nodes[1:, 1:] != self.labels
        self.disagree &= cells

    def corners(self, rows: NDArray[np.intp], columns: NDArray[np.intp]) -> NDArray[np.float32]:
        """(candidates, n, 4) distances at the corners of n cells, in the order of the weights."""
        number = np.zeros((len(self.labels) + 1, self.labels.shape[1] + 1), dtype=np.intp)
        number[self._y, self._x] = np.arange(len(self._y))
        corners = np.empty((len(rows), 4), dtype=np.intp)
        for corner in range(4):
            corners[:, corner] = number[rows + corner // 2, columns + corner % 2]
        return self._distances[:, corners]


def _padded(mask: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """The mask with zeros below and to the right, up to whole coarse cells."""
    height, width = mask.shape
    if height % _COARSE == 0 and width % _COARSE == 0:
        return np.ascontiguousarray(mask)
    padded = np.zeros((height + -height % _COARSE, width + -width % _COARSE), dtype=np.uint8)
    padded[:height, :width] = mask
    return padded


def _joined(cells: NDArray[np.uint8], factor: int) -> NDArray[np.uint8]:
    """For each block of factor x factor: 1 if any element is not 0, else 0."""
    # So many bytes of a row are one integer, which makes this 10 times as fast as `any`.
    rows = cells.view(f"u{factor}")
    blocks = np.bitwise_or.reduce(rows.reshape(-1, factor, rows.shape[1]), axis=1)
    found: NDArray[np.bool_] = blocks != 0
    return found.view(np.uint8)


def _enlarged(cells: NDArray[_AnyType], factor: int) -> NDArray[_AnyType]:
    """Every element repeated to a block of factor x factor."""
    rows, columns = cells.shape
    enlarged = np.empty((rows, factor, columns * factor), dtype=cells.dtype)
    enlarged[:] = np.repeat(cells, factor, axis=1)[:, np.newaxis]
    return enlarged.reshape(rows * factor, -1)
