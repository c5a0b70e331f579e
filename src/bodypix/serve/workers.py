"""One bounded queue of requests, and the threads that work on them."""

from __future__ import annotations

import asyncio
import math
import threading
import time
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Final, TypeVar

from bodypix.serve.problems import Refused

T = TypeVar("T")

_LONGEST_RETRY: Final = 60
# Of the newest request in the running mean of how long one takes.
_WEIGHT: Final = 0.1


@dataclass(eq=False)
class _Job:
    work: Callable[[], Any]
    future: Future[Any] = field(default_factory=Future)
    queued: float = field(default_factory=time.perf_counter)
    waited: float = 0.0


class Workers:
    """Threads that take work from a queue of limited length, first come, first served.

    Args:
        count: threads.
        queue: so many pieces of work may wait besides those that run.
        timeout: seconds that a piece of work may wait and run.
    """

    def __init__(self, count: int, queue: int, timeout: float) -> None:
        self._count = count
        self._places = queue
        self._timeout = timeout
        self._waiting: deque[_Job] = deque()
        self._begun: dict[int, float] = {}  # by thread: when its present work began
        self._seconds = 0.0  # running mean
        self._stopping = False
        self._changed = threading.Condition()
        self._threads: list[threading.Thread] = []

    @property
    def count(self) -> int:
        """Threads."""
        return self._count

    @property
    def places(self) -> int:
        """Work that may wait."""
        return self._places

    @property
    def waiting(self) -> int:
        """Work that waits now."""
        return len(self._waiting)

    @property
    def running(self) -> int:
        """Work that is being done now."""
        return len(self._begun)

    @property
    def full(self) -> bool:
        """Whether further work would be refused."""
        return self.waiting + self.running >= self._places + self._count

    def start(self) -> None:
        """Start the threads."""
        # Daemons: Python would wait for others at exit, however long the network takes.
        self._threads = [
            threading.Thread(target=self._loop, name=f"bodypix-worker-{number}", daemon=True)
            for number in range(self._count)
        ]
        for thread in self._threads:
            thread.start()

    def stop(self, timeout: float) -> bool:
        """Take no more work, and wait for what runs; False where some still runs then."""
        with self._changed:
            self._stopping = True
            while self._waiting:
                self._waiting.popleft().future.cancel()
            self._changed.notify_all()
        end = time.monotonic() + timeout
        for thread in self._threads:
            thread.join(max(end - time.monotonic(), 0))
        return not any(thread.is_alive() for thread in self._threads)

    def check_room(self) -> None:
        """Refuse now what `run` would refuse, so that nobody uploads for nothing.

        Raises:
            Refused: 429 with the seconds after which a place may be free.
        """
        if self._stopping:
            raise Refused(503, "The server is shutting down.", retry_after=1)
        if self.full:
            raise Refused(
                429,
                f"The queue is full: {self.running} requests run and {self.waiting} wait. Try "
                "again later.",
                retry_after=self.retry_after(),
            )

    def check_alive(self) -> None:
        """Refuse where no work gets done.

        Raises:
            Refused: 503.
        """
        if self._stopping:
            raise Refused(503, "The server is shutting down.")
        late = time.perf_counter() - self._timeout
        begun = list(self._begun.values())
        if len(begun) == self._count and max(begun) < late:
            raise Refused(503, f"Every worker has been busy for more than {self._timeout:g} s.")

    def retry_after(self) -> int:
        """Whole seconds, at least 1, in which the work that waits now will be done."""
        seconds = (self.waiting + 1) * self._seconds / self._count
        return min(max(math.ceil(seconds), 1), _LONGEST_RETRY)

    async def run(self, work: Callable[[], T]) -> tuple[T, float]:
        """Do a piece of work in one of the threads; also the seconds for which it had to wait.

        Work that is cancelled, or runs out of time, while it waits leaves the queue. Work that
        runs goes on to its end, but nobody waits for it.

        Raises:
            Refused: 429 the queue is full, 503 it waited too long, 504 it took too long.
        """
        job = _Job(work)
        with self._changed:
            self.check_room()
            self._waiting.append(job)
            self._changed.notify()
        try:
            result = await asyncio.wait_for(asyncio.wrap_future(job.future), self._timeout)
        except asyncio.TimeoutError:
            if self._withdraw(job):
                raise Refused(
                    503,
                    f"The request waited {self._timeout:g} s for its turn. Try again later.",
                    retry_after=self.retry_after(),
                ) from None
            raise Refused(
                504,
                f"The request took more than {self._timeout:g} s. Choose a smaller "
                "internal_resolution, or make the picture smaller.",
            ) from None
        except asyncio.CancelledError:
            self._withdraw(job)
            raise
        return result, job.waited

    def _withdraw(self, job: _Job) -> bool:
        """Take work out of the queue; False where it is out already."""
        with self._changed:
            try:
                self._waiting.remove(job)
            except ValueError:
                return False
        job.future.cancel()
        return True

    def _loop(self) -> None:
        while True:
            with self._changed:
                while not self._waiting:
                    if self._stopping:
                        return
                    self._changed.wait()
                job = self._waiting.popleft()
                begin = self._begun[threading.get_ident()] = time.perf_counter()
            job.waited = begin - job.queued
            answer = _do(job)
            with self._changed:  # before the answer: whoever has it may send the next request
                del self._begun[threading.get_ident()]
                self._seconds += _WEIGHT * (time.perf_counter() - begin - self._seconds)
            answer()
            del job, answer  # or the upload would stay in memory until the next request


def _do(job: _Job) -> Callable[[], None]:
    """Do a piece of work; what is returned tells the result to whoever waits."""
    if not job.future.set_running_or_notify_cancel():
        return lambda: None
    try:
        return partial(job.future.set_result, job.work())
    except BaseException as error:
        return partial(job.future.set_exception, error)
