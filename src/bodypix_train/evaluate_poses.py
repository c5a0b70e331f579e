"""Accuracy of poses: how near keypoints are to labelled ones, on photos and on synthetic people.

A model's answers are all poses of `segment_person` with at least COCO's score threshold of
`coco_ap`; for average precision all of them count, for OKS and PCK those that the library's own
threshold lets through, each given to the labelled person that it fits best, and the other way
round. A person whom nobody found counts as 0, in OKS and for every keypoint of theirs in PCK.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property, partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from .coco_ap import (
    MAX_PEOPLE,
    SCORE_THRESHOLD,
    Answers,
    ApScore,
    average_precision,
    coco_json,
    coco_truth,
    list_pictures,
    pose_answer,
    read_picture,
)
from .coco_ap import SETS as COCO_SETS
from .datasets.coco import PERSON, CocoPicture
from .evaluate import Settings
from .tables import Table, number

if TYPE_CHECKING:
    from bodypix import BodyPix
    from bodypix.results import PartSegmentation, PersonSegmentation, Pose

Floats = NDArray[np.floating[Any]]
SETS = tuple(name for name, (_, _, kinds) in COCO_SETS.items() if "keypoints" in kinds)

SURE = 0.4  # the library's default of `score_threshold`
NEAR = 0.1  # of the longer side of a person's box
POSE_OPTIONS: dict[str, Any] = {"max_detections": MAX_PEOPLE, "score_threshold": SCORE_THRESHOLD}
# Standard deviation of the labellers for each keypoint, from COCO's keypoint evaluation.
SIGMAS = np.array(
    [26, 25, 25, 35, 35, 79, 79, 72, 72, 62, 62, 107, 107, 87, 87, 89, 89], np.float64
) / 1000  # fmt: skip


@dataclass(frozen=True)
class TruePose:
    """A labelled person.

    ``keypoints`` (17, 3): x, y in image pixels, 0 not labelled, 1 hidden, 2 visible; ``area`` in
    pixels; ``box`` x, y, width, height. A ``crowd`` counts neither way.
    """

    keypoints: Floats
    area: float
    box: tuple[float, float, float, float]
    crowd: bool = False

    @property
    def labelled(self) -> NDArray[np.bool_]:
        return self.keypoints[:, 2] > 0

    @property
    def counts(self) -> bool:
        """Whether OKS and PCK count the person."""
        return not self.crowd and bool(self.labelled.any())


def poses_of(answer: PersonSegmentation | PartSegmentation) -> tuple[Pose, ...]:
    """All that may be of somebody; the network's pose heads run now."""
    return tuple(pose for pose in answer.all_poses if pose.score >= SCORE_THRESHOLD)


def read_coco_poses(root: Path, name: str) -> list[tuple[CocoPicture, tuple[TruePose, ...]]]:
    """The pictures of a set of `coco_ap` that has keypoints, with the people in each.

    Raises FileNotFoundError, ValueError on missing or misfit files.
    """
    pictures = list_pictures(root, name)
    people: list[list[TruePose]] = [[] for _ in pictures]
    for label in coco_truth(pictures, "keypoints")["annotations"]:
        keypoints = np.array(label["keypoints"], np.float64).reshape(-1, 3)
        pose = TruePose(keypoints, label["area"], tuple(label["bbox"]), bool(label["iscrowd"]))
        people[label["image_id"] - 1].append(pose)
    return [(picture, tuple(own)) for picture, own in zip(pictures, people, strict=True)]


def evaluate_coco_poses(
    models: dict[str, BodyPix],
    pictures: Iterable[tuple[CocoPicture, tuple[TruePose, ...]]],
    settings: Settings,
) -> dict[str, list[PosePicture]]:
    """Ask every model for the poses of each picture."""
    scores: dict[str, list[PosePicture]] = {name: [] for name in models}
    for picture, truths in pictures:
        image = read_picture(picture)
        for name, model in models.items():
            answer = model.segment_person(image, **settings.options, **POSE_OPTIONS)
            load = partial(read_picture, picture)
            scores[name].append(PosePicture(picture.path.name, truths, poses_of(answer), load))
    return scores


def distances(truth: TruePose, positions: Floats) -> Floats:
    """Pixels from each labelled keypoint to the one that was found, (labelled,)."""
    gaps = positions[truth.labelled] - truth.keypoints[truth.labelled, :2]
    return np.hypot(gaps[:, 0], gaps[:, 1])


def oks(truth: TruePose, positions: Floats) -> float:
    """Object keypoint similarity, 0..1: COCO's mean of exp(-d^2 / (2 area (2 sigma)^2))."""
    spread = 2 * truth.area * (2 * SIGMAS[truth.labelled]) ** 2
    gaps = distances(truth, positions)
    return float(np.exp(-(gaps**2) / np.maximum(spread, np.spacing(1))).mean())


def match(truths: Sequence[TruePose], found: Sequence[Pose]) -> dict[int, int]:
    """Labelled person -> pose: pairs by falling similarity, each in one pair at most."""
    pairs = [
        (oks(truth, pose.positions), t, f)
        for t, truth in enumerate(truths)
        if truth.counts
        for f, pose in enumerate(found)
    ]
    chosen: dict[int, int] = {}
    for _, t, f in sorted(pairs, key=lambda pair: -pair[0]):
        if t not in chosen and f not in chosen.values():
            chosen[t] = f
    return chosen


@dataclass(frozen=True)
class PosePicture:
    """The people of one picture and the poses that a model found there; ``load`` reads it again."""

    name: str
    truths: tuple[TruePose, ...]
    found: tuple[Pose, ...]
    load: Callable[[], NDArray[np.uint8]]
    groups: tuple[str, ...] = ()

    @property
    def sure(self) -> list[Pose]:
        """The poses that a caller gets by default."""
        return [pose for pose in self.found if pose.score >= SURE]

    @cached_property
    def similarities(self) -> tuple[float, ...]:
        """OKS of every labelled person."""
        return tuple(
            0.0 if pose is None else oks(truth, pose.positions) for truth, pose in self._matched
        )

    @cached_property
    def near(self) -> tuple[int, int]:
        """Labelled keypoints that were found near enough, and all labelled ones."""
        right = total = 0
        for truth, pose in self._matched:
            total += int(np.count_nonzero(truth.labelled))
            if pose is not None:
                gaps = distances(truth, pose.positions)
                right += int(np.count_nonzero(gaps <= NEAR * max(truth.box[2:])))
        return right, total

    @cached_property
    def _matched(self) -> list[tuple[TruePose, Pose | None]]:
        sure = self.sure
        pairs = match(self.truths, sure)
        return [
            (truth, sure[pairs[index]] if index in pairs else None)
            for index, truth in enumerate(self.truths)
            if truth.counts
        ]


@dataclass(frozen=True)
class PoseScore:
    """Scores on a set or group; None where nobody of it has a labelled keypoint.

    ``oks`` is the mean similarity over labelled people; ``pck`` the share of labelled keypoints
    found within a tenth of the longer side of the person's box (Yang and Ramanan 2013).
    """

    pictures: tuple[PosePicture, ...]

    @property
    def people(self) -> int:
        return sum(len(picture.similarities) for picture in self.pictures)

    @property
    def oks(self) -> float | None:
        values = [value for picture in self.pictures for value in picture.similarities]
        return float(np.mean(values)) if values else None

    @property
    def pck(self) -> float | None:
        right, total = (sum(p.near[place] for p in self.pictures) for place in (0, 1))
        return right / total if total else None

    @cached_property
    def precision(self) -> ApScore:
        """COCO's average precision over thresholds of OKS."""
        truth, answers = _coco(self.pictures)
        return average_precision(truth, answers, "keypoints")

    def summary(self) -> dict[str, float | None]:
        return {
            "pictures": len(self.pictures),
            "people": self.people,
            "oks": self.oks,
            "pck": self.pck,
            "ap": self.precision.ap,
            "ap50": self.precision.ap50,
        }


def _coco(pictures: Sequence[PosePicture]) -> tuple[dict[str, Any], Answers]:
    """Truth and answers as COCO's tools read them, numbered from 1."""
    labels: list[dict[str, Any]] = []
    answers: Answers = []
    for index, picture in enumerate(pictures, start=1):
        for truth in picture.truths:
            labels.append(
                {
                    "id": len(labels) + 1,
                    "image_id": index,
                    "category_id": PERSON,
                    "area": truth.area,
                    "bbox": list(truth.box),
                    "iscrowd": int(truth.crowd),
                    "keypoints": truth.keypoints.ravel().tolist(),
                    "num_keypoints": int(np.count_nonzero(truth.labelled)),
                }
            )
        for pose in picture.found:
            answers.append(pose_answer(pose, index))
    return coco_json([{"id": number + 1} for number in range(len(pictures))], labels), answers


def pose_table(title: str, scores: dict[str, dict[str, PoseScore]]) -> Table:
    """A row for each set or group."""
    return Table.of(
        title,
        scores,
        {
            "pictures": lambda score: str(len(score.pictures)),
            "people": lambda score: str(score.people),
        },
        {
            "OKS": lambda score: number(score.oks),
            "PCK": lambda score: number(score.pck),
            "AP": lambda score: number(score.precision.ap),
            "AP50": lambda score: number(score.precision.ap50),
        },
    )
