"""People without their background, and on another one: `cutout`, `replace_background`."""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np

from bodypix.drawing import checks
from bodypix.drawing.checks import Image, Segmentations
from bodypix.drawing.colors import ColorLike, rgb
from bodypix.drawing.compositing import join, mirrored, mix
from bodypix.drawing.matting import foreground_colors, person_alpha


def cutout(
    image: Any,
    segmentation: Segmentations,
    *,
    edge_blur_amount: float = 0,
    soft: bool = False,
    decontaminate: bool = True,
) -> Image:
    """The people of an image on a transparent ground, for a PNG file.

    Args:
        image: (H, W, 3) uint8 RGB.
        segmentation: a result, an (H, W) mask, or a list of these.
        edge_blur_amount: how softly people end, in pixels.
        soft: alpha from the segmentation's probability instead of its mask, with edges that follow
            the picture's own (`refine_alpha`).
        decontaminate: take the old background's colour out of half transparent edge pixels.

    Returns:
        (H, W, 4) uint8 RGBA with straight alpha; transparent everywhere for an empty list.

    Raises:
        ImageError: the image is not (H, W, 3) uint8.
        InvalidArgumentError: sizes that differ, a number out of its range, `soft` without a
            probability.
    """
    image = checks.rgb_image(image)
    edge = checks.blur_amount("edge_blur_amount", edge_blur_amount)
    alpha = person_alpha(image, segmentation, edge, soft)
    if alpha is None:
        return join(image, np.zeros(image.shape[:2], np.uint8))
    return join(foreground_colors(image, alpha) if decontaminate else image, alpha)


def replace_background(
    image: Any,
    segmentation: Segmentations,
    background: ColorLike | Image,
    *,
    edge_blur_amount: float = 2,
    soft: bool = False,
    decontaminate: bool = True,
    flip_horizontal: bool = False,
) -> Image:
    """The people of an image before another background.

    Args:
        image: (H, W, 3) uint8 RGB.
        segmentation: a result, an (H, W) mask, or a list of these; an empty list leaves only the
            background.
        background: a colour, or an (H', W', 3) uint8 RGB image of any size, which is scaled to
            cover the image and cropped at its centre.
        edge_blur_amount: how softly people end, in pixels.
        soft: alpha from the segmentation's probability instead of its mask, with edges that follow
            the picture's own (`refine_alpha`).
        decontaminate: take the old background's colour out of half covered edge pixels, so that
            no rim of it stays.
        flip_horizontal: mirror the people; the background stays as it is.

    Returns:
        (H, W, 3) uint8 RGB.

    Raises:
        ImageError: image or background of another shape or dtype.
        InvalidArgumentError: not a colour, sizes that differ, a number out of its range, `soft`
            without a probability.
    """
    image = checks.rgb_image(image)
    edge = checks.blur_amount("edge_blur_amount", edge_blur_amount)
    behind = _background(background, image)
    alpha = person_alpha(image, segmentation, edge, soft)
    if alpha is None:
        return behind
    front = foreground_colors(image, alpha) if decontaminate else image
    return mix(mirrored(front, flip_horizontal), behind, mirrored(alpha, flip_horizontal))


def _background(background: Any, image: Image) -> Image:
    """A picture of the image's size from a colour or from a picture of another size."""
    if isinstance(background, (str, list, tuple)) or np.ndim(background) == 1:
        return np.full_like(image, rgb(background, "background"))
    picture = checks.rgb_image(background, "background")
    height, width = image.shape[:2]
    if picture.shape == image.shape:
        return picture.copy()
    factor = max(height / picture.shape[0], width / picture.shape[1])
    # Crop first: scaling what is cut off afterwards would be wasted.
    rows = min(picture.shape[0], max(1, round(height / factor)))
    columns = min(picture.shape[1], max(1, round(width / factor)))
    top, left = (picture.shape[0] - rows) // 2, (picture.shape[1] - columns) // 2
    part = picture[top : top + rows, left : left + columns]
    method = cv2.INTER_AREA if factor < 1 else cv2.INTER_LINEAR
    return np.asarray(cv2.resize(part, (width, height), interpolation=method), np.uint8)
