"""Person logits on the network's grid -> probability and mask in image pixels.

The formula (spec 2.5 and 6): corner-aligned bilinear resize of the logits to network pixels, the
sigmoid, bilinear resize of what is not padding to image pixels; the mask is 1 where that
probability is strictly above the threshold. `geometry.scale_and_crop_to_image` is the same as it
is written there. Here both resizes go one axis at a time over contiguous rows (columns are turned
into rows by a transposition), the last ones in blocks of image columns that stay in a processor's
cache, and a mask is worked out only in those rows of a block where the person may be.

In a centred frame the formula is simpler: one bilinear resize of the logits from the grid to image
pixels, then the sigmoid. There a mask needs no sigmoid, for `probability > threshold` is `logit >
log(threshold / (1 - threshold))`, and OpenCV's resize does the rest.
"""

from __future__ import annotations

import math
from functools import lru_cache
from typing import Final, NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from bodypix.geometry import Frame, Taps, aligned_taps, centred_taps, sigmoid_in_place
from bodypix.scratch import SCRATCH, recycled

# A cell whose corners are all this far below the threshold holds no person: interpolated values
# lie between the corners' values, and rounding errors are a hundred times smaller than this.
_SAFE_MARGIN: Final = 1e-5
# exp(88) is the last power that float32 holds; the score of a logit of -87 is 0 to 37 digits.
_LARGEST_POWER: Final = np.float32(87.0)
_ONE: Final = np.float32(1.0)
# In image pixels: so far off OpenCV's resize may be.
_LARGEST_OFFSET: Final = 0.125
# Image columns in a block.
_BLOCK: Final = 128


class _Lerp(NamedTuple):
    """Taps along axis 0, with the weights as a column."""

    low: NDArray[np.intp]
    high: NDArray[np.intp]
    weight: NDArray[np.float32]

    def part(self, first: int, last: int) -> _Lerp:
        """The same for outputs [first, last) alone."""
        return _Lerp(self.low[first:last], self.high[first:last], self.weight[first:last])


class _Block(NamedTuple):
    """Image columns [left, right), and the grid columns that have a part in them."""

    left: int
    right: int
    columns: _Lerp
    nodes: slice


class _Plan(NamedTuple):
    """Interpolations from a grid to an image: grid -> network pixels -> image pixels.

    `reach[k]` are the image rows [first, last) that row k of the grid has a part in.
    """

    network_rows: _Lerp
    network_columns: _Lerp
    image_rows: _Lerp
    blocks: list[_Block]
    reach: list[tuple[int, int]]


def person_probability(
    logits: NDArray[np.float32], frame: Frame, threshold: float = 0.7
) -> NDArray[np.float32]:
    """(H, W) float32, 0..1: the probability that a pixel is of a person.

    Args:
        logits: (H', W') float32 on a corner-aligned grid.
        frame: sizes and padding.
        threshold: 0..1, that of the mask that will stand beside it. In a centred frame no rounding
            error may bring a probability to the other side of it.
    """
    probability: NDArray[np.float32] = recycled(frame.image_size, np.float32)
    if frame.centred:
        values = _image_logits(logits, frame)
        person = values > _logit(threshold)
        np.copyto(probability, values)
        sigmoid_in_place(probability)
        limit = np.float32(threshold)
        wrong = (probability > limit) != person
        above = np.nextafter(limit, np.float32(2.0))
        probability[wrong] = np.where(person[wrong], above, limit)
        return probability
    plan = _plan(logits.shape, frame)
    scores = _network_scores(logits, plan)
    rows = slice(0, frame.image_size[0])
    for block in plan.blocks:
        probability[:, block.left : block.right] = _image_scores(scores, plan, block, rows)
    return probability


def person_mask(logits: NDArray[np.float32], frame: Frame, threshold: float) -> NDArray[np.uint8]:
    """(H, W) uint8: 1 where `person_probability` is strictly above the threshold, else 0.

    The two agree to the last bit (given the same threshold): the same numbers are computed, but
    not where the logits around a pixel leave no doubt that nobody is there.
    """
    mask: NDArray[np.uint8] = recycled(frame.image_size, np.uint8)
    if frame.centred:
        np.greater(_image_logits(logits, frame), _logit(threshold), out=mask.view(np.bool_))
        return mask
    mask.fill(0)
    plan = _plan(logits.shape, frame)
    near = _near(logits, threshold)
    if not near.any():
        return mask
    scores = _network_scores(logits, plan)
    truth, limit = mask.view(np.bool_), np.float32(threshold)
    for block in plan.blocks:
        _, top, _, height = cv2.boundingRect(near[:, block.nodes])
        if height:
            rows = slice(plan.reach[top][0], plan.reach[top + height - 1][1])
            values = _image_scores(scores, plan, block, rows)
            np.greater(values, limit, out=truth[rows, block.left : block.right])
    return mask


class _Enlargement(NamedTuple):
    """The way from a grid straight to the pixels of a centred frame.

    `rows` and `columns` are exact. OpenCV's resize is several times faster, but cannot begin
    between two pixels. Where that matters little, `first` is the image's first (y, x) in the grid
    resized by `scale` (y, x); otherwise it is None.
    """

    rows: _Lerp
    columns: _Lerp
    scale: tuple[float, float]
    first: tuple[int, int] | None


@lru_cache(maxsize=64)
def _enlargement(grid: tuple[int, int], frame: Frame) -> _Enlargement:
    lerps, scales, firsts, errors = [], [], [], []
    paddings = (frame.padding[:2], frame.padding[2:])
    for nodes, size, pixels, (before, after) in zip(
        grid, frame.input_size, frame.image_size, paddings, strict=True
    ):
        stride = max(1, (size - 1) // max(nodes - 1, 1))
        lerps.append(_lerp_of(centred_taps(size, pixels, before, after, stride)))
        scales.append((before + pixels + after) * stride / size)
        # The first node is the first network pixel, but OpenCV takes it for the centre of a whole
        # cell: its result begins so much further out.
        first = before + (0.5 - 0.5 / stride) * scales[-1]
        firsts.append(round(first))
        errors.append(abs(first - firsts[-1]))
    near = max(errors) <= _LARGEST_OFFSET
    return _Enlargement(
        lerps[0],
        lerps[1],
        (scales[0], scales[1]),
        (firsts[0], firsts[1]) if near else None,
    )


def _image_logits(logits: NDArray[np.float32], frame: Frame) -> NDArray[np.float32]:
    """(H, W) float32 in scratch memory: logits at image pixels of a centred frame."""
    rows, columns, (scale_y, scale_x), first = _enlargement(logits.shape, frame)
    logits = np.ascontiguousarray(logits)
    if first is None:
        across = _interpolated(_transposed(logits, "grid transposed"), columns, "across")
        return _interpolated(_transposed(across, "across transposed"), rows, "image")
    # Without a size, OpenCV takes the scales as they are, and rounds the size like this.
    size = (round(logits.shape[0] * scale_y), round(logits.shape[1] * scale_x))
    memory = SCRATCH.array("enlarged", size, np.float32)
    enlarged = cv2.resize(
        logits, None, dst=memory, fx=scale_x, fy=scale_y, interpolation=cv2.INTER_LINEAR
    )
    (top, left), (height, width) = first, frame.image_size
    return np.asarray(enlarged, np.float32)[top : top + height, left : left + width]


def _logit(threshold: float) -> np.float32:
    """log(t / (1 - t)) of the threshold as float32 has it; infinite for 0 and 1."""
    limit = float(np.float32(threshold))
    if limit in (0.0, 1.0):
        return np.float32(-np.inf if limit == 0.0 else np.inf)
    return np.float32(math.log(limit) - math.log1p(-limit))


def _near(logits: NDArray[np.float32], threshold: float) -> NDArray[np.uint8]:
    """(H', W') uint8: 0 at grid nodes that are surely below the threshold, else 1."""
    safe = threshold - _SAFE_MARGIN
    if safe >= 1.0:
        return np.zeros(logits.shape, np.uint8)
    lowest = math.log(safe / (1.0 - safe)) if safe > 0.0 else -math.inf
    # Not "logits >= lowest": a broken network's NaN must be looked at, not skipped.
    return np.logical_not(logits < np.float32(lowest)).view(np.uint8)


@lru_cache(maxsize=64)
def _plan(grid: tuple[int, int], frame: Frame) -> _Plan:
    rows, columns = (_lerp_of(taps) for taps in frame.image_taps)
    reach_rows = _reach(grid[0], frame.input_size[0], rows)
    reach_columns = np.array(_reach(grid[1], frame.input_size[1], columns))
    blocks = []
    for left in range(0, frame.image_size[1], _BLOCK):
        right = min(left + _BLOCK, frame.image_size[1])
        nodes = np.flatnonzero((reach_columns[:, 0] < right) & (reach_columns[:, 1] > left))
        blocks.append(
            _Block(left, right, columns.part(left, right), slice(int(nodes[0]), int(nodes[-1]) + 1))
        )
    return _Plan(
        _lerp_of(aligned_taps(grid[0], frame.input_size[0])),
        _lerp_of(aligned_taps(grid[1], frame.input_size[1])),
        rows,
        blocks,
        reach_rows,
    )


def _lerp_of(taps: Taps) -> _Lerp:
    return _Lerp(taps.low, taps.high, taps.weight[:, np.newaxis])


def _reach(grid: int, size: int, lerp: _Lerp) -> list[tuple[int, int]]:
    """For each grid node of one axis: image pixels [first, last) that it has a part in."""
    stride = (size - 1) // max(grid - 1, 1)
    nodes = np.arange(grid)
    first = np.searchsorted(lerp.low, (nodes - 1) * stride)
    last = np.searchsorted(lerp.low, (nodes + 1) * stride + 1)
    return list(zip(first.tolist(), last.tolist(), strict=True))


def _network_scores(logits: NDArray[np.float32], plan: _Plan) -> NDArray[np.float32]:
    """(w, h) float32 in scratch memory: probability at network pixels, transposed."""
    # Interpolating the negated logits gives the negated interpolation, to the last bit.
    opposite = np.negative(logits)
    down = _interpolated(opposite, plan.network_rows, "grid")
    scores = _interpolated(_transposed(down, "grid transposed"), plan.network_columns, "network")
    if opposite.max() > _LARGEST_POWER:
        np.minimum(scores, _LARGEST_POWER, out=scores)
    np.exp(scores, out=scores)
    np.add(scores, _ONE, out=scores)
    return np.reciprocal(scores, out=scores)


def _image_scores(
    scores: NDArray[np.float32], plan: _Plan, block: _Block, rows: slice
) -> NDArray[np.float32]:
    """(rows, columns of the block) float32 in scratch memory: probability at image pixels."""
    across = _interpolated(scores, block.columns, "block")
    return _interpolated(
        _transposed(across, "block transposed"),
        plan.image_rows.part(rows.start, rows.stop),
        "image",
    )


def _interpolated(values: NDArray[np.float32], lerp: _Lerp, name: str) -> NDArray[np.float32]:
    """Interpolation along axis 0, in scratch memory."""
    shape = (len(lerp.low), values.shape[1])
    result: NDArray[np.float32] = SCRATCH.array(name, shape, np.float32)
    step: NDArray[np.float32] = SCRATCH.array("step", shape, np.float32)
    # mode="clip" (nothing needs clipping) spares the copy that checking with `out` would take.
    values.take(lerp.low, axis=0, out=result, mode="clip")
    values.take(lerp.high, axis=0, out=step, mode="clip")
    np.subtract(step, result, out=step)
    np.multiply(step, lerp.weight, out=step)
    return np.add(result, step, out=result)


def _transposed(values: NDArray[np.float32], name: str) -> NDArray[np.float32]:
    target: NDArray[np.float32] = SCRATCH.array(name, values.shape[::-1], np.float32)
    cv2.transpose(values, dst=target)
    return target
