"""Sizes, padding and resizing: from an image to the network's input and back again.

Two sorts of pixels: *image* pixels (H, W) and *network* pixels (h, w). Padding is always given in
image pixels. The original has two resize conventions, both bilinear, neither the default of OpenCV,
PIL or torch:

* legacy (image to network): `source = target * in / out`;
* corner aligned (network to image): `source = target * (in - 1) / (out - 1)`.

They are not quite each other's inverse: towards the far side masks drift by up to half a network
pixel. Models with fine heads are not bound to the original and use one convention both ways:

* centred: `source = (target + 1/2) * in / out - 1/2`.

Formulas: spec section 2. Positions are worked out in double precision, values in float32.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache
from typing import Final, Literal, NamedTuple, TypeAlias, TypeVar

import numpy as np
from numpy.typing import NDArray

from bodypix.errors import InvalidArgumentError

ImageSize: TypeAlias = tuple[int, int]
"""(height, width) in pixels."""

InternalResolution: TypeAlias = float | Literal["low", "medium", "high", "full"]
"""Share of the image size at which the network works: a name or a number from 0.1 to 2.0."""

INTERNAL_RESOLUTIONS: Final[dict[str, float]] = {
    "low": 0.25,
    "medium": 0.5,
    "high": 0.75,
    "full": 1.0,
}
MIN_INTERNAL_RESOLUTION: Final = 0.1
MAX_INTERNAL_RESOLUTION: Final = 2.0

_AnyArray = TypeVar("_AnyArray", bound=np.generic)


class Padding(NamedTuple):
    """Rows and columns of zeros around the image, in image pixels."""

    top: int
    bottom: int
    left: int
    right: int


class Taps(NamedTuple):
    """Where each of n outputs of a one-dimensional linear interpolation reads its input.

    `output[i] = input[low[i]] + (input[high[i]] - input[low[i]]) * weight[i]`
    """

    low: NDArray[np.intp]
    high: NDArray[np.intp]
    weight: NDArray[np.float32]


def js_round(value: float) -> int:
    """JavaScript's `Math.round`: halves go up, for negatives as well (Python's go to even)."""
    return math.floor(value + 0.5)


def resolution_share(internal_resolution: InternalResolution) -> float:
    """The number behind an internal resolution.

    Raises:
        InvalidArgumentError: an unknown name, or a number outside 0.1..2.0.
    """
    if isinstance(internal_resolution, str):
        share = INTERNAL_RESOLUTIONS.get(internal_resolution)
    elif isinstance(internal_resolution, bool) or not hasattr(internal_resolution, "__float__"):
        share = None
    else:
        share = float(internal_resolution)
    if share is None or not MIN_INTERNAL_RESOLUTION <= share <= MAX_INTERNAL_RESOLUTION:
        raise InvalidArgumentError(
            f"internal_resolution: expected {', '.join(map(repr, INTERNAL_RESOLUTIONS))} or a "
            f"number from {MIN_INTERNAL_RESOLUTION} to {MAX_INTERNAL_RESOLUTION}; "
            f"got {internal_resolution!r}."
        )
    return share


def to_valid_input_resolution(resolution: float, output_stride: int) -> int:
    """Nearest size of the form `stride * n + 1`, going down from the stride above.

    It can be larger than asked for (240 at stride 16 gives 241) and is at least 1.
    """
    if (resolution - 1) % output_stride == 0:
        return int(resolution)
    return math.floor(resolution / output_stride) * output_stride + 1


def to_input_resolution_height_and_width(
    internal_resolution: InternalResolution, output_stride: int, image_size: ImageSize
) -> ImageSize:
    """Size (h, w) of the network's input for an image of size (H, W).

    >>> to_input_resolution_height_and_width("medium", 16, (480, 640))
    (241, 321)
    """
    share = resolution_share(internal_resolution)
    height, width = image_size
    return (
        to_valid_input_resolution(height * share, output_stride),
        to_valid_input_resolution(width * share, output_stride),
    )


def padding_for(image_size: ImageSize, input_size: ImageSize) -> Padding:
    """Padding (image pixels) that gives an image of size (H, W) the aspect ratio of (h, w).

    >>> padding_for((480, 640), (113, 161))
    Padding(top=0, bottom=0, left=22, right=22)
    """
    height, width = image_size
    target = input_size[1] / input_size[0]
    if width / height < target:
        side = js_round(0.5 * (target * height - width))
        return Padding(0, 0, side, side)
    # (1 / target) * width, not width / target: the original's order of rounding.
    side = js_round(0.5 * ((1.0 / target) * width - height))
    return Padding(side, side, 0, 0)


def padded_size(image_size: ImageSize, padding: Padding) -> ImageSize:
    """Size of the image with its padding."""
    return (
        image_size[0] + padding.top + padding.bottom,
        image_size[1] + padding.left + padding.right,
    )


def grid_size(input_size: ImageSize, output_stride: int) -> ImageSize:
    """Size (H', W') of the network's corner-aligned output grid for an input (h, w)."""
    return (
        (input_size[0] - 1) // output_stride + 1,
        (input_size[1] - 1) // output_stride + 1,
    )


def pose_scale(
    image_size: ImageSize, input_size: ImageSize, padding: Padding
) -> tuple[float, float]:
    """(scale_y, scale_x) from network pixels to padded image pixels: `Y = y * scale_y - top`.

    The original divides by w here, by w - 1 where it maps masks; both are kept.
    """
    height, width = padded_size(image_size, padding)
    return height / input_size[0], width / input_size[1]


def _taps(position: NDArray[np.float64], size: int) -> Taps:
    low = np.floor(position).astype(np.intp)
    np.clip(low, 0, size - 1, out=low)
    high = np.minimum(low + 1, size - 1)
    weight = (position - low).astype(np.float32)
    for array in (low, high, weight):
        array.setflags(write=False)
    return Taps(low, high, weight)


@lru_cache(maxsize=256)
def legacy_taps(size: int, target: int) -> Taps:
    """Taps of the legacy convention: `source = i * size / target`, for `target` outputs."""
    return _taps(np.arange(target, dtype=np.float64) * (size / target), size)


@lru_cache(maxsize=256)
def aligned_taps(size: int, target: int) -> Taps:
    """Taps of the corner-aligned convention: `source = i * (size - 1) / (target - 1)`."""
    steps = np.arange(target, dtype=np.float64)
    return _taps(steps * (size - 1) / max(target - 1, 1), size)


@lru_cache(maxsize=256)
def crop_taps(size: int, target: int, before: int, after: int) -> Taps:
    """Taps of the second resize: `target` image pixels out of `size` padded network pixels.

    The original goes through a normalised float32 box and, for about 1% of sizes, overshoots the
    last pixel by a rounding error, which leaves a line of zeros. Multiplying before dividing gives
    the same positions and can never overshoot.
    """
    steps = np.arange(target, dtype=np.float64) + before
    return _taps(steps * (size - 1) / max(target + before + after - 1, 1), size)


@lru_cache(maxsize=256)
def centred_taps(size: int, target: int, before: int, after: int, stride: int = 1) -> Taps:
    """Taps of the centred convention: `target` image pixels out of `size` padded network pixels.

    With a stride, out of the corner-aligned grid of every `stride`-th network pixel.
    """
    steps = np.arange(target, dtype=np.float64) + (before + 0.5)
    position = steps * (size / (target + before + after)) - 0.5
    return _taps(position.clip(0, size - 1) / stride, (size - 1) // stride + 1)


def _lerp_rows(array: NDArray[np.float32], taps: Taps) -> NDArray[np.float32]:
    """Interpolate along axis 0."""
    low = array[taps.low]
    step = array[taps.high]
    step -= low
    step *= taps.weight.reshape(-1, *([1] * (array.ndim - 1)))
    low += step
    return low


def interpolate(values: NDArray[np.float32], rows: Taps, columns: Taps) -> NDArray[np.float32]:
    """Bilinear interpolation of (h, w) or (h, w, C) float32: along x first, then along y."""
    across = _lerp_rows(values.swapaxes(0, 1), columns).swapaxes(0, 1)
    return _lerp_rows(np.ascontiguousarray(across), rows)


def resize_bilinear_legacy(image: NDArray[np.generic], size: ImageSize) -> NDArray[np.float32]:
    """Resize (H, W) or (H, W, C) of any real type to `size` with `source = target * in / out`.

    This is `resizeBilinear(align_corners=False, half_pixel_centers=False)` of tfjs.
    """
    return interpolate(
        image.astype(np.float32, copy=False),
        legacy_taps(image.shape[0], size[0]),
        legacy_taps(image.shape[1], size[1]),
    )


def resize_bilinear_aligned(values: NDArray[np.float32], size: ImageSize) -> NDArray[np.float32]:
    """Resize float32 (h, w) or (h, w, C) to `size` with corners kept on corners.

    This is `resizeBilinear(align_corners=True)` of tfjs.
    """
    return interpolate(
        values,
        aligned_taps(values.shape[0], size[0]),
        aligned_taps(values.shape[1], size[1]),
    )


def sigmoid(logits: NDArray[np.float32]) -> NDArray[np.float32]:
    """1 / (1 + exp(-x)) in float32, without overflow warnings; the input is left alone."""
    return sigmoid_in_place(logits.copy())


def sigmoid_in_place(values: NDArray[np.float32]) -> NDArray[np.float32]:
    """`sigmoid` that writes over its input and returns it."""
    np.negative(values, out=values)
    # exp overflows to infinity below -88, where the score is 0 to every digit: no need to clip.
    with np.errstate(over="ignore"):
        np.exp(values, out=values)
    values += np.float32(1.0)
    return np.reciprocal(values, out=values)


@dataclass(frozen=True)
class Frame:
    """How one image lies in the network's input: all that is needed to find the way back.

    `centred` chooses the centred convention both ways, instead of the original's two.
    """

    image_size: ImageSize
    input_size: ImageSize
    padding: Padding
    centred: bool = False

    @classmethod
    def of(
        cls,
        image_size: ImageSize,
        internal_resolution: InternalResolution,
        output_stride: int,
        *,
        centred: bool = False,
    ) -> Frame:
        """The frame of an image of size (H, W) at an internal resolution.

        Raises:
            InvalidArgumentError: `internal_resolution` is out of range.
        """
        input_size = to_input_resolution_height_and_width(
            internal_resolution, output_stride, image_size
        )
        return cls(image_size, input_size, padding_for(image_size, input_size), centred)

    @property
    def padded_size(self) -> ImageSize:
        """Size of the image with its padding."""
        return padded_size(self.image_size, self.padding)

    @property
    def image_taps(self) -> tuple[Taps, Taps]:
        """(row, column) taps from network pixels (h, w) to unpadded image pixels (H, W)."""
        (height, width), (top, bottom, left, right) = self.image_size, self.padding
        taps = centred_taps if self.centred else crop_taps
        return (
            taps(self.input_size[0], height, top, bottom),
            taps(self.input_size[1], width, left, right),
        )


def scale_and_crop_to_image(
    grid: NDArray[np.float32], frame: Frame, *, apply_sigmoid: bool = False
) -> NDArray[np.float32]:
    """Bring a network output (H', W') or (H', W', C) to image pixels (H, W) or (H, W, C).

    Corner-aligned resize to the network's input size, the sigmoid if asked for, then the part that
    is not padding, resized to the image (spec 2.5, `scaleAndCropToInputTensorShape`). The decoding
    of masks and part maps gives the same values, faster; this is the formula as it is written.
    """
    scores = resize_bilinear_aligned(grid, frame.input_size)
    if apply_sigmoid:
        scores = sigmoid(scores)
    return interpolate(scores, *frame.image_taps)


def pad(image: NDArray[_AnyArray], padding: Padding) -> NDArray[_AnyArray]:
    """The image with zeros around it; the same array where there is nothing to add."""
    if not any(padding):
        return image
    widths = ((padding.top, padding.bottom), (padding.left, padding.right))
    return np.pad(image, widths + ((0, 0),) * (image.ndim - 2))


def resize_and_pad_to(
    image: NDArray[np.generic], size: ImageSize, *, flip_horizontal: bool = False
) -> tuple[NDArray[np.float32], Padding]:
    """Fit an image inside `size` and pad the rest (BodyPix 1; spec section 7, `resizeAndPadTo`).

    The free side is rounded up; of the slack, the smaller half goes to the top or left. Unlike
    everywhere else, the padding returned is in pixels of `size`.
    """
    height, width = image.shape[:2]
    if width / height > size[1] / size[0]:
        inner = (math.ceil(size[1] / (width / height)), size[1])
    else:
        inner = (size[0], math.ceil(size[0] * (width / height)))
    slack_y, slack_x = size[0] - inner[0], size[1] - inner[1]
    padding = Padding(slack_y // 2, slack_y - slack_y // 2, slack_x // 2, slack_x - slack_x // 2)
    if flip_horizontal:
        image = image[:, ::-1]
    return pad(resize_bilinear_legacy(image, inner), padding), padding
