"""Training photographs: teacher-labelled folders, negatives, things, Clothing Co-Parsing.

A file that cannot be read is named in the log when it is first drawn, and left out.
"""

from __future__ import annotations

import logging
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from bodypix.body import KEYPOINTS, PARTS
from bodypix_train.label import pictures

from .files import read_rgb
from .garments import CARRIED, narrowed
from .lazy import Budget, LazyList
from .sample import Bytes, Sample, find_faces

log = logging.getLogger(__name__)


def read_teacher_folder(
    images: Path, labels: Path, budget: Budget, animals: bool = False, poses: bool = False
) -> LazyList[Sample]:
    """Every picture with a label file; only those in which ``animals`` are seen, if so.

    For that all label files are looked into at once. Raises ValueError where none has any.
    ``poses``: also those that the pose network sees.
    """

    def has_animals(path: Path) -> bool:
        try:
            with opened(label_file(labels, path)) as file:
                return bool(file.get("animals", False))  # older labels do not say
        except ValueError as error:
            log.warning("%s, left out", error)
            return False

    def read(path: Path) -> Sample:
        image = read_rgb(path)
        person, parts = read_labels(label_file(labels, path))
        person, faces = steepen(person), find_faces(parts)
        seen = read_poses(label_file(labels, path)) if poses else {}
        return Sample(path.name, image, person, certainty(person), parts, faces=faces, **seen)

    paths = labelled(images, labels)
    if animals and not (paths := list(filter(has_animals, paths))):
        raise ValueError(
            f"{labels}: expected animals in some of the labels, found none; `bodypix-train label`"
            " sees them with the detector of @mediapipe/objectron (docs/training.md)"
        )
    return LazyList(str(images), paths, read, budget)


def read_empty_folder(
    images: Path, labels: Path, budget: Budget, poses: bool = False, tolerance: float = 0.01
) -> LazyList[Sample]:
    """Pictures in which the teachers see nobody: negatives. Others are left out.

    All label files are read at once, to know which pictures these are. ``poses``: nobody has one.
    """

    def is_empty(path: Path) -> bool:
        try:
            person, _ = read_labels(label_file(labels, path))
        except ValueError as error:
            log.warning("%s, left out", error)
            return False
        return bool((person > 64).mean() <= tolerance)

    def read(path: Path) -> Sample:
        image = read_rgb(path)
        person, parts = read_labels(label_file(labels, path))
        # Where even one teacher is in doubt, nothing is taught.
        trust = np.where(person > 40, 0, 255).astype(np.uint8)
        none = no_poses(trust == 0) if poses else {}
        return Sample(path.name, image, np.zeros_like(person), trust, np.zeros_like(parts), **none)

    return LazyList(str(images), filter(is_empty, labelled(images, labels)), read, budget)


def read_nobody_folder(images: Path, budget: Budget, poses: bool = False) -> LazyList[Sample]:
    """Pictures without people, somebody has looked: negatives, in full trust.

    Those in ``images`` and in the folders directly in it. ``poses``: nobody has one.
    """

    def read(path: Path) -> Sample:
        image = read_rgb(path)
        nobody = np.zeros((image.shape[0] // 2 + 1, image.shape[1] // 2 + 1), np.uint8)
        none = no_poses(nobody > 0) if poses else {}
        return Sample(path.name, image, nobody, np.full_like(nobody, 255), no_parts(image), **none)

    return LazyList(str(images), pictures_below(images), read, budget)


def read_objects(folders: Sequence[Path], budget: Budget) -> LazyList[Bytes]:
    """Cut-out things that are not people, (H,W,4) RGBA; files without transparency are left out.

    Those in ``folders`` and in the folders directly in each.
    """

    def read(path: Path) -> Bytes:
        picture = cv2.imread(str(path), cv2.IMREAD_UNCHANGED)
        if picture is None or picture.ndim != 3 or picture.shape[2] != 4:
            raise ValueError(f"{path}: not a picture with transparency")
        return np.ascontiguousarray(picture[..., [2, 1, 0, 3]])

    paths = [path for folder in folders for path in pictures_below(folder)]
    return LazyList(", ".join(map(str, folders)), paths, read, budget)


def read_ccp(
    root: Path, labels: Path, budget: Budget, *, drawn: bool, poses: bool = False
) -> LazyList[Sample]:
    """Clothing Co-Parsing under ``root``: the pictures with hand-made masks, or those without.

    Background people carry no hand-made label, so background pixels that the teachers call a
    person are not taught, unless they touch the labelled person, whose outline is known. Nor are
    they within three pixels of it: it is drawn a little inside of what is seen. The teachers' parts
    are narrowed to those that the drawn garments cover. ``poses``: also those that the pose network
    sees.
    """

    def read(path: Path) -> Sample:
        image = read_rgb(path)
        teacher, parts = read_labels(label_file(labels, path))
        faces = find_faces(parts)
        if drawn:
            classes = read_drawing(path, image)
            person = ((classes > 0) & ~np.isin(classes, CARRIED)).astype(np.uint8) * 255
            near, rim = (cv2.dilate(person, np.ones((s, s), np.uint8)) > person for s in (25, 7))
            seen = cv2.resize(teacher, person.shape[::-1])
            others = (seen > 80) & (person == 0) & ~near
            trust = np.where(others | rim & (seen > 127), 0, 255).astype(np.uint8)
            parts = narrowed(parts, classes)
        else:
            person = steepen(teacher)
            trust = certainty(person)
        seen = read_poses(label_file(labels, path)) if poses else {}
        return Sample(path.name, image, person, trust, parts, exact=drawn, faces=faces, **seen)

    images = root / "images"
    paths = [path for path in labelled(images, labels) if drawing_of(path).exists() == drawn]
    return LazyList(str(images), paths, read, budget, exact=drawn)


def drawing_of(path: Path) -> Path:
    """Where the hand-made mask lies of a picture of Clothing Co-Parsing, if it has one."""
    return path.parent.parent / "labels" / f"{path.stem}.png"


def read_drawing(path: Path, image: Bytes) -> Bytes:
    """The class ids (H, W) drawn for a picture. Raises ValueError on misfits."""
    classes = cv2.imread(str(drawing_of(path)), cv2.IMREAD_GRAYSCALE)
    if classes is None or classes.shape != image.shape[:2]:
        raise ValueError(f"{drawing_of(path)}: unreadable or not of its picture's size")
    return classes  # type: ignore[return-value]


def pictures_below(root: Path) -> list[Path]:
    """Pictures in ``root`` and in the folders directly in it."""
    folders = [root, *sorted(path for path in root.iterdir() if path.is_dir())]
    return [path for folder in folders for path in pictures(folder)]


def labelled(images: Path, labels: Path) -> list[Path]:
    """The pictures that the teachers have answered for; how many others there are is logged."""
    every = pictures(images)
    answered = [path for path in every if label_file(labels, path).exists()]
    if missing := len(every) - len(answered):
        message = "%s: pictures without answers in %s, left out (%d): `bodypix-train label` them"
        log.warning(message, images, labels, missing)
    return answered


def label_file(labels: Path, picture: Path) -> Path:
    return labels / f"{picture.stem}.npz"


def read_labels(path: Path) -> tuple[Bytes, Bytes]:
    """Person (h, w) and parts (h', w', 24) that the teachers wrote. Raises ValueError."""
    with opened(path) as file:
        return file["person"], file["parts"]


def read_poses(path: Path) -> dict[str, NDArray[Any]]:
    """The fields ``instances`` and ``keypoints`` of a `Sample` that the teachers wrote.

    Raises ValueError, also where the labels say nothing of poses.
    """
    with opened(path) as file:
        if "keypoints" not in file:
            raise ValueError("no poses; delete it and label again, with MediaPipe's teachers")
        return {"instances": file["owners"], "keypoints": file["keypoints"]}


@contextmanager
def opened(path: Path) -> Iterator[Mapping[str, NDArray[Any]]]:
    """What the teachers wrote about a picture, by name; read when asked for. Raises ValueError."""
    try:
        with np.load(path) as file:
            yield file
    except (OSError, KeyError, ValueError, zipfile.BadZipFile) as error:
        raise ValueError(f"{path}: unreadable labels ({error})") from error


def no_poses(doubt: NDArray[np.bool_]) -> dict[str, NDArray[Any]]:
    """The fields of a `Sample` in which nobody has a pose; unknown where ``doubt`` (h, w)."""
    keypoints = np.zeros((1, KEYPOINTS, 3), np.float32)
    return {"instances": doubt.astype(np.uint8), "keypoints": keypoints}


def no_parts(image: Bytes) -> Bytes:
    """Parts of a picture in which nobody is, on an eighth of its grid."""
    return np.zeros((image.shape[0] // 8 + 1, image.shape[1] // 8 + 1, PARTS), np.uint8)


def certainty(person: Bytes) -> Bytes:
    """Trust in a teacher's answer: full at 0 and 1, a fifth where it is undecided."""
    decided = np.abs(person.astype(np.float32) / 127.5 - 1)
    return (255 * np.clip(0.2 + 1.1 * decided, 0, 1)).astype(np.uint8)


def steepen(person: Bytes) -> Bytes:
    """Steeper edges than the teachers' blur, so that the student learns edges rather than haze.

    They stay where they are: moved onto the picture's (guided filter) they lie worse.
    """
    steep = 0.5 + 1.6 * (person.astype(np.float32) / 255 - 0.5)
    return (255 * np.clip(steep, 0, 1)).astype(np.uint8)
