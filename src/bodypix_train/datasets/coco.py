"""COCO-format JSON (instances): pictures and the area that people cover in them."""

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
    """(H, W) from polygons, an uncompressed RLE (list of counts) or a compressed RLE."""
    if isinstance(segmentation, list):
        rle = coco_mask.merge(coco_mask.frPyObjects(segmentation, height, width))
    elif isinstance(segmentation["counts"], list):
        rle = coco_mask.frPyObjects(segmentation, height, width)
    else:
        rle = segmentation
    return coco_mask.decode(rle).astype(bool)


def read_coco(annotations: Path, images: Path) -> Iterator[CocoPicture]:
    """The pictures of a COCO-format JSON, also those without people.

    Raises ValueError, naming the file, where it is no such JSON.
    """
    try:
        data = json.loads(annotations.read_text())
        pictures = {entry["id"]: entry for entry in data["images"]}
        labels = data["annotations"]
    except (ValueError, KeyError, TypeError) as error:
        raise ValueError(
            f"{annotations}: expected COCO JSON with `images` and `annotations`, got {error!r}"
        ) from error
    people: dict[int, list[dict[str, Any]]] = {}
    for label in labels:
        if label.get("category_id") == PERSON and label.get("segmentation"):
            people.setdefault(label["image_id"], []).append(label)
    for key, entry in pictures.items():
        yield CocoPicture(
            path=images / entry["file_name"],
            height=entry["height"],
            width=entry["width"],
            annotations=tuple(people.get(key, ())),
        )
