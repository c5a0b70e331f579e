"""What a head looks like: skin tones, hair, beards, hats and glasses, drawn by lot."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from .materials import SKIN, Color, Material, linear

SKIN_TONES = (
    (246, 237, 228), (243, 231, 219), (247, 234, 208), (234, 218, 186), (215, 189, 150),
    (160, 126, 86), (130, 92, 67), (96, 65, 52), (58, 49, 42), (41, 36, 32),
)  # fmt: skip
"""sRGB of the ten tones of the Monk scale (Monk 2019, skintone.google, CC BY 4.0)."""

HAIR_COLORS = (
    (14, 12, 12), (24, 18, 16), (40, 28, 22), (62, 42, 30), (92, 62, 40), (130, 92, 56),
    (176, 138, 88), (206, 176, 124), (120, 56, 32), (120, 118, 116),
    (186, 184, 180), (226, 224, 220),
)  # fmt: skip


def skin_color(tone: float) -> Color:
    """Linear RGB of a tone on the Monk scale, 0 (lightest) to 9; between tones, mixed."""
    table = np.array([linear(*rgb) for rgb in SKIN_TONES])
    r, g, b = (float(np.interp(tone, np.arange(10), table[:, k])) for k in range(3))
    # The swatches are skin in bright light; as albedos the light ones would be chalk.
    share = tone / 9
    return r * (0.72 + 0.43 * share), g * (0.57 + 0.43 * share), b * (0.5 + 0.4 * share)


@dataclass(frozen=True)
class Looks:
    """A head's lot. tone: Monk scale 0..9; style: see ``STYLES``; hat and glasses may be ""."""

    tone: float
    hair: Color
    style: str
    length: float  # metres below the eyes to which long hair reaches
    volume: float  # metres
    beard: float  # 0 none .. 1 full
    hat: str
    glasses: str
    eyes: Color
    lips: float  # how much redder than the skin


STYLES = ("bald", "shaved", "short", "medium", "long", "afro", "bun", "tail")


def draw_looks(rng: np.random.Generator, *, female: float, age: float) -> Looks:
    """``female`` 0..1 and ``age`` (anny's scale) shift hair, beards and grey."""
    male = 1 - female
    weights = np.array([0.05, 0.1, 0.36, 0.16, 0.05, 0.08, 0.02, 0.01]) * male
    weights += np.array([0.005, 0.01, 0.1, 0.18, 0.45, 0.09, 0.09, 0.12]) * female
    grey = np.clip((age - 0.72) / 0.25, 0, 1)
    if rng.random() < grey * 0.8:
        hair = HAIR_COLORS[rng.integers(9, 12)]
    elif rng.random() < 0.04:
        hair = tuple(rng.uniform(30, 220, 3))
    else:
        hair = HAIR_COLORS[
            int(rng.choice(9, p=np.array([5, 5, 4, 3, 2, 1.2, 0.8, 0.7, 0.6]) / 22.3))
        ]
    adult = age > 0.5
    return Looks(
        tone=float(rng.uniform(0, 9)),
        hair=linear(*(np.array(hair) * rng.uniform(0.8, 1.2))),
        style=str(rng.choice(STYLES, p=weights / weights.sum())),
        length=rng.uniform(0.08, 0.42),
        volume=rng.uniform(0.006, 0.03),
        beard=rng.uniform(0.3, 1) if adult and rng.random() < 0.35 * male else 0.0,
        hat=str(
            rng.choice(["", "cap", "beanie", "hat", "scarf"], p=[0.84, 0.06, 0.04, 0.03, 0.03])
        ),
        glasses=str(rng.choice(["", "thin", "thick", "sun"], p=[0.74, 0.11, 0.1, 0.05])),
        eyes=linear(*[(60, 40, 24), (90, 70, 40), (80, 110, 130), (70, 90, 60)][rng.integers(4)]),
        lips=rng.uniform(0.2, 1.0) * (0.5 + 0.5 * female),
    )


def skin_material(looks: Looks) -> Material:
    color = np.array(skin_color(looks.tone))
    return Material(
        tuple(color),
        tuple(color * (0.9, 0.84, 0.82)),
        SKIN,
        bump=0.05,
        bump_scale=240,
        shine=0.06,
        gloss=8,
        soft=0.8 if looks.tone < 5 else 0.4,
    )
