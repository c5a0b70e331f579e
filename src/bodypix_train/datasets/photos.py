"""Readers of the training photographs: teacher-labelled folders and Clothing Co-Parsing."""

from __future__ import annotations

import logging
import zipfile
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from bodypix_train.label import pictures

from .sample import Bytes, Sample, find_faces

log = logging.getLogger(__name__)

# Clothing Co-Parsing classes that are things people carry, not people.
CCP_CARRIED = (2, 33, 56)


def read_teacher_folder(images: Path, labels: Path) -> list[Sample]:
    """Every picture with a label file; unreadable files are named in the log and left out."""
    samples = []
    for path in pictures(images):
        answer = read_labels(labels / f"{path.stem}.npz")
        image = read_rgb(path)
        if answer is None or image is None:
            continue
        person, parts = answer
        person = sharpen(person, image)
        samples.append(
            Sample(
                name=path.name,
                image=image,
                person=person,
                trust=certainty(person),
                parts=parts,
                faces=find_faces(parts),
            )
        )
    return samples


def read_empty_folder(images: Path, labels: Path, tolerance: float = 0.01) -> list[Sample]:
    """Pictures in which the teachers see nobody: negatives. Others are left out."""
    samples = []
    for path in pictures(images):
        answer = read_labels(labels / f"{path.stem}.npz")
        image = read_rgb(path)
        if answer is None or image is None:
            continue
        if (answer[0] > 64).mean() > tolerance:
            continue
        # Where even one teacher is in doubt, nothing is taught.
        trust = np.where(answer[0] > 40, 0, 255).astype(np.uint8)
        nobody, no_parts = np.zeros_like(answer[0]), np.zeros_like(answer[1])
        samples.append(Sample(path.name, image, nobody, trust, no_parts))
    return samples


def read_nobody_folder(images: Path) -> list[Sample]:
    """Pictures that somebody has looked at and found without people: negatives, in full trust."""
    samples = []
    for path in pictures(images):
        image = read_rgb(path)
        if image is None:
            continue
        half = (image.shape[0] // 2 + 1, image.shape[1] // 2 + 1)
        eighth = (image.shape[0] // 8 + 1, image.shape[1] // 8 + 1, 24)
        nobody = np.zeros(half, np.uint8)
        samples.append(
            Sample(path.name, image, nobody, np.full_like(nobody, 255), np.zeros(eighth, np.uint8))
        )
    return samples


def read_objects(folder: Path) -> list[Bytes]:
    """Cut-out things that are not people, (H,W,4) RGBA; files without transparency are left out."""
    objects = []
    for path in pictures(folder):
        picture = cv2.imread(str(path), cv2.IMREAD_UNCHANGED)
        if picture is None or picture.ndim != 3 or picture.shape[2] != 4:
            log.warning("%s: not a picture with transparency, left out", path)
            continue
        objects.append(np.ascontiguousarray(picture[..., [2, 1, 0, 3]]))
    return objects


def read_ccp(root: Path, labels: Path, *, drawn: bool) -> list[Sample]:
    """Clothing Co-Parsing under ``root``: the pictures with hand-made masks, or those without.

    Background people carry no hand-made label, so background pixels that the teachers call a
    person are not taught, unless they touch the labelled person, whose outline is known.
    """
    samples = []
    for path in pictures(root / "images"):
        drawing = root / "labels" / f"{path.stem}.png"
        if drawing.exists() != drawn:
            continue
        answer = read_labels(labels / f"{path.stem}.npz")
        image = read_rgb(path)
        if answer is None or image is None:
            continue
        teacher, parts = answer
        if drawn:
            classes = cv2.imread(str(drawing), cv2.IMREAD_GRAYSCALE)
            if classes is None or classes.shape != image.shape[:2]:
                log.warning("%s: unreadable or not of its picture's size, left out", drawing)
                continue
            solid = ((classes > 0) & ~np.isin(classes, CCP_CARRIED)).astype(np.uint8) * 255
            near = cv2.dilate(solid, np.ones((25, 25), np.uint8))
            doubt = cv2.resize(teacher, solid.shape[::-1]) > 80
            trust = np.where(doubt & (near == 0), 0, 255).astype(np.uint8)
            person = solid
        else:
            person = sharpen(teacher, image)
            trust = certainty(person)
        samples.append(
            Sample(path.name, image, person, trust, parts, exact=drawn, faces=find_faces(parts))
        )
    return samples


def read_rgb(path: Path) -> Bytes | None:
    image = cv2.imread(str(path), cv2.IMREAD_COLOR)
    if image is None:
        log.warning("%s: unreadable picture, left out", path)
        return None
    return np.ascontiguousarray(image[..., ::-1])


def read_labels(path: Path) -> tuple[Bytes, Bytes] | None:
    if not path.exists():
        return None
    try:
        with np.load(path) as file:
            return file["person"], file["parts"]
    except (OSError, KeyError, ValueError, zipfile.BadZipFile) as error:
        log.warning("%s: unreadable labels (%s), left out", path, error)
        return None


def certainty(person: Bytes) -> Bytes:
    """Trust in a teacher's answer: full at 0 and 1, a fifth where it is undecided."""
    decided = np.abs(person.astype(np.float32) / 127.5 - 1)
    return (255 * np.clip(0.2 + 1.1 * decided, 0, 1)).astype(np.uint8)


def sharpen(person: Bytes, image: Bytes, radius: int = 6, smoothness: float = 1e-3) -> Bytes:
    """Move a coarse mask's edges onto the picture's (guided filter, He et al. 2013, grey guide)."""
    height, width = person.shape
    grey = cv2.cvtColor(image, cv2.COLOR_RGB2GRAY)
    guide = cv2.resize(grey, (width, height), interpolation=cv2.INTER_AREA).astype(np.float32) / 255
    mask = person.astype(np.float32) / 255

    def mean(x: NDArray[np.float32]) -> NDArray[np.float32]:
        return cv2.blur(x, (2 * radius + 1, 2 * radius + 1))  # type: ignore[return-value]

    mean_guide, mean_mask = mean(guide), mean(mask)
    variance = mean(guide * guide) - mean_guide**2
    slope = (mean(guide * mask) - mean_guide * mean_mask) / (variance + smoothness)
    offset = mean_mask - slope * mean_guide
    refined = mean(slope) * guide + mean(offset)
    # Steeper than the teacher's blur, so that the student learns edges rather than haze.
    return (255 * np.clip(0.5 + 1.6 * (refined - 0.5), 0, 1)).astype(np.uint8)
