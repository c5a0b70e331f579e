"""Label photos with the teachers: one ``.npz`` beside each picture's name, resumable.

Each file holds ``person`` (h, w), a probability, and ``parts`` (h', w', 24), shares that add up to
1, both uint8 with 255 = 1.0, on corner-aligned grids at about half and an eighth of the picture;
``animals``, true where one is seen in the picture; and, where MediaPipe's teachers are, ``owners``
(h', w') and ``keypoints`` as `pose_labels` gives them.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import cv2
import numpy as np
from numpy.typing import NDArray

from . import outlines
from .animals import AnimalDetector
from .people_teachers import PeopleTeachers, Remembered
from .pose_labels import pose_labels
from .pose_parts import PartJudge
from .skeletons import skeletons
from .teachers import BodyPixTeacher, PortraitTeacher, combine

if TYPE_CHECKING:  # most who list pictures need no torch
    from .network_teacher import NetworkTeacher

log = logging.getLogger(__name__)

IMAGE_SUFFIXES = {".jpg", ".jpeg", ".png", ".webp", ".bmp"}
# Portrait teachers are asked only where somebody fills a good part of the picture: they were
# made for selfies, and they are the slowest of all.
PORTRAIT_AREA = 0.12
OWN_SHARE = 1 / 3  # of a network of ours in the person's map, if one is asked


@dataclass(frozen=True)
class Teachers:
    """The networks that label; all but ``body`` may be missing.

    ``own``, a network of ours, is one voice more on where people are: others' mistakes are not its
    own, so that the mean is right more often (after the self-training of Xie et al. 2020).
    """

    body: BodyPixTeacher
    portraits: list[PortraitTeacher]
    people: PeopleTeachers | None = None
    judge: PartJudge | None = None  # asked only beside people
    own: NetworkTeacher | None = None
    outlines: Sequence[PortraitTeacher] = ()
    animals: AnimalDetector | None = None
    # With the small one, which sees people whole, large ones lose fewer of their insides.
    scales: tuple[float, ...] = (0.6, 1.0, 1.75)

    @classmethod
    def from_folder(cls, folder: Path, threads: int = 2) -> Teachers:
        """Open the files by the names under which they are published."""
        people = PeopleTeachers.from_folder(folder, threads)
        if people is None:
            log.warning(
                "%s: without selfie_segmentation.tflite and pose_landmark_heavy.tflite outlines"
                " are BodyPix's own, which are worse (docs/training.md)",
                folder,
            )
        return cls(
            body=BodyPixTeacher(folder / "bodypix-mobilenet-050-stride16.onnx", threads=threads),
            portraits=[
                PortraitTeacher(
                    folder / "sinet-portrait.onnx",
                    320,
                    (102.890434, 111.25247, 126.91212),
                    (62.93292 * 255, 62.82138 * 255, 66.355705 * 255),
                    bgr=True,
                    threads=threads,
                ),
                PortraitTeacher(
                    folder / "deeplab-dm05-portrait.onnx",
                    513,
                    (127.5,) * 3,
                    (127.5,) * 3,
                    threads=threads,
                ),
                PortraitTeacher(
                    folder / "prisma-portrait.onnx", 256, (0.0,) * 3, (255.0,) * 3, threads=threads
                ),
            ],
            people=people,
            outlines=outlines.from_folder(folder, threads),
            animals=AnimalDetector.from_folder(folder, threads),
        )

    def label(self, image: NDArray[np.uint8]) -> dict[str, NDArray[Any]]:
        """Person and parts of one RGB picture as stored in the label files."""
        height, width = image.shape[:2]
        half = (height // 2 + 1, width // 2 + 1)
        eighth = (height // 8 + 1, width // 8 + 1)
        answer = self.body.answer(image, self.scales, half, eighth)
        person = answer.person
        if (person > 0.5).mean() > PORTRAIT_AREA:
            person = combine(person, [t.person(image, half) for t in self.portraits])
        parts, seen = answer.parts, None
        if self.people is not None:
            people = replace(self.people, whole_body=Remembered(self.people.whole_body))
            poses = self.body.poses(image)
            whole = cv2.resize(person, (width, height), interpolation=cv2.INTER_LINEAR)
            refined = people.refine(image, whole, poses)  # type: ignore[arg-type]
            person = cv2.resize(refined, half[::-1], interpolation=cv2.INTER_AREA)  # type: ignore[assignment]
            seen = skeletons(image, poses, people.whole_body)
            if self.judge is not None:
                parts = self.judge.refine(parts, seen, (height, width))
        person = outlines.refine(image, person, self.outlines)
        if self.own is not None:
            own = self.own.person(image, half)
            person = (1 - OWN_SHARE) * person + OWN_SHARE * own
        animals = False
        if self.animals is not None:
            person, animals = self.animals.refine(image, person)
        labels: dict[str, NDArray[Any]] = {
            "person": to_byte(person),
            "parts": to_byte(parts),
            "animals": np.array(animals),
        }
        if seen is not None:
            keypoints, owners = pose_labels(seen, person, (height, width), eighth)
            labels |= {"keypoints": keypoints, "owners": owners}
        return labels


def to_byte(probability: NDArray[np.float32]) -> NDArray[np.uint8]:
    return np.clip(np.rint(probability * 255), 0, 255).astype(np.uint8)


def pictures(folder: Path) -> list[Path]:
    """Images directly in ``folder``, by name."""
    return sorted(p for p in folder.iterdir() if p.suffix.lower() in IMAGE_SUFFIXES)


def label_pictures(
    paths: Sequence[Path], out: Path, teachers: Teachers
) -> Iterator[tuple[Path, str]]:
    """Label pictures; yields (picture, "labelled" | "kept" | "unreadable")."""
    out.mkdir(parents=True, exist_ok=True)
    for path in paths:
        target = out / f"{path.stem}.npz"
        if target.exists():
            yield path, "kept"
            continue
        image = cv2.imread(str(path), cv2.IMREAD_COLOR)
        if image is None:
            yield path, "unreadable"
            continue
        labels = teachers.label(np.ascontiguousarray(image[..., ::-1]))
        part = target.with_suffix(".part")
        with part.open("wb") as file:
            np.savez_compressed(file, **labels)  # type: ignore[arg-type]
        os.replace(part, target)
        yield path, "labelled"


def read_share(text: str) -> tuple[int, int]:
    """(k, n) of "k/n". Raises ValueError where it is none, or k not from 1 to n."""
    number, slash, count = text.partition("/")
    if not (slash and number.isdigit() and count.isdigit() and 1 <= int(number) <= int(count)):
        raise ValueError(f"share: expected K/N with K from 1 to N, such as 2/4, got {text!r}")
    return int(number), int(count)
