"""Blur behind people and blur of body parts: `draw_bokeh_effect`, `blur_body_part`."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bodypix import body
from bodypix.drawing import checks
from bodypix.drawing.blur import Kernel, blur, coverage
from bodypix.drawing.checks import Border, Image, Segmentations, same_size, segmentation_list
from bodypix.drawing.compositing import mirrored, mix, unpremultiply
from bodypix.drawing.masks import person_mask, to_mask
from bodypix.drawing.overlay import check_blur


def draw_bokeh_effect(
    image: Any,
    segmentation: Segmentations,
    background_blur_amount: float = 3,
    edge_blur_amount: float = 3,
    flip_horizontal: bool = False,
    *,
    border: Border = "reflect",
    kernel: Kernel = "gaussian",
) -> Image:
    """People sharp, everything else blurred: `image * a + blurred * (1 - a)` (spec section 7).

    Args:
        image: (H, W, 3) uint8 RGB.
        segmentation: a result, an (H, W) mask, or a list of these; a part segmentation counts
            whole. An empty list blurs the whole image.
        background_blur_amount: standard deviation of the blur in pixels; 0 leaves it sharp. The
            original suggests 1 to 20.
        edge_blur_amount: how softly people end, in pixels; the original suggests 0 to 20.
        flip_horizontal: mirror the result (also for an empty list, where the original forgets).
        border: "reflect" keeps borders opaque and as bright as they were; "transparent" blurs
            them against nothing, as the original does, so they come out half transparent.
        kernel: "gaussian", or "boxes", the blur of Chromium's CPU canvas.

    Returns:
        (H, W, 3) uint8 RGB, or (H, W, 4) RGBA with `border="transparent"`.

    Raises:
        ImageError: the image is not (H, W, 3) uint8.
        InvalidArgumentError: sizes that differ, a number out of its range.
    """
    image = checks.rgb_image(image)
    mask = person_mask(segmentation)
    sharp = None if mask is None else mask * np.uint8(255)
    return _sharp_where(
        image, sharp, background_blur_amount, edge_blur_amount, flip_horizontal, border, kernel
    )


def blur_body_part(
    image: Any,
    part_segmentation: Segmentations,
    body_part_ids_to_blur: int | str | Iterable[int | str] | None = (0, 1),
    background_blur_amount: float = 3,
    edge_blur_amount: float = 3,
    flip_horizontal: bool = False,
    *,
    border: Border = "reflect",
    kernel: Kernel = "gaussian",
) -> Image:
    """Some body parts blurred, the rest sharp; by default the face (spec section 7).

    Args:
        image: (H, W, 3) uint8 RGB.
        part_segmentation: a PartSegmentation, an (H, W) array of part ids, or a list of these.
            As in the original an empty list blurs the *whole* image (nobody is shown by mistake).
        body_part_ids_to_blur: id 0..23 or name of a part, or several; None is (0, 1), the face.
        background_blur_amount: standard deviation of the blur in pixels; 0 leaves all sharp.
        edge_blur_amount: how softly the blurred parts end, in pixels.
        flip_horizontal: mirror the result.
        border: as in `draw_bokeh_effect`.
        kernel: as in `draw_bokeh_effect`.

    Returns:
        (H, W, 3) uint8 RGB, or (H, W, 4) RGBA with `border="transparent"`.

    Raises:
        ImageError: the image is not (H, W, 3) uint8.
        InvalidArgumentError: an unknown part, a person mask, sizes that differ, a number out of
            its range.
    """
    image = checks.rgb_image(image)
    chosen = (0, 1) if body_part_ids_to_blur is None else body_part_ids_to_blur
    parts = [body.part_id(part) for part in checks.listed(chosen, str)]
    for element in segmentation_list(part_segmentation):
        checks.part_ids_only(element, "part_segmentation")
    # The contour is opaque, that is sharp: as in the original it eats a pixel off the blurred zone.
    mask = to_mask(part_segmentation, (0, 0, 0, 0), (0, 0, 0, 255), True, parts)
    sharp = None if mask is None else np.ascontiguousarray(mask[..., 3])
    return _sharp_where(
        image, sharp, background_blur_amount, edge_blur_amount, flip_horizontal, border, kernel
    )


def _sharp_where(
    image: Image,
    sharp: NDArray[np.uint8] | None,
    background_blur_amount: float,
    edge_blur_amount: float,
    flip_horizontal: bool,
    border: Border,
    kernel: Kernel,
) -> Image:
    """The image where `sharp` is 255, its blurred self where that is 0 (or None)."""
    sigma = checks.blur_amount("background_blur_amount", background_blur_amount)
    edge = checks.blur_amount("edge_blur_amount", edge_blur_amount)
    check_blur(border, kernel)
    blurred = blur(image, sigma, border, kernel)
    if sharp is None:
        drawn, alpha = blurred, np.zeros(image.shape[:2], np.uint8)
    else:
        same_size(image, sharp, "image", "segmentation")
        alpha = blur(sharp, edge, border, kernel)
        drawn = mix(image, blurred, alpha)
    if border == "transparent":
        below = coverage(image.shape[0], image.shape[1], sigma, kernel)[..., None]
        opaque = np.full_like(below, 255)
        drawn = unpremultiply(drawn, mix(opaque, below, alpha))
    elif drawn is image:  # nothing to blur and nobody: still a picture of its own
        drawn = image.copy()
    return mirrored(drawn, flip_horizontal)
