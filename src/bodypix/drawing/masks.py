"""Segmentation to mask image: `to_mask`."""

from __future__ import annotations

import operator
from collections.abc import Iterable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bodypix import body
from bodypix.drawing.checks import (
    Image,
    Segmentation,
    Segmentations,
    listed,
    segmentation_list,
    values_of,
)
from bodypix.drawing.colors import ColorLike, rgba
from bodypix.drawing.contours import contour
from bodypix.errors import InvalidArgumentError
from bodypix.results import PartSegmentation, PersonSegmentation, binary

CONTOUR_COLOR = (0, 255, 255, 255)


def to_mask(
    segmentation: Segmentations,
    foreground: ColorLike = (0, 0, 0, 0),
    background: ColorLike = (0, 0, 0, 255),
    draw_contour: bool = False,
    foreground_ids: int | str | Iterable[int | str] | None = None,
) -> Image | None:
    """A mask image: one colour where somebody is, another elsewhere (spec section 7).

    Args:
        segmentation: a result, an (H, W) array, or a list of these; a pixel is foreground if it
            is in any element.
        foreground: colour of the foreground; transparent black by default.
        background: colour of the rest; opaque black by default.
        draw_contour: outline every element in cyan, by the original's diagonal rule.
        foreground_ids: which value (or part name) of the segmentation is foreground, or several.
            None is the person: every part of a PartSegmentation, the ones of a mask. (The
            original's default is [1], which in a part map is the right half of the face.)

    Returns:
        (H, W, 4) uint8 RGBA with straight alpha; None for an empty list, as in the original.

    Raises:
        InvalidArgumentError: sizes that differ, values that are no mask, not a colour.

    >>> to_mask(np.array([[0, 1]], np.uint8), (255, 255, 255), (0, 0, 0, 255)).tolist()
    [[[0, 0, 0, 255], [255, 255, 255, 255]]]
    """
    ids = None
    if foreground_ids is not None:
        ids = [_value_id(value) for value in listed(foreground_ids, str)]
    palette = np.array(
        [rgba(background, "background"), rgba(foreground, "foreground"), CONTOUR_COLOR], np.uint8
    )
    masks = [foreground_of(element, ids) for element in segmentation_list(segmentation)]
    if not masks:
        return None
    index = masks[0].copy()
    for mask in masks[1:]:
        index |= mask
    if draw_contour:
        for mask in masks:
            index[contour(mask).view(bool)] = 2
    return apply_palette(index, palette)


def apply_palette(index: NDArray[Any], palette: NDArray[np.uint8]) -> Image:
    """(H, W) indices -> (H, W, 4) colours of an (N, 4) palette; one 32-bit look-up per pixel."""
    packed = np.ascontiguousarray(palette).view(np.uint32)[:, 0]
    colors: Image = packed[index].view(np.uint8).reshape(*index.shape, 4)
    return colors


def person_mask(segmentation: Segmentations) -> NDArray[np.uint8] | None:
    """(H, W) uint8 0/1: where anybody is in any of the segmentations; None for an empty list."""
    masks = [foreground_of(element) for element in segmentation_list(segmentation)]
    if not masks:
        return None
    return np.maximum.reduce(masks) if len(masks) > 1 else masks[0]


def foreground_of(
    segmentation: Segmentation, foreground_ids: list[int] | None = None
) -> NDArray[np.uint8]:
    """(H, W) uint8 0/1: the foreground of one segmentation; may share memory with it.

    Raises:
        InvalidArgumentError: without ids, a plain array that holds other values than a mask's.
    """
    values = values_of(segmentation)
    if foreground_ids is not None:
        return _is_any(values, foreground_ids)
    if isinstance(segmentation, (PersonSegmentation, PartSegmentation)):
        return segmentation.mask
    if values.dtype == np.bool_:
        return values.view(np.uint8)
    mask = binary(values)
    if mask is not None:
        return mask
    raise InvalidArgumentError(
        "segmentation: expected a mask (bool, 0 and 1, or 0 and 255); got values from "
        f"{values.min()} to {values.max()}. Wrap part ids in bodypix.PartSegmentation, or name "
        "the values with foreground_ids."
    )


def _value_id(value: int | str) -> int:
    if isinstance(value, str):
        return body.part_id(value)
    try:
        return operator.index(value)
    except TypeError:
        raise InvalidArgumentError(
            f"foreground_ids: expected whole numbers or names of parts; got {value!r}."
        ) from None


def _is_any(values: NDArray[Any], ids: list[int]) -> NDArray[np.uint8]:
    found = np.zeros(values.shape, bool)
    for value in ids:
        found |= values == value
    return found.view(np.uint8)
