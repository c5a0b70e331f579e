"""Person logits on the network's grid -> probability and mask in image pixels.

The formula (spec 2.5 and 6): corner-aligned bilinear resize of the logits to network pixels, the
sigmoid, bilinear resize of what is not padding to image pixels; the mask is 1 where that
probability is strictly above the threshold. `geometry.scale_and_crop_to_image` is the same as it
is written there. Here both resizes go one axis at a time over contiguous rows (columns are turned
into rows by a transposition), and a mask is worked out only where the person may be.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Final, NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from bodypix.geometry import Frame, Taps, aligned_taps, sigmoid_in_place
from bodypix.scratch import SCRATCH

# A cell whose corners are all this far below the threshold holds no person: interpolated values
# lie between the corners' values, and rounding errors are a hundred times smaller than this.
_SAFE_MARGIN: Final = 1e-5

# Image rows are done in groups of about this many bytes of float32: bounded memory for large images.
_GROUP_BYTES: Final = 1 << 20


class Window(NamedTuple):
    """A rectangle of image pixels: rows [top, bottom), columns [left, right)."""

    top: int
    bottom: int
    left: int
    right: int


def person_probability(logits: NDArray[np.float32], frame: Frame) -> NDArray[np.float32]:
    """(H, W) float32, 0..1: the probability that a pixel is of a person.

    Args:
        logits: (H', W') float32 on a corner-aligned grid.
        frame: sizes and padding.
    """
    height, width = frame.image_size
    rows, columns = frame.image_taps
    scores, first_row = _across(logits, frame, rows, columns)
    probability = np.empty((height, width), np.float32)
    for group, values in _down(scores, _from_row(rows, first_row)):
        probability[group] = values
    return probability


def person_mask(logits: NDArray[np.float32], frame: Frame, threshold: float) -> NDArray[np.uint8]:
    """(H, W) uint8: 1 where `person_probability` is strictly above the threshold, else 0.

    The two agree to the last bit: the same numbers are computed, but not where the logits around
    a pixel leave no doubt that nobody is there.
    """
    mask = np.zeros(frame.image_size, np.uint8)
    window = _person_window(logits, frame, threshold)
    if window is None:
        return mask
    rows, columns = frame.image_taps
    rows = _part_of(rows, window.top, window.bottom)
    columns = _part_of(columns, window.left, window.right)
    scores, first_row = _across(logits, frame, rows, columns)
    inside = mask[window.top : window.bottom, window.left : window.right].view(np.bool_)
    for group, values in _down(scores, _from_row(rows, first_row)):
        np.greater(values, np.float32(threshold), out=inside[group])
    return mask


def _person_window(logits: NDArray[np.float32], frame: Frame, threshold: float) -> Window | None:
    """The part of the image where the probability can be above the threshold."""
    safe = threshold - _SAFE_MARGIN
    if safe >= 1.0:
        return None
    lowest = math.log(safe / (1.0 - safe)) if safe > 0.0 else -math.inf
    # Not "logits < lowest": a broken network's NaN must be looked at, not skipped.
    near = ~(logits < lowest)
    near_rows = np.flatnonzero(near.any(axis=1))
    if not near_rows.size:
        return None
    near_columns = np.flatnonzero(near.any(axis=0))
    rows, columns = frame.image_taps
    top, bottom = _reach(near_rows, logits.shape[0], frame.input_size[0], rows)
    left, right = _reach(near_columns, logits.shape[1], frame.input_size[1], columns)
    return Window(top, bottom, left, right) if top < bottom and left < right else None


def _reach(near: NDArray[np.intp], grid: int, size: int, taps: Taps) -> tuple[int, int]:
    """Image pixels [first, last) of one axis that any of the grid nodes `near` has a part in."""
    stride = (size - 1) // max(grid - 1, 1)
    start, stop = (int(near[0]) - 1) * stride, (int(near[-1]) + 1) * stride
    first, last = np.searchsorted(taps.low, (start, stop + 1))
    return int(first), int(last)


def _part_of(taps: Taps, first: int, last: int) -> Taps:
    return Taps(taps.low[first:last], taps.high[first:last], taps.weight[first:last])


def _from_row(taps: Taps, first: int) -> Taps:
    """The same taps for an input whose first `first` entries are left out."""
    return Taps(taps.low - first, taps.high - first, taps.weight)


def _across(
    logits: NDArray[np.float32], frame: Frame, rows: Taps, columns: Taps
) -> tuple[NDArray[np.float32], int]:
    """All but the last step: scores in network rows and image columns.

    Returns:
        (n, m) float32 in scratch memory for the m columns and for the n network rows that `rows`
        read; and the number of the first of those network rows.
    """
    first_row, last_row = int(rows.low[0]), int(rows.high[-1])
    first_column, last_column = int(columns.low[0]), int(columns.high[-1])
    grid_rows = aligned_taps(logits.shape[0], frame.input_size[0])
    grid_columns = aligned_taps(logits.shape[1], frame.input_size[1])

    logits = np.ascontiguousarray(logits)
    down = _lerp(logits, _steps(logits, "a"), _part_of(grid_rows, first_row, last_row + 1), "a")
    down = _transposed(down, "b")
    across = _lerp(
        down, _steps(down, "b"), _part_of(grid_columns, first_column, last_column + 1), "b"
    )
    sigmoid_in_place(across)
    scores = _lerp(across, _steps(across, "c"), _from_row(columns, first_column), "c")
    return _transposed(scores, "d"), first_row


def _down(scores: NDArray[np.float32], rows: Taps) -> Iterator[tuple[slice, NDArray[np.float32]]]:
    """The last step, in groups of image rows; a group's array is overwritten by the next."""
    height = len(rows.low)
    steps = _steps(scores, "d")
    size = max(1, _GROUP_BYTES // (4 * scores.shape[1]))
    for first in range(0, height, size):
        last = min(first + size, height)
        yield slice(first, last), _lerp(scores, steps, _part_of(rows, first, last), "d")


def _steps(values: NDArray[np.float32], name: str) -> NDArray[np.float32]:
    """What to add to a row for the next one, in scratch memory; 0 for the last row."""
    steps: NDArray[np.float32] = SCRATCH.array(f"steps {name}", values.shape, np.float32)
    np.subtract(values[1:], values[:-1], out=steps[:-1])
    steps[-1] = 0.0
    return steps


def _lerp(
    values: NDArray[np.float32], steps: NDArray[np.float32], taps: Taps, name: str
) -> NDArray[np.float32]:
    """Interpolate along axis 0, into scratch memory."""
    shape = (len(taps.low), values.shape[1])
    result: NDArray[np.float32] = SCRATCH.array(f"lerp {name}", shape, np.float32)
    step: NDArray[np.float32] = SCRATCH.array("step", shape, np.float32)
    # mode="clip" (nothing needs clipping) spares the copy that checking with `out` would take.
    np.take(values, taps.low, axis=0, out=result, mode="clip")
    np.take(steps, taps.low, axis=0, out=step, mode="clip")
    step *= taps.weight[:, np.newaxis]
    result += step
    return result


def _transposed(values: NDArray[np.float32], name: str) -> NDArray[np.float32]:
    target: NDArray[np.float32] = SCRATCH.array(name, values.shape[::-1], np.float32)
    cv2.transpose(values, dst=target)
    return target
