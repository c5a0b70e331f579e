"""Accuracy on held-out synthetic people, whose parts, masks and keypoints are known exactly."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property, partial
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

import cv2
import numpy as np
from numpy.typing import NDArray

from bodypix.body import KEYPOINTS, PART_NAMES, PARTS

from .evaluate import Settings
from .evaluate_poses import POSE_OPTIONS, PosePicture, TruePose, poses_of
from .stored import Stored
from .synthetic.shards import Place, decode_image, read_place
from .tables import Table, number

if TYPE_CHECKING:
    from bodypix import BodyPix

log = logging.getLogger(__name__)

Ids = NDArray[np.integer[Any]]
Counts = NDArray[np.int64]

# Halves of the Monk scale's ten tones, light to dark.
TONES = (("skin tone 1 to 3", 1, 3), ("skin tone 4 to 7", 4, 7), ("skin tone 8 to 10", 8, 10))
FRAMINGS = {
    "webcam": "framing: webcam",
    "upper": "framing: upper body",
    "full": "framing: full body",
    "crop": "framing: cropped",
}


@dataclass(frozen=True)
class SyntheticPicture:
    """A picture of a shard with its exact labels.

    ``image`` (H, W, 3) RGB uint8, ``parts`` (H, W) part ids with -1 where nobody is.
    """

    name: str
    image: NDArray[np.uint8]
    parts: Ids
    people: tuple[TruePose, ...]
    groups: tuple[str, ...]


def read_picture(place: Place) -> SyntheticPicture:
    """One picture of a shard. Raises ValueError that names what is missing or does not fit."""
    files, name = read_place(place), f"{place.shard}: picture {place.key}"
    try:
        image, parts = decode_image(files["jpg"]), decode_image(files["parts.png"])
        owners, about = decode_image(files["people.png"]), json.loads(files["json"])
        keypoints = np.array(about["keypoints"], np.float64).reshape(-1, KEYPOINTS, 3)
        groups = tuple(groups_of(about))
    except KeyError as error:
        raise ValueError(f"{name}: {error} is missing") from error
    except ValueError as error:
        raise ValueError(f"{name}: {error}") from error
    if not parts.shape == owners.shape == image.shape[:2]:
        raise ValueError(
            f"{name}: expected labels of {image.shape[:2]} as the picture,"
            f" got {parts.shape} and {owners.shape}"
        )
    people = tuple(true_pose(own, owners == index + 1) for index, own in enumerate(keypoints))
    return SyntheticPicture(place.key, image, parts.astype(np.int32) - 1, people, groups)


def true_pose(keypoints: NDArray[np.float64], mask: NDArray[np.bool_]) -> TruePose:
    """A person by their keypoints (17, 3) and what is seen of them, (H, W).

    Of whom nothing is seen, nothing is asked: they count neither way.
    """
    x, y, width, height = cv2.boundingRect(mask.astype(np.uint8))
    area = float(np.count_nonzero(mask))
    return TruePose(keypoints, area, (x, y, width, height), crowd=area == 0)


def groups_of(about: dict[str, Any]) -> Iterator[str]:
    """A picture's framing and number of people and, if there is one only, their skin tone."""
    people = about["people"]
    yield FRAMINGS[about["framing"]]
    yield "1 person" if len(people) == 1 else "2 and more people"
    if len(people) == 1:
        tone = min(10, max(1, round(people[0]["skin_tone"])))
        yield next(name for name, low, high in TONES if low <= tone <= high)


@dataclass(frozen=True)
class PartPicture:
    """One answer: pixels of intersection and union of each part and, last, of the person.

    ``both`` and ``either`` are (25,); ``answer`` is the part map; ``load`` reads the picture again.
    """

    name: str
    both: Counts
    either: Counts
    groups: tuple[str, ...]
    answer: Stored
    load: Callable[[], SyntheticPicture]

    @cached_property
    def miou(self) -> float:
        return PartScore((self,)).miou


def count_parts(answer: Ids, truth: Ids) -> tuple[Counts, Counts]:
    """Pixels of intersection and of union, (25,); part ids (H, W), -1 where nobody is."""

    def count(ids: Ids) -> Counts:
        return np.bincount(ids.ravel() + 1, minlength=PARTS + 1)[1:]

    both = count(np.where(answer == truth, answer, -1))
    either = count(answer) + count(truth) - both
    mine, true = answer >= 0, truth >= 0
    people = np.count_nonzero(mine & true), np.count_nonzero(mine | true)
    return np.append(both, people[0]), np.append(either, people[1])


class Grouped(Protocol):
    """A picture's score that knows the picture's groups."""

    @property
    def groups(self) -> tuple[str, ...]: ...


G = TypeVar("G", bound=Grouped)


def deal(pictures: Sequence[G]) -> dict[str, tuple[G, ...]]:
    """All pictures, and those of every group."""
    groups = sorted({group for picture in pictures for group in picture.groups})
    return {
        "all": tuple(pictures),
        **{name: tuple(p for p in pictures if name in p.groups) for name in groups},
    }


@dataclass(frozen=True)
class PartScore:
    """Scores over the pixels of all pictures of a group."""

    pictures: tuple[PartPicture, ...]

    @cached_property
    def _sums(self) -> tuple[Counts, Counts]:
        zero = np.zeros(PARTS + 1, np.int64)
        both = sum((picture.both for picture in self.pictures), zero)
        return both, sum((picture.either for picture in self.pictures), zero)

    @property
    def ious(self) -> dict[str, float]:
        """IoU of every part that is there or was named; the others are left out."""
        both, either = self._sums
        return {
            name: float(both[part] / either[part])
            for part, name in enumerate(PART_NAMES)
            if either[part]
        }

    @property
    def miou(self) -> float:
        return float(np.mean(list(self.ious.values()))) if self.ious else 0.0

    @property
    def person_iou(self) -> float:
        both, either = self._sums
        return float(both[PARTS] / max(1, either[PARTS]))

    def summary(self) -> dict[str, Any]:
        return {
            "pictures": len(self.pictures),
            "part_miou": self.miou,
            "person_iou": self.person_iou,
            "parts": self.ious,
        }


def evaluate_synthetic(
    models: dict[str, BodyPix], places: Iterable[Place], settings: Settings
) -> tuple[dict[str, list[PartPicture]], dict[str, list[PosePicture]]]:
    """Ask every model for the parts and poses of each picture.

    A broken picture is named in the log and left out, for all models. Raises ValueError where no
    picture is left.
    """
    parts: dict[str, list[PartPicture]] = {name: [] for name in models}
    poses: dict[str, list[PosePicture]] = {name: [] for name in models}
    for place in places:
        load = partial(read_picture, place)
        try:
            picture = load()
        except ValueError as error:
            log.warning("%s, left out", error)
            continue
        name, groups = picture.name, picture.groups
        for model, network in models.items():
            answer = network.segment_person_parts(picture.image, **settings.options, **POSE_OPTIONS)
            both, either = count_parts(answer.part_ids, picture.parts)
            stored = Stored.of(answer.part_ids)
            parts[model].append(PartPicture(name, both, either, groups, stored, load))
            poses[model].append(
                PosePicture(
                    name, picture.people, poses_of(answer), partial(_read_image, place), groups
                )
            )
    if not all(parts.values()):
        raise ValueError("synthetic: expected shards with pictures, found none that is whole")
    return parts, poses


def _read_image(place: Place) -> NDArray[np.uint8]:
    return read_picture(place).image


def part_table(title: str, scores: dict[str, dict[str, PartScore]]) -> Table:
    """A row for each group."""
    return Table.of(
        title,
        scores,
        {"pictures": lambda score: str(len(score.pictures))},
        {
            "part mIoU": lambda score: number(score.miou),
            "person IoU": lambda score: number(score.person_iou),
        },
    )


def each_part_table(title: str, scores: dict[str, PartScore]) -> Table:
    """A row for each part that is there or was named by any model."""
    names = [part for part in PART_NAMES if any(part in own.ious for own in scores.values())]
    ious = {
        model: {part: score.ious.get(part) for part in names} for model, score in scores.items()
    }
    return Table.of(title, ious, {}, {"IoU": number})
