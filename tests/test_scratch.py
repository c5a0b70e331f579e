"""Memory that is used again."""

from __future__ import annotations

import gc
import threading

import numpy as np
import pytest

from bodypix import scratch
from bodypix.scratch import SCRATCH, Scratch, recycled


def test_a_name_keeps_its_memory() -> None:
    first = SCRATCH.array("test", (100, 7), np.float32)
    first[:] = 3
    again = SCRATCH.array("test", (100, 7), np.float32)
    assert np.shares_memory(first, again)
    smaller = SCRATCH.array("test", (5, 5), np.float32)
    assert smaller.shape == (5, 5)
    assert smaller.dtype == np.float32
    assert smaller.flags.c_contiguous
    assert np.shares_memory(first, smaller)
    assert not np.shares_memory(first, SCRATCH.array("other", (100, 7), np.float32))


def test_a_name_grows() -> None:
    mine = Scratch()
    small = mine.array("test", (10,), np.uint8)
    large = mine.array("test", (1000,), np.uint8)
    assert large.size == 1000
    assert np.shares_memory(mine.array("test", (10,), np.uint8), large)
    assert not np.shares_memory(small, large)


def test_large_arrays_are_not_kept() -> None:
    first = SCRATCH.array("large", (9 << 20,), np.uint8)
    assert not np.shares_memory(first, SCRATCH.array("large", (9 << 20,), np.uint8))


def test_many_shapes_do_not_pile_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(scratch, "_MOST_SHAPES", 5)
    mine = Scratch()
    for size in range(50, 0, -1):
        assert mine.array("test", (size,), np.uint8).shape == (size,)
    assert len(mine._arrays) <= 5


def test_every_thread_has_its_own() -> None:
    mine = SCRATCH.array("test", (50,), np.uint8)
    shared: list[bool] = []

    def look() -> None:
        shared.append(np.shares_memory(mine, SCRATCH.array("test", (50,), np.uint8)))

    thread = threading.Thread(target=look)
    thread.start()
    thread.join()
    assert shared == [False]


def test_recycled_memory_comes_back_when_nobody_holds_it() -> None:
    size = (321, 1003)
    first = recycled(size, np.uint8)
    assert first.flags.c_contiguous
    assert first.flags.writeable
    address = first.ctypes.data
    second = recycled(size, np.uint8)
    assert not np.shares_memory(first, second)
    view = first[10:20]
    del first
    gc.collect()
    assert recycled(size, np.uint8).ctypes.data != address  # the view still holds it
    del view
    gc.collect()
    addresses = set()
    held = [recycled(size, np.uint8) for _ in range(3)]
    addresses.update(array.ctypes.data for array in held)
    assert address in addresses


def test_recycled_arrays_behave_like_others() -> None:
    array = recycled((300, 400), np.int32)
    array.fill(-1)
    assert array.dtype == np.int32
    assert array.shape == (300, 400)
    assert array.sum() == -120000
    copy = array.copy()
    array[0, 0] = 5
    assert copy[0, 0] == -1


def test_little_is_kept() -> None:
    for size in range(100_000, 100_100):
        recycled((size,), np.uint8)
    gc.collect()
    assert len(scratch._RETURNED) <= scratch._MOST_RECYCLED
    assert recycled((10,), np.uint8).base is None
    assert recycled((9 << 20,), np.uint8).base is None
