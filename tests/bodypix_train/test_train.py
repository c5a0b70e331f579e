"""The loop learns, resumes, skips what is not finite, and passes errors on."""

from __future__ import annotations

import csv
import os
import signal
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import cv2
import pytest
import torch

from bodypix_train import train as training
from bodypix_train.checkpoint import read_network
from bodypix_train.datasets.device.stream import DeviceStream
from bodypix_train.datasets.echo import echoed
from bodypix_train.datasets.mixture import BatchStream, Mixture, prefetch
from bodypix_train.ema import Ema
from bodypix_train.errors import Stopped, TrainingError
from bodypix_train.networks.bodypix import BodyPixNet
from bodypix_train.precision import in_bfloat16
from bodypix_train.runlog import read_rows
from bodypix_train.tasks import Batch, SegmentationTask
from bodypix_train.train import train
from bodypix_train.training_run import TrainingRun

from .conftest import SCHEDULE, mixture, person_sample, tiny_task


def test_learns_and_logs(tmp_path: Path) -> None:
    reports: list[dict[str, float]] = []
    schedule = replace(SCHEDULE, steps=100)
    train(tiny_task(), mixture(), schedule, tmp_path, report=lambda *line: reports.append(line[2]))
    assert reports[1]["person_fine"] < reports[0]["person_fine"]
    with (tmp_path / "log.csv").open() as file:
        assert [row["step"] for row in csv.DictReader(file)] == ["50", "100"]
    assert cv2.imread(str(tmp_path / "curves.png")) is not None
    assert read_network(tmp_path / "last.pt").multiplier == 0.25


def test_resumes_where_it_stopped(tmp_path: Path) -> None:
    train(tiny_task(), mixture(), SCHEDULE, tmp_path)
    first = torch.load(tmp_path / "last.pt", weights_only=True)
    assert first["step"] == 50
    train(tiny_task(), mixture(), replace(SCHEDULE, steps=60), tmp_path)
    assert torch.load(tmp_path / "last.pt", weights_only=True)["step"] == 60
    assert not list(tmp_path.glob("*.part"))


def test_lines_that_were_not_saved_are_written_anew(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A run that is killed goes back to its last checkpoint; what it left half-written goes."""
    monkeypatch.setattr(training, "LOG_EVERY", 2)
    train(tiny_task(), mixture(), replace(SCHEDULE, steps=2), tmp_path)
    (tmp_path / ".last.pt.0123.part").write_bytes(b"half")
    lines = (tmp_path / "log.csv").read_text().splitlines()
    with (tmp_path / "log.csv").open("a") as file:
        file.write(lines[1].replace("2,", "4,", 1) + "\n6,12")
    train(tiny_task(), mixture(), replace(SCHEDULE, steps=5), tmp_path)
    assert [row["step"] for row in read_rows(tmp_path / "log.csv")] == ["2", "4", "5"]
    assert (tmp_path / "log.csv").read_text().splitlines()[1] == lines[1]
    assert not list(tmp_path.glob("*.part"))


def test_runs_of_older_networks_go_on(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """They have no share of the coarse head in the fine one, nor their optimizer state of it."""
    train(tiny_task(), mixture(), replace(SCHEDULE, steps=2), tmp_path)
    state = torch.load(tmp_path / "last.pt", weights_only=True)
    for name in ("network", "ema"):
        del state[name]["coarse_share"], state[name]["coarse_parts"]
    state["optimizer"]["param_groups"][1]["params"].pop()
    torch.save(state, tmp_path / "last.pt")
    train(tiny_task(), mixture(), replace(SCHEDULE, steps=3), tmp_path)
    assert torch.load(tmp_path / "last.pt", weights_only=True)["step"] == 3
    assert "its optimizer begins anew" in caplog.text


def test_a_run_of_another_network_is_left_alone(tmp_path: Path) -> None:
    train(tiny_task(), mixture(), replace(SCHEDULE, steps=2), tmp_path)
    before = (tmp_path / "last.pt").read_bytes()
    other = SegmentationTask(BodyPixNet(0.25, (16, 8)))
    with pytest.raises(ValueError, match="expected a checkpoint of this recipe's network"):
        train(other, mixture(), SCHEDULE, tmp_path)
    assert (tmp_path / "last.pt").read_bytes() == before


def test_a_full_disk_leaves_the_last_checkpoint(tmp_path: Path) -> None:
    resource = pytest.importorskip("resource")
    train(tiny_task(), mixture(), replace(SCHEDULE, steps=2), tmp_path)
    before = (tmp_path / "last.pt").read_bytes()
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (len(before) // 2, hard))  # as if the disk were full
    try:
        with pytest.raises(TrainingError, match=r"File too large.* before it is whole"):
            train(tiny_task(), mixture(), replace(SCHEDULE, steps=4), tmp_path)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert (tmp_path / "last.pt").read_bytes() == before
    assert not list(tmp_path.glob("*.part"))
    train(tiny_task(), mixture(), replace(SCHEDULE, steps=4), tmp_path)
    assert torch.load(tmp_path / "last.pt", weights_only=True)["step"] == 4


def test_batches_made_on_the_device(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    drawn: list[tuple[int, int]] = []
    batch = DeviceStream.batch

    def noted(self: DeviceStream, *arguments: Any) -> Batch:
        drawn.append((self.batch_size, self.size))
        return batch(self, *arguments)

    monkeypatch.setattr(DeviceStream, "batch", noted)
    schedule = replace(SCHEDULE, steps=4)
    train(tiny_task(), mixture(), schedule, tmp_path, batches_on_device=True)
    assert drawn[0] == (4, 33)
    assert drawn[-1] == (2, 49)
    assert torch.load(tmp_path / "last.pt", weights_only=True)["step"] == 4


def test_echoes_spare_batches(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    learned: list[Batch] = []  # the batches themselves, or another would get one's id
    learn = TrainingRun.learn

    def noted(self: TrainingRun, batch: Batch) -> dict[str, torch.Tensor]:
        learned.append(batch)
        return learn(self, batch)

    monkeypatch.setattr(TrainingRun, "learn", noted)
    monkeypatch.setattr(training, "echoed", partial(echoed, pool=2))
    schedule = replace(SCHEDULE, steps=20, stages=((0.0, 33, 2),), echo=4)
    train(tiny_task(), mixture(), schedule, tmp_path)
    assert len(learned) == 20
    assert len(set(map(id, learned))) <= 20 / 4 + 2


def test_first_blocks_stay_as_they_are(tmp_path: Path) -> None:
    task = tiny_task()
    before = {name: value.clone() for name, value in task.network.state_dict().items()}
    train(task, mixture(), replace(SCHEDULE, steps=3, freeze_blocks=5), tmp_path)
    same = {name for name, value in task.network.state_dict().items() if value.equal(before[name])}
    kept = ("backbone.stem", *(f"backbone.blocks.{number}." for number in range(5)))
    assert {name for name in before if name.startswith(kept)} <= same
    assert "backbone.blocks.5.1.0.weight" not in same
    assert "person.weight" not in same


@pytest.mark.parametrize("freeze_norm", [True, False])
def test_only_an_overview_learns(tmp_path: Path, freeze_norm: bool) -> None:
    task = SegmentationTask(BodyPixNet(0.25, (8, 8), overview=4))
    before = {name: value.clone() for name, value in task.network.state_dict().items()}
    train(task, mixture(), replace(SCHEDULE, only="overview", freeze_norm=freeze_norm), tmp_path)
    changed = {n for n, value in task.network.state_dict().items() if not value.equal(before[n])}
    assert changed
    assert all(name.startswith("overview.") for name in changed)
    assert ("overview.widen.1.running_mean" in changed) != freeze_norm


@pytest.mark.parametrize(
    ("network", "count", "match"),
    [
        (BodyPixNet(0.25, (8, 8)), 13, "freeze_blocks: expected fewer than the 13 blocks"),
        (BodyPixNet(0.125, (8, 8), "ResNet14"), 2, "freeze_blocks: expected 0 for a ResNet14"),
    ],
)
def test_blocks_that_cannot_be_frozen(
    tmp_path: Path, network: BodyPixNet, count: int, match: str
) -> None:
    with pytest.raises(ValueError, match=match):
        train(
            SegmentationTask(network), mixture(), replace(SCHEDULE, freeze_blocks=count), tmp_path
        )


def test_what_is_kept_is_not_revived() -> None:
    with pytest.raises(ValueError, match=r"schedule\.revive: expected false"):
        replace(SCHEDULE, freeze_blocks=2, revive=True)
    with pytest.raises(ValueError, match=r"schedule\.revive: expected false"):
        replace(SCHEDULE, only="poses", revive=True)


@pytest.mark.parametrize("native", [True, False])
def test_bfloat16_only_where_the_processor_has_it(
    native: bool, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(torch.ops.mkldnn, "_is_mkldnn_bf16_supported", lambda: native)
    assert in_bfloat16("bf16", torch.device("cpu")) == native
    assert ("in float32 instead" in caplog.text) != native
    assert in_bfloat16("bf16", torch.device("cuda"))
    assert not in_bfloat16("float32", torch.device("cuda"))


@pytest.mark.parametrize(("mixed", "dtype"), [(True, torch.bfloat16), (False, torch.float32)])
def test_precision(mixed: bool, dtype: torch.dtype) -> None:
    network = BodyPixNet(0.25, (8, 8))
    seen = []
    network.person.register_forward_hook(lambda *call: seen.append(call[2].dtype))
    task = SegmentationTask(network, mixed=mixed)
    task(next(iter(BatchStream(mixture(), 2, 33, 0))))[0].backward()
    assert seen == [dtype]
    assert network.person.weight.grad.dtype == torch.float32


@pytest.mark.parametrize(
    ("field", "value", "message"),
    [
        ("precision", "fp8", "schedule.precision: expected one of bf16, float32, got 'fp8'"),
        ("stages", ((0.5, 33, 4),), r"schedule.stages: .*from 0.0 on, got \[\[0.5, 33, 4\]\]"),
        ("stages", (), "schedule.stages"),
        ("freeze_blocks", -1, "schedule.freeze_blocks: expected a number from 0, got -1"),
        ("only", "pose", "schedule.only: expected one of all, poses, overview, got 'pose'"),
    ],
)
def test_schedules_that_cannot_be(field: str, value: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        replace(SCHEDULE, **{field: value})


def test_ends_by_the_clock(tmp_path: Path) -> None:
    train(tiny_task(), mixture(), replace(SCHEDULE, steps=10**6), tmp_path, minutes=0.02)
    assert torch.load(tmp_path / "last.pt", weights_only=True)["step"] < 10**6


def test_loss_that_is_not_finite_changes_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    task = tiny_task()
    normal = SegmentationTask.forward
    calls = iter(range(10**6))

    def broken(
        self: SegmentationTask, batch: Batch, progress: float
    ) -> tuple[torch.Tensor, dict[str, torch.Tensor]]:
        loss, terms = normal(self, batch, progress)
        return (loss * float("nan") if next(calls) == 3 else loss), terms

    monkeypatch.setattr(SegmentationTask, "forward", broken)
    train(task, mixture(), replace(SCHEDULE, steps=8), tmp_path)
    assert all(torch.isfinite(p).all() for p in task.network.parameters())
    assert "step 3: loss is nan, batch skipped" in caplog.text
    assert next(calls) == 9


def test_a_picture_out_of_range_leaves_no_trace_in_the_statistics(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    task = tiny_task()
    normal = SegmentationTask.forward
    calls = iter(range(10**6))

    def dazzled(
        self: SegmentationTask, batch: Batch, progress: float
    ) -> tuple[torch.Tensor, dict[str, torch.Tensor]]:
        if next(calls) == 3:
            batch = replace(batch, image=batch.image * float("inf"))
        return normal(self, batch, progress)

    monkeypatch.setattr(SegmentationTask, "forward", dazzled)
    ema = train(task, mixture(), replace(SCHEDULE, steps=5), tmp_path)
    for network in (task.network, ema.module):
        assert all(torch.isfinite(value).all() for value in network.state_dict().values())


def test_a_loss_that_stays_bad_ends_the_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    train(tiny_task(), mixture(), replace(SCHEDULE, steps=2), tmp_path)
    normal = SegmentationTask.forward

    def broken(
        self: SegmentationTask, batch: Batch, progress: float
    ) -> tuple[torch.Tensor, dict[str, torch.Tensor]]:
        loss, terms = normal(self, batch, progress)
        return loss * float("inf"), terms

    monkeypatch.setattr(SegmentationTask, "forward", broken)
    with pytest.raises(
        TrainingError, match=r"no finite loss in 20 batches, at step 2.*last\.pt is"
    ):
        train(tiny_task(), mixture(), SCHEDULE, tmp_path)
    assert torch.load(tmp_path / "last.pt", weights_only=True)["step"] == 2


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_saves_and_ends(tmp_path: Path, number: signal.Signals) -> None:
    class Signalling(SegmentationTask):
        def forward(self, *arguments: Any) -> Any:
            os.kill(os.getpid(), number)
            return super().forward(*arguments)

    before = signal.getsignal(number)
    with pytest.raises(Stopped, match=rf"stopped by {number.name} at step 1; .*last\.pt is saved"):
        train(Signalling(tiny_task().network), mixture(), SCHEDULE, tmp_path)
    assert signal.getsignal(number) == before
    assert torch.load(tmp_path / "last.pt", weights_only=True)["step"] == 1
    assert [row["step"] for row in read_rows(tmp_path / "log.csv")] == ["1"]
    train(tiny_task(), mixture(), replace(SCHEDULE, steps=3), tmp_path)
    assert [row["step"] for row in read_rows(tmp_path / "log.csv")] == ["1", "3"]


def test_errors_of_the_data_thread_reach_the_loop() -> None:
    class Broken(Mixture):
        def draw(self, *_: object) -> None:  # type: ignore[override]
            raise OSError("disk is gone")

    stream = BatchStream(Broken([(1.0, [person_sample()])]), 2, 33, 0)
    with pytest.raises(OSError, match="disk is gone"):
        next(prefetch(stream))


def test_empty_sources_are_refused() -> None:
    with pytest.raises(ValueError, match="every source of the recipe is empty"):
        Mixture([(1.0, [])])


def test_average_starts_at_the_weights() -> None:
    network = BodyPixNet(0.25, (8, 8))
    ema = Ema(network, 0.999)
    with torch.no_grad():
        next(network.parameters()).add_(1)
    ema.update(network, step=0)
    gap = next(network.parameters()) - next(ema.module.parameters())
    assert float(gap.detach().abs().max()) == pytest.approx(0.1, abs=1e-5)


def test_frozen_statistics_stay(tmp_path: Path) -> None:
    task = tiny_task()
    before = {name: value.clone() for name, value in task.network.named_buffers()}
    weights = task.network.person.weight.clone()
    train(task, mixture(), replace(SCHEDULE, steps=3, freeze_norm=True), tmp_path)
    assert all(torch.equal(value, before[name]) for name, value in task.network.named_buffers())
    assert not torch.equal(task.network.person.weight, weights)
