"""The pipeline: order, nothing lost, newest frame of live sources, and an end whatever fails."""

from __future__ import annotations

import _thread
import signal
import threading
from collections.abc import Callable, Iterator

import pytest

from bodypix.interrupts import Terminated, raising_terminated
from bodypix.media import pipeline
from bodypix.media.frames import Frame
from bodypix.media.pipeline import READING, WRITING, Conveyor, run
from helpers.fake_media import PATIENCE, FakeSink, FakeSource


def stage(work: Callable[[int], object]) -> pipeline.Stage:
    """A stage that calls `work` with the number of every frame and passes it on."""

    def frames(items: Iterator[Frame]) -> Iterator[Frame]:
        for item in items:
            work(item.index)
            yield item

    return frames


def fail_at(number: int, error: BaseException) -> Callable[[int], None]:
    """A callback that raises when it gets to a frame."""

    def work(index: int) -> None:
        if index == number:
            raise error

    return work


@pytest.fixture(autouse=True)
def _no_thread_is_left() -> Iterator[None]:
    before = set(threading.enumerate())
    yield
    assert set(threading.enumerate()) <= before


class Broken(Exception):
    """What the tests raise."""


def test_every_frame_of_a_file_once_and_in_order() -> None:
    source, sink = FakeSource(200), FakeSink()
    seen: dict[str, list[int]] = {"a": [], "b": []}
    report = run(
        source, {"a": stage(seen["a"].append), "b": stage(seen["b"].append)}, [sink], ahead=2
    )
    everything = list(range(200))
    assert sink.written == seen["a"] == seen["b"] == everything
    assert (report.frames, report.dropped) == (200, 0)
    assert set(report.busy) == {READING, "a", "b", WRITING}
    assert all(seconds >= 0 for seconds in report.busy.values())


def test_no_stages_and_no_frames() -> None:
    sink = FakeSink()
    assert run(FakeSource(3), {}, [sink]).frames == 3
    assert run(FakeSource(0), {"a": stage(lambda _: None)}, [sink]).frames == 0
    assert sink.written == [0, 1, 2]


def test_every_sink_gets_every_frame_in_the_calling_thread() -> None:
    source, sinks = FakeSource(20), [FakeSink(), FakeSink()]
    run(source, {"a": stage(lambda _: None)}, sinks)
    for sink in sinks:
        assert sink.written == list(range(20))
        assert sink.threads == {threading.get_ident()}
    assert threading.get_ident() not in source.threads


def test_source_stage_and_sink_work_at_the_same_time() -> None:
    # Three meet while each is at another frame, which one thread alone would wait for forever.
    meeting = threading.Barrier(3, timeout=PATIENCE)
    source = FakeSource(3, before=lambda index: index == 2 and meeting.wait())
    meet_in_stage = stage(lambda index: index == 1 and meeting.wait())
    sink = FakeSink(before=lambda index: index == 0 and meeting.wait())
    run(source, {"a": meet_in_stage}, [sink])
    assert sink.written == [0, 1, 2]


def test_a_slow_sink_holds_a_file_back() -> None:
    ahead = []
    source = FakeSource(60)
    sink = FakeSink(before=lambda index: ahead.append(len(source.given) - index))
    run(source, {"a": stage(lambda _: None), "b": stage(lambda _: None)}, [sink], ahead=2)
    # Three belts of two, one in the hands of the reader, of each stage and of the sink; and one
    # that is counted when it is begun.
    assert max(ahead) <= 3 * 2 + 4 + 1
    assert sink.written == list(range(60))


def test_a_stage_may_look_ahead() -> None:
    def in_pairs(items: Iterator[Frame]) -> Iterator[Frame]:
        kept: list[Frame] = []
        for item in items:
            kept.append(item)
            if len(kept) == 10:
                yield from kept
                kept.clear()
        yield from kept

    sink = FakeSink()
    run(FakeSource(33), {"look": in_pairs}, [sink], ahead=1)
    assert sink.written == list(range(33))


@pytest.mark.parametrize("number", [0, 1, 40, 59])
def test_a_failing_source_lets_the_frames_before_it_through(number: int) -> None:
    sink = FakeSink()
    with pytest.raises(Broken, match="disk"), sink:
        run(
            FakeSource(60, before=fail_at(number, Broken("disk"))),
            {"a": stage(lambda _: None), "b": stage(lambda _: None)},
            [sink],
        )
    assert sink.written == list(range(number))
    assert sink.end == "aborted"


@pytest.mark.parametrize("name", ["a", "b"])
@pytest.mark.parametrize("number", [0, 30, 59])
def test_a_failing_stage_lets_the_frames_before_it_through(name: str, number: int) -> None:
    stages = {"a": stage(lambda _: None), "b": stage(lambda _: None)}
    stages[name] = stage(fail_at(number, Broken("stage")))
    sink = FakeSink()
    with pytest.raises(Broken, match="stage"):
        run(FakeSource(60), stages, [sink])
    assert sink.written == list(range(number))


@pytest.mark.parametrize("error", [Broken("full"), KeyboardInterrupt()])
def test_a_failing_sink_ends_everything(error: BaseException) -> None:
    source, sink = FakeSource(10_000), FakeSink(before=fail_at(7, error))
    with pytest.raises(type(error)):
        run(source, {"a": stage(lambda _: None)}, [sink])
    assert sink.written == list(range(7))
    assert len(source.given) < 100


def test_a_failing_callback_ends_everything() -> None:
    def on_frame(item: Frame) -> None:
        fail_at(3, Broken("callback"))(item.index)

    source, sink = FakeSource(10_000), FakeSink()
    with pytest.raises(Broken, match="callback"):
        run(source, {"a": stage(lambda _: None)}, [sink], on_frame=on_frame)
    assert sink.written == [0, 1, 2, 3]
    assert len(source.given) < 100


def test_a_callback_ends_the_run() -> None:
    sink = FakeSink()
    report = run(FakeSource(10_000), {}, [sink], on_frame=lambda item: item.index == 4)
    assert sink.written == [0, 1, 2, 3, 4]
    assert report.frames == 5


def test_ctrl_c_while_waiting_for_a_source() -> None:
    two_written, released = threading.Event(), threading.Event()

    def interrupt(index: int) -> None:
        if index == 2:
            two_written.wait(PATIENCE)
            _thread.interrupt_main()
            released.wait(PATIENCE)

    def on_frame(item: Frame) -> None:
        if item.index == 1:
            two_written.set()

    sink = FakeSink()
    timer = threading.Timer(0.2, released.set)  # the source answers some time after Ctrl-C
    timer.start()
    with pytest.raises(KeyboardInterrupt), sink:
        run(FakeSource(5, before=interrupt), {}, [sink], on_frame=on_frame)
    timer.join()
    assert sink.written == [0, 1]
    assert sink.end == "aborted"


@pytest.mark.parametrize("times", [1, 2])
def test_ctrl_c_while_a_frame_is_written(times: int) -> None:
    def interrupt(index: int) -> None:
        if index == 2:
            for _ in range(times):
                signal.raise_signal(signal.SIGINT)

    sink = FakeSink(before=interrupt)
    with pytest.raises(KeyboardInterrupt):
        run(FakeSource(50), {"a": stage(lambda _: None)}, [sink])
    # The first waits until the frame is written, the second does not.
    assert sink.written == ([0, 1, 2] if times == 1 else [0, 1])
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_sigterm_counts_as_ctrl_c_where_that_is_wanted() -> None:
    sink = FakeSink(before=lambda index: index == 2 and signal.raise_signal(signal.SIGTERM))
    with raising_terminated(), pytest.raises(Terminated):
        run(FakeSource(50), {}, [sink])
    assert sink.written == [0, 1, 2]
    assert signal.getsignal(signal.SIGTERM) is signal.SIG_DFL
    own = signal.signal(signal.SIGTERM, signal.SIG_IGN)
    try:
        with raising_terminated():
            signal.raise_signal(signal.SIGTERM)
    finally:
        signal.signal(signal.SIGTERM, own)


def test_a_handler_of_the_program_is_left_alone() -> None:
    caught = []
    own = signal.signal(signal.SIGINT, lambda *_: caught.append(1))
    try:
        sink = FakeSink(before=lambda index: index == 1 and signal.raise_signal(signal.SIGINT))
        assert run(FakeSource(3), {}, [sink]).frames == 3
    finally:
        signal.signal(signal.SIGINT, own)
    assert caught == [1]


def test_in_another_thread_nothing_is_shielded() -> None:
    sink = FakeSink()
    thread = threading.Thread(target=lambda: run(FakeSource(3), {}, [sink]))
    thread.start()
    thread.join(PATIENCE)
    assert sink.written == [0, 1, 2]


def test_a_dead_source_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pipeline, "_PATIENCE", 0.05)
    release = threading.Event()
    source = FakeSource(5, live=True, before=lambda index: index != 1 or release.wait(PATIENCE))
    conveyor = Conveyor(source, {})
    with pytest.warns(RuntimeWarning, match="fake: no answer"), conveyor:
        assert next(conveyor).index == 0
    release.set()
    monkeypatch.undo()
    conveyor.close()  # now the thread does end, and this joins it


def test_the_newest_frame_of_a_live_source_wins() -> None:
    # The sink holds frame 0 until the source has given 98, and the source gives 99 only when that
    # is written: in between, only what was in the hands of the stage and of the reader can come.
    held, gave_98, wrote_98 = threading.Event(), threading.Event(), threading.Event()

    def before(index: int) -> None:
        if index == 1:
            held.wait(PATIENCE)
        if index == 99:
            gave_98.set()
            wrote_98.wait(PATIENCE)

    def hold(index: int) -> None:
        if index == 0:
            held.set()
            gave_98.wait(PATIENCE)

    def on_frame(item: Frame) -> None:
        if item.index == 98:
            wrote_98.set()

    source, sink = FakeSource(100, live=True, before=before), FakeSink(before=hold)
    report = run(source, {"a": stage(lambda _: None)}, [sink], on_frame=on_frame)
    assert source.given == list(range(100))
    assert sink.written[0] == 0
    assert sink.written[-2:] == [98, 99]
    assert len(sink.written) <= 5
    assert sink.written == sorted(set(sink.written))
    assert report.frames + report.dropped == 100


def test_close_may_come_early_and_twice() -> None:
    conveyor = Conveyor(FakeSource(50), {"a": stage(lambda _: None)})
    conveyor.close()
    with Conveyor(FakeSource(50), {"a": stage(lambda _: None)}) as items:
        next(items)
    items.close()
    assert list(items) == []
