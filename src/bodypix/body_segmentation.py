"""The API of @tensorflow-models/body-segmentation (1.0.2) for its BodyPix model.

    from bodypix import body_segmentation as bodies

    segmenter = bodies.create_segmenter(bodies.SupportedModels.BodyPix)
    people = segmenter.segment_people(image, multi_segmentation=False, segment_body_parts=True)
    mask = bodies.to_colored_mask(people, bodies.body_pix_mask_value_to_rainbow_color)
    picture = bodies.draw_mask(image, mask)

Nothing is asynchronous here. Masks are RGBA: red is a value (255 a person; or a part id, 24 where
nobody is), alpha 255 where somebody is. Formulas: spec section 9.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, TypeAlias

import numpy as np
from numpy.typing import NDArray

from bodypix import body, drawing, segmenter
from bodypix.drawing import draw_mask, draw_pixelated_mask
from bodypix.drawing.blur import Kernel
from bodypix.drawing.checks import Border, Image, listed, number, same_size
from bodypix.drawing.colors import ColorLike, Rgba, rgba
from bodypix.drawing.contours import contour
from bodypix.drawing.masks import CONTOUR_COLOR, apply_palette
from bodypix.errors import InvalidArgumentError
from bodypix.geometry import InternalResolution
from bodypix.images import ImageLike
from bodypix.results import PartSegmentation, PersonSegmentation

__all__ = [
    "BodySegmenter",
    "Mask",
    "Segmentation",
    "SupportedModels",
    "blur_body_part",
    "body_pix_mask_value_to_rainbow_color",
    "create_segmenter",
    "draw_bokeh_effect",
    "draw_mask",
    "draw_pixelated_mask",
    "to_binary_mask",
    "to_colored_mask",
]

PERSON_VALUE: Final = 255
"""Red value of a person."""

NOBODY_VALUE: Final = body.PARTS
"""Red value where nobody is, in a mask of body parts; its alpha is 0."""

_PERSON_PALETTE = np.array([(0, 0, 0, 0), (PERSON_VALUE, 0, 0, 255)], np.uint8)
# Index -1, which is nobody, reaches the last row.
_PART_PALETTE = np.array(
    [*((part, 0, 0, 255) for part in range(body.PARTS)), (NOBODY_VALUE, 0, 0, 0)], np.uint8
)


class SupportedModels:
    """Names that `create_segmenter` takes."""

    BodyPix: Final = "BodyPix"


@dataclass(frozen=True, eq=False)
class Mask:
    """One mask as (H, W, 4) uint8 RGBA: red a value, alpha how sure (here 0 or 255)."""

    image_data: Image

    def __post_init__(self) -> None:
        data = np.asarray(self.image_data)
        if data.ndim != 3 or data.shape[2] != 4 or data.dtype != np.uint8 or not data.size:
            raise InvalidArgumentError(
                f"image_data: expected (H, W, 4) uint8 RGBA; got {data.dtype} of shape "
                f"{data.shape}."
            )

    def to_image_data(self) -> Image:
        """(H, W, 4) uint8 RGBA."""
        return self.image_data

    def to_tensor(self) -> NDArray[np.int32]:
        """(H, W, 4) int32, the same numbers."""
        return self.image_data.astype(np.int32)

    def get_underlying_type(self) -> str:
        """Always "imagedata"."""
        return "imagedata"


@dataclass(frozen=True, eq=False)
class Segmentation:
    """One mask, what its values mean, and the result of `bodypix` that it was made from."""

    mask: Mask
    mask_value_to_label: Callable[[int], str]
    result: PersonSegmentation | PartSegmentation | None = field(default=None, repr=False)


Segmentations: TypeAlias = Segmentation | Sequence[Segmentation]


def create_segmenter(model: str = SupportedModels.BodyPix, **config: Any) -> BodySegmenter:
    """A segmenter; `config` is what `bodypix.load` takes (architecture, multiplier, ...).

    Without config it is the model inside the package. (The original's MediaPipe model is another
    network and not part of this package.)

    Raises:
        InvalidArgumentError: another model, or options that `bodypix.load` refuses.
        CheckpointError: the model cannot be had.
    """
    if model != SupportedModels.BodyPix:
        raise InvalidArgumentError(f"model: expected {SupportedModels.BodyPix!r}; got {model!r}.")
    return BodySegmenter(segmenter.load(**config))


class BodySegmenter:
    """Segments people; made by `create_segmenter`, or from a model of `bodypix.load`."""

    def __init__(self, model: segmenter.BodyPix) -> None:
        self.model = model

    def segment_people(
        self,
        image: ImageLike,
        *,
        multi_segmentation: bool = False,
        segment_body_parts: bool = False,
        flip_horizontal: bool = False,
        internal_resolution: InternalResolution = "medium",
        segmentation_threshold: float = 0.7,
        max_detections: int = 10,
        score_threshold: float = 0.4,
        nms_radius: float = 20.0,
        min_keypoint_score: float = 0.3,
        refine_steps: int = 10,
    ) -> list[Segmentation]:
        """One segmentation of everybody, or with `multi_segmentation` one for each person.

        Args:
            image: (H, W, 3) uint8 RGB array, PIL image, or path.
            multi_segmentation: tell people apart.
            segment_body_parts: values are part ids 0..23 (24 nobody) instead of 255 for a person.
            flip_horizontal: as in `bodypix.BodyPix.segment_multi_person`, like the rest;
                `min_keypoint_score` and `refine_steps` count only for several people.
            internal_resolution: size at which the network works.
            segmentation_threshold: 0..1.
            max_detections: most poses to look for.
            score_threshold: 0..1, least score of a pose.
            nms_radius: above 0, network pixels between two poses.
            min_keypoint_score: 0..1, least score of a keypoint that pixels are matched with.
            refine_steps: 1..20.

        Raises:
            ImageError: the image cannot be used.
            InvalidArgumentError: an option is out of range.
        """
        options: dict[str, Any] = {
            "flip_horizontal": flip_horizontal,
            "internal_resolution": internal_resolution,
            "segmentation_threshold": segmentation_threshold,
            "max_detections": max_detections,
            "score_threshold": score_threshold,
            "nms_radius": nms_radius,
        }
        results: Sequence[PersonSegmentation | PartSegmentation]
        if multi_segmentation:
            options |= {"min_keypoint_score": min_keypoint_score, "refine_steps": refine_steps}
            if segment_body_parts:
                results = self.model.segment_multi_person_parts(image, **options)
            else:
                results = self.model.segment_multi_person(image, **options)
        elif segment_body_parts:
            results = [self.model.segment_person_parts(image, **options)]
        else:
            results = [self.model.segment_person(image, **options)]
        return [_segmentation(result) for result in results]


def _segmentation(result: PersonSegmentation | PartSegmentation) -> Segmentation:
    if isinstance(result, PartSegmentation):
        data = apply_palette(result.part_ids, _PART_PALETTE)
        return Segmentation(Mask(data), _part_label, result)
    return Segmentation(Mask(apply_palette(result.mask, _PERSON_PALETTE)), _person_label, result)


def _person_label(value: int) -> str:
    if value != PERSON_VALUE:
        raise InvalidArgumentError(f"mask value: expected {PERSON_VALUE} (person); got {value!r}.")
    return "person"


def _part_label(value: int) -> str:
    return body.PART_NAMES[_part_value(value)]


def _part_value(value: int) -> int:
    if not 0 <= value < body.PARTS:
        raise InvalidArgumentError(
            f"mask value: expected a part id from 0 to {body.PARTS - 1}; got {value!r}."
        )
    return int(value)


def body_pix_mask_value_to_rainbow_color(mask_value: int) -> Rgba:
    """Red, green, blue, alpha of a part id in the rainbow scale.

    Raises:
        InvalidArgumentError: not a part id.

    >>> body_pix_mask_value_to_rainbow_color(0)
    (110, 64, 170, 255)
    """
    return (*body.RAINBOW[_part_value(mask_value)], 255)


def to_binary_mask(
    segmentation: Segmentations,
    foreground: ColorLike = (0, 0, 0, 0),
    background: ColorLike = (0, 0, 0, 255),
    draw_contour: bool = False,
    foreground_threshold: float = 0.5,
    foreground_mask_values: Iterable[int] | None = None,
) -> Image | None:
    """(H, W, 4) uint8 RGBA: one colour where somebody is, another elsewhere; None of an empty list.

    Args:
        segmentation: one or several.
        foreground: colour of the foreground.
        background: colour of the rest.
        draw_contour: outline every mask in cyan (see `bodypix.drawing.to_mask`).
        foreground_threshold: 0..1; foreground has at least this alpha.
        foreground_mask_values: red values that count; None is all of them.

    Raises:
        InvalidArgumentError: sizes that differ, a value or number out of range, not a colour.
    """
    palette = np.array(
        [rgba(background, "background"), rgba(foreground, "foreground"), CONTOUR_COLOR], np.uint8
    )
    masks = _foregrounds(segmentation, foreground_threshold, foreground_mask_values)
    if not masks:
        return None
    index = np.maximum.reduce(masks).view(np.uint8)
    if draw_contour:
        for mask in masks:
            index[contour(mask.view(np.uint8)).view(bool)] = 2
    return apply_palette(index, palette)


def to_colored_mask(
    segmentation: Segmentations,
    mask_value_to_color: Callable[[int], ColorLike],
    background: ColorLike = (0, 0, 0, 255),
    foreground_threshold: float = 0.5,
) -> Image | None:
    """(H, W, 4) uint8 RGBA: every red value in its colour; None of an empty list.

    Args:
        segmentation: one or several; where they overlap, the later one is on top.
        mask_value_to_color: colour of a red value, such as `body_pix_mask_value_to_rainbow_color`.
        background: colour where no alpha reaches the threshold.
        foreground_threshold: 0..1. At 0 everything is foreground, also value 24.

    Raises:
        InvalidArgumentError: sizes that differ, not a colour, and what `mask_value_to_color`
            raises.
    """
    elements = _elements(segmentation)
    masks = _foregrounds(elements, foreground_threshold, None)
    if not elements:
        return None
    palette = np.zeros((257, 4), np.uint8)
    palette[256] = rgba(background, "background")
    index = np.full(masks[0].shape, 256, np.int32)
    for element, mask in zip(elements, masks, strict=True):
        np.copyto(index, element.mask.image_data[..., 0], where=mask)
    for value in np.flatnonzero(np.bincount(index.ravel(), minlength=257)[:256]):
        palette[value] = rgba(mask_value_to_color(int(value)), f"mask_value_to_color({value})")
    return apply_palette(index, palette)


def draw_bokeh_effect(
    image: Any,
    segmentation: Segmentations,
    foreground_threshold: float = 0.5,
    background_blur_amount: float = 3,
    edge_blur_amount: float = 3,
    flip_horizontal: bool = False,
    *,
    border: Border = "reflect",
    kernel: Kernel = "gaussian",
) -> Image:
    """People sharp, everything else blurred, as `bodypix.drawing.draw_bokeh_effect`.

    The threshold stands before the amounts of blur, as in the original.
    """
    return drawing.draw_bokeh_effect(
        image,
        _foregrounds(segmentation, foreground_threshold, None),
        background_blur_amount,
        edge_blur_amount,
        flip_horizontal,
        border=border,
        kernel=kernel,
    )


def blur_body_part(
    image: Any,
    segmentation: Segmentations,
    mask_values_to_blur: Iterable[int],
    foreground_threshold: float = 0.5,
    background_blur_amount: float = 3,
    edge_blur_amount: float = 3,
    flip_horizontal: bool = False,
    *,
    border: Border = "reflect",
    kernel: Kernel = "gaussian",
) -> Image:
    """What has one of the mask values blurred, the rest sharp; (0, 1) is the face.

    As `bodypix.drawing.blur_body_part`; an empty list of segmentations blurs the whole image.
    """
    chosen = _foregrounds(segmentation, foreground_threshold, mask_values_to_blur)
    return drawing.blur_body_part(
        image,
        [mask.astype(np.int32) for mask in chosen],
        (1,),
        background_blur_amount,
        edge_blur_amount,
        flip_horizontal,
        border=border,
        kernel=kernel,
    )


def _elements(segmentation: Segmentations) -> list[Segmentation]:
    elements: list[Any] = listed(segmentation)
    for element in elements:
        if not isinstance(element, Segmentation):
            raise InvalidArgumentError(
                f"segmentation: expected what segment_people returns; got {type(element).__name__}."
            )
        same_size(
            elements[0].mask.image_data, element.mask.image_data, "first mask", "segmentation"
        )
    return elements


def _foregrounds(
    segmentation: Segmentations, threshold: float, values: Iterable[int] | None
) -> list[NDArray[np.bool_]]:
    """(H, W) bool for each segmentation: alpha reaches the threshold and the value counts."""
    # Not Python's round: the original rounds halves up, 127.5 to 128.
    least = math.floor(number("foreground_threshold", threshold, 0.0, 1.0) * 255 + 0.5)
    counts = np.ones(256, bool)
    if values is not None:
        counts[:] = False
        for value in listed(values):
            if not isinstance(value, (int, np.integer)) or not 0 <= value <= 255:
                raise InvalidArgumentError(
                    f"mask values: expected whole numbers from 0 to 255; got {value!r}."
                )
            counts[value] = True
    masks = []
    for element in _elements(segmentation):
        data = element.mask.image_data
        mask: NDArray[np.bool_] = data[..., 3] >= least
        if values is not None:
            mask &= counts[data[..., 0]]
        masks.append(mask)
    return masks
