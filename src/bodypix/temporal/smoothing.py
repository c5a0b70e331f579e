"""Person probabilities that neither flicker where the picture stands still nor lag where it moves.

The formula, on a small grid: the picture shrunk so that its longer side has at most 320 cells, or
half its pixels where that is more, up to 480.
`p` is the new probability and `g` the new picture (RGB, 0..255), both shrunk by averaging; `s`, `q`
and `r` come from the frame before: the smoothed probability, the probability as it was given, and
the picture that `s` stands for.

    1. change    c = blur(max over R, G, B of |g - r|)
    2. noise     n = min(12, lower quartile of c)
    3. motion    m = ramp(c - n, still, moving)
    4. belief    b = ramp(|median(p, q, s) - s|, 0.25, 0.75)
    5. weight    w = steady + (1 - steady) max(m, b)              steady = 1 - strength
    6. state     s' = s + w (p - s),   r' = r + w (g - r),   q' = p
    7. answer    clamp(probability + enlarged(s' - p), 0, 1)

    ramp(x, low, high) = clamp((x - low) / (high - low), 0, 1)
    blur: the mean of 3 x 3 cells; outside the grid its nearest cell counts.
    lower quartile: of the N cells in every fourth row and column, from the first, that with
    floor(N / 4) smaller ones.
    enlarged: bilinear between cell centres, to the size of the picture.

Where the picture changes, a frame's own probability counts at once (3). What changes everywhere is
noise or the light (2). As `r` follows the picture only as fast as `s` follows the probability, slow
movements add up in `c` instead of staying below `still` for ever. Where the picture stands still, a
single frame's mistake counts `steady`; what two frames in a row say counts more (4: the median is
`s` unless both lie on the same side of it), so that a movement without contrast is followed one
frame late. As only a difference is enlarged (7), the answer has the full resolution of the given
probability where the weight is 1.

The first frame, a frame of another size and the first after a cut (`cuts.is_cut`) start anew: `s =
q = p`, `r = g`, and the answer is the given probability. That the weight grows with disagreement is
an idea of video-call filters (workadventure's background blur), that it grows with the picture's
own change one of adaptive temporal noise filters.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from bodypix.errors import InvalidArgumentError
from bodypix.options import is_real
from bodypix.scratch import SCRATCH, recycled
from bodypix.shrinking import grid_size, shrunk
from bodypix.temporal.cuts import Scene, following, is_cut, scene_of

Floats = NDArray[np.float32]

GRID: Final = (320, 480)
"""Most cells along the longer side of the grid: of pictures up to 640 pixels, of large ones."""

_DOUBT, _CERTAINTY = 0.25, 0.75
_MOST_NOISE: Final = 12.0


@dataclass(frozen=True)
class SmoothingOptions:
    """How strongly to smooth.

    Args:
        strength: 0..1, below 1. Share of the past where the picture stands still; 0 smooths
            nothing. At 0.9 a lasting change without any contrast is half done after 6 frames, or
            2 if the network is sure of it.
        still: levels (0..255) of change, beyond what changes everywhere, up to which a picture
            stands still; what compression does to it stays below.
        moving: levels from which it moves, and only the new frame counts; above `still`.
        cuts: start anew at scene cuts.

    Raises:
        InvalidArgumentError: a number out of its range.
    """

    strength: float = 0.9
    still: float = 5.0
    moving: float = 15.0
    cuts: bool = True

    def __post_init__(self) -> None:
        if not (is_real(self.strength) and 0.0 <= self.strength < 1.0):
            raise InvalidArgumentError(
                f"strength: expected a number from 0 (no smoothing) to below 1, got "
                f"{self.strength!r}; 0.9 suits most videos."
            )
        if not (
            is_real(self.still)
            and is_real(self.moving)
            and 0.0 <= self.still < self.moving <= 255.0
        ):
            raise InvalidArgumentError(
                "still, moving: expected levels from 0 to 255, still below moving; got "
                f"{self.still!r} and {self.moving!r}."
            )


@dataclass(frozen=True)
class SmoothingState:
    """What one frame leaves for the next. Made by `smooth`, which never changes it.

    Attributes:
        smoothed: (h, w) float32, 0..1; `s` of the formula.
        given: (h, w) float32, 0..1; `q`.
        picture: (3, h, w) float32, planes R, G, B, 0..255; `r`.
        scene: what a cut is told by.
        size: (H, W) of the frames.
        frames: how many frames were smoothed together, 1 for the first and after a cut.
    """

    smoothed: Floats
    given: Floats
    picture: Floats
    scene: Scene
    size: tuple[int, int]
    frames: int


def smooth(
    state: SmoothingState | None,
    probability: Floats,
    image: NDArray[np.uint8],
    options: SmoothingOptions | None = None,
) -> tuple[SmoothingState, Floats]:
    """The next state and the smoothed probability of a frame.

    Args:
        state: what the call for the frame before returned; None for the first frame.
        probability: (H, W) float32, 0..1, of this frame alone.
        image: (H, W, 3) uint8 RGB, the frame.
        options: None for the defaults.

    Returns:
        The state, and (H, W) float32, 0..1. Where the film starts anew that is `probability`
        itself.

    Raises:
        InvalidArgumentError: probability or image of another shape or dtype, or of two sizes.

    >>> frame, certain = np.zeros((48, 64, 3), np.uint8), np.ones((48, 64), np.float32)
    >>> state, first = smooth(None, certain, frame)
    >>> state, second = smooth(state, certain * 0.5, frame)
    >>> round(float(second[0, 0]), 2)
    0.95
    """
    options = options or SmoothingOptions()
    _check(probability, image)
    height, width = probability.shape
    grid = grid_size(height, width, min(max(GRID[0], max(height, width) // 2), GRID[1]))
    given = shrunk(probability, grid)
    small = shrunk(image, grid)
    scene = scene_of(small)
    picture = np.moveaxis(small, 2, 0)
    if (
        state is None
        or state.size != probability.shape
        or (options.cuts and is_cut(state.scene, scene))
    ):
        planes: Floats = np.array(picture, np.float32, order="C")
        return SmoothingState(given, given, planes, scene, (height, width), 1), probability
    # By planes, because arrays of one shape multiply several times as fast as broadcast channels.
    step: Floats = SCRATCH.array("smoothing step", state.picture.shape, np.float32)
    for plane, before, difference in zip(picture, state.picture, step, strict=True):
        np.subtract(plane, before, out=difference)
    weight = _weight(state, given, step, options)
    smoothed = given - state.smoothed
    np.multiply(smoothed, weight, out=smoothed)
    np.add(smoothed, state.smoothed, out=smoothed)
    np.multiply(step, weight, out=step)
    planes = recycled(step.shape, np.float32)
    np.add(state.picture, step, out=planes)
    answer: Floats = recycled(probability.shape, np.float32)
    cv2.resize(smoothed - given, (width, height), dst=answer, interpolation=cv2.INTER_LINEAR)
    np.add(answer, probability, out=answer)
    np.clip(answer, 0.0, 1.0, out=answer)
    scene = following(state.scene, scene)
    return (
        SmoothingState(smoothed, given, planes, scene, state.size, state.frames + 1),
        answer,
    )


def _weight(
    state: SmoothingState, given: Floats, step: Floats, options: SmoothingOptions
) -> Floats:
    """(h, w) float32: how much of the new frame counts, from 1 - strength to 1.

    `step` is (3, h, w) float32: the new picture less the state's.
    """
    most: Floats = SCRATCH.array("smoothing change", given.shape, np.float32)
    plane: Floats = SCRATCH.array("smoothing plane", given.shape, np.float32)
    np.abs(step[0], out=most)
    for difference in step[1:]:
        np.maximum(most, np.abs(difference, out=plane), out=most)
    blurred = cv2.blur(most, (3, 3), dst=plane, borderType=cv2.BORDER_REPLICATE)
    change: Floats = np.asarray(blurred, np.float32)
    sample = change[::4, ::4].ravel()
    noise = min(_MOST_NOISE, float(np.partition(sample, sample.size // 4)[sample.size // 4]))
    motion = _ramp(change, options.still + noise, options.moving + noise)
    # The median of three: the old value, brought between the two new ones.
    agreed = np.clip(
        state.smoothed, np.minimum(given, state.given), np.maximum(given, state.given), out=most
    )
    doubt = np.abs(np.subtract(agreed, state.smoothed, out=most), out=most)
    weight = np.maximum(motion, _ramp(doubt, _DOUBT, _CERTAINTY))
    np.multiply(weight, np.float32(options.strength), out=weight)
    np.add(weight, np.float32(1.0 - options.strength), out=weight)
    return weight


def _ramp(values: Floats, low: float, high: float) -> Floats:
    """The ramp of the formula, worked out in place."""
    np.subtract(values, np.float32(low), out=values)
    np.multiply(values, np.float32(1.0 / (high - low)), out=values)
    return np.clip(values, 0.0, 1.0, out=values)


def _check(probability: Floats, image: NDArray[np.uint8]) -> None:
    for name, given in (("probability", probability), ("image", image)):
        if not isinstance(given, np.ndarray):
            raise InvalidArgumentError(f"{name}: expected an array, got {type(given).__name__}.")
    if probability.ndim != 2 or probability.dtype != np.float32 or 0 in probability.shape:
        raise InvalidArgumentError(
            f"probability: expected float32 of shape (H, W), got {probability.dtype} of shape "
            f"{probability.shape}."
        )
    expected = (*probability.shape, 3)
    if image.shape != expected or image.dtype != np.uint8:
        raise InvalidArgumentError(
            f"image: expected uint8 RGB of shape {expected}, the size of the probability; got "
            f"{image.dtype} of shape {image.shape}."
        )


class TemporalSmoother:
    """`smooth` with the state kept: one for each film or camera.

    >>> smoother = TemporalSmoother()
    >>> frame, certain = np.zeros((48, 64, 3), np.uint8), np.ones((48, 64), np.float32)
    >>> bool((smoother(certain, frame) == certain).all())
    True
    """

    def __init__(self, options: SmoothingOptions | None = None) -> None:
        self._options = options or SmoothingOptions()
        self._state: SmoothingState | None = None

    def __call__(self, probability: Floats, image: NDArray[np.uint8]) -> Floats:
        """The smoothed probability of the next frame; arguments and errors are `smooth`'s."""
        self._state, answer = smooth(self._state, probability, image, self._options)
        return answer

    @property
    def frames(self) -> int:
        """How many frames are smoothed together so far: 1 after the first and after a cut."""
        return 0 if self._state is None else self._state.frames

    def reset(self) -> None:
        """Forget the film so far, as at a jump to another place in it."""
        self._state = None
