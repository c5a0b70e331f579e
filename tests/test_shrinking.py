"""Averages of areas, whichever way they are worked out."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from bodypix.shrinking import grid_size, shrunk


@pytest.mark.parametrize(
    ("shape", "size"),
    [
        ((480, 640), (160, 120)),
        ((97, 61), (20, 31)),
        ((64, 64), (64, 64)),
        ((66, 66), (33, 33)),
        ((8, 500), (1, 1)),
    ],
)
@pytest.mark.parametrize("channels", [(), (3,)])
def test_means_of_areas(shape, size, channels) -> None:
    picture = np.random.default_rng(1).random((*shape, *channels), np.float32)
    small = shrunk(picture, size)
    expected = cv2.resize(picture, size, interpolation=cv2.INTER_AREA)
    np.testing.assert_allclose(small, expected, atol=1e-5)
    levels = shrunk((picture * 255).astype(np.uint8), size)
    assert levels.dtype == np.uint8
    assert np.abs(levels - expected * 255).max() <= 3


@pytest.mark.parametrize(("shape", "size"), [((432, 768), (160, 90)), ((500, 600), (77, 61))])
def test_other_ratios_are_close(shape, size) -> None:
    coarse = np.random.default_rng(2).random((9, 13), np.float32)
    picture = cv2.resize(coarse, shape[::-1], interpolation=cv2.INTER_CUBIC)
    expected = cv2.resize(picture, size, interpolation=cv2.INTER_AREA)
    np.testing.assert_allclose(shrunk(picture, size), expected, atol=0.02)


def test_the_answer_is_a_new_array() -> None:
    picture = np.zeros((4, 4), np.float32)
    shrunk(picture, (4, 4))[:] = 1
    assert not picture.any()


@pytest.mark.parametrize(
    ("height", "width", "size"),
    [
        (480, 640, (320, 240)),
        (720, 1280, (320, 180)),
        (100, 50, (50, 100)),
        (3000, 2, (1, 320)),
        (333, 500, (320, 213)),
    ],
)
def test_sizes_of_grids(height, width, size) -> None:
    assert grid_size(height, width, 320) == size
