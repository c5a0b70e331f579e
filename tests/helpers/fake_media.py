"""Sources and sinks that do what a test tells them, without files or devices."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from fractions import Fraction
from types import TracebackType

import numpy as np

from bodypix.media.frames import Frame

RATE = Fraction(25)
PATIENCE = 20.0
"""Seconds until a wait in a test counts as a hang."""


def frame(index: int, level: int = 0) -> Frame:
    """A small picture of one grey level, at its time in a source of 25 frames a second."""
    image = np.full((4, 6, 3), level, np.uint8)
    return Frame(image, index, index / RATE, 1 / RATE)


class FakeSource:
    """Frames 0 to `count` - 1; `before` is called with the number of each before it comes."""

    name = "fake"
    size = (6, 4)
    rate: Fraction | None = RATE
    problem: str | None = None

    def __init__(
        self, count: int, *, live: bool = False, before: Callable[[int], object] = lambda _: None
    ) -> None:
        self.count: int | None = count
        self.live = live
        self.closed = 0
        self.given: list[int] = []
        self.threads: set[int] = set()
        self._before = before

    def __iter__(self) -> Iterator[Frame]:
        for index in range(self.count or 0):
            self.threads.add(threading.get_ident())
            self._before(index)
            self.given.append(index)
            yield frame(index)

    def close(self) -> None:
        self.closed += 1

    def __enter__(self) -> FakeSource:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()


class FakeSink:
    """Keeps the numbers of its frames; `before` is called with each before it is written."""

    name = "fake sink"
    alpha = False

    def __init__(self, *, before: Callable[[int], object] = lambda _: None) -> None:
        self.written: list[int] = []
        self.threads: set[int] = set()
        self.end: str | None = None
        self._before = before

    def write(self, frame: Frame) -> None:
        self._before(frame.index)
        self.threads.add(threading.get_ident())
        self.written.append(frame.index)

    def close(self) -> None:
        self.end = self.end or "closed"

    def abort(self) -> None:
        self.end = self.end or "aborted"

    def __enter__(self) -> FakeSink:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close() if kind is None else self.abort()
