"""The pictures of a report: a row each, the picture and every model's answer side by side."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import TypeVar

import cv2
import numpy as np
from numpy.typing import NDArray

from bodypix.body import KEYPOINT_NAMES
from bodypix.drawing import draw_poses, to_colored_part_mask
from bodypix.results import Keypoint, Pose

from .datasets.garments import GARMENTS
from .evalsets import Pair
from .evaluate import PictureScore, outline
from .evaluate_garments import GarmentPicture
from .evaluate_parts import PartPicture
from .evaluate_poses import PosePicture, TruePose
from .evaluation import Evaluation

Image = NDArray[np.uint8]
T = TypeVar("T")

ROWS = 3  # pictures of each kind: best, median, worst, falsely marked
SIDE = 320  # longest side of a picture on the page
MARKED, MISSED, FALSE = (60, 200, 120), (240, 170, 40), (230, 60, 90)
LABELLED = (255, 220, 0)


@dataclass(frozen=True)
class Figure:
    """``image`` (H, W, 3) RGB uint8, to be written as ``file``."""

    file: str
    caption: str
    image: Image


def choose(scores: Sequence[T], value: Callable[[T], float]) -> dict[int, str]:
    """Place in ``scores`` -> why it is shown: best, median, worst; several of them if few."""
    ranked = sorted(range(len(scores)), key=lambda place: -value(scores[place]))
    middle = max(0, (len(ranked) - ROWS) // 2)
    kinds = {
        "best": ranked[:ROWS],
        "median": ranked[middle : middle + ROWS],
        "worst": ranked[-ROWS:],
    }
    shown: dict[int, list[str]] = {}
    for kind, places in kinds.items():
        for place in places:
            shown.setdefault(place, []).append(kind)
    return {place: ", ".join(why) for place, why in shown.items()}


def mask_figures(evaluation: Evaluation) -> Iterator[Figure]:
    """Of every set with masks: by IoU, and the empty pictures where most is marked."""
    first = next(iter(evaluation.masks.values()))
    for name, score in first.items():
        scores = score.scores
        shown = [place for place, own in enumerate(scores) if own.shown]
        why = choose([scores[place] for place in shown], lambda own: own.iou)
        wanted = {shown[place]: kind for place, kind in why.items()}
        empty = [place for place, own in enumerate(scores) if own.share == 0 and own.marked]
        empty.sort(key=lambda place: -scores[place].marked)
        wanted |= dict.fromkeys(empty[:ROWS], "nobody there")
        for place, kind in wanted.items():
            answers = {model: own[name].scores[place] for model, own in evaluation.masks.items()}
            pair = scores[place].load()
            tiles = [
                pair.image,
                *(coloured(pair, own.answer.unpack() > 0) for own in answers.values()),
            ]
            words = [f"{model} {_mask_words(own)}" for model, own in answers.items()]
            yield _figure(name, place, kind, pair.name, words, tiles)


def part_figures(evaluation: Evaluation) -> Iterator[Figure]:
    """Of the synthetic people, by the mean IoU of the picture's parts."""
    answers = {m: own["all"].pictures for m, own in evaluation.parts.items() if own}
    first: tuple[PartPicture, ...] = next(iter(answers.values()), ())
    for place, kind in choose(first, lambda own: own.miou).items():
        picture = first[place].load()
        maps = [picture.parts, *(own[place].answer.unpack() for own in answers.values())]
        words = [f"{model} part mIoU {own[place].miou:.3f}" for model, own in answers.items()]
        tiles = [picture.image, *(_part_colours(ids) for ids in maps)]
        yield _figure("parts", place, kind, picture.name, words, tiles)


def garment_figures(evaluation: Evaluation) -> Iterator[Figure]:
    """Of the pictures with drawn garments, by the share with a part that fits."""
    first: list[GarmentPicture] = next(iter(evaluation.garments.values()), [])
    for place, kind in choose(first, lambda own: own.fitting).items():
        answers = {model: own[place] for model, own in evaluation.garments.items()}
        image, classes = first[place].load()
        tiles = [image, *(_misfits(own.answer.unpack(), classes) for own in answers.values())]
        words = [f"{model} fitting {own.fitting:.3f}" for model, own in answers.items()]
        yield _figure("garments", place, kind, first[place].path.name, words, tiles)


def pose_figures(evaluation: Evaluation) -> Iterator[Figure]:
    """Of every set with keypoints, by the mean OKS of the picture's people."""
    first = next(iter(evaluation.poses.values()))
    for name, score in first.items():
        if name.startswith("synthetic people, "):  # a group of pictures that were shown already
            continue
        with_people = [place for place, own in enumerate(score.pictures) if own.similarities]
        why = choose([score.pictures[place] for place in with_people], _mean_oks)
        for index, kind in why.items():
            place = with_people[index]
            answers = {m: own[name].pictures[place] for m, own in evaluation.poses.items()}
            image = score.pictures[place].load()
            truths = [_as_pose(truth) for truth in score.pictures[place].truths if truth.counts]
            tiles = [_drawn(image, truths, LABELLED)]
            tiles += [_drawn(image, own.sure, MARKED) for own in answers.values()]
            words = [f"{model} OKS {_mean_oks(own):.3f}" for model, own in answers.items()]
            yield _figure(f"poses-{name}", place, kind, score.pictures[place].name, words, tiles)


def clip_figures(evaluation: Evaluation) -> Iterator[Figure]:
    """A film strip for every clip and model."""
    for model, clips in evaluation.clips.items():
        for name, score in clips.items():
            caption = f"{name}: {model} {score.own:.3f}, smoothed {score.smoothed:.3f}"
            yield Figure(_file_name("clip", name, model), caption, score.strip)


def coloured(pair: Pair, answer: NDArray[np.bool_]) -> Image:
    """The photo in grey, with what is right, missed and falsely marked, and the true outline."""
    grey = cv2.cvtColor(cv2.cvtColor(pair.image, cv2.COLOR_RGB2GRAY), cv2.COLOR_GRAY2RGB)
    out = grey.astype(np.float32)
    areas = ((answer & pair.person, MARKED), (~answer & pair.person, MISSED))
    for where, color in (*areas, (answer & ~pair.person, FALSE)):
        out[where] = 0.45 * out[where] + 0.55 * np.float32(color)
    out[outline(pair.person)] = 255
    return out.astype(np.uint8)


def _mask_words(score: PictureScore) -> str:
    return f"IoU {score.iou:.3f}" if score.share else f"marks {score.marked:.1%}"


def _mean_oks(picture: PosePicture) -> float:
    return float(np.mean(picture.similarities))


def _part_colours(ids: NDArray[np.integer]) -> Image:
    return to_colored_part_mask(ids.astype(np.int32))[..., :3]  # type: ignore[index]


def _misfits(ids: NDArray[np.integer], classes: NDArray[np.uint8]) -> Image:
    """The colours of part ids (H, W); black where one does not fit the garment of a class id."""
    out = _part_colours(ids)
    for garments in GARMENTS:
        out[garments.where(classes) & (ids >= 0) & ~np.isin(ids, garments.parts)] = 0
    return out


def _as_pose(truth: TruePose) -> Pose:
    """Labelled keypoints as a pose, to be drawn."""
    points = zip(KEYPOINT_NAMES, truth.keypoints, truth.labelled, strict=True)
    return Pose(1.0, [Keypoint(n, float(x), float(y), float(on)) for n, (x, y, _), on in points])


def _drawn(image: Image, poses: list[Pose], color: tuple[int, int, int]) -> Image:
    """Skeletons as thick as they have to be after the picture was made small."""
    scale = max(1.0, max(image.shape[:2]) / SIDE)
    return draw_poses(image, poses, color=color, radius=3 * scale, line_width=2 * scale)


def _figure(
    name: str, place: int, kind: str, picture: str, words: list[str], tiles: list[Image]
) -> Figure:
    row = np.hstack([small(tile) for tile in tiles])
    caption = f"{name}, {kind}: {', '.join([picture, *words])}"
    return Figure(_file_name(name, str(place)), caption, row)


def _file_name(*words: str) -> str:
    """A name that every file system takes."""
    return "-".join(re.sub(r"[^\w.]+", "-", word) for word in words) + ".jpg"


def small(image: Image) -> Image:
    scale = SIDE / max(image.shape[:2])
    size = (max(1, round(image.shape[1] * scale)), max(1, round(image.shape[0] * scale)))
    return cv2.resize(image, size, interpolation=cv2.INTER_AREA)  # type: ignore[return-value]
