"""A small made-up scene, so that these tests need no file."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from bodypix.results import PartSegmentation, PersonSegmentation

HEIGHT, WIDTH = 48, 65


@pytest.fixture(scope="session")
def image() -> NDArray[np.uint8]:
    """(48, 65, 3) uint8: smooth colours with some grain; odd width, so flips have a middle."""
    random = np.random.default_rng(1)
    smooth = cv2.resize(random.integers(0, 256, (5, 7, 3), np.uint8), (WIDTH, HEIGHT))
    picture: NDArray[np.uint8] = cv2.add(smooth, random.integers(0, 9, smooth.shape, np.uint8))
    picture.flags.writeable = False
    return picture


@pytest.fixture(scope="session")
def mask() -> NDArray[np.uint8]:
    """(48, 65) uint8 0/1: an ellipse off the middle."""
    picture = np.zeros((HEIGHT, WIDTH), np.uint8)
    cv2.ellipse(picture, (25, 24), (14, 20), 10, 0, 360, 1, cv2.FILLED)
    picture.flags.writeable = False
    return picture


@pytest.fixture(scope="session")
def person(mask: NDArray[np.uint8]) -> PersonSegmentation:
    """The ellipse as a person, with a probability."""
    return PersonSegmentation(
        mask, probability=cv2.GaussianBlur(mask.astype(np.float32), (0, 0), 2)
    )


@pytest.fixture(scope="session")
def parts(mask: NDArray[np.uint8]) -> PartSegmentation:
    """The ellipse in 24 stripes: every part is there."""
    stripes = (np.arange(HEIGHT) - 4).clip(0, 39)[:, None] * 24 // 40
    return PartSegmentation(np.where(mask > 0, stripes, -1).astype(np.int32))
