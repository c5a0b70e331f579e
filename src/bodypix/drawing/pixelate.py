"""A mask image in coarse cells with a white grid: `draw_pixelated_mask`."""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from bodypix.drawing import checks
from bodypix.drawing.blur import Kernel
from bodypix.drawing.checks import Border, Image
from bodypix.drawing.compositing import lay_over, mirrored, opaque, split, unpremultiply
from bodypix.drawing.overlay import blurred_layer, check_blur


def draw_pixelated_mask(
    image: Any,
    mask_image: Any | None,
    mask_opacity: float = 0.7,
    mask_blur_amount: float = 0,
    flip_horizontal: bool = False,
    pixel_cell_width: int = 10,
    *,
    border: Border = "reflect",
    kernel: Kernel = "gaussian",
) -> Image:
    """The image with a mask image in cells over it (spec section 7).

    The mask is sampled at `W // cell` x `H // cell` points (bilinear, as Chromium's canvas
    does), each becomes one flat cell, and white lines one pixel wide run at every multiple of
    `pixel_cell_width`. Cells are `W / (W // cell)` wide, so they drift from the lines, as in the
    original. A mask narrower than one cell is one cell (the original fails).

    Args:
        image: (H, W, 3) uint8 RGB.
        mask_image: (H, W, 4) RGBA or (H, W, 3) RGB uint8; None (no people) draws the image alone
            (the original fails).
        mask_opacity: 0 (invisible) to 1.
        mask_blur_amount: blur of the mask in pixels before it is sampled.
        flip_horizontal: mirror the result.
        pixel_cell_width: width and height of a cell in pixels, 1 or more.
        border: "reflect" keeps the image opaque under a mask with transparent parts;
            "transparent" answers RGBA, see-through there, as the original does.
        kernel: "gaussian", or "boxes", the blur of Chromium's CPU canvas.

    Returns:
        (H, W, 3) uint8 RGB, or (H, W, 4) RGBA with `border="transparent"`.

    Raises:
        ImageError: image or mask image of another shape or dtype.
        InvalidArgumentError: sizes that differ, a number out of its range.
    """
    image = checks.rgb_image(image)
    opacity = checks.opacity("mask_opacity", mask_opacity)
    sigma = checks.blur_amount("mask_blur_amount", mask_blur_amount)
    cell = checks.whole_number("pixel_cell_width", pixel_cell_width, 1)
    check_blur(border, kernel)
    if mask_image is None:
        drawn = image.copy()
        return mirrored(opaque(drawn) if border == "transparent" else drawn, flip_horizontal)
    cells = _cells(blurred_layer(image, mask_image, sigma, border, kernel), cell)
    if border == "reflect":
        return mirrored(lay_over(image, cells, opacity), flip_horizontal)
    # The original lays the image over the cells: where those are transparent, nothing is below.
    drawn = np.asarray(cv2.addWeighted(opaque(image), 1.0 - opacity, cells, opacity, 0.0), np.uint8)
    return mirrored(unpremultiply(*split(drawn)), flip_horizontal)


def _cells(layer: Image, cell: int) -> Image:
    """A premultiplied (H, W, 4) layer as flat cells with the white grid over them."""
    height, width = layer.shape[:2]
    rows, columns = max(1, height // cell), max(1, width // cell)
    coarse: Image = np.asarray(
        cv2.resize(layer, (columns, rows), interpolation=cv2.INTER_LINEAR), np.uint8
    )
    # Rows of the coarse picture are widened and get their vertical lines while there are few.
    wide = coarse[:, _nearest(width, columns)]
    _whiten(wide.swapaxes(0, 1), _lines(width, columns, cell))
    cells = wide[_nearest(height, rows)]
    _whiten(cells, _lines(height, rows, cell))
    return cells


def _nearest(size: int, cells: int) -> NDArray[np.intp]:
    """Cell under the centre of each of `size` pixels; a centre on a boundary belongs to the left.

    (Verified on Chromium's output: its sampler leans to the left by less than any pixel.)
    """
    return ((2 * np.arange(size) + 1) * cells - 1) // (2 * size)


def _lines(size: int, count: int, cell: int) -> NDArray[np.uint8]:
    """(size,) how many of the lines at 0, cell, 2 cell, ... touch each pixel.

    A line one pixel wide is centred on its coordinate: it covers half of the pixels on both sides.
    """
    touched = np.zeros(size + 1, np.uint8)
    at = np.arange(count) * cell
    touched[at + 1] += 1
    touched[at] += 1
    return touched[1:]


def _whiten(rows: Image, lines: NDArray[np.uint8]) -> None:
    """White at half opacity over rows of a layer, in place, once for each line that touches one."""
    for times in range(1, int(lines.max()) + 1):
        at = np.flatnonzero(lines >= times)
        rows[at] = (rows[at].astype(np.uint16) + 256) >> 1
