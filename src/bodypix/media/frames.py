"""What passes between a source and a sink: one frame, and what both ends promise."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from fractions import Fraction
from types import TracebackType
from typing import Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, eq=False)
class Frame:
    """One picture of a moving picture.

    Attributes:
        image: (H, W, 3) uint8 RGB, upright; (H, W, 4) RGBA, alpha not premultiplied, where it
            goes to a sink whose `alpha` is true.
        index: 0 for the first frame of the source, then one more each.
        time: when the frame is shown, in seconds. Of a file this is its own timestamp, so the
            first frame need not be at 0; of a live source, seconds since it was opened.
        duration: how long it is shown, in seconds, or None where the source does not say.
    """

    image: NDArray[np.uint8]
    index: int
    time: Fraction
    duration: Fraction | None = None

    def replaced(self, image: NDArray[np.uint8]) -> Frame:
        """The same moment with another picture."""
        return replace(self, image=image)


@runtime_checkable
class Source(Protocol):
    """Frames, one after the other, once; a context manager.

    A second loop over it goes on where the first one stopped. Frames that were given out stay
    valid: no source writes into their pixels again.
    """

    @property
    def name(self) -> str:
        """What messages call it: a path, "camera 0", "stdin"."""

    @property
    def size(self) -> tuple[int, int]:
        """(width, height) in pixels of every frame, after rotation."""

    @property
    def rate(self) -> Fraction | None:
        """Frames a second as the source states it (an average where it varies), or None."""

    @property
    def count(self) -> int | None:
        """About how many frames there will be, for showing progress; None if not known."""

    @property
    def live(self) -> bool:
        """True where frames come at their own time, so that a late reader misses some."""

    @property
    def problem(self) -> str | None:
        """After the last frame: what was wrong with the input (cut off, damaged), or None."""

    def __iter__(self) -> Iterator[Frame]:
        """The frames in the order in which they are shown; `time` strictly rises."""

    def close(self) -> None:
        """Let go of file or device; may be called twice.

        A live source may be closed while another thread reads it, which ends that; a file not.
        """

    def __enter__(self) -> Source:
        """The source itself."""

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Close."""


class Sink(Protocol):
    """Where frames go. Files are written under a temporary name and renamed by `close`.

    As a context manager: leaving normally closes; leaving by an exception aborts, which removes
    what was written or, for a sink opened with `keep_partial`, keeps what is whole so far.
    """

    @property
    def name(self) -> str:
        """What messages call it: a path, "window", "stdout"."""

    @property
    def alpha(self) -> bool:
        """True where frames must be (H, W, 4) RGBA, alpha not premultiplied; else (H, W, 3) RGB."""

    def write(self, frame: Frame) -> None:
        """Take one frame; `time` must rise from one to the next.

        Raises:
            InvalidArgumentError: shape or dtype is not the sink's, or time went back.
            OutputError: the disk is full, the device is gone; nothing more can be written.
        """

    def close(self) -> None:
        """Finish: the file is whole and has its name after this. May be called twice.

        Raises:
            OutputError: it cannot be finished; nothing is left under the name.
        """

    def abort(self) -> None:
        """Give up: remove what was written (`keep_partial`: finish it instead)."""

    def __enter__(self) -> Sink:
        """The sink itself."""

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Close, or abort where an exception passes."""
