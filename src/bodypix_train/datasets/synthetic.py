"""Reader of the shards that ``bodypix-train render`` writes."""

from __future__ import annotations

import json
import logging
from pathlib import Path

import numpy as np

from bodypix.body import KEYPOINTS, PARTS
from bodypix_train.synthetic.shards import Files, Place, decode_image, index_shards, read_place

from .grids import corner_aligned, corner_nearest
from .lazy import Budget, LazyList
from .sample import Bytes, Sample, find_faces

log = logging.getLogger(__name__)

NEEDED = ("jpg", "alpha.png", "parts.png", "people.png", "json")
COUNTS = 0.25  # area of the person in a cell of the parts grid from which the cell has a part


def read_synthetic_folder(folder: Path, budget: Budget) -> LazyList[Sample]:
    """Every picture of the shards in ``folder``; broken ones are named in the log and left out.

    Raises ValueError where there is none.
    """
    places = []
    for place in index_shards(folder):
        if missing := [ending for ending in NEEDED if ending not in place.endings]:
            log.warning(
                "%s: picture %s is incomplete (no %s), left out",
                place.shard, place.key, ", ".join(missing),
            )  # fmt: skip
        else:
            places.append(place)
    if not places:
        raise ValueError(f"{folder}: expected shards (shard-*.tar) with pictures, found none")

    def read(place: Place) -> Sample:
        name = f"{folder.name}/{place.key}"
        try:
            return to_sample(name, read_place(place))
        except ValueError as error:
            raise ValueError(f"{place.shard}: picture {place.key}: {error}") from error

    return LazyList(str(folder), places, read, budget, exact=True)


def to_sample(name: str, files: Files) -> Sample:
    """Alpha and people on half the picture's grid, parts one-hot on a quarter, in full trust.

    Crops show rendered people at up to three times their size: on an eighth, the network's own
    stride, arms would be a cell wide.
    """
    image = decode_image(files["jpg"])
    alpha = decode_image(files["alpha.png"])
    parts = decode_image(files["parts.png"])
    if alpha.shape != image.shape[:2] or parts.shape != image.shape[:2]:
        raise ValueError(
            f"labels of {alpha.shape} and {parts.shape} for a picture {image.shape[:2]}"
        )
    height, width = alpha.shape
    person = corner_aligned(alpha, height // 2 + 1, width // 2 + 1)
    one_hot = _one_hot(parts, height // 4 + 1, width // 4 + 1)
    trust = np.full_like(person, 255)
    people = decode_image(files["people.png"])
    if people.shape != alpha.shape:
        raise ValueError(f"people of {people.shape} in a picture {image.shape[:2]}")
    joints = json.loads(files["json"])["keypoints"]
    return Sample(
        name,
        image,
        person,
        trust,
        one_hot,
        exact=True,
        faces=find_faces(one_hot[::2, ::2]),  # it counts cells of an eighth, as photos have them
        instances=corner_nearest(people, *person.shape),
        keypoints=np.array(joints, np.float32).reshape(-1, KEYPOINTS, 3),
    )


def _one_hot(parts: Bytes, height: int, width: int) -> Bytes:
    """The part that fills most of every cell, where a person fills enough of it."""
    shares = np.zeros((height, width, PARTS), np.int32)
    for part in np.unique(parts[parts > 0]) - 1:
        shown = np.where(parts == part + 1, 255, 0).astype(np.uint8)
        shares[..., part] = corner_aligned(shown, height, width)
    best = shares.argmax(axis=2)
    there = shares.sum(axis=2) >= 255 * COUNTS
    return (np.eye(PARTS, dtype=np.uint8)[best] * 255 * there[..., None]).astype(np.uint8)
