"""The bounded queue: who gets in, who is turned away, and who leaves."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Coroutine, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import partial
from typing import Any

import pytest
from starlette.testclient import TestClient

from bodypix.segmenter import BodyPix
from bodypix.serve.problems import Refused
from bodypix.serve.workers import Workers

MakeClient = Callable[..., TestClient]


@contextmanager
def working(count: int = 1, queue: int = 0, timeout: float = 20) -> Iterator[Workers]:
    workers = Workers(count, queue, timeout)
    workers.start()
    try:
        yield workers
    finally:
        assert workers.stop(20)


class Gate:
    """Work that goes on until it is let go."""

    def __init__(self) -> None:
        self.begun = threading.Event()
        self.open = threading.Event()

    def __call__(self) -> str:
        self.begun.set()
        assert self.open.wait(20)
        return "done"

    async def wait_for_begin(self) -> None:
        assert await asyncio.to_thread(self.begun.wait, 20)


def run(scenario: Coroutine[Any, Any, None]) -> None:
    """In a thread of its own: the browser tests' playwright keeps a loop running in this one."""
    with ThreadPoolExecutor(1) as pool:
        pool.submit(asyncio.run, scenario).result()


async def refused(workers: Workers) -> Refused:
    with pytest.raises(Refused) as error:
        await workers.run(lambda: None)
    return error.value


def test_results_and_errors_come_back() -> None:
    async def scenario() -> None:
        result, waited = await workers.run(lambda: 42)
        assert result == 42
        assert waited >= 0
        with pytest.raises(ZeroDivisionError):
            await workers.run(lambda: 1 / 0)
        assert (await workers.run(lambda: "still here"))[0] == "still here"

    with working() as workers:
        run(scenario())


def test_who_has_an_answer_may_ask_again_at_once() -> None:
    async def scenario() -> None:
        for _ in range(200):
            assert (await workers.run(lambda: 1))[0] == 1
            assert workers.running == 0

    with working() as workers:
        run(scenario())


def test_as_many_at_a_time_as_there_are_workers() -> None:
    async def scenario() -> None:
        meeting = threading.Barrier(3)
        await asyncio.gather(*(workers.run(lambda: meeting.wait(20)) for _ in range(3)))

    with working(count=3) as workers:
        run(scenario())


def test_a_full_queue_turns_away() -> None:
    async def scenario() -> None:
        gate = Gate()
        first = asyncio.ensure_future(workers.run(gate))
        await gate.wait_for_begin()
        others = [asyncio.ensure_future(workers.run(lambda: "too")) for _ in range(2)]
        await asyncio.sleep(0)
        assert (workers.running, workers.waiting, workers.full) == (1, 2, True)
        problem = await refused(workers)
        assert problem.status == 429
        assert int(problem.headers["Retry-After"]) >= 1
        gate.open.set()
        assert [(await task)[0] for task in (first, *others)] == ["done", "too", "too"]
        assert (workers.running, workers.waiting, workers.full) == (0, 0, False)

    with working(queue=2) as workers:
        run(scenario())


def test_first_come_first_served() -> None:
    order: list[int] = []

    async def scenario() -> None:
        gate = Gate()
        first = asyncio.ensure_future(workers.run(gate))
        await gate.wait_for_begin()
        others = [
            asyncio.ensure_future(workers.run(partial(order.append, number))) for number in range(5)
        ]
        await asyncio.sleep(0)
        gate.open.set()
        await asyncio.gather(first, *others)

    with working(queue=5) as workers:
        run(scenario())
    assert order == [0, 1, 2, 3, 4]


def test_who_waits_too_long_leaves_the_queue() -> None:
    async def scenario() -> None:
        gate = Gate()
        first = asyncio.ensure_future(workers.run(gate))
        await gate.wait_for_begin()
        second = await refused(workers)
        assert (second.status, workers.waiting) == (503, 0)
        assert "Retry-After" in second.headers
        with pytest.raises(Refused) as error:
            await first
        assert error.value.status == 504
        with pytest.raises(Refused, match="Every worker has been busy"):
            workers.check_alive()
        gate.open.set()
        for _ in range(200):  # nobody is told when work ends that nobody waits for
            if workers.running == 0:
                break
            await asyncio.sleep(0.05)
        workers.check_alive()

    with working(queue=1, timeout=1.0) as workers:
        run(scenario())


def test_who_is_cancelled_leaves_the_queue() -> None:
    ran: list[int] = []

    async def scenario() -> None:
        gate = Gate()
        first = asyncio.ensure_future(workers.run(gate))
        await gate.wait_for_begin()
        second = asyncio.ensure_future(workers.run(lambda: ran.append(2)))
        await asyncio.sleep(0)
        second.cancel()
        with pytest.raises(asyncio.CancelledError):
            await second
        assert workers.waiting == 0
        gate.open.set()
        await first

    with working(queue=1) as workers:
        run(scenario())
    assert ran == []


def test_stopping_waits_for_what_runs_and_no_longer() -> None:
    async def scenario() -> None:
        first = asyncio.ensure_future(workers.run(gate))
        await gate.wait_for_begin()
        assert not await asyncio.to_thread(workers.stop, 0.05)
        assert (await refused(workers)).status == 503
        gate.open.set()
        assert (await first)[0] == "done"

    gate = Gate()
    with working(queue=1) as workers:
        run(scenario())


def test_retry_after_follows_the_time_that_requests_take(monkeypatch: pytest.MonkeyPatch) -> None:
    workers = Workers(2, 8, 20)
    assert workers.retry_after() == 1
    workers._seconds = 5.0
    assert workers.retry_after() == 3  # one place in half of that time
    workers._seconds = 1000.0
    assert workers.retry_after() == 60


def test_full_server_answers_429_before_the_upload(
    make_client: MakeClient, model: BodyPix, photo: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    gate = Gate()
    client = make_client(queue=0)
    monkeypatch.setattr("bodypix.serve.app.work", lambda *_: gate())
    answers: list[Any] = []
    first = threading.Thread(
        target=lambda: answers.append(client.post("/v1/segment", content=photo))
    )
    first.start()
    assert gate.begun.wait(20)
    monkeypatch.setattr("bodypix.serve.app.read_upload", None)  # would fail if it were called
    answer = client.post("/v1/segment", content=photo)
    assert answer.status_code == 429
    assert int(answer.headers["retry-after"]) >= 1
    assert client.get("/health").json()["status"] == "busy"
    gate.open.set()
    first.join(20)
    assert len(answers) == 1


def test_uploads_are_bounded_too(
    make_client: MakeClient, photo: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    client = make_client(uploads=1)
    service = client.app.state.service  # type: ignore[attr-defined]
    with service.uploading():
        answer = client.post("/v1/segment", content=photo)
    assert answer.status_code == 429
    assert "uploads" in answer.json()["detail"]
    assert client.post("/v1/segment", content=photo).status_code == 200
