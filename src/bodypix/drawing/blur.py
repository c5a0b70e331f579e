"""Gaussian blur with the two borders that the effects need; a wide blur costs no more."""

from __future__ import annotations

import math
from functools import lru_cache
from typing import Final, Literal, TypeAlias

import cv2
import numpy as np
from numpy.typing import NDArray

from bodypix.drawing.checks import Border, Image

Kernel: TypeAlias = Literal["gaussian", "boxes"]
"""A true Gaussian, or the three box filters with which Chromium's CPU canvas stands in for it."""

KERNELS: Final[tuple[str, ...]] = ("gaussian", "boxes")

# Above this sigma a blur works on a smaller picture: nothing finer than a few pixels is left, and
# the time is spent on pixels, not on taps.
_FULL_SIZE_SIGMA = 6.0


def blur(image: Image, sigma: float, border: Border, kernel: Kernel = "gaussian") -> Image:
    """Blur a uint8 image (1 to 4 channels); `sigma` as N in the canvas filter `blur(Npx)`.

    Args:
        image: (H, W) or (H, W, C) uint8; colours are premultiplied where there is alpha.
        sigma: standard deviation in pixels; 0 returns the image itself.
        border: "reflect" mirrors the image at its border, so borders stay as bright as they were;
            "transparent" takes zeros from outside, as the HTML canvas does.
        kernel: "gaussian", or "boxes" for three box filters (see `box_kernel`).
    """
    if sigma == 0:
        return image
    mode = cv2.BORDER_REFLECT_101 if border == "reflect" else cv2.BORDER_CONSTANT
    if kernel == "boxes":
        taps = box_kernel(sigma)
        return _uint8(cv2.sepFilter2D(image, -1, taps, taps, borderType=mode))
    if sigma <= _FULL_SIZE_SIGMA:
        return _uint8(cv2.GaussianBlur(image, (0, 0), sigma, borderType=mode))
    return _blur_reduced(image, sigma, mode)


def _blur_reduced(image: Image, sigma: float, mode: int) -> Image:
    """The same blur by way of a picture 2, 4, 8, ... times smaller: within 3 levels of it."""
    factor = 2 ** math.floor(math.log2(sigma / (_FULL_SIZE_SIGMA / 2)))
    height, width = image.shape[:2]
    # A margin as wide as the kernel carries the border rule over to the smaller picture; a side
    # that divides by the factor keeps the two grids aligned.
    margin = factor * math.ceil(3.0 * sigma / factor)
    bottom, right = margin + -height % factor, margin + -width % factor
    wide = cv2.copyMakeBorder(image, margin, bottom, margin, right, mode)
    small = cv2.resize(
        wide,
        (wide.shape[1] // factor, wide.shape[0] // factor),
        interpolation=cv2.INTER_AREA,
    )
    # Averaging `factor` pixels and interpolating between the averages blur too: their variances
    # (f^2-1)/12 and about f^2/6 count towards the one that is asked for.
    variance = sigma**2 - (factor**2 - 1) / 12 - factor**2 / 6
    rest = math.sqrt(variance) / factor
    small = cv2.GaussianBlur(small, (0, 0), rest, borderType=cv2.BORDER_REPLICATE)
    large = cv2.resize(small, (wide.shape[1], wide.shape[0]), interpolation=cv2.INTER_LINEAR)
    return _uint8(large[margin : margin + height, margin : margin + width])


@lru_cache(maxsize=32)
def box_kernel(sigma: float) -> NDArray[np.float32]:
    """Taps of three box filters in a row, as Skia's CPU rasteriser blurs.

    The window is `floor(sigma * 3 * sqrt(2 pi) / 4 + 0.5)` (the SVG filter specification); an
    even window is used twice, shifted left and right by half a pixel, and once one pixel wider.
    """
    window = max(1, math.floor(sigma * 3 * math.sqrt(2 * math.pi) / 4 + 0.5))
    box = np.ones(window)
    last = box if window % 2 else np.ones(window + 1)
    taps = np.convolve(np.convolve(box, box), last)
    normalised: NDArray[np.float32] = (taps / taps.sum()).astype(np.float32)
    normalised.flags.writeable = False
    return normalised


def coverage(
    height: int, width: int, sigma: float, kernel: Kernel = "gaussian"
) -> NDArray[np.uint8]:
    """(H, W) uint8: alpha of an opaque image after `blur(..., "transparent")`; lower at borders."""
    rows, columns = (_edge(size, sigma, kernel) for size in (height, width))
    return _uint8(np.rint(np.outer(rows, columns) * np.float32(255)))


def _edge(size: int, sigma: float, kernel: Kernel) -> NDArray[np.float32]:
    """(size,) float32: the share of a 1-D kernel that falls inside a line of `size` pixels."""
    if sigma == 0:
        return np.ones(size, np.float32)
    line = np.ones((1, size), np.float32)
    if kernel == "boxes":
        taps = box_kernel(sigma)
    else:
        taps = np.asarray(
            cv2.getGaussianKernel(2 * math.ceil(4 * sigma) + 1, sigma, cv2.CV_32F), np.float32
        )
    across = cv2.filter2D(line, -1, taps.reshape(1, -1), borderType=cv2.BORDER_CONSTANT)
    return np.asarray(across[0], np.float32)


def _uint8(array: object) -> Image:
    return np.asarray(array, np.uint8)
