"""Part logits on the network's grid -> the part of every person pixel.

The formula (spec 2.5 and 6): 24 part logits are resized and activated like the person's
(`masks.person_probability`); a pixel's part is the channel of the largest value, the lowest id on
ties. Doing that to 24 channels of a whole image costs many times the network's own time, so most
of it is decided without computing the values, by two facts:

* Between the four corners of a cell, bilinear interpolation weighs corners alike for all channels,
  and the sigmoid keeps order. So a channel that beats another at the four corners beats it
  everywhere inside.
* Interpolating the activated network pixels to image pixels weighs channels alike as well.

So: cells of the grid whose corners agree on a part are done. In the others only the channels that
no other beats at all corners are interpolated to network pixels. Image pixels whose four network
pixels agree are done. Only at the rest, along the borders between parts, are activated values
interpolated. The answer is that of the formula, up to ties within float32 rounding.
"""

from __future__ import annotations

from functools import lru_cache
from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from bodypix.geometry import Frame, Taps, sigmoid_in_place
from bodypix.scratch import recycled

_UNDECIDED = 255


class _Axis(NamedTuple):
    """One axis of the image on one of the grid.

    `network` is the network pixel before each image pixel, `weight` the way from there to the next
    one, `cell` the grid cell that it lies in and `in_cell` its place there. Image pixels from
    `starts[k]` on lie in cell `filled[k]`; cells without image pixels are not among these.
    """

    cells: int
    stride: int
    network: NDArray[np.intp]
    weight: NDArray[np.float32]
    cell: NDArray[np.intp]
    in_cell: NDArray[np.intp]
    starts: NDArray[np.intp]
    filled: NDArray[np.intp]


class _Borders(NamedTuple):
    """Cells whose corners disagree, n of them, those with most candidates first.

    A candidate is a channel that may win somewhere in its cell. Pairs of cell and candidate are
    ordered by slot: first the lowest candidate of every cell, then the second lowest of the cells
    that have two, ... so that slot k is `starts[k]:starts[k + 1]` and belongs to the first cells.
    """

    row: NDArray[np.intp]
    column: NDArray[np.intp]
    counts: NDArray[np.intp]
    starts: NDArray[np.intp]
    channels: NDArray[np.uint8]
    corners: NDArray[np.float32]


def part_map(
    logits: NDArray[np.float32], mask: NDArray[np.uint8], frame: Frame
) -> NDArray[np.int32]:
    """(H, W) int32: the part id 0..23 where the mask is 1, -1 elsewhere.

    Args:
        logits: (H', W', 24) float32 on a corner-aligned grid.
        mask: (H, W) uint8 of 0 and 1.
        frame: sizes and padding.
    """
    # A grid of one node has no cells: repeating the node makes one.
    logits = logits.repeat(2, axis=0) if logits.shape[0] == 1 else logits
    logits = logits.repeat(2, axis=1) if logits.shape[1] == 1 else logits
    rows, columns = _axes(logits.shape[:2], frame)
    winners = logits.argmax(axis=2).astype(np.uint8)
    disagree = _neighbours_differ(winners)
    disagree &= _cells_with_person(mask, rows, columns)
    borders = _borders(logits, winners, disagree)

    # Parts of the network pixels' own little cells, each named by its top left pixel.
    fine = winners[:-1, :-1].repeat(columns.stride, axis=1).repeat(rows.stride, axis=0)
    if borders is None:
        decided = _to_image(fine, rows, columns)
    else:
        tiles = _tiles(borders, rows.stride, columns.stride)
        blocks = fine.reshape(rows.cells, rows.stride, columns.cells, columns.stride)
        blocks[borders.row, :, borders.column, :] = _tile_parts(tiles, borders)
        decided = _to_image(fine, rows, columns)
        _decide_rest(decided, mask, tiles, borders, rows, columns)
    # As bytes: id | 0 where the mask is 1, id | 255 = -1 where it is 0.
    decided |= mask - np.uint8(1)
    part_ids: NDArray[np.int32] = recycled(frame.image_size, np.int32)
    np.copyto(part_ids, decided.view(np.int8))
    return part_ids


@lru_cache(maxsize=64)
def _axes(grid: tuple[int, int], frame: Frame) -> tuple[_Axis, _Axis]:
    rows, columns = frame.image_taps
    return (
        _axis(rows, grid[0], frame.input_size[0]),
        _axis(columns, grid[1], frame.input_size[1]),
    )


def _axis(taps: Taps, nodes: int, size: int) -> _Axis:
    stride = max(1, (size - 1) // (nodes - 1))
    # The very last network pixel begins no cell: it is the far end of the one before.
    network = np.minimum(taps.low, max(size - 2, 0))
    weight = taps.weight + (taps.low - network).astype(np.float32)
    cell, in_cell = np.divmod(network, stride)
    filled, starts = np.unique(cell, return_index=True)
    return _Axis(nodes - 1, stride, network, weight, cell, in_cell, starts, filled)


def _neighbours_differ(values: NDArray[np.uint8]) -> NDArray[np.bool_]:
    """(..., n-1, m-1) bool: whether four neighbours of (..., n, m) are not all the same."""
    across = values[..., :, :-1] != values[..., :, 1:]
    down = values[..., :-1, :-1] != values[..., 1:, :-1]
    differ: NDArray[np.bool_] = across[..., :-1, :] | across[..., 1:, :]
    differ |= down
    return differ


def _cells_with_person(mask: NDArray[np.uint8], rows: _Axis, columns: _Axis) -> NDArray[np.bool_]:
    """(rows.cells, columns.cells) bool: whether a person pixel falls into the cell."""
    # Eight pixels to a byte while the many rows are joined.
    packed = np.bitwise_or.reduceat(np.packbits(mask, axis=1), rows.starts, axis=0)
    by_row = np.unpackbits(packed, axis=1, count=mask.shape[1])
    by_cell = np.bitwise_or.reduceat(by_row, columns.starts, axis=1).view(np.bool_)
    if by_cell.shape == (rows.cells, columns.cells):
        return by_cell
    found = np.zeros((rows.cells, columns.cells), np.bool_)
    found[rows.filled[:, np.newaxis], columns.filled] = by_cell
    return found


def _borders(
    nodes: NDArray[np.float32], winners: NDArray[np.uint8], disagree: NDArray[np.bool_]
) -> _Borders | None:
    row, column = np.nonzero(disagree)
    if not row.size:
        return None
    # Top left, top right, bottom left, bottom right: (4, n, 24), and their winners' values.
    corner_rows = np.stack((row, row, row + 1, row + 1))
    corner_columns = np.stack((column, column + 1, column, column + 1))
    corners = nodes[corner_rows, corner_columns]
    best = winners[corner_rows, corner_columns].astype(np.intp)
    rivals = corners[:, np.arange(row.size)[:, np.newaxis], best.T]
    beats = rivals[..., np.newaxis] > corners[:, :, np.newaxis]
    candidate: NDArray[np.bool_] = ~np.logical_and.reduce(beats, axis=0).any(axis=1)

    counts = candidate.sum(axis=1)
    order = np.argsort(-counts, kind="stable")
    row, column, counts = row[order], column[order], counts[order]
    cell, channel = np.nonzero(candidate[order])
    slot = np.arange(cell.size) - (np.cumsum(counts) - counts)[cell]
    by_slot = np.argsort(slot, kind="stable")
    cell, channel = cell[by_slot], channel[by_slot]
    starts = np.concatenate(([0], np.cumsum(np.bincount(slot))))
    return _Borders(
        row,
        column,
        counts,
        starts,
        channel.astype(np.uint8),
        corners[:, order[cell], channel],
    )


def _tiles(borders: _Borders, row_stride: int, column_stride: int) -> NDArray[np.float32]:
    """(pairs, row_stride + 1, column_stride + 1) float32: logits at the cells' network pixels."""
    top_left, top_right, bottom_left, bottom_right = borders.corners[..., np.newaxis]
    down = np.arange(row_stride + 1, dtype=np.float32) / np.float32(row_stride)
    across = np.arange(column_stride + 1, dtype=np.float32) / np.float32(column_stride)
    left = top_left + (bottom_left - top_left) * down
    right = top_right + (bottom_right - top_right) * down
    tiles: NDArray[np.float32] = (right - left)[..., np.newaxis] * across
    tiles += left[..., np.newaxis]
    return tiles


def _tile_parts(tiles: NDArray[np.float32], borders: _Borders) -> NDArray[np.uint8]:
    """(n, row_stride, column_stride) uint8: parts of network pixels; undecided along borders."""
    cells = len(borders.row)
    best = tiles[:cells].copy()
    parts = np.empty(best.shape, np.uint8)
    parts[...] = borders.channels[:cells, np.newaxis, np.newaxis]
    for start, stop in zip(borders.starts[1:-1], borders.starts[2:], strict=True):
        count = stop - start
        better = tiles[start:stop] > best[:count]
        np.copyto(parts[:count], borders.channels[start:stop, np.newaxis, np.newaxis], where=better)
        np.maximum(best[:count], tiles[start:stop], out=best[:count])
    decided = parts[:, :-1, :-1].copy()
    decided[_neighbours_differ(parts)] = _UNDECIDED
    return decided


def _to_image(fine: NDArray[np.uint8], rows: _Axis, columns: _Axis) -> NDArray[np.uint8]:
    """For each image pixel the value of the network pixel before it."""
    # Rows are cheap to gather and columns are not; transposing small arrays is cheap as well.
    across = cv2.transpose(cv2.transpose(fine)[columns.network])
    return np.asarray(across, np.uint8)[rows.network]


def _decide_rest(
    decided: NDArray[np.uint8],
    mask: NDArray[np.uint8],
    tiles: NDArray[np.float32],
    borders: _Borders,
    rows: _Axis,
    columns: _Axis,
) -> None:
    """Fill in the undecided person pixels from the activated values of all candidates."""
    undecided = decided == _UNDECIDED
    undecided &= mask.view(np.bool_)
    pixels = np.flatnonzero(undecided)
    if not pixels.size:
        return
    y, x = np.divmod(pixels, decided.shape[1])
    cell_of = np.zeros((rows.cells, columns.cells), np.intp)
    cell_of[borders.row, borders.column] = np.arange(len(borders.row))
    cell = cell_of[rows.cell[y], columns.cell[x]]

    # Every undecided pixel with every candidate of its cell, pixel by pixel, lowest channel first.
    counts = borders.counts[cell]
    firsts = np.cumsum(counts) - counts
    owner = np.repeat(np.arange(pixels.size), counts)
    slot = np.arange(owner.size) - firsts[owner]
    pair = borders.starts[slot] + cell[owner]

    tile_size, tile_width = (rows.stride + 1) * (columns.stride + 1), columns.stride + 1
    in_tile = rows.in_cell[y] * tile_width + columns.in_cell[x]
    corners = pair * tile_size + in_tile[owner] + [[0], [1], [tile_width], [tile_width + 1]]
    scores = sigmoid_in_place(tiles.reshape(-1).take(corners))
    across, down = columns.weight[x][owner], rows.weight[y][owner]
    top = scores[0] + (scores[1] - scores[0]) * across
    bottom = scores[2] + (scores[3] - scores[2]) * across
    value = top + (bottom - top) * down

    # The bits of floats from 0 up are ordered as the floats are. Behind them the channel, turned
    # round, makes the maximum find the lowest channel of equal values, and keeps it.
    channels = borders.channels[pair]
    keys = value.view(np.int32).astype(np.int64) * 256 + (255 - channels)
    decided.reshape(-1)[pixels] = 255 - (np.maximum.reduceat(keys, firsts) & 255)
