"""The loop learns, resumes, skips what is not finite, and passes errors on."""

from __future__ import annotations

import csv
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from bodypix_train.checkpoint import read_network, write_weights
from bodypix_train.datasets.augment import Augmentation
from bodypix_train.datasets.mixture import BatchStream, Mixture, prefetch
from bodypix_train.networks.bodypix import BodyPixNet
from bodypix_train.tasks import Batch, SegmentationTask
from bodypix_train.train import Ema, Schedule, train

from .conftest import person_sample

SCHEDULE = Schedule(steps=50, warmup=5, ema=0.9, stages=((0.0, 33, 4), (0.5, 49, 2)))


def mixture() -> Mixture:
    return Mixture([(1.0, [person_sample()])], Augmentation())


def tiny_task() -> SegmentationTask:
    torch.manual_seed(0)
    return SegmentationTask(BodyPixNet(0.25, (8, 8)))


def test_learns_and_logs(tmp_path: Path) -> None:
    reports: list[dict[str, float]] = []
    schedule = replace(SCHEDULE, steps=100)
    train(tiny_task(), mixture(), schedule, tmp_path, report=lambda *line: reports.append(line[2]))
    assert reports[1]["person_fine"] < reports[0]["person_fine"]
    with (tmp_path / "log.csv").open() as file:
        assert [row["step"] for row in csv.DictReader(file)] == ["50", "100"]
    assert read_network(tmp_path / "last.pt").multiplier == 0.25


def test_resumes_where_it_stopped(tmp_path: Path) -> None:
    train(tiny_task(), mixture(), SCHEDULE, tmp_path)
    first = torch.load(tmp_path / "last.pt", weights_only=True)
    assert first["step"] == 50
    train(tiny_task(), mixture(), replace(SCHEDULE, steps=60), tmp_path)
    assert torch.load(tmp_path / "last.pt", weights_only=True)["step"] == 60
    assert not list(tmp_path.glob("*.part"))


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
    ) -> tuple[torch.Tensor, dict[str, float]]:
        loss, terms = normal(self, batch, progress)
        return (loss * float("nan") if next(calls) == 3 else loss), terms

    monkeypatch.setattr(SegmentationTask, "forward", broken)
    train(task, mixture(), replace(SCHEDULE, steps=8), tmp_path)
    assert all(torch.isfinite(p).all() for p in task.network.parameters())
    assert "batch skipped" in caplog.text


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


def test_small_checkpoints_hold_the_weights(tmp_path: Path) -> None:
    network = BodyPixNet(0.25, (8, 8))
    write_weights(network, tmp_path / "small.pt")
    again = read_network(tmp_path / "small.pt")
    for mine, theirs in zip(network.parameters(), again.parameters(), strict=True):
        assert torch.allclose(mine, theirs, atol=1e-3)


def test_not_a_checkpoint(tmp_path: Path) -> None:
    path = tmp_path / "last.pt"
    path.write_bytes(b"not a checkpoint")
    with pytest.raises(ValueError, match="expected a checkpoint of bodypix-train"):
        read_network(path)


def test_frozen_statistics_stay(tmp_path: Path) -> None:
    task = tiny_task()
    before = {name: value.clone() for name, value in task.network.named_buffers()}
    weights = task.network.person.weight.clone()
    train(task, mixture(), replace(SCHEDULE, steps=3, freeze_norm=True), tmp_path)
    assert all(torch.equal(value, before[name]) for name, value in task.network.named_buffers())
    assert not torch.equal(task.network.person.weight, weights)
