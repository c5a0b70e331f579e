"""The blur that all effects share."""

from __future__ import annotations

import math

import cv2
import numpy as np
import pytest

from bodypix.drawing.blur import blur, box_kernel, coverage


def reference(image: np.ndarray, sigma: float, border: str) -> np.ndarray:
    """A Gaussian in floating point, out to 5 sigma."""
    margin = math.ceil(5 * sigma)
    pad = ((margin, margin), (margin, margin), (0, 0))
    wide = np.pad(image, pad, mode="reflect" if border == "reflect" else "constant")
    side = 2 * margin + 1
    blurred = cv2.GaussianBlur(wide.astype(np.float32), (side, side), sigma)
    return blurred[margin:-margin, margin:-margin]


@pytest.mark.parametrize("border", ["reflect", "transparent"])
@pytest.mark.parametrize("sigma", [0.7, 3, 5.9, 6.1, 8, 12.1, 20, 49])
def test_is_a_gaussian(image, sigma, border) -> None:
    difference = np.abs(blur(image, sigma, border) - reference(image, sigma, border))
    assert difference.max() < 3
    assert difference.mean() < 0.8


@pytest.mark.parametrize("size", [(1, 1), (1, 50), (2, 3), (17, 5)])
@pytest.mark.parametrize("sigma", [0.3, 4, 10, 250])
def test_a_reflecting_border_keeps_brightness(size, sigma) -> None:
    blurred = blur(np.full((*size, 3), 200, np.uint8), sigma, "reflect")
    assert blurred.shape == (*size, 3)
    assert np.abs(blurred.astype(int) - 200).max() <= 1


def test_no_blur_is_the_image_itself(image) -> None:
    assert blur(image, 0, "reflect") is image


@pytest.mark.parametrize("kernel", ["gaussian", "boxes"])
@pytest.mark.parametrize("sigma", [0, 1, 3, 10])
def test_coverage_is_the_blur_of_an_opaque_image(sigma, kernel) -> None:
    opaque = np.full((40, 50), 255, np.uint8)
    difference = coverage(40, 50, sigma, kernel).astype(int) - blur(
        opaque, sigma, "transparent", kernel
    )
    assert np.abs(difference).max() <= 2


def test_coverage_at_the_border_as_the_original_has_it() -> None:
    alpha = coverage(100, 100, 3)
    assert alpha[0, 0] == 82
    assert abs(int(alpha[0, 50]) - 145) <= 1
    assert alpha[50, 50] == 255


@pytest.mark.parametrize(("sigma", "window"), [(0.1, 1), (2, 4), (3, 6), (6, 11), (10, 19)])
def test_box_kernel(sigma, window) -> None:
    taps = box_kernel(sigma)
    boxes = [window, window, window if window % 2 else window + 1]
    assert len(taps) == sum(boxes) - 2
    assert taps.sum() == pytest.approx(1)
    np.testing.assert_allclose(taps, taps[::-1])
    places = np.arange(len(taps)) - (len(taps) - 1) / 2
    assert (taps * places**2).sum() == pytest.approx(sum((n * n - 1) / 12 for n in boxes))
