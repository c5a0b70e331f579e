"""HTTP/1.1 connections that end where a client is too slow.

uvicorn limits how long an idle connection is kept, but not how long the head of a request may
take, nor how long a client may leave its answer unread.
"""

from __future__ import annotations

import asyncio
from typing import Any

from uvicorn.protocols.http.h11_impl import H11Protocol


def patient(seconds: float) -> type[H11Protocol]:
    """The protocol class for uvicorn's option `http`, with a limit for stalled clients.

    The limit holds for the head of a request, for the rest of a body that nobody reads any more,
    and, each time anew, for a client to take more of its answer.
    """

    class PatientProtocol(H11Protocol):
        _reading: asyncio.TimerHandle | None = None
        _writing: asyncio.TimerHandle | None = None

        def connection_made(self, transport: Any) -> None:
            super().connection_made(transport)
            # So that `pause_writing` comes as soon as anything is left to be sent.
            transport.set_write_buffer_limits(high=0)
            self._watch_reading()

        def data_received(self, data: bytes) -> None:
            super().data_received(data)
            if not self._answering:
                if self._reading is None:
                    self._watch_reading()
            elif self._reading is not None:
                self._reading.cancel()
                self._reading = None

        def pause_writing(self) -> None:
            super().pause_writing()
            self._watch_writing()

        def resume_writing(self) -> None:
            super().resume_writing()
            if self._writing is not None:
                self._writing.cancel()

        def connection_lost(self, exc: Exception | None) -> None:
            for timer in (self._reading, self._writing):
                if timer is not None:
                    timer.cancel()
            super().connection_lost(exc)

        @property
        def _answering(self) -> bool:
            """Whether a request is with the application."""
            return self.cycle is not None and not self.cycle.response_complete

        def _watch_reading(self) -> None:
            self._reading = self.loop.call_later(seconds, self._end_reading)

        def _end_reading(self) -> None:
            self._reading = None
            if not self._answering:
                self.transport.abort()

        def _watch_writing(self) -> None:
            unsent = self.transport.get_write_buffer_size()
            self._writing = self.loop.call_later(seconds, self._end_writing, unsent)

        def _end_writing(self, unsent: int) -> None:
            if self.transport.get_write_buffer_size() < unsent:
                self._watch_writing()
            else:
                self.transport.abort()

    return PatientProtocol
