"""Lists of samples that are read when they are drawn and kept while memory lasts."""

from __future__ import annotations

import logging
import os
import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any, Generic, Protocol, TypeVar, overload

import cv2

from .sample import Sample

log = logging.getLogger(__name__)

CGROUP_LIMIT = Path("/sys/fs/cgroup/memory.max")
UNKNOWN_MEMORY = 8 << 30


class HasBytes(Protocol):
    """What takes memory: a sample, an array."""

    @property
    def nbytes(self) -> int: ...


T = TypeVar("T", bound=HasBytes)


class Budget:
    """How many bytes of pictures and labels may be kept, all lists of a process together."""

    def __init__(self, limit: int) -> None:
        self.left = limit
        self._lock = threading.Lock()

    def take(self, size: int) -> bool:
        """Whether ``size`` bytes more may be kept; if so they are counted."""
        with self._lock:
            if size > self.left:
                return False
            self.left -= size
            return True


def default_budget() -> Budget:
    """Half of the memory that this machine (or container) has, shared by its training processes."""
    try:
        memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (AttributeError, ValueError, OSError):  # not on Windows
        memory = UNKNOWN_MEMORY
    if CGROUP_LIMIT.exists() and (limit := CGROUP_LIMIT.read_text().strip()) != "max":
        memory = min(memory, int(limit))
    return Budget(memory // 2 // int(os.environ.get("LOCAL_WORLD_SIZE", "1")))


class _Slot(Generic[T]):
    """One entry and, once it was read and there was room, what was read."""

    __slots__ = ("bad", "entry", "item")

    def __init__(self, entry: Any) -> None:
        self.entry = entry
        self.item: T | None = None
        self.bad = False


class LazyList(Sequence[T]):
    """What ``read`` makes of ``entries``, one by one, when they are asked for.

    What was read stays in memory until ``budget`` is used up; the rest is read anew each time.
    Nothing is thrown out for something else: draws are even, so no choice would hit more often.
    An entry that ``read`` fails on (ValueError, OSError, OpenCV's error) is named in the log
    once, and the next good one stands in for it, so that indices and the length stay. Several
    threads may read.

    ``exact`` says that the samples are good enough to cut their people out.
    """

    def __init__(
        self,
        name: str,
        entries: Iterable[Any],
        read: Callable[[Any], T],
        budget: Budget,
        *,
        exact: bool = False,
    ) -> None:
        self.name, self.exact = name, exact
        self._read, self._budget = read, budget
        self._lock = threading.Lock()
        self._slots: list[_Slot[T]] = [_Slot(entry) for entry in entries]

    def __len__(self) -> int:
        return len(self._slots)

    @overload
    def __getitem__(self, index: int) -> T: ...
    @overload
    def __getitem__(self, index: slice) -> list[T]: ...
    def __getitem__(self, index: int | slice) -> T | list[T]:
        """Raises IndexError beyond the end, ValueError if no entry can be read."""
        if isinstance(index, slice):
            return [self[i] for i in range(*index.indices(len(self)))]
        item = self._get(self._slots[index])
        for step in range(1, len(self)):
            if item is not None:
                break
            item = self._get(self._slots[(index + step) % len(self)])
        if item is None:
            raise ValueError(f"{self.name}: none of its pictures can be used, see the log")
        return item

    def __iter__(self) -> Iterator[T]:
        """Everything that can be read, in order."""
        return (item for slot in self._slots if (item := self._get(slot)) is not None)

    def _get(self, slot: _Slot[T]) -> T | None:
        """The item of a slot, None if it cannot be read."""
        if slot.item is not None or slot.bad:
            return slot.item
        try:
            item = self._read(slot.entry)
        except (ValueError, OSError, cv2.error) as error:
            with self._lock:
                if not slot.bad:
                    log.warning("%s, left out", error)
                slot.bad = True
            return None
        with self._lock:
            if slot.item is None and self._budget.take(item.nbytes):
                slot.item = item
        return item


def exact_ones(samples: Sequence[Sample]) -> Sequence[int]:
    """Indices of the samples that are good enough to cut their people out."""
    if isinstance(samples, LazyList):  # whose samples are not to be read for that
        return range(len(samples)) if samples.exact else ()
    return [i for i, sample in enumerate(samples) if sample.exact]


def name_some(paths: Sequence[object], count: int = 3) -> str:
    """The first few of many, for a message."""
    names = ", ".join(str(path) for path in paths[:count])
    return names if len(paths) <= count else f"{names} and {len(paths) - count} more"
