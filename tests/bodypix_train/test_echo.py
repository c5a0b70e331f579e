"""Batches that are learned from more than once."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from itertools import count, islice

import pytest

from bodypix_train.datasets.echo import echoed
from bodypix_train.schedule import Schedule


def test_once_is_the_stream_itself() -> None:
    assert list(echoed(range(5), 1, 0)) == list(range(5))


@pytest.mark.parametrize("times", [2, 3])
def test_as_often_as_asked_and_not_at_once(times: int) -> None:
    drawn = list(islice(echoed(count(), times, 0, pool=10), 3000))
    assert drawn[:10] == list(range(10))
    assert 3000 / times < len(set(drawn)) < 3000 / times + 11
    assert max(Counter(drawn).values()) == times
    for number in range(0, 900, 100):
        first = drawn.index(number)
        assert number not in drawn[first + 1 : first + 4 * times]


def test_same_seed_same_order() -> None:
    first, again, other = (list(islice(echoed(count(), 3, seed), 200)) for seed in (1, 1, 2))
    assert first == again
    assert first != other


def test_nothing_is_made_before_it_is_needed() -> None:
    made: list[int] = []
    fresh = (made.append(number) or number for number in count())
    list(islice(echoed(fresh, 3, 0, pool=4), 30))
    assert len(made) <= 30 / 3 + 4


def test_schedule_knows_no_echo_below_one() -> None:
    schedule = Schedule(steps=1)
    assert schedule.echo == 1
    with pytest.raises(ValueError, match=r"schedule\.echo: expected .* from 1, got 0"):
        replace(schedule, echo=0)
