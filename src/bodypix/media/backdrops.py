"""What stands behind people: a colour, a picture, or a film that is played over and over."""

from __future__ import annotations

import os
from collections.abc import Generator
from contextlib import AbstractContextManager
from fractions import Fraction
from types import TracebackType

import numpy as np
from numpy.typing import NDArray

from bodypix.media.effects import Background
from bodypix.media.sources import open_source


class Backdrop(AbstractContextManager["Backdrop"]):
    """The background at a moment: `backdrop.at(frame.time)`.

    Args:
        background: a colour or an (H, W, 3) uint8 RGB picture, the same at all times.
    """

    def __init__(self, background: Background) -> None:
        self._background = background

    def at(self, time: Fraction) -> Background:
        """The background at a time in seconds, which never goes back from call to call."""
        return self._background

    def close(self) -> None:
        """Let go of files."""

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()


class FilmBackdrop(Backdrop):
    """A film from its beginning, at its own speed, and again from the beginning at its end.

    Args:
        path: of a video or an animation.

    Raises:
        MediaError: it cannot be opened.
    """

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self._film = _endless(path)
        _, first = next(self._film)
        super().__init__(first)
        self._next = next(self._film)
        self._start: Fraction | None = None

    def at(self, time: Fraction) -> Background:
        """See `Backdrop`; reads the film as far as that."""
        if self._start is None:
            self._start = time
        while self._next[0] <= time - self._start:
            self._background = self._next[1]
            self._next = next(self._film)
        return self._background

    def close(self) -> None:
        """Close the film."""
        self._film.close()


def _endless(
    path: str | os.PathLike[str],
) -> Generator[tuple[Fraction, NDArray[np.uint8]], None, None]:
    """Pictures of a film and when they appear, in seconds from the first of them, for ever."""
    begin = Fraction(0)
    while True:
        with open_source(path) as source:
            usual = 1 / (source.rate or Fraction(25))
            first: Fraction | None = None
            for frame in source:
                first = frame.time if first is None else first
                appears = begin + frame.time - first
                yield appears, frame.image
                end = appears + (frame.duration or usual)
        begin = end
