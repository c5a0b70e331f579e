"""A mask image laid over a photo: `draw_mask`."""

from __future__ import annotations

from typing import Any

from bodypix.drawing import checks
from bodypix.drawing.blur import KERNELS, Kernel, blur
from bodypix.drawing.checks import BORDERS, Border, Image
from bodypix.drawing.compositing import lay_over, mirrored, opaque, premultiply


def draw_mask(
    image: Any,
    mask_image: Any | None,
    mask_opacity: float = 0.7,
    mask_blur_amount: float = 0,
    flip_horizontal: bool = False,
    *,
    border: Border = "reflect",
    kernel: Kernel = "gaussian",
) -> Image:
    """The image with a mask image over it: `image * (1 - o * a) + mask * o * a` (spec section 7).

    Args:
        image: (H, W, 3) uint8 RGB.
        mask_image: (H, W, 4) RGBA or (H, W, 3) RGB uint8, from `to_mask`, `to_colored_part_mask`
            or `to_colored_people_mask`; None (no people) draws the image alone.
        mask_opacity: 0 (invisible) to 1.
        mask_blur_amount: blur of the mask and its alpha in pixels; the original suggests 0 to 20.
        flip_horizontal: mirror the result. Left and right are not renamed.
        border: "reflect" keeps the blurred mask as strong at the image's border as inside;
            "transparent" lets it fade there and answers RGBA, as the original does.
        kernel: "gaussian", or "boxes", the blur of Chromium's CPU canvas.

    Returns:
        (H, W, 3) uint8 RGB, or (H, W, 4) RGBA (opaque) with `border="transparent"`.

    Raises:
        ImageError: image or mask image of another shape or dtype.
        InvalidArgumentError: sizes that differ, a number out of its range.
    """
    image = checks.rgb_image(image)
    opacity = checks.opacity("mask_opacity", mask_opacity)
    sigma = checks.blur_amount("mask_blur_amount", mask_blur_amount)
    check_blur(border, kernel)
    if mask_image is None:
        drawn = image.copy()
    else:
        drawn = lay_over(image, blurred_layer(image, mask_image, sigma, border, kernel), opacity)
    drawn = mirrored(drawn, flip_horizontal)
    return opaque(drawn) if border == "transparent" else drawn


def blurred_layer(
    image: Image, mask_image: Any, sigma: float, border: Border, kernel: Kernel
) -> Image:
    """The checked, premultiplied and blurred mask image: (H, W, 4).

    Raises:
        ImageError: not a mask image.
        InvalidArgumentError: not of the image's size.
    """
    mask_image = checks.rgb_or_rgba_image(mask_image, "mask_image")
    checks.same_size(image, mask_image, "image", "mask_image")
    return blur(premultiply(mask_image), sigma, border, kernel)


def check_blur(border: str, kernel: str) -> None:
    """Refuse unknown words for `border` and `kernel`.

    Raises:
        InvalidArgumentError: another word.
    """
    checks.one_of("border", border, BORDERS)
    checks.one_of("kernel", kernel, KERNELS)
