"""The contour of `to_mask`, in closed form, against the scan that the original makes."""

from __future__ import annotations

import numpy as np
import pytest

from bodypix.drawing import to_mask
from bodypix.drawing.contours import contour

BACKGROUND, FOREGROUND, CYAN = (1, 2, 3, 4), (5, 6, 7, 8), (0, 255, 255, 255)
LETTERS = {BACKGROUND: "B", FOREGROUND: "F", CYAN: "C"}


def scan(masks: list[np.ndarray]) -> np.ndarray:
    """What the original does, literally: one pass over the pixels, strokes painted over later."""
    height, width = masks[0].shape
    drawn = np.zeros((height, width, 4), np.uint8)
    for row in range(height):
        for column in range(width):
            drawn[row, column] = BACKGROUND
            for mask in masks:
                if not mask[row, column]:
                    continue
                drawn[row, column] = FOREGROUND
                if not (1 <= row < height - 1 and 1 <= column < width - 1):
                    continue
                diagonals = [(row + y, column + x) for y in (-1, 1) for x in (-1, 1)]
                if any(not mask[place] for place in diagonals):
                    for place in diagonals:
                        drawn[place] = CYAN
    return drawn


def letters(drawn: np.ndarray) -> list[str]:
    return ["".join(LETTERS[tuple(pixel)] for pixel in row) for row in drawn.tolist()]


def test_a_block_of_three() -> None:
    mask = np.zeros((6, 7), np.uint8)
    mask[2:5, 2:5] = 1
    expected = ["BBBBBBB", "BCCCCCB", "BCFCFCB", "BCCCCCB", "BBFFFBB", "BBBBBBB"]
    assert letters(to_mask(mask, FOREGROUND, BACKGROUND, True)) == expected
    assert letters(scan([mask])) == expected


@pytest.mark.parametrize("seed", range(60))
def test_random_masks_against_the_scan(seed: int) -> None:
    random = np.random.default_rng(seed)
    size = tuple(random.integers(1, 12, 2))
    share = random.choice([0.1, 0.5, 0.8, 0.95])
    masks = [(random.random(size) < share).astype(np.uint8) for _ in range(random.integers(1, 4))]
    drawn = to_mask(masks, FOREGROUND, BACKGROUND, True)
    np.testing.assert_array_equal(drawn, scan(masks))


@pytest.mark.parametrize("size", [(1, 1), (1, 9), (9, 1), (2, 2), (2, 9)])
def test_too_small_for_an_outline(size: tuple[int, int]) -> None:
    assert not contour(np.ones(size, np.uint8)).any()
