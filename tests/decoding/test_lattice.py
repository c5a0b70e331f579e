"""Painting with the nearest: the same as asking for every pixel, with far fewer questions."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from bodypix.decoding.lattice import SPACINGS, paint_nearest

Sites = list[tuple[float, float]]


class FromSites:
    """Squared distances to some points, after a constant first candidate; counts what is asked."""

    def __init__(self, sites: Sites, limit: float = 1e6) -> None:
        self._sites, self._limit, self.asked = sites, limit, 0

    def __call__(self, rows: NDArray[np.intp], columns: NDArray[np.intp]) -> NDArray[np.float32]:
        self.asked += len(rows)
        squares = [(rows - y) ** 2 + (columns - x) ** 2 for y, x in self._sites]
        return np.stack([np.full(len(rows), self._limit), *squares]).astype(np.float32)


def everywhere(shape: tuple[int, int], distances: FromSites) -> NDArray[np.intp]:
    rows, columns = np.indices(shape).reshape(2, -1)
    return distances(rows, columns).argmin(axis=0).reshape(shape) - 1


@pytest.mark.parametrize("shape", [(1, 1), (1, 40), (16, 16), (17, 33), (120, 160), (97, 203)])
def test_straight_borders_are_exact(shape: tuple[int, int]) -> None:
    # Differences of squared distances are linear, so that interpolation changes nothing.
    random = np.random.default_rng(sum(shape))
    sites: Sites = [tuple(random.random(2) * shape) for _ in range(3)]
    distances = FromSites(sites)
    mask = np.ones(shape, dtype=np.uint8)
    painted = paint_nearest(mask, [-1, 0, 1, 2], distances)
    assert painted.dtype == np.int8
    assert painted.shape == shape
    np.testing.assert_array_equal(painted, everywhere(shape, distances))


def test_curved_borders_are_within_a_pixel() -> None:
    distances = FromSites([(60.0, 80.0)], limit=45.0**2)
    mask = np.ones((120, 160), dtype=np.uint8)
    painted = paint_nearest(mask, [-1, 0], distances)
    wrong = painted != everywhere(mask.shape, distances)
    assert wrong.mean() < 0.002
    rows, columns = np.nonzero(wrong)
    assert np.all(np.abs(np.hypot(rows - 60, columns - 80) - 45) < 1.0)


def test_only_the_mask_is_painted_and_few_pixels_are_asked() -> None:
    mask = np.zeros((480, 640), dtype=np.uint8)
    mask[100:300, 200:500] = 1
    distances = FromSites([(200.0, 250.0), (220.0, 430.0)])
    painted = paint_nearest(mask, [-1, 0, 1], distances)
    assert distances.asked < mask.sum() / 50
    np.testing.assert_array_equal(painted == -1, mask == 0)
    expected = everywhere(mask.shape, distances)
    np.testing.assert_array_equal(painted[mask == 1], expected[mask == 1])


def test_an_empty_mask_asks_nothing() -> None:
    distances = FromSites([(1.0, 1.0)])
    painted = paint_nearest(np.zeros((50, 70), dtype=np.uint8), [-1, 0], distances)
    assert distances.asked == 0
    assert np.all(painted == -1)


def test_single_pixels_of_a_mask_are_found() -> None:
    mask = np.zeros((3 * SPACINGS[0], 2 * SPACINGS[0]), dtype=np.uint8)
    mask[[0, 20, 47], [0, 31, 47]] = 255
    painted = paint_nearest(mask, [-1, 5], FromSites([(0.0, 0.0)]))
    np.testing.assert_array_equal(painted, np.where(mask, 5, -1))


def test_values_beyond_a_byte() -> None:
    mask = np.ones((20, 20), dtype=np.uint8)
    assert np.all(paint_nearest(mask, [-1, 300], FromSites([(0.0, 0.0)])) == 300)


def test_the_first_of_equals_wins() -> None:
    mask = np.ones((20, 20), dtype=np.uint8)
    assert np.all(paint_nearest(mask, [-1, 0, 1], FromSites([(3.0, 3.0), (3.0, 3.0)])) == 0)


def test_a_mask_that_is_a_view() -> None:
    mask = np.zeros((100, 200), dtype=np.uint8)
    mask[::2, ::2] = 1
    view = mask[:, ::-1]
    painted = paint_nearest(view, [-1, 0], FromSites([(0.0, 0.0)]))
    np.testing.assert_array_equal(painted == 0, view == 1)
