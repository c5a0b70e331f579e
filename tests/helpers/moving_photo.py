"""The built-in photo moved about, as a clip for fake cameras."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

import bodypix

PHOTO = Path(bodypix.__file__).parent / "assets" / "astronaut.jpg"
WIDTH, HEIGHT = 640, 480
HEAD = 225  # column of the photo that the head is at


def photo() -> NDArray[np.uint8]:
    """(512, 512, 3) uint8 RGB: the built-in photo."""
    return cv2.cvtColor(cv2.imread(str(PHOTO)), cv2.COLOR_BGR2RGB)


def moving_photo(count: int = 24, people: int = 1) -> Iterator[NDArray[np.uint8]]:
    """(480, 640, 3) uint8 RGB frames of the photo going round; the last meets the first.

    `people`: how often the photo stands in a frame, side by side.
    """
    picture = photo()
    side = picture.shape[0]
    cell = WIDTH / people
    scale = 0.94 if people == 1 else cell / side * 1.25
    backdrop = cv2.resize(cv2.GaussianBlur(picture, (0, 0), 40), (WIDTH, HEIGHT))
    for index in range(count):
        turn = 2 * math.pi * index / count
        frame = backdrop.copy()
        for person in range(people):
            x = cell * (person + 0.5) + 0.05 * cell * math.cos(turn) - HEAD * scale
            y = HEIGHT - side * scale + 14 * (1 + math.sin(turn))
            move = np.array([[scale, 0, x], [0, scale, y]])
            moved = cv2.warpAffine(picture, move, (WIDTH, HEIGHT))
            inside = cv2.warpAffine(np.full((side, side), 255, np.uint8), move, (WIDTH, HEIGHT))
            inside[:, : round(cell * person)] = 0
            inside[:, round(cell * (person + 1)) :] = 0
            frame[inside == 255] = moved[inside == 255]
        yield frame


def write_y4m(path: Path, frames: Iterable[NDArray[np.uint8]], rate: int = 15) -> Path:
    """Write (480, 640, 3) uint8 RGB frames as the uncompressed video that fake cameras read."""
    with path.open("wb") as file:
        file.write(f"YUV4MPEG2 W{WIDTH} H{HEIGHT} F{rate}:1 Ip A1:1 C420jpeg\n".encode())
        for frame in frames:
            file.write(b"FRAME\n")
            file.write(cv2.cvtColor(frame, cv2.COLOR_RGB2YUV_I420).tobytes())
    return path
