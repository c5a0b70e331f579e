"""How much masks flicker where the picture stands still: the measure, and clips to take it on."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import count
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

import bodypix

Image = NDArray[np.uint8]
Mask = NDArray[np.bool_]

PHOTO = Path(bodypix.__file__).parent / "assets" / "astronaut.jpg"
SUFFIXES = (".mp4", ".mkv", ".mov", ".webm", ".avi")
STILL = 6  # levels of change below which a pixel stands still
LEAST_PERSON = 0.01  # of a clip's first frame: before it, nobody is there


def made_clip() -> Iterator[Image]:
    """(480, 640, 3) uint8 RGB: the photo's person, slow, fast and still by turns, with grain."""
    photo = cv2.resize(cv2.cvtColor(cv2.imread(str(PHOTO)), cv2.COLOR_BGR2RGB), (440, 440))
    person = bodypix.load(threads=1).segment_person(photo).probability
    ground = cv2.GaussianBlur(photo[:, ::-1], (0, 0), 25)
    ground = cv2.resize(ground, (640, 480))
    random = np.random.default_rng(5)
    for index in count():
        phase = index % 60
        speed = 0 if phase < 20 else 4 if phase < 40 else 16
        x = 90 + 60 * np.sin(2 * np.pi * (phase % 20) * speed / 320)
        move = np.array([[1, 0, x], [0, 1, 40]], np.float64)
        alpha = cv2.warpAffine(person, move, (640, 480))[..., None]
        front = cv2.warpAffine(photo, move, (640, 480))
        picture = front * alpha + ground * (1 - alpha) + random.normal(0, 4, (480, 640, 1))
        yield np.clip(picture, 0, 255).astype(np.uint8)


def read_clip(path: Path) -> Iterator[Image]:
    """The frames of a video file, (H, W, 3) uint8 RGB. Raises ValueError where there are none."""
    capture = cv2.VideoCapture(str(path))
    there, image = capture.read()
    if not there:
        raise ValueError(f"{path}: expected a video file, found no frame that can be read")
    try:
        while there:
            yield cv2.cvtColor(image, cv2.COLOR_BGR2RGB)
            there, image = capture.read()
    finally:
        capture.release()


class Changes:
    """Call it with every frame of a clip."""

    def __init__(self) -> None:
        self._before: Image | None = None

    def __call__(self, image: Image) -> Image | None:
        """(H, W) levels of change since the frame before, None for the first.

        The largest of the channels, after a slight blur that takes the sensor's noise out.
        """
        blurred = cv2.GaussianBlur(image, (0, 0), 1.5)
        before, self._before = self._before, blurred
        return None if before is None else cv2.absdiff(blurred, before).max(axis=2)


class Flicker:
    """Changes of a mask or matte, added up over the pixels whose picture stands still."""

    def __init__(self) -> None:
        self.total = self.pixels = 0.0

    def add(self, before: NDArray[Any], after: NDArray[Any], change: Image) -> None:
        """(H, W) bool masks or alphas of 0..1 of two frames, and `Changes` between them."""
        still = change < STILL
        self.total += float(np.abs(after.astype(np.float32) - before)[still].sum())
        self.pixels += float(still.sum())

    @property
    def per_thousand(self) -> float:
        """Change from frame to frame for each thousand pixels that stand still; 0 without any."""
        return self.total / self.pixels * 1000 if self.pixels else 0.0


def flips(before: Mask, after: Mask, change: Image) -> Mask:
    """(H, W): where a mask changed though the picture did not."""
    return (before != after) & (change < STILL)


def worst_run(amounts: Sequence[float], length: int) -> int:
    """Where ``length`` neighbours of at least one amount have the largest sum."""
    window = np.ones(min(length, len(amounts)))
    return int(np.argmax(np.convolve(amounts, window, "valid")))


def flicker_cell(before: Mask, after: Mask, change: Image) -> Image:
    """A mask of the film strip, 160 pixels wide; red: `flips`."""
    cell = np.dstack([np.where(after, 200, 30).astype(np.uint8)] * 3)
    wrong = flips(before, after, change)
    grown = cv2.dilate(wrong.view(np.uint8), np.ones((3, 3), np.uint8))
    return framed(cell, grown > 0, (230, 30, 30))


def framed(cell: Image, where: Mask, color: tuple[int, int, int]) -> Image:
    """A cell of a strip, 160 pixels wide, with what is ``where`` in a colour."""
    cell[where] = color
    size = (158, round(158 * cell.shape[0] / cell.shape[1]))
    small = cv2.resize(cell, size, interpolation=cv2.INTER_AREA)
    return cv2.copyMakeBorder(small, 1, 1, 1, 1, cv2.BORDER_CONSTANT, value=(90, 90, 90))  # type: ignore[return-value]
