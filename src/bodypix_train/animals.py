"""A detector of people and animals: the other teachers take many a dog or cow for a person.

It is the detector of MediaPipe's Objectron, an SSD with a MobileNetV2 (Liu et al. 2016, Sandler et
al. 2018) that learned from Open Images.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from .errors import TrainingError
from .people_teachers import Graph, TfliteGraph
from .teachers import Array, sigmoid

FILE = "objectron_solution_packed_assets.data"
"""Names of classes, one a line, and the network, one behind the other."""
IDENTIFIER = b"TFL3"  # of a TFLite file, four bytes from its beginning
SIDE = 300  # of the network's input
GRIDS = (19, 10, 5, 3, 2, 1)  # of the anchors
SCALES = (0.2, 0.35, 0.5, 0.65, 0.8, 0.95, 1.0)  # of their sides; the last one only in means
RATIOS = (1.0, 2.0, 0.5, 3.0, 1 / 3)  # of width to height
VARIANCES = (0.1, 0.1, 0.2, 0.2)  # that the boxes' shifts and sizes are in units of
ANIMALS = ("Cat", "Cattle", "Dog")  # other ones are called one of these
SURE = 0.4  # score of an animal that is believed
UNSEEN = 0.25  # of a person, below which nobody is in a place


@cache
def anchors() -> Array:
    """Middles and sides (1917, 4) of the boxes that are to be moved: y, x, height, width."""
    boxes = []
    for at, grid in enumerate(GRIDS):
        sides = [(SCALES[at] * ratio**0.5, SCALES[at] / ratio**0.5) for ratio in RATIOS]
        if at:
            mean = (SCALES[at] * SCALES[at + 1]) ** 0.5
            sides.append((mean, mean))
        else:  # on the finest grid a small square and two more
            sides = [(0.1, 0.1), *sides[1:3]]
        middles = (np.arange(grid) + 0.5) / grid
        boxes += [(y, x, high, wide) for y in middles for x in middles for wide, high in sides]
    return np.array(boxes, np.float32)


def moved(boxes: Array, shifts: Array) -> Array:
    """Corners (n, 4) y0, x0, y1, x1 of anchors that a network's ``shifts`` (n, 4) move."""
    shifts = shifts * np.array(VARIANCES, np.float32)
    middle = boxes[:, :2] + shifts[:, :2] * boxes[:, 2:]
    half = boxes[:, 2:] * np.exp(shifts[:, 2:]) / 2
    return np.concatenate([middle - half, middle + half], 1)


def highest(corners: Array, scores: Array, size: tuple[int, int]) -> Array:
    """For every pixel of ``size`` (H, W) the highest score (n,) of a box (n, 4) around it."""
    covered = np.zeros(size, np.float32)
    height, width = size
    ends = np.clip(np.rint(corners * (height, width, height, width)), 0, 2**15).astype(int)
    for at in np.argsort(scores):
        top, left, bottom, right = ends[at]
        covered[top:bottom, left:right] = scores[at]
    return covered


@dataclass(frozen=True)
class AnimalDetector:
    """``network`` answers with shifts (1917, 4) and logits (1917, classes); ``classes`` by name."""

    network: Graph
    classes: tuple[str, ...]

    @classmethod
    def from_folder(cls, folder: Path, threads: int = 2) -> AnimalDetector | None:
        """By the name under which it is published; None if it is missing.

        Raises TrainingError where the file is another.
        """
        path = folder / FILE
        if not path.exists():
            return None
        packed = path.read_bytes()
        begin = packed.find(IDENTIFIER) - 4
        classes = tuple(packed[: max(begin, 0)].decode("ascii", "replace").splitlines())
        if not {"Person", *ANIMALS} <= set(classes):
            raise TrainingError(
                f"{path}: expected the names of classes, Person among them, and a TFLite network,"
                " as in @mediapipe/objectron; got something else"
            )
        return cls(TfliteGraph(path, threads, SIDE, begin), classes)

    def seen(self, image: NDArray[np.uint8], size: tuple[int, int]) -> tuple[Array, Array]:
        """Scores 0..1 of an animal's and of a person's box around each pixel of ``size`` (H, W).

        ``image`` (h, w, 3) RGB. What scores less than half of `UNSEEN` is 0.
        """
        small = cv2.resize(image, (SIDE, SIDE), interpolation=cv2.INTER_AREA)
        shifts, logits = sorted(
            self.network(small.astype(np.float32) / 127.5 - 1), key=lambda head: head.shape[1]
        )
        corners, scores = moved(anchors(), shifts), sigmoid(logits)
        animals = scores[:, [self.classes.index(name) for name in ANIMALS]].max(1)
        people = scores[:, self.classes.index("Person")]
        found = [(own, own > UNSEEN / 2) for own in (animals, people)]
        animal, person = (highest(corners[few], own[few], size) for own, few in found)
        return animal, person

    def refine(self, image: NDArray[np.uint8], person: Array) -> tuple[Array, bool]:
        """``person`` (H, W) without animals, and whether there are any.

        ``image`` (h, w, 3) RGB. Where an animal is seen and no person, nobody is; where boxes of
        both overlap, whoever was thought a person is in doubt.
        """
        animal, somebody = self.seen(image, person.shape)  # type: ignore[arg-type]
        doubted = np.where(somebody < UNSEEN, 0, np.minimum(person, 0.5))
        here = animal > SURE
        return np.where(here, doubted, person).astype(np.float32), bool(here.any())
