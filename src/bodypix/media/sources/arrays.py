"""Frames that the caller already has, or makes as they are asked for."""

from __future__ import annotations

from collections.abc import Generator, Iterable, Sized
from fractions import Fraction
from itertools import chain

import numpy as np
from numpy.typing import NDArray

from bodypix.errors import MediaError
from bodypix.images import to_rgb
from bodypix.media.frames import Frame
from bodypix.media.sources.base import BaseSource


class ArraySource(BaseSource):
    """Pictures from any iterable; the next one is fetched only when it is asked for.

    Args:
        pictures: (H, W, 3) uint8 RGB arrays (and what else `bodypix.images.to_rgb` takes), or
            `Frame`s, which keep their times; all of one size. The first is fetched at once.
        rate: frames a second of pictures that are no `Frame`s.

    Raises:
        MediaError: there are no pictures, or (while looping) one differs in size from the first.
    """

    def __init__(
        self, pictures: Iterable[NDArray[np.uint8] | Frame], *, rate: Fraction = Fraction(30)
    ) -> None:
        self.name = "pictures"
        self.rate = rate
        self.count = len(pictures) if isinstance(pictures, Sized) else None
        iterator = iter(pictures)
        first = next(iterator, None)
        if first is None:
            raise MediaError("source: expected at least one picture, got none.")
        self._pictures = chain([first], iterator)
        height, width = self._frame(first, 0).image.shape[:2]
        self.size = (width, height)

    def _frames(self) -> Generator[Frame, None, None]:
        for index, picture in enumerate(self._pictures):
            if self._closed:
                return
            frame = self._frame(picture, index)
            height, width = frame.image.shape[:2]
            if (width, height) != self.size:
                raise MediaError(
                    f"source: expected pictures of one size, {self.size[0]}x{self.size[1]} as the "
                    f"first; picture {index} is {width}x{height}. Resize it."
                )
            yield frame

    def _frame(self, picture: NDArray[np.uint8] | Frame, index: int) -> Frame:
        if isinstance(picture, Frame):
            return picture
        assert self.rate is not None
        return Frame(to_rgb(picture), index, index / self.rate, 1 / self.rate)

    def _release(self) -> None:
        pass  # the iterable is the caller's
