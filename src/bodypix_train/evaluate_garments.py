"""Parts on photos whose garments are drawn by hand: no shirt is a face, and shoes are feet.

Weaker than true parts (of a sleeve any arm will do, left or right), but real people and real truth.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from .datasets.files import read_rgb
from .datasets.garments import GARMENTS
from .datasets.photos import drawing_of, read_drawing
from .evaluate import Settings
from .label import pictures
from .tables import Table, number

if TYPE_CHECKING:
    from bodypix import BodyPix

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class GarmentScore:
    """Of a garment's pixels, the shares with a part that it may cover, and with none."""

    pixels: int
    fitting: float
    missed: float

    def summary(self) -> dict[str, float]:
        return {"pixels": self.pixels, "fitting": self.fitting, "missed": self.missed}


def drawn_pictures(root: Path) -> list[Path]:
    """The pictures of Clothing Co-Parsing below ``root`` whose garments are drawn.

    Raises ValueError where there is none.
    """
    folder = root / "images"
    found = pictures(folder) if folder.is_dir() else []
    found = [path for path in found if drawing_of(path).exists()]
    if not found:
        raise ValueError(
            f"{root}: expected images/*.jpg with labels/*.png of the same names,"
            " as in Clothing Co-Parsing, found none"
        )
    return found


def evaluate_garments(
    models: dict[str, BodyPix], paths: Iterable[Path], settings: Settings
) -> dict[str, dict[str, GarmentScore]]:
    """By model and garments; the row "mean" counts every kind of garments alike.

    A broken picture is named in the log and left out. Raises ValueError where no garment is seen.
    """
    # pixels, of these with a fitting part, and with none
    counts = {name: np.zeros((len(GARMENTS), 3), np.int64) for name in models}
    for path in paths:
        try:
            image = read_rgb(path)
            classes = read_drawing(path, image)
        except ValueError as error:
            log.warning("%s, left out", error)
            continue
        for name, model in models.items():
            parts = model.segment_person_parts(image, **settings.options).part_ids
            counts[name] += count(parts, classes)
    return {name: scores(own) for name, own in counts.items()}


def count(parts: NDArray[np.integer[Any]], classes: NDArray[np.uint8]) -> NDArray[np.int64]:
    """Pixels of each of GARMENTS, of these with a part that fits, with none; all (H, W)."""
    rows = []
    for garments in GARMENTS:
        under = parts[garments.where(classes)]
        rows.append((under.size, np.isin(under, garments.parts).sum(), (under < 0).sum()))
    return np.array(rows, np.int64)


def scores(counts: NDArray[np.int64]) -> dict[str, GarmentScore]:
    """Rows of all garments that are there, then their mean."""
    if not counts[:, 0].any():
        raise ValueError("garments: expected drawn garments of Clothing Co-Parsing, found none")
    rows = {
        garments.name: GarmentScore(int(pixels), fitting / pixels, missed / pixels)
        for garments, (pixels, fitting, missed) in zip(GARMENTS, counts, strict=True)
        if pixels
    }
    rows["mean"] = GarmentScore(
        int(counts[:, 0].sum()),
        float(np.mean([row.fitting for row in rows.values()])),
        float(np.mean([row.missed for row in rows.values()])),
    )
    return rows


def garment_table(title: str, found: dict[str, dict[str, GarmentScore]]) -> Table:
    """A row for each kind of garments."""
    return Table.of(
        title,
        found,
        {"pixels": lambda score: f"{score.pixels:,}"},
        {
            "fitting part": lambda score: number(score.fitting),
            "missed": lambda score: number(score.missed),
        },
    )
