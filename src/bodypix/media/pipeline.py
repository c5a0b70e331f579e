"""Decode, work and encode at the same time: stages in threads of their own, short belts between.

Of a file every frame passes, in order. Of a live source the newest frame wins: what nobody took
before the next one came is dropped, and nothing waits in between, so a picture is never older than
the time of a few steps. Whatever fails, wherever, ends everything: the frames that were done before
it still come out, then its exception, and no thread is left behind.
"""

from __future__ import annotations

import threading
import time
import warnings
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import pairwise
from types import TracebackType
from typing import Any, Final

from bodypix.interrupts import Shield
from bodypix.media.frames import Frame, Sink, Source

Stage = Callable[[Iterator[Any]], Iterator[Any]]
"""From the items of the stage before to those of the next, mostly a generator function.

It may look ahead or leave items out, of a live source too; what it keeps is its own memory.
"""

READING: Final = "read"
"""The name of the first stage in timings: the source."""

WRITING: Final = "write"
"""The name of the last stage in timings: the sink."""

# Waits are this short, in seconds, since on Windows Ctrl-C does not end one.
_WAIT: Final = 0.5
# A thread that waits for a dead device is given up after this many seconds.
_PATIENCE: Final = 10.0

_NOTHING: Final = object()


class _Belt:
    """Items on their way from one thread to the next; at most `size` lie here before `put` waits.

    With `size` 0, `put` comes back when the item is taken. With `newest`, `put` never waits: an
    item that nobody took is replaced.
    """

    def __init__(self, size: int, newest: bool = False) -> None:
        self.failure: BaseException | None = None
        self.dropped = 0
        self._size = size
        self._newest = newest
        self._items: deque[Any] = deque()
        self._ended = self._abandoned = False
        self._changed = threading.Condition()

    def put(self, item: Any) -> bool:
        """Hand an item on; False where nobody wants any more."""
        with self._changed:
            if self._abandoned:
                return False
            if self._newest and self._items:
                self._items.clear()
                self.dropped += 1
            self._items.append(item)
            self._changed.notify_all()
            while not self._newest and len(self._items) > self._size and not self._abandoned:
                self._changed.wait(_WAIT)
            return not self._abandoned

    def get(self) -> Any:
        """The next item, or _NOTHING after the last; then `failure` says whether it broke off."""
        with self._changed:
            while not self._items:
                if self._ended or self._abandoned:
                    return _NOTHING
                self._changed.wait(_WAIT)
            item = self._items.popleft()
            self._changed.notify_all()
            return item

    def end(self, failure: BaseException | None) -> None:
        """Nothing comes after what lies here."""
        with self._changed:
            self._ended, self.failure = True, failure
            self._changed.notify_all()

    def abandon(self) -> None:
        """Nobody wants what lies here or comes."""
        with self._changed:
            self._abandoned = True
            self._items.clear()
            self._changed.notify_all()


class _Clock:
    """Seconds in which a thread worked and did not wait for its neighbours."""

    def __init__(self) -> None:
        self._start = time.perf_counter()
        self._end: float | None = None
        self._waited = 0.0

    @contextmanager
    def waiting(self) -> Iterator[None]:
        """What happens inside is not this thread's own work."""
        start = time.perf_counter()
        try:
            yield
        finally:
            self._waited += time.perf_counter() - start

    def stop(self) -> None:
        """The thread is done."""
        self._end = time.perf_counter()

    @property
    def busy(self) -> float:
        """Seconds of work so far."""
        end = time.perf_counter() if self._end is None else self._end
        return end - self._start - self._waited


class Conveyor(Iterator[Any]):
    """What comes out of the last stage, while source and stages work ahead in their threads.

    A context manager: leaving it, for whatever reason, ends and joins the threads. The source
    belongs to the caller, who closes it afterwards. (A live one is closed here already: only that
    ends its wait for a picture.)

        with source, Conveyor(source, {"segment": segment, "draw": draw}) as drawn:
            for frame in drawn:
                ...

    Args:
        source: where the frames come from; iterated in a thread.
        stages: name and function of each stage, in order; each has a thread.
        ahead: of a file, so many items may lie before each stage and before the reader of the
            conveyor. Of a live source none wait.
    """

    def __init__(self, source: Source, stages: Mapping[str, Stage], *, ahead: int = 2) -> None:
        size = 0 if source.live else ahead
        self._source = source
        self._belts = [_Belt(size, newest=source.live), *(_Belt(size) for _ in stages)]
        self._clocks: dict[str, _Clock] = {}
        self._threads = [self._thread(READING, lambda _: iter(source), None, self._belts[0])]
        for (name, stage), (before, after) in zip(
            stages.items(), pairwise(self._belts), strict=True
        ):
            self._threads.append(self._thread(name, stage, before, after))

    @property
    def dropped(self) -> int:
        """Frames of a live source that were replaced by a newer one."""
        return self._belts[0].dropped

    @property
    def busy(self) -> dict[str, float]:
        """Seconds that each thread worked, without its waits for others, by name of the stage."""
        return {name: clock.busy for name, clock in self._clocks.items()}

    def __next__(self) -> Any:
        item = self._belts[-1].get()
        if item is not _NOTHING:
            return item
        if self._belts[-1].failure is not None:
            raise self._belts[-1].failure
        raise StopIteration

    def __enter__(self) -> Conveyor:
        try:
            for thread in self._threads:
                thread.start()
        except BaseException:  # Ctrl-C, or no more threads
            self.close()
            raise
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """End the threads and wait for them; may be called twice.

        Warns:
            RuntimeWarning: the source did not answer within ten seconds, and its thread is left.
        """
        for belt in self._belts:
            belt.abandon()
        if self._source.live:
            self._source.close()
        end = time.monotonic() + _PATIENCE
        for thread in self._threads:
            if thread.ident is not None:
                thread.join(max(0.0, end - time.monotonic()))
        if any(thread.is_alive() for thread in self._threads):
            warnings.warn(
                f"{self._source.name}: no answer within {_PATIENCE:g} seconds; its thread is left "
                "behind.",
                RuntimeWarning,
                stacklevel=2,
            )

    def _thread(
        self, name: str, stage: Stage, before: _Belt | None, after: _Belt
    ) -> threading.Thread:
        def work() -> None:
            clock = self._clocks[name] = _Clock()
            failure: BaseException | None = None
            try:
                for item in stage(_taken(before, clock)):
                    with clock.waiting():
                        wanted = after.put(item)
                    if not wanted:
                        break
                # What came before the failure of an earlier stage went through; now its turn.
                failure = before.failure if before is not None else None
            except BaseException as error:  # raised again where the conveyor is read
                failure = error
            if before is not None:
                before.abandon()
            after.end(failure)
            clock.stop()

        return threading.Thread(target=work, name=f"bodypix-{name}", daemon=True)


def _taken(belt: _Belt | None, clock: _Clock) -> Iterator[Any]:
    """The items of a belt, with the time spent waiting for them taken off the clock."""
    while belt is not None:
        with clock.waiting():
            item = belt.get()
        if item is _NOTHING:
            return
        yield item


@dataclass(frozen=True)
class Report:
    """What became of a run.

    Attributes:
        frames: frames written.
        dropped: frames of a live source that were too late.
        seconds: from the first frame asked for to the last one written.
        busy: seconds of work by stage, READING and WRITING among them. Stages run side by side,
            so the sum may exceed `seconds`.
    """

    frames: int
    dropped: int
    seconds: float
    busy: Mapping[str, float]


def run(
    source: Source,
    stages: Mapping[str, Stage],
    sinks: Sequence[Sink],
    *,
    ahead: int = 2,
    on_frame: Callable[[Frame], object] | None = None,
) -> Report:
    """Take everything from a source through the stages into the sinks, all at the same time.

    Args:
        source: read in a thread of its own.
        stages: see `Conveyor`; the last one yields frames for the sinks.
        sinks: written to in the calling thread, where windows want to be.
        ahead: see `Conveyor`.
        on_frame: called in the calling thread after each frame is written; a true answer ends
            the run.

    Raises:
        Whatever source, stages, sinks or `on_frame` raise, and KeyboardInterrupt between two
        frames; no thread is left then. Closing or aborting source and sinks is the caller's
        business: `with source, sink: run(...)`.
    """
    frames = 0
    start = time.perf_counter()
    writing = 0.0
    with Shield() as shield, Conveyor(source, stages, ahead=ahead) as conveyor:
        for frame in conveyor:
            before = time.perf_counter()
            with shield.whole():
                for sink in sinks:
                    sink.write(frame)
            writing += time.perf_counter() - before
            frames += 1
            if on_frame is not None and on_frame(frame):
                break
    seconds = time.perf_counter() - start
    return Report(frames, conveyor.dropped, seconds, {**conveyor.busy, WRITING: writing})
