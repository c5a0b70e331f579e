"""The matte: closer to a known alpha than the probability, and safe where there is no edge."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from bodypix.drawing import refine_alpha
from bodypix.errors import ImageError, InvalidArgumentError

SIZE = (240, 320)


def fuzzy_scene(seed: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """An image, its true alpha (a head with strands of hair), a network's coarse probability."""
    random = np.random.default_rng(seed)
    front, back = (
        cv2.resize(random.integers(low, low + 90, (4, 5, 3), np.uint8), SIZE[::-1])
        for low in (10, 140)
    )
    large = np.zeros((SIZE[0] * 2, SIZE[1] * 2), np.uint8)
    cv2.ellipse(large, (320, 300), (150, 190), 0, 0, 360, 255, cv2.FILLED, cv2.LINE_AA)
    for angle in random.uniform(np.pi, 2 * np.pi, 60):
        way = np.array([np.cos(angle), np.sin(angle)])
        start = np.array([320, 300]) + way * (145, 185)
        end = start + way * random.uniform(15, 50) + random.normal(0, 8, 2)
        cv2.line(large, start.astype(int).tolist(), end.astype(int).tolist(), 255, 3, cv2.LINE_AA)
    alpha = cv2.resize(large, SIZE[::-1], interpolation=cv2.INTER_AREA).astype(np.float32) / 255
    share = alpha[..., None]
    image = np.rint(front * share + back * (1 - share) + random.normal(0, 2, (*SIZE, 3)))
    grid = cv2.resize(alpha, (SIZE[1] // 8, SIZE[0] // 8), interpolation=cv2.INTER_AREA)
    grid = 1 / (1 + np.exp(-8 * (grid - 0.5) + random.normal(0, 0.3, grid.shape)))
    probability = cv2.resize(grid.astype(np.float32), SIZE[::-1])
    return np.clip(image, 0, 255).astype(np.uint8), alpha, probability


@pytest.mark.parametrize("seed", range(4))
def test_it_comes_closer_to_the_truth(seed) -> None:
    image, alpha, probability = fuzzy_scene(seed)
    mask = (alpha > 0.5).astype(np.uint8)
    kernel = np.ones((25, 25), np.uint8)
    band = cv2.dilate(mask, kernel) > cv2.erode(mask, kernel)

    def error(matte: np.ndarray) -> float:
        return float(np.abs(matte - alpha)[band].mean())

    ramp = np.clip((probability - 0.2) / 0.6, 0, 1)
    assert error(refine_alpha(probability, image)) < 0.65 * min(error(probability), error(ramp))


def test_flat_pictures_keep_the_edge_of_the_probability() -> None:
    _, _, probability = fuzzy_scene(0)
    grey = np.full((*SIZE, 3), 128, np.uint8)
    matte = refine_alpha(probability, grey)
    assert ((matte > 0.5) == (probability > 0.5)).mean() > 0.97


@pytest.mark.parametrize("threshold", [0.1, 0.5, 0.9])
@pytest.mark.parametrize("level", [0, 1])
def test_nobody_and_everybody(level, threshold, image) -> None:
    probability = np.full(image.shape[:2], level, np.float32)
    np.testing.assert_allclose(refine_alpha(probability, image, threshold), level, atol=1e-3)


def test_where_the_network_is_sure_there_are_no_holes() -> None:
    """A spot on the person that has the wall's colour stays theirs."""
    image = np.full((*SIZE, 3), 220, np.uint8)
    image[:, :160] = (60, 40, 30)
    image[100:112, 120:132] = 220
    probability = np.zeros(SIZE, np.float32)
    probability[:, :160] = 1.0
    matte = refine_alpha(cv2.GaussianBlur(probability, (0, 0), 4), image)
    assert matte[100:112, 120:132].min() > 0.99


def test_inside_and_outside_stay_sure() -> None:
    image, alpha, probability = fuzzy_scene(1)
    matte = refine_alpha(probability, image)
    assert matte.dtype == np.float32
    assert 0 <= matte.min() <= matte.max() <= 1
    inside = cv2.erode(alpha, np.ones((61, 61))) == 1
    outside = cv2.dilate(alpha, np.ones((61, 61))) == 0
    assert matte[inside].min() > 0.9
    assert matte[outside].max() < 0.1


def test_a_higher_threshold_takes_less() -> None:
    image, _, probability = fuzzy_scene(2)
    sizes = [refine_alpha(probability, image, threshold).sum() for threshold in (0.3, 0.5, 0.7)]
    assert sizes[0] > sizes[1] > sizes[2]


@pytest.mark.parametrize("size", [(1, 1), (2, 30), (500, 3), (121, 121)])
def test_any_size(size) -> None:
    image = np.random.default_rng(0).integers(0, 256, (*size, 3), np.uint8)
    assert refine_alpha(np.full(size, 0.8, np.float32), image).shape == size


def test_arguments_are_left_alone() -> None:
    image, _, probability = fuzzy_scene(3)
    before = image.copy(), probability.copy()
    first = refine_alpha(probability, image)
    np.testing.assert_array_equal(refine_alpha(probability, image), first)
    np.testing.assert_array_equal(image, before[0])
    np.testing.assert_array_equal(probability, before[1])


def test_refusals(image) -> None:
    probability = np.zeros(image.shape[:2], np.float32)
    with pytest.raises(InvalidArgumentError, match=r"probability: expected float32 .* uint8"):
        refine_alpha(probability.astype(np.uint8), image)
    with pytest.raises(InvalidArgumentError, match="probability: expected the size of the image"):
        refine_alpha(probability[1:], image)
    with pytest.raises(InvalidArgumentError, match="threshold: expected"):
        refine_alpha(probability, image, 1.5)
    with pytest.raises(InvalidArgumentError, match=r"threshold: expected a number .* got 'half'"):
        refine_alpha(probability, image, "half")
    with pytest.raises(InvalidArgumentError, match=r"probability: expected float32 .* int64"):
        refine_alpha([[0, 1]], image)
    with pytest.raises(ImageError, match="image: expected"):
        refine_alpha(probability, image[..., 0])
