"""Accuracy of person masks on the evaluation sets, the same way for every model."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import cv2
import numpy as np
from numpy.typing import NDArray

from .evalsets import SETS, read_set

if TYPE_CHECKING:
    from bodypix import BodyPix

Mask = NDArray[np.bool_]


def iou(answer: Mask, truth: Mask) -> float:
    """Intersection over union; 1 where both are empty."""
    union = np.count_nonzero(answer | truth)
    return np.count_nonzero(answer & truth) / union if union else 1.0


def boundary_f(answer: Mask, truth: Mask, tolerance: float = 0.0075) -> float:
    """F-score of the outlines, matched within ``tolerance`` of the diagonal.

    After Perazzi et al. 2016 (DAVIS), with disks of the same radius.
    """
    radius = max(1, round(tolerance * float(np.hypot(*truth.shape))))
    disk = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * radius + 1, 2 * radius + 1))
    lines = [outline(answer), outline(truth)]
    if not lines[0].any() or not lines[1].any():
        return float(lines[0].any() == lines[1].any())
    wide = [cv2.dilate(line.astype(np.uint8), disk) > 0 for line in lines]
    precision = np.count_nonzero(lines[0] & wide[1]) / np.count_nonzero(lines[0])
    recall = np.count_nonzero(lines[1] & wide[0]) / np.count_nonzero(lines[1])
    return 2 * precision * recall / (precision + recall) if precision + recall else 0.0


def outline(mask: Mask) -> Mask:
    inner = cv2.erode(mask.astype(np.uint8), np.ones((3, 3), np.uint8), borderValue=1)
    return mask & (inner == 0)


@dataclass(frozen=True)
class PictureScore:
    """One picture: ``both`` and ``either`` count the pixels of intersection and union.

    ``share`` is the part of the picture that is person, ``marked`` the part that was marked,
    ``people`` how many there are (None: unknown).
    """

    name: str
    both: int
    either: int
    boundary: float
    share: float
    marked: float
    people: int | None

    @property
    def iou(self) -> float:
        return self.both / self.either if self.either else 1.0

    @property
    def shown(self) -> bool:
        """Whether anybody can be seen at more than 1% of the picture."""
        return self.share > 0.01


@dataclass(frozen=True)
class SetScore:
    """Scores on one set or one group of pictures.

    ``mean_iou`` and ``boundary`` are means over the pictures with more than 1% person;
    ``pooled_iou`` adds up the pixels of all pictures; ``false_area`` is the mean share that is
    marked in pictures without people (None where the set has none).
    """

    scores: tuple[PictureScore, ...]

    @property
    def pictures(self) -> int:
        return len(self.scores)

    @property
    def mean_iou(self) -> float:
        return mean([score.iou for score in self.scores if score.shown]) or 0.0

    @property
    def boundary(self) -> float:
        return mean([score.boundary for score in self.scores if score.shown]) or 0.0

    @property
    def pooled_iou(self) -> float:
        either = sum(score.either for score in self.scores)
        return sum(score.both for score in self.scores) / either if either else 1.0

    @property
    def false_area(self) -> float | None:
        return mean([score.marked for score in self.scores if score.share == 0])

    def summary(self) -> dict[str, float | None]:
        return {
            "pictures": self.pictures,
            "mean_iou": self.mean_iou,
            "pooled_iou": self.pooled_iou,
            "boundary": self.boundary,
            "false_area": self.false_area,
        }


def mean(values: list[float]) -> float | None:
    return float(np.mean(values)) if values else None


def evaluate_set(
    model: BodyPix, root: Path, name: str, *, internal_resolution: Any, threshold: float
) -> SetScore:
    """Segment every picture of a set and compare with the truth."""
    scores = []
    for pair in read_set(root, name):
        result = model.segment_person(
            pair.image, internal_resolution=internal_resolution, segmentation_threshold=threshold
        )
        answer = result.mask.astype(bool)
        scores.append(
            PictureScore(
                name=pair.name,
                both=np.count_nonzero(answer & pair.person),
                either=np.count_nonzero(answer | pair.person),
                boundary=boundary_f(answer, pair.person),
                share=float(pair.person.mean()),
                marked=float(answer.mean()),
                people=pair.people,
            )
        )
    if not scores:
        raise ValueError(f"{root / name}: the set holds no pictures")
    return SetScore(tuple(scores))


def evaluate(
    model: BodyPix,
    root: Path,
    *,
    sets: tuple[str, ...] = tuple(SETS),
    internal_resolution: Any = 1.0,
    threshold: float = 0.5,
) -> dict[str, SetScore]:
    """Scores by set name."""
    return {
        name: evaluate_set(
            model, root, name, internal_resolution=internal_resolution, threshold=threshold
        )
        for name in sets
    }


def part_agreement(
    model: BodyPix,
    reference: BodyPix,
    root: Path,
    name: str,
    *,
    internal_resolution: Any = 1.0,
    threshold: float = 0.5,
) -> float:
    """Share of the pixels that both models call a person on which they name the same part.

    Agreement, not accuracy: no photograph of these sets has true part labels.
    """
    same = both = 0
    options = {"internal_resolution": internal_resolution, "segmentation_threshold": threshold}
    for pair in read_set(root, name):
        mine = model.segment_person_parts(pair.image, **options).part_ids
        theirs = reference.segment_person_parts(pair.image, **options).part_ids
        people = (mine >= 0) & (theirs >= 0)
        both += np.count_nonzero(people)
        same += np.count_nonzero(people & (mine == theirs))
    return same / both if both else 0.0


# Group -> whether a picture belongs to it.
FRAMING: dict[str, Callable[[PictureScore], bool]] = {
    "people under 5% of the picture": lambda score: 0.01 < score.share <= 0.05,
    "5 to 20%": lambda score: 0.05 < score.share <= 0.2,
    "20 to 50%": lambda score: 0.2 < score.share <= 0.5,
    "over 50%": lambda score: score.share > 0.5,
}
CROWD: dict[str, Callable[[PictureScore], bool]] = {
    "1 person": lambda score: score.people == 1,
    "2 people": lambda score: score.people == 2,
    "3 to 5": lambda score: score.people is not None and 3 <= score.people <= 5,
    "6 and more": lambda score: score.people is not None and score.people >= 6,
}


def by_group(
    scores: dict[str, SetScore], groups: dict[str, Callable[[PictureScore], bool]]
) -> dict[str, SetScore]:
    """The pictures of all sets, dealt out to groups; groups without pictures are left out."""
    every = [score for entry in scores.values() for score in entry.scores]
    dealt = {name: tuple(filter(belongs, every)) for name, belongs in groups.items()}
    return {name: SetScore(members) for name, members in dealt.items() if members}


def table(scores: dict[str, dict[str, SetScore]]) -> str:
    """Markdown: a row a set, a group of columns a model."""
    models = list(scores)
    header = ["set", "pictures"]
    for model in models:
        header += [f"{model}: mean IoU", "pooled IoU", "outline F", "false area"]
    lines = ["| " + " | ".join(header) + " |", "| --- " * len(header) + "|"]
    for name in scores[models[0]]:
        row = [name, str(scores[models[0]][name].pictures)]
        for model in models:
            score = scores[model][name]
            false = "–" if score.false_area is None else f"{score.false_area:.2%}"
            row += [
                f"{score.mean_iou:.3f}", f"{score.pooled_iou:.3f}", f"{score.boundary:.3f}", false
            ]  # fmt: skip
        lines.append("| " + " | ".join(row) + " |")
    return "\n".join(lines)
