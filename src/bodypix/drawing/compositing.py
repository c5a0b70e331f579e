"""Laying pictures over each other as the HTML canvas does: premultiplied source-over (spec 7).

Premultiplied means colours that are already multiplied by their alpha; every array here is uint8.
"""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from bodypix.drawing.checks import Image

_PER_LEVEL = 1.0 / 255.0


def scale(colors: Image, alpha: NDArray[np.uint8]) -> Image:
    """(H, W, C) colours times an (H, W) alpha / 255, rounded."""
    planes = cv2.merge([alpha] * colors.shape[2])
    return np.asarray(cv2.multiply(colors, planes, planes, scale=_PER_LEVEL), np.uint8)


def split(image: Image) -> tuple[Image, NDArray[np.uint8]]:
    """(H, W, 4) -> contiguous (H, W, 3) colours and (H, W) alpha."""
    colors = np.asarray(cv2.cvtColor(image, cv2.COLOR_RGBA2RGB), np.uint8)
    return colors, np.asarray(cv2.extractChannel(image, 3), np.uint8)


def join(colors: Image, alpha: NDArray[np.uint8]) -> Image:
    """(H, W, 3) colours and (H, W) alpha -> (H, W, 4)."""
    joined = opaque(colors)
    cv2.insertChannel(alpha, joined, 3)
    return joined


def premultiply(image: Image) -> Image:
    """(H, W, 3 or 4) with straight alpha -> (H, W, 4) premultiplied; RGB counts as opaque."""
    if image.shape[2] == 3:
        return np.asarray(cv2.cvtColor(image, cv2.COLOR_RGB2RGBA), np.uint8)
    colors, alpha = split(image)
    if alpha.min() == 255:
        return image
    return join(scale(colors, alpha), alpha)


def unpremultiply(colors: Image, alpha: NDArray[np.uint8]) -> Image:
    """(H, W, 3) premultiplied colours and (H, W) alpha -> (H, W, 4) with straight alpha."""
    straight = join(colors, alpha)
    # Only where alpha is neither 0 nor 255 is there anything to divide: a thin band.
    at = np.flatnonzero((alpha != 255) & (alpha != 0))
    if at.size:
        factor = np.float32(255) / alpha.reshape(-1)[at]
        band = colors.reshape(-1, 3)[at] * factor[:, None]
        straight.reshape(-1, 4)[at, :3] = np.minimum(np.rint(band), 255)
    return straight


def mix(over: Image, under: Image, alpha: NDArray[np.uint8]) -> Image:
    """`over * alpha + under * (1 - alpha)` for (H, W, C) images and an (H, W) alpha, 0..255."""
    # In place where it can be: fresh memory costs more here than the arithmetic.
    planes = cv2.merge([alpha] * over.shape[2])
    front = cv2.multiply(over, planes, scale=_PER_LEVEL)
    cv2.bitwise_not(planes, planes)
    back = cv2.multiply(under, planes, planes, scale=_PER_LEVEL)
    return np.asarray(cv2.add(front, back, front), np.uint8)


def lay_over(image: Image, layer: Image, opacity: float) -> Image:
    """An opaque (H, W, 3) image with a premultiplied (H, W, 4) layer on it, at an opacity 0..1.

    `out = image * (1 - opacity * alpha) + layer * opacity` (spec section 7).
    """
    colors, alpha = split(layer)
    if alpha.min() == 255:
        return np.asarray(cv2.addWeighted(image, 1.0 - opacity, colors, opacity, 0.0), np.uint8)
    levels = np.rint(255.0 - opacity * np.arange(256)).astype(np.uint8)
    rest = np.asarray(cv2.LUT(alpha, levels), np.uint8)
    below = scale(image, rest)
    return np.asarray(cv2.addWeighted(below, 1.0, colors, opacity, 0.0, below), np.uint8)


def mirrored(image: Image, wanted: bool) -> Image:
    """The image, mirrored left to right if that is wanted."""
    return np.asarray(cv2.flip(image, 1), np.uint8) if wanted else image


def opaque(image: Image) -> Image:
    """(H, W, 3) RGB -> (H, W, 4) RGBA, opaque everywhere."""
    return np.asarray(cv2.cvtColor(image, cv2.COLOR_RGB2RGBA), np.uint8)
