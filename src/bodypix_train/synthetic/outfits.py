"""What people wear: colours, patterns and cuts, drawn by lot."""

from __future__ import annotations

import numpy as np

from .clothes import Garment, Tailor
from .materials import (
    AROUND,
    BAND,
    CHECKS,
    DOTS,
    DOWN,
    GRAIN,
    PATCHES,
    PLAIN,
    PRINT,
    Color,
    Material,
    linear,
)  # fmt: skip

# sRGB of cloth as it is bought: many greys, blues, whites and blacks, some loud.
CLOTH = (
    (22, 22, 26), (38, 40, 48), (70, 72, 78), (120, 122, 126), (178, 178, 176), (236, 236, 232),
    (246, 244, 238), (24, 34, 66), (44, 66, 112), (80, 110, 158), (140, 170, 205), (26, 56, 44),
    (60, 84, 50), (104, 116, 70), (112, 30, 36), (170, 36, 40), (206, 60, 50), (216, 120, 60),
    (224, 178, 70), (240, 220, 150), (150, 110, 76), (92, 64, 46), (200, 178, 146), (96, 54, 104),
    (150, 100, 160), (216, 140, 160), (238, 196, 200), (40, 130, 130), (120, 190, 180),
)  # fmt: skip
DENIM = ((26, 34, 56), (46, 66, 102), (84, 110, 148), (140, 160, 186), (30, 30, 34), (90, 90, 94))


def cloth_color(rng: np.random.Generator) -> Color:
    """A cloth's colour, varied a little; now and then any colour at all."""
    if rng.random() < 0.12:
        return linear(*rng.uniform(10, 245, 3))
    base = np.array(CLOTH[rng.integers(len(CLOTH))]) * rng.uniform(0.85, 1.1)
    return linear(*np.clip(base + rng.uniform(-8, 8, 3), 6, 250))


def cloth(rng: np.random.Generator, *, plain: float = 0.55, folds: float = 0.35) -> Material:
    """A cloth; ``plain``: how likely it has no pattern."""
    kind = (
        PLAIN
        if rng.random() < plain
        else int(
            rng.choice(
                [AROUND, DOWN, CHECKS, DOTS, PATCHES, GRAIN, PRINT, BAND],
                p=[0.2, 0.1, 0.17, 0.08, 0.17, 0.1, 0.12, 0.06],
            )
        )
    )
    scale = (
        rng.uniform(25, 70)
        if kind == PRINT
        else float(np.exp(rng.uniform(np.log(45), np.log(320))))
    )
    return Material(
        first=cloth_color(rng),
        second=cloth_color(rng),
        kind=kind,
        scale=scale,
        bump=folds * rng.uniform(0.5, 1.5),
        bump_scale=rng.uniform(10, 26),
        shine=0.0 if rng.random() < 0.7 else rng.uniform(0.02, 0.2),
        gloss=rng.uniform(4, 30),
    )


def draw_outfit(rng: np.random.Generator, tailor: Tailor, *, female: float) -> list[Garment]:
    """Garments, innermost first. ``female``: how much the lot leans to skirts and dresses."""
    t = tailor
    skirted = rng.random() < 0.28 * female + 0.01
    garments = [] if rng.random() < 0.06 else [_shoes(rng, t)]
    if skirted:
        if rng.random() < 0.35:
            garments.insert(
                0, Garment("tights", t.lower(t.waist, t.ankle - 0.2), _dark(rng), 0.002, 0)
            )
    else:
        garments.append(_trousers(rng, t))
    top = _top(rng, t)
    tucked = rng.random() < 0.3 and not skirted
    if tucked:
        garments.insert(len(garments) - 1, top)
    elif rng.random() < 0.97 or female > 0.5:
        garments.append(top)
    if skirted:
        garments.append(_skirt(rng, t, top.material if rng.random() < 0.5 else cloth(rng)))
    if rng.random() < 0.27:
        garments.append(_jacket(rng, t))
    return garments


def _dark(rng: np.random.Generator) -> Material:
    return Material(linear(*(rng.uniform(10, 60, 3))), shine=0.05)


def _top(rng: np.random.Generator, t: Tailor) -> Garment:
    sleeve = float(
        rng.choice(
            [-0.02, 0.06, 0.17, 0.2, 0.3, 0.42, 0.54, 0.56, 0.57],
            p=[0.06, 0.04, 0.2, 0.12, 0.06, 0.06, 0.16, 0.15, 0.15],
        )
    )
    hem = t.crotch + rng.uniform(-0.03, 0.08)
    if rng.random() < 0.06:
        hem = t.waist + rng.uniform(0.0, 0.06)
    elif rng.random() < 0.1:
        hem = t.crotch - rng.uniform(0.05, 0.25)
    collar = float(rng.choice([-0.01, 0.01, 0.03, 0.07, 0.11], p=[0.2, 0.34, 0.26, 0.13, 0.07]))
    roll = 0.05 if rng.random() < 0.1 else 0.0
    drape = int(rng.choice([1, 3, 6, 12, 20], p=[0.15, 0.3, 0.3, 0.17, 0.08]))
    return Garment(
        "top", t.upper(sleeve, hem, collar, roll=roll), cloth(rng), 0.005 + 0.0008 * drape, drape
    )


def _jacket(rng: np.random.Generator, t: Tailor) -> Garment:
    hem = t.crotch + rng.uniform(-0.1, 0.14)
    if rng.random() < 0.25:
        hem = t.knee + rng.uniform(-0.1, 0.25)
    opening = -1.0 if rng.random() < 0.35 else rng.uniform(0.005, 0.06)
    return Garment(
        "jacket",
        t.upper(rng.uniform(0.5, 0.57), hem, rng.uniform(-0.03, 0.1), opening),
        cloth(rng, plain=0.8),
        rng.uniform(0.014, 0.024),
        int(rng.integers(6, 18)),
    )


def _trousers(rng: np.random.Generator, t: Tailor) -> Garment:
    waist = t.waist + rng.uniform(-0.08, 0.02)
    if rng.random() < 0.2:  # shorts
        leg, drape = rng.uniform(t.knee - 0.05, t.crotch - 0.06), int(rng.integers(3, 16))
    else:
        leg, drape = (
            t.ankle + rng.choice([-0.03, 0.0, 0.04, 0.12]),
            int(rng.choice([0, 2, 5, 10, 16])),
        )
    if rng.random() < 0.45:
        a, b = DENIM[rng.integers(len(DENIM))], DENIM[rng.integers(len(DENIM))]
        material = Material(
            linear(*a),
            linear(*(0.6 * np.array(a) + 0.4 * np.array(b))),
            GRAIN,
            bump=rng.uniform(0.15, 0.4),
            bump_scale=rng.uniform(12, 22),
        )
    else:
        material = cloth(rng, plain=0.8)
    return Garment("trousers", t.lower(waist, leg), material, 0.006 + 0.0006 * drape, drape)


def _skirt(rng: np.random.Generator, t: Tailor, material: Material) -> Garment:
    hem = rng.uniform(t.ankle + 0.02, t.crotch - 0.12)
    return Garment(
        "skirt", (t.z - hem).astype(np.float32), material, rng.uniform(0.0, 0.01), 0, "skirt"
    )


def _shoes(rng: np.random.Generator, t: Tailor) -> Garment:
    if rng.random() < 0.15:  # boots
        return Garment("boots", t.shoes(rng.uniform(0.1, 0.3)), _dark(rng), 0.011, 5)
    color = linear(245, 245, 242) if rng.random() < 0.3 else cloth_color(rng)
    return Garment("shoes", t.shoes(rng.uniform(0.0, 0.05)), Material(color, shine=0.08), 0.011, 6)
