"""Samples of a folder of photos and a folder of masks that show every person in them."""

from __future__ import annotations

import logging
from collections import defaultdict
from pathlib import Path

import cv2
import numpy as np

from bodypix_train.label import pictures

from .files import read_rgb_of_size, shrink
from .lazy import Budget, LazyList, name_some
from .photos import label_file, no_parts, read_labels
from .sample import Bytes, Sample, find_faces

log = logging.getLogger(__name__)

DIMMEST = 64  # a mask of grey levels that reaches not even this is none of 0 to 255


def read_mask_folder(
    images: Path,
    masks: Path,
    budget: Budget,
    answers: Path | None = None,
    cut_out: bool = True,
) -> LazyList[Sample]:
    """The photos of ``images`` that have a mask of the same name (its ending may differ).

    ``answers`` is the folder of the teachers' answers, whose parts are then taken where there are
    any. Pictures without mask, masks without picture and names that stand for several files are
    named in the log, and left out. Raises ValueError where nothing is left.
    """
    found = _by_name(masks)
    photos = _by_name(images)
    for fault, names in (
        ("pictures without mask", photos.keys() - found.keys()),
        ("masks without picture", found.keys() - photos.keys()),
        ("names of several pictures", {n for n, p in photos.items() if len(p) > 1}),
        ("names of several masks", {n for n, p in found.items() if len(p) > 1}),
    ):
        if names:
            some = name_some(sorted(names))
            log.warning("%s: %s, left out (%d): %s", masks, fault, len(names), some)
    pairs = [
        (path, found[name][0])
        for name, (path, *others) in sorted(photos.items())
        if not others and len(found.get(name, ())) == 1
    ]
    if not pairs:
        raise ValueError(f"{masks}: expected masks named as the pictures of {images}, got none")

    def read(pair: tuple[Path, Path]) -> Sample:
        path, mask = pair
        person = read_mask(mask)
        image = shrink(read_rgb_of_size(path, person.shape))
        person = shrink(person)
        parts = None
        if not person.any():
            parts = no_parts(image)
        elif answers is not None and label_file(answers, path).exists():
            _, parts = read_labels(label_file(answers, path))
        return Sample(
            path.name,
            image,
            person,
            np.full_like(person, 255),
            parts,
            exact=cut_out,
            faces=find_faces(parts) if parts is not None else (),
        )

    return LazyList(str(images), pairs, read, budget, exact=cut_out)


def read_mask(path: Path) -> Bytes:
    """(H, W) uint8, 255: person; from grey levels 0 to 255 or 0 and 1, or from transparency.

    Raises ValueError where the file holds something else.
    """
    pixels = cv2.imread(str(path), cv2.IMREAD_UNCHANGED)
    if pixels is None:
        raise ValueError(f"{path}: unreadable mask")
    if pixels.dtype == np.uint16:
        pixels = (pixels // 257 if pixels.max() > 255 else pixels).astype(np.uint8)
    if pixels.ndim == 3:
        if pixels.shape[2] == 4 and pixels[..., 3].min() < 255:
            return np.ascontiguousarray(pixels[..., 3])
        colours = pixels[..., :3]
        if (colours != colours[..., :1]).any():
            raise ValueError(f"{path}: expected a mask of grey levels or transparency, got colours")
        pixels = colours[..., 0]
    brightest = int(pixels.max())
    if brightest == 1:
        return np.ascontiguousarray(pixels * np.uint8(255))
    if 1 < brightest < DIMMEST:
        raise ValueError(
            f"{path}: expected a mask of 0 and 255, or 0 and 1, got levels up to {brightest}"
        )
    return np.ascontiguousarray(pixels)


def _by_name(folder: Path) -> dict[str, list[Path]]:
    """Pictures of a folder by their name without ending."""
    names: dict[str, list[Path]] = defaultdict(list)
    for path in pictures(folder):
        names[path.stem].append(path)
    return names
