"""Ctrl-C between two frames, not in the middle of one."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType, TracebackType
from typing import Any


class Shield:
    """Puts off the KeyboardInterrupt of Ctrl-C to the end of what must be done whole.

    A file in which a frame is half written cannot be finished. A second Ctrl-C counts at once, in
    case the writing hangs. Only Python's own handler is shielded, and only in the main thread;
    elsewhere Ctrl-C raises nothing, or what the program wants.

        with Shield() as shield:
            for frame in frames:        # interrupted here
                with shield.whole():
                    sink.write(frame)   # or after this
    """

    def __init__(self) -> None:
        self._inside = self._pending = False
        self._before: Any = None

    def __enter__(self) -> Shield:
        if (
            threading.current_thread() is threading.main_thread()
            and signal.getsignal(signal.SIGINT) is signal.default_int_handler
        ):
            self._before = signal.signal(signal.SIGINT, self._on_interrupt)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._before is not None:
            signal.signal(signal.SIGINT, self._before)

    @contextmanager
    def whole(self) -> Iterator[None]:
        """What is inside comes to its end first.

        Raises:
            KeyboardInterrupt: at the end, if Ctrl-C came meanwhile.
        """
        self._inside = True
        try:
            yield
        finally:
            self._inside = False
        if self._pending:
            raise KeyboardInterrupt

    def _on_interrupt(self, number: int, frame: FrameType | None) -> None:
        if not self._inside or self._pending:
            raise KeyboardInterrupt
        self._pending = True
