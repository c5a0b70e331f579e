"""The evaluation sets under one folder: pairs of picture and true person mask."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from .datasets.coco import read_coco
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


def read_set(root: Path, name: str) -> Iterator[Pair]:
    """The pairs of one set. Raises FileNotFoundError, ValueError on missing or misfit files."""
    folder = root / name
    masks = SETS[name]
    if masks is None:
        for entry in read_coco(folder / "instances_person.json", folder / "images"):
            single = sum(not label.get("iscrowd") for label in entry.annotations)
            yield Pair(entry.path.name, read(entry.path), entry.person_mask(), single)
        return
    for path in pictures(folder / "images"):
        truth = read(folder / masks / f"{path.stem}.png", cv2.IMREAD_UNCHANGED)
        if truth.ndim == 3:
            truth = truth.max(axis=2)
        image = read(path)
        if truth.shape != image.shape[:2]:
            raise ValueError(f"{path}: picture is {image.shape[:2]}, its mask {truth.shape}")
        # Instance maps hold small ids, binary masks 0 and 255.
        if masks == "masks":
            yield Pair(path.name, image, truth > 127)
        else:
            yield Pair(path.name, image, truth > 0, len(np.unique(truth[truth > 0])))


def read(path: Path, mode: int = cv2.IMREAD_COLOR) -> NDArray[np.uint8]:
    image = cv2.imread(str(path), mode)
    if image is None:
        raise FileNotFoundError(f"{path}: no readable picture")
    if mode == cv2.IMREAD_COLOR:
        image = np.ascontiguousarray(image[..., ::-1])
    return image  # type: ignore[return-value]
