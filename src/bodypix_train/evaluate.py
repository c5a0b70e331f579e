"""Accuracy of person masks on pictures with true masks, the same way for every model."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import cv2
import numpy as np
from numpy.typing import NDArray

from .evalsets import Entry, Pair
from .stored import Stored
from .tables import Table, number, percent

if TYPE_CHECKING:
    from bodypix import BodyPix

Mask = NDArray[np.bool_]


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
class Settings:
    """How the models are asked, all alike."""

    internal_resolution: Any = 1.0
    threshold: float = 0.5

    @property
    def options(self) -> dict[str, Any]:
        """As the methods of `BodyPix` name them."""
        return {
            "internal_resolution": self.internal_resolution,
            "segmentation_threshold": self.threshold,
        }


@dataclass(frozen=True)
class PictureScore:
    """One picture: ``both`` and ``either`` count the pixels of intersection and union.

    ``share`` is the part of the picture that is person, ``marked`` the part that was marked,
    ``people`` how many there are (None: unknown). Of the ``named`` pixels, which a reference
    model calls a person too, ``same`` have its part. ``answer`` is the mask; ``load`` reads the
    picture again.
    """

    name: str
    both: int
    either: int
    boundary: float
    share: float
    marked: float
    people: int | None
    named: int
    same: int
    answer: Stored
    load: Callable[[], Pair]

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
    marked in pictures without people (None where the set has none). ``agreement`` is the share
    of the pixels that this and the reference model call a person on which they name the same
    part: not accuracy, for no photograph of these sets has true part labels.
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

    @property
    def agreement(self) -> float | None:
        named = sum(score.named for score in self.scores)
        return sum(score.same for score in self.scores) / named if named else None

    def summary(self) -> dict[str, float | None]:
        return {
            "pictures": self.pictures,
            "mean_iou": self.mean_iou,
            "pooled_iou": self.pooled_iou,
            "boundary": self.boundary,
            "false_area": self.false_area,
            "same_parts": self.agreement,
        }


def mean(values: list[float]) -> float | None:
    return float(np.mean(values)) if values else None


def evaluate_masks(
    models: dict[str, BodyPix],
    entries: Iterable[Entry],
    settings: Settings,
    reference: BodyPix | None = None,
) -> dict[str, SetScore]:
    """Segment every picture once with each model and compare with the truth.

    ``reference`` is the model whose parts the others' are compared with; it may be one of them.
    """
    asked = {id(model): model for model in models.values()}
    if reference is not None:
        asked[id(reference)] = reference
    scores: dict[str, list[PictureScore]] = {name: [] for name in models}
    for entry in entries:
        pair = entry.load()
        answers = {
            key: _answer(model, pair.image, settings, parts=reference is not None)
            for key, model in asked.items()
        }
        theirs = None if reference is None else answers[id(reference)]
        for name, model in models.items():
            scores[name].append(_judge(entry, pair, answers[id(model)], theirs))
    return {name: SetScore(tuple(own)) for name, own in scores.items()}


def _answer(
    model: BodyPix, image: NDArray[np.uint8], settings: Settings, *, parts: bool
) -> NDArray[np.int32]:
    """(H, W) part ids, -1 where nobody is; without ``parts`` all of a person is 0."""
    if parts:
        return model.segment_person_parts(image, **settings.options).part_ids
    return model.segment_person(image, **settings.options).mask.astype(np.int32) - 1


def _judge(
    entry: Entry, pair: Pair, parts: NDArray[np.int32], reference: NDArray[np.int32] | None
) -> PictureScore:
    """Score of one answer, (H, W) part ids with -1 where nobody is."""
    answer = parts >= 0
    named = answer & (reference >= 0) if reference is not None else np.zeros_like(answer)
    return PictureScore(
        name=pair.name,
        both=int(np.count_nonzero(answer & pair.person)),
        either=int(np.count_nonzero(answer | pair.person)),
        boundary=boundary_f(answer, pair.person),
        share=float(pair.person.mean()),
        marked=float(answer.mean()),
        people=pair.people,
        named=int(np.count_nonzero(named)),
        same=int(np.count_nonzero(named & (parts == reference))),
        answer=Stored.of(answer),
        load=entry.load,
    )


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


def mask_table(title: str, scores: dict[str, dict[str, SetScore]]) -> Table:
    """A row for each set or group."""
    return Table.of(
        title,
        scores,
        {"pictures": lambda score: str(score.pictures)},
        {
            "mean IoU": lambda score: number(score.mean_iou),
            "pooled IoU": lambda score: number(score.pooled_iou),
            "outline F": lambda score: number(score.boundary),
            "false area": lambda score: percent(score.false_area),
        },
    )


def agreement_table(title: str, scores: dict[str, dict[str, SetScore]]) -> Table:
    """A row for each set: the share of pixels with the reference model's part."""
    return Table.of(
        title,
        scores,
        {"pictures": lambda score: str(score.pictures)},
        {"same part": lambda score: number(score.agreement)},
    )
