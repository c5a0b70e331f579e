"""From an image to the network's input: zero padding, legacy bilinear resize, normalisation.

The same numbers as `geometry.pad`, `geometry.resize_bilinear_legacy` and the formulas of spec 2.1,
arranged for speed: rows are interpolated first, whole and contiguous, then the pixels of two
neighbouring columns are gathered by OpenCV's nearest-neighbour resize, which is a plain copy.
(OpenCV's own linear resize, warp and remap cannot do it: they sample elsewhere or, in OpenCV 4,
round positions to 1/32 of a pixel.)
"""

from __future__ import annotations

from functools import lru_cache
from typing import Final, NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from bodypix.geometry import Frame, Taps, legacy_taps
from bodypix.scratch import SCRATCH

# Red, green, blue.
RESNET50_OFFSETS: Final = (-123.15, -115.90, -103.06)
_MOBILENET_SCALE: Final = 1.0 / 127.5

# Rows are done in groups whose float32 pixels fill about this many bytes, which bounds the memory.
_GROUP_BYTES: Final = 1 << 21


def to_network_input(
    image: NDArray[np.uint8], frame: Frame, preprocessing: str
) -> NDArray[np.float32]:
    """(h, w, 3) float32: the image as the network wants it.

    Args:
        image: (H, W, 3) uint8 RGB, C-contiguous.
        frame: sizes and padding.
        preprocessing: "mobilenet" (`x / 127.5 - 1`) or "resnet50" (`x` plus channel offsets).
    """
    target = np.empty((*frame.input_size, 3), np.float32)
    fill_network_input(image, frame, preprocessing, target)
    return target


def fill_network_input(
    image: NDArray[np.uint8],
    frame: Frame,
    preprocessing: str,
    target: NDArray[np.float32],
) -> None:
    """`to_network_input` into a given (h, w, 3) float32 array."""
    padded = _padded(image, frame)
    height, width = frame.input_size
    source_height, source_width = padded.shape[:2]
    rows = legacy_taps(source_height, height)
    columns = _columns(source_width, width)

    source = padded.reshape(source_height, -1)
    step = max(1, _GROUP_BYTES // (source_width * 12))
    for first in range(0, height, step):
        group = slice(first, min(first + step, height))
        count = group.stop - group.start
        full, shifted = _interpolated_rows(source, rows, group)
        left = SCRATCH.array("left", (count, width, 3), np.float32)
        right = SCRATCH.array("right", (count, width, 3), np.float32)
        _gather_columns(full.reshape(count, source_width, 3), columns, left)
        _gather_columns(shifted.reshape(count, source_width, 3), columns, right)

        step_right = right.reshape(count, -1)
        step_right -= left.reshape(count, -1)
        step_right *= columns.weight
        if preprocessing == "mobilenet":
            scale = _MOBILENET_SCALE
            cv2.addWeighted(left, scale, right, scale, -1.0, dst=target[group])
        else:
            right += left
            np.add(right, np.array(RESNET50_OFFSETS, np.float32), out=target[group])


def _padded(image: NDArray[np.uint8], frame: Frame) -> NDArray[np.uint8]:
    if not any(frame.padding):
        return image
    height, width = image.shape[:2]
    top, _, left, _ = frame.padding
    padded: NDArray[np.uint8] = SCRATCH.array("padded", (*frame.padded_size, 3), np.uint8)
    padded[:top] = 0
    padded[top + height :] = 0
    padded[:, :left] = 0
    padded[:, left + width :] = 0
    padded[top : top + height, left : left + width] = image
    return padded


def _interpolated_rows(
    source: NDArray[np.uint8], rows: Taps, group: slice
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Rows `group` of the vertical interpolation of (Hp, Wp*3), and the same one pixel further.

    The second result is the same memory, three floats on: its pixel x is pixel x + 1. Its last
    pixel is of the next row, or undefined; `_columns` gives that one the weight 0.
    """
    count, length = group.stop - group.start, source.shape[1]
    upper = SCRATCH.array("upper", (count, length), np.uint8)
    lower = SCRATCH.array("lower", (count, length), np.uint8)
    # mode="clip" (nothing needs clipping) spares the copy that checking with `out` would take.
    source.take(rows.low[group], axis=0, out=upper, mode="clip")
    source.take(rows.high[group], axis=0, out=lower, mode="clip")

    memory = SCRATCH.array("rows", (count * length + 3,), np.float32)
    memory[-3:] = 0.0
    full = memory[:-3].reshape(count, length)
    step = SCRATCH.array("row step", (count, length), np.float32)
    np.copyto(full, upper)
    np.copyto(step, lower)
    step -= full
    step *= rows.weight[group, np.newaxis]
    full += step
    return full, memory[3:].reshape(count, length)


class _Columns(NamedTuple):
    """How the horizontal interpolation reads pixels: `chosen` is None where OpenCV chooses."""

    chosen: NDArray[np.intp] | None
    weight: NDArray[np.float32]


@lru_cache(maxsize=64)
def _columns(size: int, target: int) -> _Columns:
    """Left neighbours and weights (one for each of the target's floats) of the legacy resize.

    OpenCV's nearest-neighbour resize takes the left neighbour as well, but works positions out
    with its own rounding, so it is asked which pixels it takes and the weights follow from that.
    Should it one day take others, the exact neighbours are gathered by index.
    """
    ramp = np.arange(size, dtype=np.float32)[np.newaxis]
    taken = cv2.resize(ramp, (target, 1), interpolation=cv2.INTER_NEAREST)[0]
    weight = np.arange(target, dtype=np.float64) * (size / target) - taken
    chosen = None
    if weight.min() < -1e-9 or weight.max() > 1.0 + 1e-9:
        chosen, _, weight = legacy_taps(size, target)
        taken = chosen
    weight = np.where(taken == size - 1, 0.0, weight)
    return _Columns(chosen, np.repeat(weight, 3).astype(np.float32))


def _gather_columns(
    pixels: NDArray[np.float32], columns: _Columns, target: NDArray[np.float32]
) -> None:
    """Copy pixels of (n, Wp, 3) to (n, w, 3)."""
    if columns.chosen is None:
        size = (target.shape[1], target.shape[0])
        cv2.resize(pixels, size, dst=target, interpolation=cv2.INTER_NEAREST)
    else:
        np.take(pixels, columns.chosen, axis=1, out=target, mode="clip")
