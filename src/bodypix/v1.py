"""The API of BodyPix 1 (package 1.1.2), over the weights of BodyPix 2 or our own.

    from bodypix import v1

    net = v1.load(0.75)
    person = net.estimate_person_segmentation(image, 16, 0.5)
    picture = v1.draw_mask(image, v1.to_mask_image_data(person), 0.7, 3)

What differs from the original: the weights (BodyPix 1's own are not used), the size at which the
network works (`internal_resolution` instead of a fixed 353x257), and part ids, which are those of
BodyPix 2 unless `v1_part_ids` is asked. Formulas: spec section 8.
"""

from __future__ import annotations

import os
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from bodypix import body, drawing, segmenter
from bodypix.drawing.blur import Kernel
from bodypix.drawing.checks import Border, Image, part_ids_only, values_of
from bodypix.drawing.colors import PartColors
from bodypix.errors import InvalidArgumentError
from bodypix.geometry import InternalResolution
from bodypix.images import ImageLike
from bodypix.results import PartSegmentation, PersonSegmentation

__all__ = [
    "PART_CHANNELS",
    "BodyPix",
    "draw_bokeh_effect",
    "draw_mask",
    "draw_pixelated_mask",
    "load",
    "to_colored_part_image_data",
    "to_mask_image_data",
    "v1_part_ids",
]

PART_CHANNELS: Final = body.V1_PART_NAMES
"""Names of the parts in BodyPix 1, by its part ids (`v1_part_ids`)."""

# The last entry, reached by index -1, is nobody's.
_V1_IDS: Final = np.array([*body.V2_TO_V1_PARTS, -1], np.int32)


def load(
    multiplier: float | None = None,
    *,
    device: str = "auto",
    threads: int | None = None,
    cache_dir: str | os.PathLike[str] | None = None,
    offline: bool | None = None,
) -> BodyPix:
    """Load a model by its size.

    Args:
        multiplier: 0.5, 0.75 or 1.0 fetches the BodyPix 2 checkpoint of that size; None is the
            model inside the package. (The original's default is 0.75, and it knows 0.25.)
        device: as in `bodypix.load`, like the rest.
        threads: CPU threads.
        cache_dir: folder of fetched models.
        offline: never fetch.

    Raises:
        InvalidArgumentError: another multiplier.
        CheckpointError: the model cannot be had.
        DeviceError: the device is not there.
    """
    return BodyPix(
        segmenter.load(
            architecture=None if multiplier is None else "MobileNetV1",
            output_stride=None if multiplier is None else 16,
            multiplier=multiplier,
            device=device,
            threads=threads,
            cache_dir=cache_dir,
            offline=offline,
        )
    )


class BodyPix:
    """A model whose output stride is chosen for each call.

    Args:
        model: any MobileNetV1 of `bodypix.load`, also one of your own.
    """

    def __init__(self, model: segmenter.BodyPix) -> None:
        self.model = model
        self._strides: dict[int, segmenter.BodyPix] = {model.info.output_stride: model}

    def estimate_person_segmentation(
        self,
        image: ImageLike,
        output_stride: int = 16,
        segmentation_threshold: float = 0.5,
        *,
        internal_resolution: InternalResolution = "medium",
    ) -> PersonSegmentation:
        """Which pixels are of people.

        Args:
            image: (H, W, 3) uint8 RGB array, PIL image, or path.
            output_stride: 8 (finest), 16 or 32 (fastest), on the same weights; our own weights
                are no faster at 32 than at 16.
            segmentation_threshold: 0..1; person pixels have a probability strictly above it.
            internal_resolution: as in `bodypix.BodyPix.segment_person`.

        Raises:
            ImageError: the image cannot be used.
            InvalidArgumentError: an option is out of range.
        """
        return self._at(output_stride).segment_person(
            image,
            internal_resolution=internal_resolution,
            segmentation_threshold=segmentation_threshold,
        )

    def estimate_part_segmentation(
        self,
        image: ImageLike,
        output_stride: int = 16,
        segmentation_threshold: float = 0.5,
        *,
        internal_resolution: InternalResolution = "medium",
    ) -> PartSegmentation:
        """Which body part every pixel is of, in BodyPix 2's ids (see `v1_part_ids`).

        Arguments and errors as in `estimate_person_segmentation`.
        """
        return self._at(output_stride).segment_person_parts(
            image,
            internal_resolution=internal_resolution,
            segmentation_threshold=segmentation_threshold,
        )

    def _at(self, stride: int) -> segmenter.BodyPix:
        """The model at a stride; made when first wanted, then kept."""
        if not isinstance(stride, int) or stride not in self._strides:
            self._strides[stride] = self.model.with_output_stride(stride)
        return self._strides[stride]


def v1_part_ids(segmentation: PartSegmentation | NDArray[np.int32]) -> NDArray[np.int32]:
    """(H, W) int32: the part ids of BodyPix 1 (index into PART_CHANNELS), -1 outside.

    Args:
        segmentation: a result, or an (H, W) array of BodyPix 2's part ids, -1..23.

    Raises:
        InvalidArgumentError: no part ids, or ids out of range.

    >>> v1_part_ids(np.array([[-1, 0, 2]], np.int32)).tolist()
    [[-1, 0, 18]]
    """
    part_ids_only(segmentation, "segmentation")
    ids = values_of(segmentation)
    low, high = int(ids.min()), int(ids.max())
    if low < -1 or high >= body.PARTS:
        raise InvalidArgumentError(
            f"segmentation: expected part ids from -1 to {body.PARTS - 1}; got {low} to {high}."
        )
    return np.asarray(_V1_IDS[ids], np.int32)


def to_mask_image_data(
    segmentation: PersonSegmentation | NDArray[Any], mask_background: bool = True
) -> Image:
    """(H, W, 4) uint8 RGBA: opaque black on the background, or on the person; else transparent.

    Raises:
        InvalidArgumentError: not a person mask.
    """
    opaque, clear = (0, 0, 0, 255), (0, 0, 0, 0)
    foreground, background = (clear, opaque) if mask_background else (opaque, clear)
    mask = drawing.to_mask([segmentation], foreground, background)
    assert mask is not None  # only of an empty list
    return mask


def to_colored_part_image_data(
    segmentation: PartSegmentation | NDArray[Any], part_colors: PartColors
) -> Image:
    """(H, W, 4) uint8 RGBA: every part in its colour on white.

    Args:
        segmentation: a result or an (H, W) array of part ids, in either numbering.
        part_colors: "rainbow", "warm", "spectral", or one colour for each part id.

    Raises:
        InvalidArgumentError: a part id without a colour, a person mask.
    """
    mask = drawing.to_colored_part_mask([segmentation], part_colors)
    assert mask is not None  # only of an empty list
    return mask


def draw_mask(
    image: Any,
    mask_image: Any,
    mask_opacity: float = 0.7,
    mask_blur_amount: float = 0,
    flip_horizontal: bool = False,
    *,
    border: Border = "reflect",
    kernel: Kernel = "gaussian",
) -> Image:
    """The image with a mask image over it, as `bodypix.drawing.draw_mask`; a mask must be given.

    Raises:
        ImageError: image or mask image of another shape or dtype.
        InvalidArgumentError: no mask image, sizes that differ, a number out of its range.
    """
    return drawing.draw_mask(
        image, _given(mask_image), mask_opacity, mask_blur_amount, flip_horizontal,
        border=border, kernel=kernel,
    )  # fmt: skip


def draw_pixelated_mask(
    image: Any,
    mask_image: Any,
    mask_opacity: float = 0.7,
    mask_blur_amount: float = 0,
    flip_horizontal: bool = False,
    pixel_cell_width: int = 10,
    *,
    border: Border = "reflect",
    kernel: Kernel = "gaussian",
) -> Image:
    """The image with a mask image in cells over it, as `bodypix.drawing.draw_pixelated_mask`.

    Raises:
        ImageError: image or mask image of another shape or dtype.
        InvalidArgumentError: no mask image, sizes that differ, a number out of its range.
    """
    return drawing.draw_pixelated_mask(
        image, _given(mask_image), mask_opacity, mask_blur_amount, flip_horizontal,
        pixel_cell_width, border=border, kernel=kernel,
    )  # fmt: skip


def draw_bokeh_effect(
    image: Any,
    segmentation: PersonSegmentation | NDArray[Any],
    background_blur_amount: float = 3,
    edge_blur_amount: float = 3,
    flip_horizontal: bool = False,
    *,
    border: Border = "reflect",
    kernel: Kernel = "gaussian",
) -> Image:
    """The person sharp, everything else blurred, as `bodypix.drawing.draw_bokeh_effect`.

    Raises:
        ImageError: the image is not (H, W, 3) uint8.
        InvalidArgumentError: sizes that differ, a number out of its range.
    """
    return drawing.draw_bokeh_effect(
        image, [segmentation], background_blur_amount, edge_blur_amount, flip_horizontal,
        border=border, kernel=kernel,
    )  # fmt: skip


def _given(mask_image: Any) -> Any:
    if mask_image is None:
        raise InvalidArgumentError(
            "mask_image: expected an (H, W, 4) RGBA array; got None. BodyPix 1 draws no image "
            "without a mask; bodypix.drawing does."
        )
    return mask_image
