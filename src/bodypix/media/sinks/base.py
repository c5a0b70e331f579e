"""What all sinks share: checks of the frames, and how they end."""

from __future__ import annotations

import contextlib
from abc import ABC, abstractmethod
from fractions import Fraction
from types import TracebackType
from typing import Literal, TypeVar

import numpy as np

from bodypix.errors import BodyPixError, InvalidArgumentError, OutputError
from bodypix.media.frames import Frame
from bodypix.options import frame_size

_Self = TypeVar("_Self", bound="BaseSink")


def check_quality(quality: int) -> None:
    """Refuse what is no quality.

    Raises:
        InvalidArgumentError: not in 1..100.
    """
    if not 1 <= quality <= 100:
        raise InvalidArgumentError(f"quality: expected 1..100, got {quality}.")


class BaseSink(ABC):
    """See `bodypix.media.frames.Sink` for what the methods promise.

    Args:
        name: what messages call it.
        size: (width, height) in pixels of the frames to come.
        alpha: whether they are RGBA.
        keep_partial: on `abort`, finish what is there instead of removing it.
    """

    def __init__(
        self, name: str, *, size: tuple[int, int], alpha: bool = False, keep_partial: bool = False
    ) -> None:
        self.name = name
        self.size = frame_size(size)
        self.alpha = alpha
        self._keep_partial = keep_partial
        self._state: Literal["open", "broken", "closed"] = "open"
        self._last_time: Fraction | None = None

    @abstractmethod
    def _put(self, frame: Frame) -> None:
        """Take one checked frame."""

    @abstractmethod
    def _finish(self) -> None:
        """Make the output whole; called at most once, and not after a failure."""

    @abstractmethod
    def _discard(self) -> None:
        """Remove the output; raises nothing."""

    def write(self, frame: Frame) -> None:
        """Take one frame.

        Raises:
            InvalidArgumentError: it is not of the sink's size, channels or dtype, its time is not
                after that of the frame before, or the sink is closed.
            OutputError: it cannot be written; the sink is of no more use.
        """
        if self._state != "open":
            raise InvalidArgumentError(
                f"sink: {self.name} is {self._state} and takes no more frames; open a new one."
            )
        expected = (self.size[1], self.size[0], 4 if self.alpha else 3)
        image = frame.image
        if image.shape != expected or image.dtype != np.uint8:
            raise InvalidArgumentError(
                f"frame.image: {self.name} expects {expected} uint8 (height, width, channels), got "
                f"{image.shape} {image.dtype}. The sink's size and alpha are set when it is opened."
            )
        if self._last_time is not None and frame.time <= self._last_time:
            raise InvalidArgumentError(
                f"frame.time: expected more than {float(self._last_time):g} s, the time of the "
                f"frame before; got {float(frame.time):g} s."
            )
        try:
            self._put(frame)
        except BaseException:
            self._state = "broken"
            raise
        self._last_time = frame.time

    def close(self) -> None:
        """Finish; may be called twice.

        Raises:
            OutputError: it cannot be finished, or a frame before could not be written; nothing
                is left under the name.
        """
        if self._state == "closed":
            return
        broken, self._state = self._state == "broken", "closed"
        if broken:
            self._discard()
            raise OutputError(f"sink: {self.name} was removed, since writing to it failed before.")
        try:
            self._finish()
        except BaseException:
            self._discard()
            raise

    def abort(self) -> None:
        """Remove what was written, or finish it if opened with `keep_partial` and that works."""
        if self._state == "open" and self._keep_partial:
            with contextlib.suppress(BodyPixError):  # close removed it then
                self.close()
            return
        if self._state != "closed":
            self._state = "closed"
            self._discard()

    def __enter__(self: _Self) -> _Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if error is None:
            self.close()
        else:
            self.abort()
