"""The evaluation sets under one folder: pairs of picture and true person mask."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from .datasets.coco import CocoPicture, read_coco
from .label import pictures

# Set name -> folder of true masks beside images/; None marks COCO-format JSON.
SETS = {
    "portraits": "masks",
    "web": "masks",
    "coco128": None,
    "pedestrians": "instances",
}


@dataclass(frozen=True)
class Pair:
    """A picture, (H,W,3) RGB uint8, and where people truly are, (H,W) bool.

    ``people`` counts them where the labels tell them apart, else it is None.
    """

    name: str
    image: NDArray[np.uint8]
    person: NDArray[np.bool_]
    people: int | None = None


@dataclass(frozen=True)
class Entry:
    """One picture of a set; ``load`` reads it and its truth.

    It raises FileNotFoundError, ValueError, naming the file, on missing or misfit files.
    """

    name: str
    load: Callable[[], Pair]


def list_set(root: Path, name: str) -> list[Entry]:
    """The pictures of one set. Raises FileNotFoundError, ValueError where there are none."""
    folder = root / name
    masks = SETS[name]
    if masks is None:
        people = read_coco(folder / "instances_person.json", folder / "images")
        entries = [Entry(entry.path.name, partial(_coco_pair, entry)) for entry in people]
    else:
        files = pictures(folder / "images")
        entries = [Entry(path.name, partial(_mask_pair, path, folder, masks)) for path in files]
    if not entries:
        raise ValueError(f"{folder}: the set holds no pictures")
    return entries


def _coco_pair(entry: CocoPicture) -> Pair:
    single = sum(not label.get("iscrowd") for label in entry.annotations)
    return _checked(
        entry.path, Pair(entry.path.name, read(entry.path), entry.person_mask(), single)
    )


def _mask_pair(path: Path, folder: Path, masks: str) -> Pair:
    truth = read(folder / masks / f"{path.stem}.png", cv2.IMREAD_UNCHANGED)
    if truth.ndim == 3:
        truth = truth.max(axis=2)
    # Instance maps hold small ids, binary masks 0 and 255.
    if masks == "masks":
        return _checked(path, Pair(path.name, read(path), truth > 127))
    people = len(np.unique(truth[truth > 0]))
    return _checked(path, Pair(path.name, read(path), truth > 0, people))


def _checked(path: Path, pair: Pair) -> Pair:
    if pair.person.shape != pair.image.shape[:2]:
        raise ValueError(f"{path}: picture is {pair.image.shape[:2]}, its mask {pair.person.shape}")
    return pair


def read(path: Path, mode: int = cv2.IMREAD_COLOR) -> NDArray[np.uint8]:
    image = cv2.imread(str(path), mode)
    if image is None:
        raise FileNotFoundError(f"{path}: no readable picture")
    if mode == cv2.IMREAD_COLOR:
        image = np.ascontiguousarray(image[..., ::-1])
    return image  # type: ignore[return-value]
