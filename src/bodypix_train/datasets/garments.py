"""What the classes of Clothing Co-Parsing, drawn by hand, say about the parts below them.

A shoe is on a foot, hair is head, and no shirt is worn on a leg: a teacher's answer is narrowed to
the parts that a garment may cover.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bodypix.body import PART_NAMES, PARTS

from .grids import corner_aligned
from .sample import Bytes

CARRIED = (2, 33, 56)
"""Ids of what people carry (bag, purse, wallet): not of people."""
SIDES = tuple(
    [part for part, name in enumerate(PART_NAMES) if name.startswith(side)]
    for side in ("left_", "right_")
)


@dataclass(frozen=True)
class Garments:
    """Classes by their ids, and words in the names of the parts that they may cover."""

    name: str
    ids: tuple[int, ...]
    covers: tuple[str, ...]

    @property
    def parts(self) -> list[int]:
        return [i for i, name in enumerate(PART_NAMES) if any(c in name for c in self.covers)]

    def where(self, classes: NDArray[np.integer[Any]]) -> NDArray[np.bool_]:
        """Their pixels among class ids of any shape."""
        return np.isin(classes, self.ids)


GARMENTS = (
    # earrings, glasses, hair, hat, sunglasses
    Garments("hair and hats", (15, 17, 19, 20, 47), ("face",)),
    # clogs, flats, heels, loafers, pumps, sandals, shoes, sneakers, wedges
    Garments("shoes", (12, 16, 21, 28, 32, 36, 39, 43, 58), ("feet",)),
    Garments("boots and socks", (7, 44), ("feet", "lower_leg")),
    # jeans, leggings, pants, stockings, tights
    Garments("trousers", (25, 27, 31, 45, 53), ("leg", "torso")),
    # panties, shorts, skirt
    Garments("skirts and shorts", (30, 40, 42), ("leg", "torso")),
    # blazer, blouse, bra, cardigan, hoodie, jacket, jumper, shirt, sweater, sweatshirt, t-shirt,
    # top, vest
    Garments(
        "tops",
        (4, 5, 8, 11, 22, 24, 26, 38, 48, 49, 51, 54, 55),
        ("torso", "arm", "upper_leg"),
    ),
    # bodysuit, cape, coat, dress, intimate, romper, suit, swimwear
    Garments("dresses and coats", (6, 10, 13, 14, 23, 35, 46, 50), ("torso", "arm", "leg")),
    # bracelet, gloves, ring, watch
    Garments("gloves and bracelets", (9, 18, 34, 57), ("hand", "lower_arm")),
    Garments("belts and ties", (3, 52), ("torso",)),
)
ANY = Garments(  # skin, and accessories: these say nothing
    "anything", tuple({*range(1, 59)}.difference(CARRIED, *(g.ids for g in GARMENTS))), ("",)
)


def narrowed(parts: Bytes, classes: Bytes) -> Bytes:
    """Shares of parts (h, w, 24), 255 = 1, without what class ids (H, W) of the picture rule out.

    A cell goes by what is worn around it, and stays as it is where nothing is. What is ruled out
    goes to the parts that remain, by their shares; if these are small, the larger share goes to
    the side, left or right, of which the teacher saw more.
    """
    height, width = parts.shape[:2]
    allowed = np.zeros((height, width, PARTS), np.float32)
    seen = np.zeros((height, width, 1), np.float32)
    for garments in (*GARMENTS, ANY):
        here = garments.where(classes)
        if here.any():
            area = corner_aligned(here.astype(np.uint8) * 255, height, width)[..., None]
            seen += area
            allowed[..., garments.parts] += area
    allowed /= np.maximum(seen, 1)
    shares = parts.astype(np.float32)
    fallback = np.full_like(shares, 0.5)
    halves = [shares[..., side].sum(2, keepdims=True) + 1 for side in SIDES]
    for side, half in zip(SIDES, halves, strict=True):
        fallback[..., side] = half / sum(halves)
    kept = shares * allowed
    lost = shares.sum(2, keepdims=True) - kept.sum(2, keepdims=True)
    rest = allowed * (shares + fallback)
    rest *= lost / np.maximum(rest.sum(2, keepdims=True), 1e-3)
    return np.clip(np.rint(np.where(seen > 0, kept + rest, shares)), 0, 255).astype(np.uint8)
