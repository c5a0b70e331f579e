"""Backgrounds that stand still, and films played over and over."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from typing import Any

import numpy as np
import pytest

from bodypix.errors import MediaError
from bodypix.media import backdrops
from bodypix.media.backdrops import Backdrop, FilmBackdrop
from helpers.fake_media import FakeSource, frame


class Film(FakeSource):
    """Frames whose grey is their number, 1/25 s each, that begin at 2 s."""

    def __iter__(self) -> Iterator[Any]:
        for index in range(self.count or 0):
            one = frame(index, level=index)
            yield type(one)(one.image, index, one.time + 2, one.duration)


@pytest.fixture
def films(monkeypatch: pytest.MonkeyPatch) -> list[Film]:
    """The films that were opened, of four frames each."""
    opened: list[Film] = []

    def open_source(_: object) -> Film:
        opened.append(Film(4))
        return opened[-1]

    monkeypatch.setattr(backdrops, "open_source", open_source)
    return opened


def shown(backdrop: Backdrop, *times: Fraction | int) -> list[int]:
    """The greys at these times."""
    pictures = [backdrop.at(Fraction(time)) for time in times]
    return [int(np.asarray(picture)[0, 0, 0]) for picture in pictures]


def test_a_colour_stays() -> None:
    with Backdrop("#00ff00") as backdrop:
        assert backdrop.at(Fraction(0)) == backdrop.at(Fraction(1000)) == "#00ff00"


def test_a_film_plays_at_its_own_speed_and_again(films: list[Film]) -> None:
    with FilmBackdrop("beach.mp4") as backdrop:
        times = [Fraction(7) + Fraction(place, 50) for place in range(20)]
        assert shown(backdrop, *times) == [0, 0, 1, 1, 2, 2, 3, 3] * 2 + [0, 0, 1, 1]
    assert len(films) == 3
    assert all(film.closed for film in films)


def test_moments_may_be_left_out(films: list[Film]) -> None:
    with FilmBackdrop("beach.mp4") as backdrop:
        assert shown(backdrop, 0, Fraction(3, 25), Fraction(401, 100)) == [0, 3, 0]
    assert all(film.closed for film in films)


def test_no_film() -> None:
    with pytest.raises(MediaError, match="no such file"):
        FilmBackdrop("nowhere.mp4")
