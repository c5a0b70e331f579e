"""COCO-format JSON (instances, keypoints or both): pictures and the people in them."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pycocotools import mask as coco_mask

PERSON = 1  # category id of people in COCO


@dataclass(frozen=True)
class CocoPicture:
    """One picture's file and its person annotations, as they stand in the JSON."""

    path: Path
    height: int
    width: int
    annotations: tuple[dict[str, Any], ...]

    def person_mask(self) -> NDArray[np.bool_]:
        """(H, W): covered by any person, crowds included."""
        mask = np.zeros((self.height, self.width), bool)
        for annotation in self.annotations:
            mask |= decode(annotation["segmentation"], self.height, self.width)
        return mask


def decode(segmentation: Any, height: int, width: int) -> NDArray[np.bool_]:
    """(H, W) from polygons, an uncompressed RLE (list of counts) or a compressed RLE.

    Raises ValueError where an RLE is not of that size.
    """
    if isinstance(segmentation, list):
        rle = coco_mask.merge(coco_mask.frPyObjects(segmentation, height, width))
        return coco_mask.decode(rle).astype(bool)
    counts = segmentation["counts"]
    # pycocotools fills up what is missing with whatever lies in memory.
    runs = counts if isinstance(counts, list) else run_lengths(counts)
    size = list(segmentation["size"])
    if size != [height, width] or min(runs, default=0) < 0 or sum(runs) != height * width:
        raise ValueError(
            f"RLE: expected {height * width} pixels of {[height, width]}, got {sum(runs)} of {size}"
        )
    rle = coco_mask.frPyObjects(segmentation, height, width) if runs is counts else segmentation
    return coco_mask.decode(rle).astype(bool)


def run_lengths(counts: str | bytes) -> list[int]:
    """The runs of a compressed RLE: five bits a character, as differences from the run before last.

    (Source: rleFrString of the COCO API.)
    """
    runs: list[int] = []
    value = shift = 0
    for byte in counts.encode() if isinstance(counts, str) else counts:
        bits = byte - 48
        value |= (bits & 0x1F) << shift
        shift += 5
        if bits & 0x20:
            continue
        if bits & 0x10:
            value -= 1 << shift
        runs.append(value + (runs[-2] if len(runs) > 2 else 0))
        value = shift = 0
    if shift:
        raise ValueError("RLE: cut short")
    return runs


def read_json(path: Path) -> dict[str, Any]:
    """The JSON's contents. Raises ValueError, naming the file, where it is not COCO's format."""
    try:
        data = json.loads(path.read_text(encoding="utf-8"))
        lists = (data["images"], data["annotations"])
    except (ValueError, KeyError, TypeError) as error:
        raise ValueError(
            f"{path}: expected COCO JSON with `images` and `annotations`, got {error!r}"
        ) from error
    if not all(isinstance(entries, list) for entries in lists):
        raise ValueError(f"{path}: expected COCO JSON whose `images` and `annotations` are lists")
    return data  # type: ignore[no-any-return]


def read_coco(annotations: Path, images: Path) -> Iterator[CocoPicture]:
    """The pictures of a COCO-format JSON, also those without people.

    Raises ValueError, naming the file, where it is no such JSON.
    """
    data = read_json(annotations)
    try:
        pictures = {entry["id"]: entry for entry in data["images"]}
    except (KeyError, TypeError) as error:
        raise ValueError(
            f"{annotations}: expected COCO JSON with `images` and `annotations`, got {error!r}"
        ) from error
    people: dict[int, list[dict[str, Any]]] = {}
    for label in data["annotations"]:
        if label.get("category_id") == PERSON and label.get("segmentation"):
            people.setdefault(label["image_id"], []).append(label)
    for key, entry in pictures.items():
        yield CocoPicture(
            path=images / entry["file_name"],
            height=entry["height"],
            width=entry["width"],
            annotations=tuple(people.get(key, ())),
        )
