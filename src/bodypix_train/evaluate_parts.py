"""Accuracy of part maps on held-out synthetic people, whose parts are known exactly."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from bodypix.body import PART_NAMES, PARTS

from .synthetic.shards import decode_image, read_shards

if TYPE_CHECKING:
    from bodypix import BodyPix

# Halves of the Monk scale's ten tones, light to dark.
TONES = (("skin tone 1 to 3", 1, 3), ("skin tone 4 to 7", 4, 7), ("skin tone 8 to 10", 8, 10))


@dataclass
class PartScore:
    """Pixels of intersection and union of each part and of the person, over all pictures."""

    both: NDArray[np.int64] = field(default_factory=lambda: np.zeros(PARTS + 1, np.int64))
    either: NDArray[np.int64] = field(default_factory=lambda: np.zeros(PARTS + 1, np.int64))
    pictures: int = 0

    def add(self, answer: NDArray[np.integer], truth: NDArray[np.integer]) -> None:
        """Count one picture: part ids (H, W), -1 where nobody is."""
        for part in range(PARTS):
            mine, true = answer == part, truth == part
            self.both[part] += np.count_nonzero(mine & true)
            self.either[part] += np.count_nonzero(mine | true)
        self.both[PARTS] += np.count_nonzero((answer >= 0) & (truth >= 0))
        self.either[PARTS] += np.count_nonzero((answer >= 0) | (truth >= 0))
        self.pictures += 1

    @property
    def ious(self) -> dict[str, float]:
        """IoU of every part that is there or was named; the others are left out."""
        return {
            name: float(self.both[part] / self.either[part])
            for part, name in enumerate(PART_NAMES)
            if self.either[part]
        }

    @property
    def miou(self) -> float:
        return float(np.mean(list(self.ious.values()))) if self.ious else 0.0

    @property
    def person_iou(self) -> float:
        return float(self.both[PARTS] / max(1, self.either[PARTS]))


def evaluate_parts(
    model: BodyPix, folder: Path, *, internal_resolution: Any = 1.0, threshold: float = 0.5
) -> dict[str, PartScore]:
    """Scores over all pictures of the shards in ``folder``, and by skin tone and number of people.

    Raises ValueError where there is no picture.
    """
    scores: dict[str, PartScore] = {"all": PartScore()}
    for key, files in read_shards(folder):
        image = decode_image(files["jpg"])
        truth = decode_image(files["parts.png"]).astype(np.int32) - 1
        result = model.segment_person_parts(
            image, internal_resolution=internal_resolution, segmentation_threshold=threshold
        )
        if result.part_ids.shape != truth.shape:
            raise ValueError(f"{folder}: picture {key}: its parts are {truth.shape}")
        for group in ("all", *groups_of(json.loads(files["json"]))):
            scores.setdefault(group, PartScore()).add(result.part_ids, truth)
    if not scores["all"].pictures:
        raise ValueError(f"{folder}: expected shards (shard-*.tar) with pictures, found none")
    return {"all": scores.pop("all"), **dict(sorted(scores.items()))}


def groups_of(about: dict[str, Any]) -> Iterator[str]:
    """A picture's number of people and, if there is one person only, their skin tone."""
    people = about["people"]
    yield "1 person" if len(people) == 1 else "2 and more people"
    if len(people) == 1:
        tone = round(people[0]["skin_tone"])
        yield next(name for name, low, high in TONES if low <= min(10, max(1, tone)) <= high)


def table(scores: dict[str, dict[str, PartScore]]) -> str:
    """Markdown: a row for each group, mean IoU of parts and IoU of the person for each model."""
    models = list(scores)
    header = ["synthetic people", "pictures"]
    for model in models:
        header += [f"{model}: part mIoU", "person IoU"]
    lines = ["| " + " | ".join(header) + " |", "| --- " * len(header) + "|"]
    for group, first in scores[models[0]].items():
        row = [group, str(first.pictures)]
        for model in models:
            score = scores[model][group]
            row += [f"{score.miou:.3f}", f"{score.person_iou:.3f}"]
        lines.append("| " + " | ".join(row) + " |")
    return "\n".join(lines)
