"""The training loop: any task, any stream of batches; resumes where it was stopped."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Iterable
from pathlib import Path

import torch
from lightning_fabric import Fabric
from torch import Tensor

from .datasets.device.store import Store
from .datasets.device.stream import DeviceStream
from .datasets.echo import echoed
from .datasets.mixture import BatchStream, Mixture, prefetch
from .ema import Ema
from .errors import Stopped
from .processes import agree, batch_seed, in_first, make_fabric
from .runlog import RunLog, read_rows
from .schedule import Schedule
from .signals import StopSignals
from .tasks import Batch, SegmentationTask
from .teachers import Teacher
from .training_run import TrainingRun

LOG_EVERY = 50  # steps

Report = Callable[[int, float, dict[str, float]], None]  # step, progress, mean losses
Streams = Callable[[int, int, int], Iterable[Batch]]  # of batch size, crop side and seed


def train(
    task: SegmentationTask,
    mixture: Mixture,
    schedule: Schedule,
    out: Path,
    *,
    teacher: Teacher | None = None,
    taught_share: float = 0.3,
    seed: int = 0,
    minutes: float | None = None,
    report: Report | None = None,
    fabric: Fabric | None = None,
    batches_on_device: bool | None = None,
) -> Ema:
    """Train ``task`` and return the averaged weights; continues from ``out/last.pt`` if present.

    ``minutes`` ends the run by the clock: the schedule then follows whichever of steps and time
    is further, so that it always reaches its end. Every 50 steps a line goes to ``out/log.csv``,
    and at the end ``out/curves.png`` shows them.

    ``fabric`` says where and with how many processes (see `processes`), launched already; else
    one process, on a GPU if there is one. There, or as ``batches_on_device`` says, batches are
    made on the device.

    Raises:
        Stopped: Ctrl-C or SIGTERM; all is saved.
        TrainingError: losses are not finite any more, or files cannot be written.
        ValueError: ``out/last.pt`` is another network's.
    """
    fabric = fabric or make_fabric()
    out.mkdir(parents=True, exist_ok=True)
    run = TrainingRun(task, schedule, out, fabric, minutes)
    run.resume()
    fabric.barrier()  # before the first process writes what the others read
    diary = Diary(run, report)
    streams = choose_streams(mixture, fabric.device, teacher, taught_share, batches_on_device)
    saved = time.monotonic()
    with StopSignals() as signals:
        while run.progress < 1:
            stage = schedule.stage(run.progress)
            size, count = stage
            own_seed = batch_seed(seed, run.step, fabric.global_rank)
            torch.manual_seed(own_seed)  # tasks draw lots too
            with contextlib.closing(prefetch(streams(count, size, own_seed))) as fresh:
                began = time.monotonic()
                for batch in echoed(fresh, schedule.echo, own_seed):
                    rate = run.rate
                    terms = run.learn(batch)
                    now = time.monotonic()
                    late = now - saved > 60 * schedule.save_minutes
                    # All processes go by the same clock and end together.
                    run.elapsed, due, stop = agree(
                        fabric, run.elapsed + now - began, late, signals.received
                    )
                    began = now
                    diary.note(terms, size, rate)
                    if stop:
                        finish(run, diary)
                        raise Stopped(run.last, run.step, int(stop))
                    if due:
                        run.save()
                        saved = time.monotonic()
                    if run.progress >= 1 or schedule.stage(run.progress) != stage:
                        break
    finish(run, diary)
    return run.ema


def choose_streams(
    mixture: Mixture, device: torch.device, teacher: Teacher | None, taught: float,
    on_device: bool | None,
) -> Streams:  # fmt: skip
    """Where batches are made: on ``device`` if told so, or if it is a GPU."""
    if device.type == "cuda" if on_device is None else on_device:
        store = Store(mixture, device)  # pictures stay there from stage to stage
        return lambda count, size, seed: DeviceStream(store, count, size, seed, teacher, taught)
    return lambda count, size, seed: BatchStream(mixture, count, size, seed, teacher, taught)


class Diary:
    """Mean losses for the log and for whoever watches; those of the first process."""

    def __init__(self, run: TrainingRun, report: Report | None) -> None:
        self.run, self.report = run, report
        self.log: RunLog | None = None
        in_first(run.fabric, self._open)
        self._sums: dict[str, Tensor] = {}
        self._counts: dict[str, int] = {}
        self._about = (0, 0.0)

    def _open(self) -> None:
        self.log = RunLog(self.run.out / "log.csv", self.run.step)

    def note(self, terms: dict[str, Tensor], size: int, rate: float) -> None:
        """Losses of a step, none if it was skipped; now and then they are written."""
        for name, value in terms.items():
            self._sums[name] = self._sums.get(name, 0) + value
            self._counts[name] = self._counts.get(name, 0) + 1
        self._about = (size, rate)
        if terms and self.run.step % LOG_EVERY == 0:
            self.write()

    def write(self) -> None:
        """A line of what has been noted since the last one, if anything has."""
        means = {name: float(sum_) / self._counts[name] for name, sum_ in self._sums.items()}
        self._sums, self._counts = {}, {}
        if means:
            in_first(self.run.fabric, lambda: self._write(means))

    def _write(self, means: dict[str, float]) -> None:
        run, (size, rate) = self.run, self._about
        if self.log:
            self.log.write(run.step, run.elapsed, size, rate, means)
        if self.report:
            self.report(run.step, run.progress, means)

    def draw(self) -> None:
        """``curves.png`` of the log, once it has two lines."""
        if self.log and self.log.path.exists() and len(read_rows(self.log.path)) > 1:
            from .curves import draw_curves

            draw_curves({self.run.out.name: self.log.path}, self.run.out / "curves.png")


def finish(run: TrainingRun, diary: Diary) -> None:
    """Leave a folder that is whole, and from which the run can go on."""
    run.save()
    diary.write()
    in_first(run.fabric, diary.draw)
