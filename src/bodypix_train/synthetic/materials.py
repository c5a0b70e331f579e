"""What things are made of: two colours, a pattern, folds and shine."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

PLAIN, AROUND, DOWN, CHECKS, DOTS, PATCHES, GRAIN, HAIR, SKIN, PRINT, WOOD, BAND = range(12)
"""Patterns; ``raster`` draws them."""

Color = tuple[float, float, float]


@dataclass(frozen=True)
class Material:
    """Colours are linear RGB, 0..1; ``scale`` is in radians per metre of the pattern."""

    first: Color
    second: Color = (0.0, 0.0, 0.0)
    kind: int = PLAIN
    scale: float = 100.0
    bump: float = 0.0  # depth of folds
    bump_scale: float = 18.0  # folds per metre, about
    shine: float = 0.0
    gloss: float = 20.0  # exponent: how small the highlight is
    soft: float = 0.0  # light that wraps through skin
    fray: float = 0.0  # metres by which an edge is ragged


@dataclass
class MaterialTable:
    """All materials of a scene; ``add`` gives the row."""

    rows: list[Material] = field(default_factory=list)

    def add(self, material: Material) -> int:
        self.rows.append(material)
        return len(self.rows) - 1

    @property
    def kind(self) -> NDArray[np.int32]:
        return np.array([row.kind for row in self.rows], np.int32)

    @property
    def first(self) -> NDArray[np.float32]:
        return np.array([row.first for row in self.rows], np.float32)

    @property
    def second(self) -> NDArray[np.float32]:
        return np.array([row.second for row in self.rows], np.float32)

    @property
    def fray(self) -> NDArray[np.float32]:
        return np.array([row.fray for row in self.rows], np.float32)

    @property
    def numbers(self) -> NDArray[np.float32]:
        """(M, 6) scale, bump, bump scale, shine, gloss, soft."""
        return np.array(
            [(r.scale, r.bump, r.bump_scale, r.shine, r.gloss, r.soft) for r in self.rows],
            np.float32,
        )


def linear(red: float, green: float, blue: float) -> Color:
    """Linear RGB of an sRGB colour given in 0..255."""
    values = np.array([red, green, blue]) / 255
    r, g, b = np.where(values <= 0.04045, values / 12.92, ((values + 0.055) / 1.055) ** 2.4)
    return float(r), float(g), float(b)
