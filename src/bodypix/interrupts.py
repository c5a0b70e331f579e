"""Ctrl-C and SIGTERM: both end things in order, and not in the middle of a frame."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType, TracebackType
from typing import Any


class Terminated(KeyboardInterrupt):
    """SIGTERM: what would clean up after Ctrl-C does it after this too."""


def _terminate(number: int, frame: FrameType | None) -> None:
    raise Terminated


@contextmanager
def raising_terminated() -> Iterator[None]:
    """SIGTERM raises Terminated inside, where it would end the process without cleaning up.

    Where the program has a handler of its own, or ignores it, that stays so, as it does outside the
    main thread, where no handler can be set.
    """
    if (
        threading.current_thread() is not threading.main_thread()
        or signal.getsignal(signal.SIGTERM) is not signal.SIG_DFL
    ):
        yield
        return
    signal.signal(signal.SIGTERM, _terminate)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, signal.SIG_DFL)


class Shield:
    """Puts off the KeyboardInterrupt of Ctrl-C, or Terminated, to the end of what must be whole.

    A file in which a frame is half written cannot be finished. A second signal counts at once, in
    case the writing hangs. Only Python's own handler of Ctrl-C and that of `raising_terminated` are
    shielded, and only in the main thread; others raise nothing, or what the program wants.

        with Shield() as shield:
            for frame in frames:        # interrupted here
                with shield.whole():
                    sink.write(frame)   # or after this
    """

    def __init__(self) -> None:
        self._inside = False
        self._pending: int | None = None
        self._before: dict[int, Any] = {}

    def __enter__(self) -> Shield:
        if threading.current_thread() is threading.main_thread():
            for number in (signal.SIGINT, signal.SIGTERM):
                handler = signal.getsignal(number)
                if handler in (signal.default_int_handler, _terminate):
                    self._before[number] = handler
                    signal.signal(number, self._on_signal)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)

    @contextmanager
    def whole(self) -> Iterator[None]:
        """What is inside comes to its end first.

        Raises:
            KeyboardInterrupt: at the end, if a signal came meanwhile.
        """
        self._inside = True
        try:
            yield
        finally:
            self._inside = False
        if self._pending is not None:
            self._before[self._pending](self._pending, None)

    def _on_signal(self, number: int, frame: FrameType | None) -> None:
        if not self._inside or self._pending is not None:
            self._before[number](number, frame)
        self._pending = number
