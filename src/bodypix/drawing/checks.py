"""Arguments that every drawing function takes, checked once and in one way."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from typing import Any, Final, Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray

from bodypix.errors import ImageError, InvalidArgumentError
from bodypix.results import PartSegmentation, PersonSegmentation

Segmentation: TypeAlias = PersonSegmentation | PartSegmentation | NDArray[Any]
"""A result, or a plain (H, W) array: a mask (bool, 0 and 1, or 0 and 255) or part ids."""

Segmentations: TypeAlias = Segmentation | Sequence[Segmentation]

Image: TypeAlias = NDArray[np.uint8]

Border: TypeAlias = Literal["reflect", "transparent"]
"""What a blur meets outside the image: its mirror image, or nothing (the HTML canvas)."""

BORDERS: Final[tuple[str, ...]] = ("reflect", "transparent")

MAX_BLUR: Final = 250.0


def rgb_image(image: Any, field: str = "image") -> Image:
    """The image as an (H, W, 3) uint8 RGB array; PIL images of mode RGB are taken too.

    Raises:
        ImageError: another shape or dtype, or an image without pixels.
    """
    return _pixels(image, field, (3,), "RGB")


def rgb_or_rgba_image(image: Any, field: str) -> Image:
    """The image as an (H, W, 3) or (H, W, 4) uint8 array, RGB or RGBA with straight alpha.

    Raises:
        ImageError: another shape or dtype, or an image without pixels.
    """
    return _pixels(image, field, (3, 4), "RGB or RGBA")


def _pixels(image: Any, field: str, channels: tuple[int, ...], name: str) -> Image:
    array: NDArray[Any] = np.asarray(image)
    if array.ndim != 3 or array.shape[2] not in channels or array.dtype != np.uint8:
        wanted = " or ".join(f"(H, W, {count})" for count in channels)
        raise ImageError(
            f"{field}: expected a uint8 {name} array of shape {wanted}; got {array.dtype} of "
            f"shape {array.shape}. Images are drawn in RGB order, 0 to 255."
        )
    if 0 in array.shape:
        raise ImageError(f"{field}: expected at least one pixel; got shape {array.shape}.")
    return array


def size_text(array: NDArray[Any]) -> str:
    """Width x height of an array, the way people write sizes."""
    return f"{array.shape[1]}x{array.shape[0]}"


def flat(values: Any, field: str, dtype: type[np.generic], advice: str) -> NDArray[Any]:
    """An (H, W) array of ``dtype``; ``advice`` says how to get there from something else.

    Raises:
        InvalidArgumentError: another shape or dtype.
    """
    array: NDArray[Any] = np.asarray(values)
    if array.ndim != 2 or array.dtype != dtype:
        raise InvalidArgumentError(
            f"{field}: expected {np.dtype(dtype)} of shape (H, W), got {array.dtype} of shape "
            f"{array.shape}; {advice}."
        )
    return array


def same_size(first: NDArray[Any], second: NDArray[Any], first_name: str, second_name: str) -> None:
    """Refuse two pictures of different sizes, naming both.

    Raises:
        InvalidArgumentError: width or height differ.
    """
    if first.shape[:2] != second.shape[:2]:
        raise InvalidArgumentError(
            f"{second_name}: expected the size of the {first_name}, {size_text(first)}; got "
            f"{size_text(second)}. Segment the image that is drawn, or resize one of the two."
        )


def segmentation_list(segmentation: Segmentations) -> list[Segmentation]:
    """One segmentation or several, as a list of elements that share one size.

    Raises:
        InvalidArgumentError: something else than results or (H, W) arrays, or sizes that differ.
    """
    elements: list[Segmentation]
    if isinstance(segmentation, (np.ndarray, PersonSegmentation, PartSegmentation)):
        elements = [segmentation]
    elif isinstance(segmentation, (list, tuple)):
        elements = list(segmentation)
    else:
        raise InvalidArgumentError(
            "segmentation: expected a PersonSegmentation, a PartSegmentation, an (H, W) array, "
            f"or a list of these; got {type(segmentation).__name__}."
        )
    arrays = [values_of(element) for element in elements]
    for index, array in enumerate(arrays[1:], start=1):
        same_size(arrays[0], array, "segmentation 0", f"segmentation {index}")
    return elements


def values_of(segmentation: Segmentation) -> NDArray[Any]:
    """The (H, W) numbers of a segmentation: part ids, else the mask, else the array itself.

    Raises:
        InvalidArgumentError: not a segmentation, or an array that is no (H, W) of integers.
    """
    if isinstance(segmentation, PartSegmentation):
        return segmentation.part_ids
    if isinstance(segmentation, PersonSegmentation):
        return segmentation.mask
    if not isinstance(segmentation, np.ndarray):
        raise InvalidArgumentError(
            "segmentation: expected a PersonSegmentation, a PartSegmentation or an (H, W) array; "
            f"got {type(segmentation).__name__}."
        )
    if segmentation.ndim != 2 or segmentation.size == 0 or segmentation.dtype.kind not in "bui":
        raise InvalidArgumentError(
            "segmentation: expected an (H, W) array of booleans or integers; got "
            f"{segmentation.dtype} of shape {segmentation.shape}. "
            "Threshold a probability map first; give several masks as a list."
        )
    return segmentation


def part_ids_only(segmentation: Segmentation, field: str) -> None:
    """Refuse a person mask where part ids are asked for.

    Raises:
        InvalidArgumentError: a PersonSegmentation, or an array that is not of signed integers.
    """
    if isinstance(segmentation, PersonSegmentation):
        raise InvalidArgumentError(
            f"{field}: expected part ids; got a PersonSegmentation. "
            "Use the result of segment_person_parts or segment_multi_person_parts."
        )
    if isinstance(segmentation, np.ndarray) and segmentation.dtype.kind != "i":
        raise InvalidArgumentError(
            f"{field}: expected part ids as signed integers, -1 outside; got {segmentation.dtype}. "
            "A saved part map holds id + 1: subtract 1 from it as int32."
        )


def listed(values: object, *single: type) -> list[Any]:
    """Several things as a list; one of the types `single`, or what holds no others, counts as one.

    What is in the list is for the caller to check.
    """
    if isinstance(values, single) or not isinstance(values, Iterable):
        return [values]
    return list(values)


def number(field: str, value: float, low: float, high: float) -> float:
    """A finite number from `low` to `high`.

    Raises:
        InvalidArgumentError: out of range or no number.
    """
    if (
        isinstance(value, (bool, np.bool_))
        or not isinstance(value, (int, float, np.integer, np.floating))
        or not math.isfinite(value)
        or not low <= value <= high
    ):
        raise InvalidArgumentError(
            f"{field}: expected a number from {low:g} to {high:g}; got {value!r}."
        )
    return float(value)


def opacity(field: str, value: float) -> float:
    """A number from 0 (invisible) to 1 (opaque)."""
    return number(field, value, 0.0, 1.0)


def blur_amount(field: str, value: float) -> float:
    """Standard deviation of a blur in pixels; 0 is none."""
    return number(field, value, 0.0, MAX_BLUR)


def whole_number(field: str, value: int, low: int) -> int:
    """An integer that is at least `low`.

    Raises:
        InvalidArgumentError: smaller, or no integer.
    """
    if isinstance(value, (bool, np.bool_)) or not hasattr(value, "__index__") or value < low:
        raise InvalidArgumentError(
            f"{field}: expected a whole number, {low} or more; got {value!r}."
        )
    return value.__index__()


def one_of(field: str, value: str, choices: Sequence[str]) -> str:
    """One of a few words.

    Raises:
        InvalidArgumentError: another value.
    """
    if value not in choices:
        raise InvalidArgumentError(
            f"{field}: expected one of {', '.join(map(repr, choices))}; got {value!r}."
        )
    return value
