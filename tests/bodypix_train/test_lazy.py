"""Samples are read when drawn, kept while there is room, and left out when they are bad."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

from bodypix_train.datasets import lazy
from bodypix_train.datasets.lazy import Budget, LazyList, default_budget
from bodypix_train.datasets.mixture import Mixture
from bodypix_train.datasets.plan import Augmentation

from .conftest import person_sample


class Shelf:
    """Ten arrays of 100 bytes, full of their number; counts how often each was read."""

    def __init__(self, bad: tuple[int, ...] = ()) -> None:
        self.reads, self.bad = [0] * 10, bad

    def __call__(self, entry: int) -> np.ndarray:
        self.reads[entry] += 1
        if entry in self.bad:
            raise ValueError(f"{entry}.png: unreadable picture")
        return np.full(100, entry, np.uint8)

    def list(self, budget: int) -> LazyList[np.ndarray]:
        return LazyList("shelf", range(10), self, Budget(budget))


def test_nothing_is_read_before_it_is_asked_for() -> None:
    shelf = Shelf()
    items = shelf.list(10**6)
    assert len(items) == 10
    assert sum(shelf.reads) == 0
    assert items[7][0] == 7
    assert items[-1][0] == 9
    assert [item[0] for item in items[2:5]] == [2, 3, 4]
    assert shelf.reads == [0, 0, 1, 1, 1, 0, 0, 1, 0, 1]


def test_what_has_room_stays_and_the_rest_is_read_anew() -> None:
    shelf = Shelf()
    items = shelf.list(350)
    for _ in range(4):
        assert [item[0] for item in items] == list(range(10))
    assert shelf.reads == [1] * 3 + [4] * 7


def test_lists_share_their_room() -> None:
    budget = Budget(300)
    first, second = Shelf(), Shelf()
    lists = [LazyList("shelf", range(2), read, budget) for read in (first, second)]
    for _ in range(3):
        for items in lists:
            list(items)
    assert (first.reads[:2], second.reads[:2]) == ([1, 1], [1, 3])


def test_bad_ones_are_named_once_and_replaced(caplog: pytest.LogCaptureFixture) -> None:
    shelf = Shelf(bad=(4, 5, 9))
    items = shelf.list(0)
    for _ in range(2):
        assert [items[i][0] for i in range(10)] == [0, 1, 2, 3, 6, 6, 6, 7, 8, 0]
    assert [item[0] for item in items] == [0, 1, 2, 3, 6, 7, 8]
    assert [shelf.reads[i] for i in shelf.bad] == [1, 1, 1]
    assert [record.getMessage() for record in caplog.records] == [
        f"{i}.png: unreadable picture, left out" for i in (4, 5, 9)
    ]


def test_ends() -> None:
    items = Shelf(bad=tuple(range(10))).list(0)
    with pytest.raises(ValueError, match="shelf: none of its pictures can be used"):
        items[3]
    with pytest.raises(IndexError):
        items[10]


def test_several_threads_may_read(caplog: pytest.LogCaptureFixture) -> None:
    items = Shelf(bad=(3,)).list(500)
    numbers = [i % 10 for i in range(400)]
    with ThreadPoolExecutor(8) as pool:
        got = [int(item[0]) for item in pool.map(items.__getitem__, numbers)]
    assert got == [4 if i == 3 else i for i in numbers]
    assert len(caplog.records) == 1


def test_half_of_the_memory_for_all_processes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = default_budget().left
    monkeypatch.setenv("LOCAL_WORLD_SIZE", "4")
    assert default_budget().left == pytest.approx(whole / 4, abs=1)
    limit = tmp_path / "memory.max"
    monkeypatch.setattr(lazy, "CGROUP_LIMIT", limit)
    limit.write_text("80000\n")
    assert default_budget().left == 10000
    limit.write_text("max\n")
    assert default_budget().left > 10000


def test_a_mixture_reads_only_what_it_draws() -> None:
    read: list[int] = []

    def sample(entry: int):
        read.append(entry)
        return person_sample(str(entry))

    budget = Budget(10**9)
    people = LazyList("people", range(1000), sample, budget, exact=True)
    mixture = Mixture([(1.0, people)], Augmentation(paste_share=1.0))
    assert read == []
    rng = np.random.default_rng(0)
    for _ in range(3):
        mixture.draw(33, rng)
    assert len(read) == 6  # a picture, and somebody to put over it
    never = LazyList("photos", range(1000), sample, budget)
    assert Mixture([(1.0, never)]).cutouts == []
