"""Lettering for legends: the glyph outlines of Aileron, filled at any size."""

from __future__ import annotations

from functools import lru_cache
from importlib import resources

import cv2
import numpy as np
from numpy.typing import NDArray

from bodypix.body import Color
from bodypix.drawing.checks import Image

CAP_HEIGHT = 0.69
"""Height of a capital letter, as a share of the size."""

_FIRST, _LAST = 32, 126
_UNITS = 1000
_FRACTION_BITS = 4


class _Glyphs:
    """Polygons (font units, y up) and advance widths of the printable ASCII characters."""

    def __init__(self) -> None:
        file = resources.files("bodypix") / "assets" / "aileron.npz"
        with resources.as_file(file) as path, np.load(path) as data:
            points, contour_ends = data["points"], data["contour_ends"]
            glyph_ends, self.advances = data["glyph_ends"], data["advances"]
        contours = np.split(points, contour_ends[:-1])
        starts = [0, *glyph_ends[:-1]]
        self.contours: list[list[NDArray[np.int16]]] = [
            contours[start:end] for start, end in zip(starts, glyph_ends, strict=True)
        ]


@lru_cache(maxsize=1)
def _glyphs() -> _Glyphs:
    return _Glyphs()


def _indices(text: str) -> list[int]:
    """Glyph of every character; what the font does not hold is drawn as a question mark."""
    codes = (ord(character) for character in text)
    return [(code if _FIRST <= code <= _LAST else ord("?")) - _FIRST for code in codes]


def text_width(text: str, size: float) -> float:
    """Width in pixels of a line of text, `size` being the height of the em square in pixels."""
    return float(_glyphs().advances[_indices(text)].sum()) * size / _UNITS


def draw_text(
    canvas: Image, text: str, x: float, baseline: float, size: float, color: Color
) -> None:
    """Write a line of text into an (H, W, 3) canvas, without smoothing.

    Edges are hard: draw larger and scale down (`cv2.INTER_AREA`) for smooth letters.
    """
    glyphs, unit = _glyphs(), size / _UNITS
    for index in _indices(text):
        polygons = [
            np.rint((contour * (unit, -unit) + (x, baseline)) * 2**_FRACTION_BITS).astype(np.int32)
            for contour in glyphs.contours[index]
        ]
        if polygons:
            # One call for all contours of a letter: even-odd filling leaves the holes open.
            cv2.fillPoly(canvas, polygons, color, cv2.LINE_8, _FRACTION_BITS)
        x += float(glyphs.advances[index]) * unit
