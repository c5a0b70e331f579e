"""Parts on photos whose garments are drawn by hand: no shirt is a face, and shoes are feet.

Weaker than true parts (of a sleeve any arm will do, left or right), but real people and real truth.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from .datasets.files import read_rgb
from .datasets.garments import GARMENTS
from .datasets.photos import drawing_of, read_drawing
from .datasets.sample import Bytes
from .evaluate import Settings
from .label import pictures
from .stored import Stored
from .tables import Table, number

if TYPE_CHECKING:
    from bodypix import BodyPix

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class GarmentPicture:
    """One answer: ``counts`` (G, 3) are the pixels of each of GARMENTS, of these with a part that
    it may cover, and with none. ``answer`` is the part map.
    """

    path: Path
    counts: NDArray[np.int64]
    answer: Stored

    @cached_property
    def fitting(self) -> float:
        """Mean over the garments that are there."""
        return garment_scores([self])["mean"].fitting

    def load(self) -> tuple[Bytes, Bytes]:
        """The picture (H, W, 3) RGB and its class ids (H, W). Raises ValueError on misfits."""
        image = read_rgb(self.path)
        return image, read_drawing(self.path, image)


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
) -> dict[str, list[GarmentPicture]]:
    """Ask every model for the parts of each picture on which a garment is drawn.

    A broken picture is named in the log and left out. Raises ValueError where none is left.
    """
    found: dict[str, list[GarmentPicture]] = {name: [] for name in models}
    for path in paths:
        try:
            image = read_rgb(path)
            classes = read_drawing(path, image)
        except ValueError as error:
            log.warning("%s, left out", error)
            continue
        if not any(garments.where(classes).any() for garments in GARMENTS):
            continue
        for name, model in models.items():
            parts = model.segment_person_parts(image, **settings.options).part_ids
            picture = GarmentPicture(path, count_fitting(parts, classes), Stored.of(parts))
            found[name].append(picture)
    if not all(found.values()):
        raise ValueError("garments: expected drawn garments of Clothing Co-Parsing, found none")
    return found


def count_fitting(parts: NDArray[np.integer[Any]], classes: Bytes) -> NDArray[np.int64]:
    """``counts`` of a `GarmentPicture`, of part ids and class ids (H, W)."""
    rows = []
    for garments in GARMENTS:
        under = parts[garments.where(classes)]
        rows.append((under.size, np.isin(under, garments.parts).sum(), (under < 0).sum()))
    return np.array(rows, np.int64)


def garment_scores(pictures: Iterable[GarmentPicture]) -> dict[str, GarmentScore]:
    """Rows of all garments that are there, then "mean", in which each kind counts alike."""
    counts = sum((own.counts for own in pictures), np.zeros((len(GARMENTS), 3), np.int64))
    rows = {
        garments.name: GarmentScore(int(pixels), float(fitting / pixels), float(missed / pixels))
        for garments, (pixels, fitting, missed) in zip(GARMENTS, counts, strict=True)
        if pixels
    }
    if rows:
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
