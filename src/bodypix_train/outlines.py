"""Segmenters of what stands out in a picture, which draw outlines well where that is a person.

They do not know what a person is: they are shown the largest one, and are believed where they find
what the other teachers found.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from .teachers import Array, PortraitTeacher

AGREEMENT = 0.8  # intersection over union with the other teachers
MIN_AREA = 0.04  # of the picture, below which nobody is large
MARGIN = 0.35  # around a person's box, of its longer side


def from_folder(folder: Path, threads: int = 2) -> list[PortraitTeacher]:
    """MODNet and the small U²-Net by the names under which they are published, where present."""
    modnet, u2netp = folder / "modnet.onnx", folder / "u2netp.onnx"
    found = []
    if modnet.exists():
        found.append(PortraitTeacher(modnet, 416, (127.5,) * 3, (127.5,) * 3, threads=threads))
    if u2netp.exists():
        # ImageNet's mean and standard deviation, as everywhere: 255 times those of 0..1.
        mean, deviation = (123.675, 116.28, 103.53), (58.395, 57.12, 57.375)
        found.append(PortraitTeacher(u2netp, 320, mean, deviation, threads=threads))
    return found


def refine(image: NDArray[np.uint8], person: Array, teachers: Sequence[PortraitTeacher]) -> Array:
    """The mean of ``person`` (H, W) and of these teachers' answers where they agree with it.

    ``image`` (h, w, 3) RGB; all of ``teachers`` have one voice together.
    """
    near = largest(person) if teachers else None
    if near is None:
        return person
    x0, y0, x1, y1 = near
    rows, columns = np.array(image.shape[:2]) / person.shape
    top, bottom = np.rint(np.array([y0, y1]) * rows).astype(int)
    left, right = np.rint(np.array([x0, x1]) * columns).astype(int)
    crop = np.ascontiguousarray(image[top:bottom, left:right])
    mean, share = person.copy(), 1 / len(teachers)
    here, total, voices = person[y0:y1, x0:x1], person[y0:y1, x0:x1].copy(), 1.0
    for teacher in teachers:
        answer = teacher.person(crop, (y1 - y0, x1 - x0))
        both = np.count_nonzero((answer > 0.5) & (here > 0.5))
        if both > AGREEMENT * np.count_nonzero((answer > 0.5) | (here > 0.5)):
            total += share * answer
            voices += share
    mean[y0:y1, x0:x1] = total / voices
    return mean


def largest(person: Array) -> tuple[int, int, int, int] | None:
    """x0, y0, x1, y1 around the largest connected people of a map (H, W), with a margin."""
    _, _, stats, _ = cv2.connectedComponentsWithStats((person > 0.5).astype(np.uint8))
    x, y, width, height, area = map(int, max(stats[1:], key=lambda row: row[4], default=[0] * 5))
    if area < MIN_AREA * person.size:
        return None
    margin = int(MARGIN * max(width, height)) + 2
    x1, y1 = (
        min(end + margin, side)
        for end, side in zip((x + width, y + height), person.shape[::-1], strict=True)
    )
    return max(x - margin, 0), max(y - margin, 0), x1, y1
