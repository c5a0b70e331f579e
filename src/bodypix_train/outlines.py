"""Segmenters of what stands out in a picture, which draw outlines well where that is a person.

They do not know what a person is: they are asked about whole pictures and the surroundings of
large people, and are believed where they find what the other teachers found.
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
    total, voices = person.astype(np.float32), np.ones(person.shape, np.float32)
    near = largest(person) if teachers else None
    views = [] if near is None else [near]
    scale = np.array(image.shape[1::-1] * 2) / np.array(person.shape[::-1] * 2)
    for x0, y0, x1, y1 in views:
        left, top, right, bottom = np.rint((x0, y0, x1, y1) * scale).astype(int)
        crop = np.ascontiguousarray(image[top:bottom, left:right])
        here = np.s_[y0:y1, x0:x1]
        for teacher in teachers:
            answer = teacher.person(crop, (y1 - y0, x1 - x0))
            seen, known = answer > 0.5, person[here] > 0.5
            if np.count_nonzero(seen & known) > AGREEMENT * np.count_nonzero(seen | known):
                share = 1 / len(teachers)
                total[here] += share * answer
                voices[here] += share
    return total / voices


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
