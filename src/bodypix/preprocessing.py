"""From an image to the network's input: zero padding, bilinear resize, normalisation.

In the centred convention OpenCV resizes the bytes, and the results, bytes again, are normalised by
a table. In the original's convention it is all done exactly: the same numbers as `geometry.pad`,
`geometry.resize_bilinear_legacy` and the formulas of spec 2.1, arranged for speed: rows are
interpolated first, whole and contiguous, then the pixels of two neighbouring columns are gathered
by OpenCV's nearest-neighbour resize, which is a plain copy. (OpenCV's own linear resize, warp and
remap cannot do it: they sample elsewhere or, in OpenCV 4, round positions to 1/32 of a pixel.)

Output row i of n lies at `i * size / n`, so its weights are whole numbers over n. Bytes times whole
weights are exact in integers, in 16 bits as long as n is at most 257; the division waits for the
normalisation.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any, Final, NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from bodypix.geometry import Frame, legacy_taps
from bodypix.scratch import SCRATCH

# Red, green, blue.
_RESNET50_OFFSETS: Final = np.array((-123.15, -115.90, -103.06), np.float32)
_MOBILENET_SCALE: Final = 1.0 / 127.5

# Rows are done in groups of about this many values, to stay in a processor's cache.
_GROUP_VALUES: Final = 1 << 17


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
    if frame.centred:
        resized = SCRATCH.array("resized", (height, width, 3), np.uint8)
        cv2.resize(padded, (width, height), dst=resized, interpolation=cv2.INTER_LINEAR)
        cv2.LUT(resized, _normalised_bytes(preprocessing), dst=target)
        return
    source_height, source_width = padded.shape[:2]
    rows = _rows(source_height, height)
    columns = _columns(source_width, width)

    source = padded.reshape(source_height, -1)
    step = max(1, _GROUP_VALUES // source.shape[1])
    for first in range(0, height, step):
        group = slice(first, min(first + step, height))
        count = group.stop - group.start
        full, shifted = _interpolated_rows(source, rows, group)
        left = _gathered(full, columns, "left")
        right = _gathered(shifted, columns, "right")
        np.subtract(right, left, out=right)
        np.multiply(right, columns.weight, out=right)
        if preprocessing == "mobilenet":
            scale = _MOBILENET_SCALE / height
            cv2.addWeighted(left, scale, right, scale, -1.0, dst=target[group].reshape(count, -1))
        else:
            np.add(left, right, out=right)
            np.multiply(right, np.float32(1.0 / height), out=right)
            np.add(right.reshape(count, width, 3), _RESNET50_OFFSETS, out=target[group])


@lru_cache(maxsize=2)
def _normalised_bytes(preprocessing: str) -> NDArray[np.float32]:
    """(256,) or (1, 256, 3) float32: what the network gets for each byte, or each in a channel."""
    values = np.arange(256, dtype=np.float32)
    if preprocessing == "mobilenet":
        return values * np.float32(_MOBILENET_SCALE) - np.float32(1.0)
    return values[np.newaxis, :, np.newaxis] + _RESNET50_OFFSETS


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


class _Rows(NamedTuple):
    """Rows above and below each output row, and their whole weights as columns of one type."""

    above: NDArray[np.intp]
    below: NDArray[np.intp]
    above_weight: NDArray[Any]
    below_weight: NDArray[Any]


@lru_cache(maxsize=64)
def _rows(size: int, target: int) -> _Rows:
    """The vertical interpolation from `size` to `target` rows, times `target`."""
    kind = np.uint16 if 255 * target <= np.iinfo(np.uint16).max else np.float32
    above, below_weight = np.divmod(np.arange(target) * size, target)
    below_weight = below_weight[:, np.newaxis].astype(kind)
    return _Rows(above, np.minimum(above + 1, size - 1), kind(target) - below_weight, below_weight)


def _interpolated_rows(
    source: NDArray[np.uint8], rows: _Rows, group: slice
) -> tuple[NDArray[Any], NDArray[Any]]:
    """Rows `group` of the vertical interpolation of (Hp, Wp*3), and the same one pixel further.

    The second result is the same memory, three values on: its pixel x is pixel x + 1. Its last
    pixel is of the next row, or 0; `_columns` gives that one the weight 0.
    """
    count, length = group.stop - group.start, source.shape[1]
    kind = rows.above_weight.dtype
    above = SCRATCH.array("above", (count, length), np.uint8)
    below = SCRATCH.array("below", (count, length), np.uint8)
    # mode="clip" (nothing needs clipping) spares the copy that checking with `out` would take.
    source.take(rows.above[group], axis=0, out=above, mode="clip")
    source.take(rows.below[group], axis=0, out=below, mode="clip")

    memory = SCRATCH.array(f"rows {kind}", (count * length + 3,), kind)
    memory[-3:] = 0
    full = memory[:-3].reshape(count, length)
    rest = SCRATCH.array(f"more rows {kind}", (count, length), kind)
    np.copyto(full, above)
    np.copyto(rest, below)
    np.multiply(full, rows.above_weight[group], out=full)
    np.multiply(rest, rows.below_weight[group], out=rest)
    np.add(full, rest, out=full)
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


def _gathered(rows: NDArray[Any], columns: _Columns, name: str) -> NDArray[np.float32]:
    """Pixels of (n, Wp*3) that the n rows of the network's input want: (n, w*3) float32."""
    count, width = len(rows), len(columns.weight) // 3
    pixels = rows.reshape(count, -1, 3)
    chosen = SCRATCH.array(f"{name} {rows.dtype}", (count, width, 3), rows.dtype)
    if columns.chosen is None:
        cv2.resize(pixels, (width, count), dst=chosen, interpolation=cv2.INTER_NEAREST)
    else:
        pixels.take(columns.chosen, axis=1, out=chosen, mode="clip")
    if rows.dtype == np.float32:
        return chosen.reshape(count, -1)
    values: NDArray[np.float32] = SCRATCH.array(name, (count, width * 3), np.float32)
    np.copyto(values, chosen.reshape(count, -1))
    return values
