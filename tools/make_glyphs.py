"""Make src/bodypix/assets/aileron.npz, the letter shapes of `bodypix.drawing.text`.

Aileron Regular by Sora Sagano (https://dotcolon.net/fonts/aileron, CC0, "No Rights Reserved"), as
Pillow embeds it. Run by hand: `pip install fonttools pillow && python tools/make_glyphs.py`.
"""

from __future__ import annotations

from io import BytesIO
from pathlib import Path

import numpy as np
from fontTools.pens.basePen import BasePen
from fontTools.ttLib import TTFont
from PIL import ImageFont

TARGET = Path(__file__).parents[1] / "src" / "bodypix" / "assets" / "aileron.npz"
CHARACTERS = "".join(map(chr, range(32, 127)))
STEPS = 5  # straight pieces for each curve: off by less than 2 units of 1000


class Flatten(BasePen):
    """Collects the outline of a glyph as closed polygons in font units."""

    def __init__(self, glyphs: object) -> None:
        super().__init__(glyphs)
        self.contours: list[list[tuple[float, float]]] = []

    def _moveTo(self, point: tuple[float, float]) -> None:
        self.contours.append([point])

    def _lineTo(self, point: tuple[float, float]) -> None:
        self.contours[-1].append(point)

    def _qCurveToOne(self, control: tuple[float, float], end: tuple[float, float]) -> None:
        start = np.array(self.contours[-1][-1])
        for t in np.arange(1, STEPS + 1) / STEPS:
            point = (
                start * (1 - t) ** 2 + np.array(control) * (2 * t * (1 - t)) + np.array(end) * t**2
            )
            self.contours[-1].append((point[0], point[1]))


def main() -> None:
    font = TTFont(BytesIO(ImageFont.load_default(40).path.getvalue()))
    names, glyphs = font.getBestCmap(), font.getGlyphSet()
    points: list[tuple[float, float]] = []
    contour_ends, glyph_ends, advances = [], [], []
    for character in CHARACTERS:
        pen = Flatten(glyphs)
        glyph = glyphs[names[ord(character)]]
        glyph.draw(pen)
        for contour in pen.contours:
            points += contour
            contour_ends.append(len(points))
        glyph_ends.append(len(contour_ends))
        advances.append(glyph.width)
    np.savez_compressed(
        TARGET,
        points=np.rint(points).astype(np.int16),
        contour_ends=np.array(contour_ends, np.int32),
        glyph_ends=np.array(glyph_ends, np.int32),
        advances=np.array(advances, np.int16),
    )


if __name__ == "__main__":
    main()
