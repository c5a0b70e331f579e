"""Segmenters of what stands out: where they are asked and when they are believed."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from bodypix_train.outlines import from_folder, largest, refine

PERSON = np.zeros((60, 80), np.float32)
PERSON[20:50, 30:60] = 0.75
PERSON[0:4, 0:4] = 1.0  # somebody small


class Painter:
    """Finds the red of a picture, grown by ``more`` rows at the bottom."""

    def __init__(self, more: int = 0) -> None:
        self.more = more
        self.seen: list[tuple[int, ...]] = []

    def person(self, image: NDArray[np.uint8], size: tuple[int, int]) -> NDArray[np.float32]:
        self.seen.append(image.shape)
        half = image[::2, ::2, 0].astype(np.float32) / 255
        assert half.shape == size
        rows = np.flatnonzero(half.any(axis=1))
        if len(rows):
            half[rows[-1] + 1 : rows[-1] + 1 + self.more] = half[rows[-1]]
        return half


@pytest.fixture
def photo() -> NDArray[np.uint8]:
    photo = np.zeros((120, 160, 3), np.uint8)
    photo[40:100, 60:120, 0] = 255
    return photo


def test_they_are_shown_the_largest_person_with_a_margin() -> None:
    assert largest(PERSON) == (18, 8, 72, 60)
    assert largest(PERSON * 0) is None
    small = np.zeros_like(PERSON)
    small[10:20, 10:29] = 1  # less than a twenty-fifth
    assert largest(small) is None


def test_who_agrees_has_a_voice(photo: NDArray[np.uint8]) -> None:
    teachers = [Painter(), Painter(more=4)]
    found = refine(photo, PERSON, teachers)  # type: ignore[arg-type]
    assert [teacher.seen for teacher in teachers] == [[(104, 108, 3)]] * 2
    assert found[30, 40] == pytest.approx((0.75 + 1) / 2)
    assert found[52, 40] == pytest.approx(0.5 / 2)  # one of the two
    assert found[56, 40] == 0
    assert found[2, 2] == 1  # not asked about: as it was


def test_who_sees_something_else_is_not_believed(photo: NDArray[np.uint8]) -> None:
    found = refine(photo, PERSON, [Painter(more=10), Painter()])  # type: ignore[arg-type]
    assert found[30, 40] == pytest.approx((0.75 + 0.5) / 1.5)
    assert found[52, 40] == 0
    nobody = refine(photo[::-1] * 0, PERSON, [Painter()])  # type: ignore[arg-type]
    assert np.array_equal(nobody, PERSON)


def test_without_them_nothing_changes(photo: NDArray[np.uint8], tmp_path: Path) -> None:
    assert from_folder(tmp_path) == []
    assert np.array_equal(refine(photo, PERSON, []), PERSON)
