"""Made-up films: textured scenes with a disc that moves, and what a network might say of it."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

HEIGHT, WIDTH = 120, 160
RADIUS = 24


def scene(seed: int, height: int = HEIGHT, width: int = WIDTH) -> NDArray[np.uint8]:
    """(H, W, 3) uint8 RGB with structure of several sizes."""
    random = np.random.default_rng(seed)
    layers = [
        cv2.resize(
            random.integers(0, 256, (rows, rows * 4 // 3, 3), np.uint8).astype(np.float32),
            (width, height),
            interpolation=cv2.INTER_CUBIC,
        )
        for rows in (6, 15, 36)
    ]
    mixed = layers[0] * 0.5 + layers[1] * 0.3 + layers[2] * 0.2
    return np.clip(mixed * 1.3 - 38, 0, 255).astype(np.uint8)


def disc(x: float, y: float = HEIGHT / 2) -> NDArray[np.bool_]:
    """(H, W) bool: the person, if people were discs."""
    rows, columns = np.mgrid[:HEIGHT, :WIDTH]
    return np.hypot(columns - x, rows - y) < RADIUS


def film(
    positions: Sequence[float], *, noise: float = 2.0, contrast: bool = True
) -> list[NDArray[np.uint8]]:
    """Frames with a disc at these x over a still scene; without contrast it cannot be seen."""
    random, ground = np.random.default_rng(2), scene(3)
    frames = []
    for x in positions:
        frame = ground.astype(np.float32)
        if contrast:
            frame[disc(x)] = (250, 90, 60)
        frame += random.normal(0.0, noise, frame.shape).astype(np.float32)
        frames.append(np.clip(frame, 0, 255).astype(np.uint8))
    return frames


def answers(positions: Sequence[float], jitter: float = 0.0) -> list[NDArray[np.float32]]:
    """Probabilities of the disc, with soft edges and random errors of low frequency."""
    random = np.random.default_rng(4)
    probabilities = []
    for x in positions:
        exact = cv2.GaussianBlur(disc(x).astype(np.float32), (0, 0), 2)
        error = cv2.resize(random.normal(0.0, jitter, (12, 16)).astype(np.float32), (WIDTH, HEIGHT))
        probabilities.append(np.clip(exact + error, 0, 1).astype(np.float32))
    return probabilities
