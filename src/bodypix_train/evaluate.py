"""Accuracy of person masks on the evaluation sets, the same way for every model."""

from __future__ import annotations

from dataclasses import dataclass, field
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


@dataclass
class SetScore:
    """Scores on one set.

    ``mean_iou`` and ``boundary`` are means over the pictures with more than 1% person;
    ``pooled_iou`` adds up the pixels of all pictures; ``false_area`` is the mean share that is
    marked in pictures without people (None where the set has none).
    """

    pictures: int = 0
    mean_iou: float = 0.0
    pooled_iou: float = 0.0
    boundary: float = 0.0
    false_area: float | None = None
    worst: list[tuple[float, str]] = field(default_factory=list)


def evaluate_set(
    model: BodyPix, root: Path, name: str, *, internal_resolution: Any, threshold: float
) -> SetScore:
    """Segment every picture of a set and compare with the truth."""
    ious, outlines, false_areas, names = [], [], [], []
    both = either = count = 0
    for pair in read_set(root, name):
        result = model.segment_person(
            pair.image, internal_resolution=internal_resolution, segmentation_threshold=threshold
        )
        answer = result.mask.astype(bool)
        both += np.count_nonzero(answer & pair.person)
        either += np.count_nonzero(answer | pair.person)
        count += 1
        if pair.person.mean() > 0.01:
            ious.append(iou(answer, pair.person))
            outlines.append(boundary_f(answer, pair.person))
            names.append(pair.name)
        elif not pair.person.any():
            false_areas.append(float(answer.mean()))
    if not count:
        raise ValueError(f"{root / name}: the set holds no pictures")
    return SetScore(
        pictures=count,
        mean_iou=float(np.mean(ious)) if ious else 0.0,
        pooled_iou=both / either if either else 1.0,
        boundary=float(np.mean(outlines)) if outlines else 0.0,
        false_area=float(np.mean(false_areas)) if false_areas else None,
        worst=sorted(zip(ious, names, strict=True))[:5],
    )


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
