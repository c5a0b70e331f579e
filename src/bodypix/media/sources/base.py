"""What all sources share: being closed, being a context manager, being looped over once."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Generator, Iterator
from fractions import Fraction
from types import TracebackType
from typing import TypeVar

from bodypix.errors import MediaError
from bodypix.media.frames import Frame

_Self = TypeVar("_Self", bound="BaseSource")


class BaseSource(ABC):
    """See `bodypix.media.frames.Source` for what the attributes mean."""

    name: str
    size: tuple[int, int]
    rate: Fraction | None = None
    count: int | None = None
    live: bool = False
    problem: str | None = None

    _closed = False
    _loop: Generator[Frame, None, None] | None = None

    @abstractmethod
    def _frames(self) -> Generator[Frame, None, None]:
        """All frames; called once."""

    @abstractmethod
    def _release(self) -> None:
        """Let go of file or device; called once."""

    def __iter__(self) -> Iterator[Frame]:
        """The frames that were not given out yet.

        Raises:
            MediaError: the source is closed.
        """
        if self._closed:
            raise MediaError(f"source: {self.name} is closed; open it again to read it again.")
        if self._loop is None:
            self._loop = self._frames()
        return self._loop

    def close(self) -> None:
        """Let go of file or device; may be called twice."""
        if not self._closed:
            self._closed = True
            self._release()

    def __enter__(self: _Self) -> _Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()
