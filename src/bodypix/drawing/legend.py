"""A picture that says which colour is which body part: `draw_legend`."""

from __future__ import annotations

from collections.abc import Iterable

import cv2
import numpy as np

from bodypix import body
from bodypix.drawing import checks
from bodypix.drawing.checks import Image
from bodypix.drawing.colors import PartColors, part_palette
from bodypix.drawing.text import CAP_HEIGHT, draw_text, text_width
from bodypix.errors import InvalidArgumentError

# Lengths in pixels at scale 1.
_MARGIN = 28
_TITLE = 20
_TITLE_GAP = 22
_ROW = 32
_SWATCH = 22
_CORNER = 6
_TEXT = 15
_ID = 11
_GAP = 12
_COLUMN_GAP = 34
_SMOOTH = 4  # drawn this many times larger, then averaged down

_LIGHT = ((255, 255, 255), (28, 30, 36))
_DARK = ((28, 30, 36), (240, 241, 244))


def draw_legend(
    part_colors: PartColors | None = "rainbow",
    *,
    scale: float = 1.0,
    columns: int = 2,
    parts: int | str | Iterable[int | str] | None = None,
    title: str = "Body parts",
    dark: bool = False,
) -> Image:
    """The body parts as swatches with id and name, to put beside a coloured part mask.

    Args:
        part_colors: the scale or list of colours given to `to_colored_part_mask`.
        scale: size; 1.0 has letters of 15 pixels. From 0.25 to 16.
        columns: number of columns; ids run down the columns.
        parts: id or name, or several, to show, in that order, for example `result.parts`; None
            shows all 24.
        title: heading; "" leaves it out. Characters beyond ASCII show as question marks.
        dark: light letters on a dark ground.

    Returns:
        (H, W, 3) uint8 RGB.

    Raises:
        InvalidArgumentError: an unknown part or scale, a part without a colour, no part at all.
    """
    palette = part_palette(part_colors)
    given = range(body.PARTS) if parts is None else parts
    shown = [body.part_id(part) for part in checks.listed(given, str)]
    if not shown:
        raise InvalidArgumentError("parts: expected at least one part; got none.")
    if max(shown) >= len(palette):
        raise InvalidArgumentError(
            f"No color could be found for part id {max(shown)}: part_colors holds "
            f"{len(palette)} colours. Give one colour for each part id."
        )
    scale = checks.number("scale", scale, 0.25, 16.0)
    columns = min(checks.whole_number("columns", columns, 1), len(shown))
    ground, ink = _DARK if dark else _LIGHT
    rows = -(-len(shown) // columns)
    names = [body.PART_NAMES[part].replace("_", " ") for part in shown]
    column = _SWATCH + _GAP + max(text_width(name, _TEXT) for name in names)
    top = _MARGIN + (_TITLE + _TITLE_GAP if title else 0)
    width = 2 * _MARGIN + max(
        columns * column + (columns - 1) * _COLUMN_GAP, text_width(title, _TITLE)
    )
    # Rows are as tall as a swatch and the space below it; the last one needs no space.
    height = top + rows * _ROW - (_ROW - _SWATCH) + _MARGIN

    unit = scale * _SMOOTH
    size = (round(width * scale), round(height * scale))
    canvas = np.full((size[1] * _SMOOTH, size[0] * _SMOOTH, 3), ground, np.uint8)
    if title:
        baseline = (_MARGIN + _TITLE * CAP_HEIGHT) * unit
        draw_text(canvas, title, _MARGIN * unit, baseline, _TITLE * unit, ink)
    for place, (part, name) in enumerate(zip(shown, names, strict=True)):
        x = (_MARGIN + (place // rows) * (column + _COLUMN_GAP)) * unit
        y = (top + (place % rows) * _ROW) * unit
        color = (int(palette[part][0]), int(palette[part][1]), int(palette[part][2]))
        _swatch(canvas, x, y, unit, color, str(part))
        baseline = y + (_SWATCH + _TEXT * CAP_HEIGHT) / 2 * unit
        draw_text(canvas, name, x + (_SWATCH + _GAP) * unit, baseline, _TEXT * unit, ink)
    return np.asarray(cv2.resize(canvas, size, interpolation=cv2.INTER_AREA), np.uint8)


def _swatch(canvas: Image, x: float, y: float, unit: float, color: body.Color, label: str) -> None:
    """A rounded square with the part id in it, dark or white, whichever reads better."""
    left, upper, side, radius = (round(v) for v in (x, y, _SWATCH * unit, _CORNER * unit))
    right, lower = left + side - 1, upper + side - 1
    cv2.rectangle(canvas, (left + radius, upper), (right - radius, lower), color, cv2.FILLED)
    cv2.rectangle(canvas, (left, upper + radius), (right, lower - radius), color, cv2.FILLED)
    for center in (
        (left + radius, upper + radius),
        (right - radius, upper + radius),
        (left + radius, lower - radius),
        (right - radius, lower - radius),
    ):
        cv2.circle(canvas, center, radius, color, cv2.FILLED)
    luma = (299 * color[0] + 587 * color[1] + 114 * color[2]) / 1000
    ink = (28, 30, 36) if luma > 140 else (255, 255, 255)
    size = _ID * unit
    start = x + (_SWATCH * unit - text_width(label, size)) / 2
    draw_text(canvas, label, start, y + (_SWATCH * unit + size * CAP_HEIGHT) / 2, size, ink)
