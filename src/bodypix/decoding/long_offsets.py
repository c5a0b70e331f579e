"""Following the long offsets: where a pixel says its person's keypoints are.

Every pixel hops along the long-offset field of each keypoint, one hop more than `refine_steps`, and
so comes ever nearer to the keypoint of the person it belongs to. Offsets are network pixels and are
added to image pixels as they are; the repetition makes up for that (spec section 5).

Positions are float32 arrays (2, K, n) of y and x in image pixels, for K keypoints and n pixels.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from bodypix import body
from bodypix.geometry import Frame

_PIXELS_AT_ONCE: Final = 8192
"""What fits a processor's cache, and OpenCV, which takes no array wider than 32767."""

_NO_MAP: Final = np.empty(0, dtype=np.float32)


class BilinearField:
    """Offsets interpolated between grid cells: the original's WebGL path.

    The running position is never bounded; only the place where the next offset is read is kept
    inside the image and the grid. OpenCV reads at steps of 1/32 cell, which stands for the whole
    pixels at which the original reads (a cell is some 32 pixels at medium resolution, stride 16).
    """

    def __init__(
        self,
        long_offsets: NDArray[np.float32],
        keypoints: Sequence[int],
        frame: Frame,
        output_stride: int,
    ) -> None:
        rows, columns, _ = long_offsets.shape
        grid = _Grid((rows, columns), frame, output_stride)
        # Everything happens in grid cells, (x, y) interleaved as OpenCV wants it, with the grids of
        # all keypoints on top of each other, so that one call reads for all of them.
        dy, dx = _planes(long_offsets, keypoints)
        self._steps = np.stack([dx * grid.scale[1], dy * grid.scale[0]], axis=-1, dtype=np.float32)
        self._steps = self._steps.reshape(-1, columns, 2)
        self._tops = np.arange(0, len(self._steps), rows, dtype=np.float32).reshape(-1, 1)
        self._grid = grid

    def follow(
        self, rows: NDArray[np.integer], columns: NDArray[np.integer], refine_steps: int
    ) -> NDArray[np.float32]:
        """(2, K, n) y, x at which n pixels arrive after `refine_steps + 1` hops."""
        if len(rows) > _PIXELS_AT_ONCE:
            parts = range(0, len(rows), _PIXELS_AT_ONCE)
            cuts = [slice(start, start + _PIXELS_AT_ONCE) for start in parts]
            guesses = [self.follow(rows[cut], columns[cut], refine_steps) for cut in cuts]
            return np.concatenate(guesses, axis=-1)
        if not len(rows):
            return np.empty((2, len(self._tops), 0), dtype=np.float32)
        (scale_y, scale_x), (shift_y, shift_x) = self._grid.scale, self._grid.shift
        last_y, last_x = self._grid.last
        cells = np.empty((len(self._tops), len(rows), 2), dtype=np.float32)
        cells[..., 0] = columns * scale_x + shift_x
        cells[..., 1] = rows * scale_y + shift_y + self._tops
        # Whole arrays, not broadcast bounds, take numpy's fast path.
        first, last = np.zeros_like(cells), np.empty_like(cells)
        first[..., 1] = self._tops
        last[..., 0], last[..., 1] = last_x, last_y + self._tops
        place = np.empty_like(cells)
        for _ in range(refine_steps + 1):
            np.maximum(cells, first, out=place)
            np.minimum(place, last, out=place)
            cells += cv2.remap(self._steps, place, _NO_MAP, cv2.INTER_LINEAR)
        positions = np.empty((2, *cells.shape[:2]), dtype=np.float32)
        np.subtract(cells[..., 1], self._tops + np.float32(shift_y), out=positions[0])
        np.subtract(cells[..., 0], np.float32(shift_x), out=positions[1])
        positions[0] /= np.float32(scale_y)
        positions[1] /= np.float32(scale_x)
        return positions


class NearestField:
    """Offsets of the nearest grid cell: the original's CPU path.

    A position is bounded to the image from above only. Above the grid there is no offset: the
    position becomes NaN and stays so (there the original reads before the start of its array).
    Left of the grid the first column counts (the original reads the end of the row before).
    """

    def __init__(
        self,
        long_offsets: NDArray[np.float32],
        keypoints: Sequence[int],
        frame: Frame,
        output_stride: int,
    ) -> None:
        rows, columns, _ = long_offsets.shape
        count = len(keypoints)
        grid = _Grid((rows, columns), frame, output_stride)
        self._columns = columns
        self._starts = (np.arange(count) * ((rows + 1) * columns)).reshape(-1, 1)
        self._scale, self._shift = _column(grid.scale), _column(grid.shift)
        self._bottom_right = _column([size - 1.0 for size in frame.image_size])
        # Row 0 of the table is the row above the grid.
        table = np.full((2, count, rows + 1, columns), np.nan, dtype=np.float32)
        table[:, :, 1:] = _planes(long_offsets, keypoints)
        self._table = [np.ascontiguousarray(plane) for plane in table]
        self._shift = self._shift + _column((1.0 + 0.5, 0.5))
        self._last = _column((float(rows), columns - 1.0))

    def follow(
        self, rows: NDArray[np.integer], columns: NDArray[np.integer], refine_steps: int
    ) -> NDArray[np.float32]:
        """(2, K, n) y, x at which n pixels arrive after `refine_steps + 1` hops; NaN: nowhere."""
        shape = (len(self._starts), len(rows))
        positions = np.empty((2, *shape), dtype=np.float32)
        positions[0], positions[1] = rows, columns
        for _ in range(refine_steps + 1):
            np.minimum(positions, self._bottom_right, out=positions)
            place = positions * self._scale
            place += self._shift
            # fmax takes NaN to row 0, where NaN is what it finds again.
            np.fmin(np.fmax(place, np.float32(0.0), out=place), self._last, out=place)
            cell = place.astype(np.intp)
            index = cell[0] * self._columns
            index += cell[1]
            index += self._starts
            for axis in (0, 1):
                positions[axis] += self._table[axis].take(index)
        return positions


class _Grid:
    """Where image positions lie on the output grid: `cell = position * scale + shift`.

    From `((padding + position + 1) * s - 1) / output_stride` with s = network pixels per image
    pixel, which takes the last pixel of an unpadded image to the last cell.

    Attributes:
        scale: (y, x).
        shift: (y, x).
        last: (y, x) of the image's last pixel on the grid, at most the last cell.
    """

    def __init__(
        self,
        grid_size: tuple[int, int],
        frame: Frame,
        output_stride: int,
    ) -> None:
        before = (frame.padding.top, frame.padding.left)
        share = [frame.input_size[axis] / frame.padded_size[axis] for axis in (0, 1)]
        self.scale = [share[axis] / output_stride for axis in (0, 1)]
        self.shift = [((before[axis] + 1) * share[axis] - 1.0) / output_stride for axis in (0, 1)]
        self.last = [
            min((size - 1) * scale + shift, cells - 1.0)
            for size, scale, shift, cells in zip(
                frame.image_size, self.scale, self.shift, grid_size, strict=True
            )
        ]


def _column(values: Sequence[float]) -> NDArray[np.float32]:
    return np.array(values, dtype=np.float32).reshape(2, 1, 1)


def _planes(long_offsets: NDArray[np.float32], keypoints: Sequence[int]) -> NDArray[np.float32]:
    """(2, K, H', W') dy and dx of these keypoints."""
    planes = long_offsets.transpose(2, 0, 1)
    ids = np.asarray(keypoints, dtype=np.intp)
    return np.stack([planes[ids], planes[ids + body.KEYPOINTS]])
