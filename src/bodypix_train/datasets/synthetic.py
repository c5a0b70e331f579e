"""Reader of the shards that ``bodypix-train render`` writes."""

from __future__ import annotations

import json
import logging
from pathlib import Path

import cv2
import numpy as np

from bodypix.body import KEYPOINTS, PARTS
from bodypix_train.synthetic.shards import Files, decode_image, read_shards

from .sample import Bytes, Sample, find_faces

log = logging.getLogger(__name__)

COUNTS = 0.25  # area of the person in a cell of the parts grid from which the cell has a part


def read_synthetic_folder(folder: Path) -> list[Sample]:
    """Every picture of the shards in ``folder``; broken ones are named in the log and left out."""
    samples = []
    for key, files in read_shards(folder):
        try:
            samples.append(to_sample(f"{folder.name}/{key}", files))
        except (KeyError, ValueError) as error:
            log.warning("%s: picture %s is incomplete (%s), left out", folder, key, error)
    if not samples:
        raise ValueError(f"{folder}: expected shards (shard-*.tar) with pictures, found none")
    return samples


def to_sample(name: str, files: Files) -> Sample:
    """Alpha and people on half the picture's grid, parts one-hot on an eighth, in full trust."""
    image = decode_image(files["jpg"])
    alpha = decode_image(files["alpha.png"])
    parts = decode_image(files["parts.png"])
    if alpha.shape != image.shape[:2] or parts.shape != image.shape[:2]:
        raise ValueError(
            f"labels of {alpha.shape} and {parts.shape} for a picture {image.shape[:2]}"
        )
    height, width = alpha.shape
    person = corner_aligned(alpha, height // 2 + 1, width // 2 + 1)
    one_hot = _one_hot(parts, height // 8 + 1, width // 8 + 1)
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
        faces=find_faces(one_hot),
        # Ids do not mix: the nearest one counts.
        instances=cv2.resize(people, person.shape[::-1], interpolation=cv2.INTER_NEAREST),  # type: ignore[arg-type]
        keypoints=np.array(joints, np.float32).reshape(-1, KEYPOINTS, 3),
    )


def corner_aligned(values: Bytes, height: int, width: int) -> Bytes:
    """Bilinear samples of a picture at a grid whose corners are the picture's corner pixels."""
    rows, columns = values.shape
    y = np.linspace(0, rows - 1, height, dtype=np.float32)
    x = np.linspace(0, columns - 1, width, dtype=np.float32)
    smoothed = cv2.GaussianBlur(values, (0, 0), 0.35 * rows / height)  # no aliasing
    grid_x, grid_y = np.meshgrid(x, y)
    return cv2.remap(smoothed, grid_x, grid_y, cv2.INTER_LINEAR)  # type: ignore[return-value]


def _one_hot(parts: Bytes, height: int, width: int) -> Bytes:
    """The part that fills most of every cell, where a person fills enough of it."""
    shares = np.stack(
        [
            corner_aligned(np.where(parts == part + 1, 255, 0).astype(np.uint8), height, width)
            for part in range(PARTS)
        ],
        axis=2,
    ).astype(np.int32)
    best = shares.argmax(axis=2)
    there = shares.sum(axis=2) >= 255 * COUNTS
    return (np.eye(PARTS, dtype=np.uint8)[best] * 255 * there[..., None]).astype(np.uint8)
