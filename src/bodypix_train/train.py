"""The training loop: any task, any stream of batches; resumes where it was stopped."""

from __future__ import annotations

import copy
import csv
import logging
import math
import os
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import torch
from torch import nn

from .checkpoint import shape_of
from .datasets.mixture import BatchStream, Mixture, prefetch
from .tasks import SegmentationTask, channels_last
from .teachers import Teacher

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Schedule:
    """How long and how fast. ``stages`` are (share of the steps done, crop side, batch size).

    ``freeze_norm`` keeps the statistics of batch normalisation as they are: the network then
    gives one answer to one picture, whatever else is in the batch, and can follow a teacher that
    has no such noise. It needs a lower rate, and weights that are good already.
    """

    steps: int
    learning_rate: float = 3e-3
    warmup: int = 200
    weight_decay: float = 0.02
    ema: float = 0.9995
    stages: tuple[tuple[float, int, int], ...] = ((0.0, 193, 24), (0.4, 257, 16))
    save_minutes: float = 3.0
    freeze_norm: bool = False

    def stage(self, progress: float) -> tuple[int, int]:
        """(crop side, batch size) at ``progress`` in 0..1."""
        return next((s, b) for start, s, b in reversed(self.stages) if progress >= start)

    def rate(self, step: int, progress: float) -> float:
        """Learning rate: linear warm-up, then half a cosine down to 1%."""
        warm = min(1.0, (step + 1) / self.warmup)
        return self.learning_rate * warm * (0.01 + 0.99 * 0.5 * (1 + math.cos(math.pi * progress)))


class Ema:
    """Exponential moving average of weights and batch statistics."""

    def __init__(self, module: nn.Module, decay: float) -> None:
        self.module = copy.deepcopy(module).eval().requires_grad_(False)
        self.decay = decay

    @torch.no_grad()
    def update(self, module: nn.Module, step: int) -> None:
        # A young average forgets faster, so that it is not stuck at random weights.
        decay = min(self.decay, (1 + step) / (10 + step))
        averages, values = self.module.state_dict(), module.state_dict()
        for name, new in values.items():
            mine = averages[name]
            if mine.dtype.is_floating_point:
                mine.lerp_(new, 1 - decay)
            else:
                mine.copy_(new)


def parameter_groups(module: nn.Module, decay: float) -> list[dict[str, Any]]:
    """Weight decay for full convolutions only: not for depthwise ones, biases and norms."""
    full, rest = [], []
    for parameter in module.parameters():
        (full if parameter.ndim > 1 and parameter.shape[1] > 1 else rest).append(parameter)
    return [{"params": full, "weight_decay": decay}, {"params": rest, "weight_decay": 0.0}]


def save(path: Path, state: dict[str, Any]) -> None:
    """Write a checkpoint whole or not at all."""
    part = path.with_suffix(".part")
    torch.save(state, part)
    os.replace(part, path)


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
    report: Callable[[int, float, dict[str, float]], None] | None = None,
) -> Ema:
    """Train ``task`` and return the averaged weights; continues from ``out/last.pt`` if present.

    ``minutes`` ends the run by the clock: the schedule then follows whichever of steps and time
    is further, so that it always reaches its end. Every 50 steps a line goes to ``out/log.csv``.
    """
    out.mkdir(parents=True, exist_ok=True)
    network = task.network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    ema = Ema(network, schedule.ema)
    optimizer = torch.optim.AdamW(parameter_groups(network, schedule.weight_decay))
    last, step, elapsed = out / "last.pt", 0, 0.0
    if last.exists():
        state = torch.load(last, weights_only=True)
        network.load_state_dict(state["network"])
        ema.module.load_state_dict(state["ema"])
        optimizer.load_state_dict(state["optimizer"])
        step, elapsed = state["step"], state["elapsed"]
        log.info("resumed at step %d", step)

    def checkpoint() -> None:
        save(
            last,
            {
                "network": network.state_dict(),
                "ema": ema.module.state_dict(),
                "optimizer": optimizer.state_dict(),
                "step": step,
                "elapsed": elapsed,
                **shape_of(network),
            },
        )

    def progress() -> float:
        by_time = elapsed / (60 * minutes) if minutes else 0.0
        return min(1.0, max(step / schedule.steps, by_time))

    task.train()
    if schedule.freeze_norm:
        for module in task.modules():
            if isinstance(module, nn.BatchNorm2d):
                module.eval()
    saved = time.monotonic()
    sums: dict[str, float] = {}
    while progress() < 1:
        stage = schedule.stage(progress())
        size, count = stage
        stream = BatchStream(mixture, count, size, seed + step, teacher, taught_share)
        began = time.monotonic()
        for batch in prefetch(stream):
            rate = schedule.rate(step, progress())
            for group in optimizer.param_groups:
                group["lr"] = rate
            batch = replace(batch, image=channels_last(batch.image))
            loss, terms = task(batch, progress())
            if not torch.isfinite(loss):
                log.warning("step %d: loss is %s, batch skipped", step, float(loss.detach()))
                optimizer.zero_grad()
                continue
            optimizer.zero_grad()
            loss.backward()
            nn.utils.clip_grad_norm_(network.parameters(), 5.0)
            optimizer.step()
            ema.update(network, step)
            step += 1
            for name, value in terms.items():
                sums[name] = sums.get(name, 0.0) + value / 50
            now = time.monotonic()
            elapsed, began = elapsed + now - began, now
            if step % 50 == 0:
                write_log(out / "log.csv", step, elapsed, size, rate, sums)
                if report:
                    report(step, progress(), sums)
                sums = {}
            if time.monotonic() - saved > 60 * schedule.save_minutes:
                checkpoint()
                saved = time.monotonic()
            if progress() >= 1 or schedule.stage(progress()) != stage:
                break
    checkpoint()
    return ema


def write_log(
    path: Path, step: int, elapsed: float, size: int, rate: float, terms: dict[str, float]
) -> None:
    new = not path.exists()
    with path.open("a", newline="") as file:
        writer = csv.writer(file)
        if new:
            writer.writerow(["step", "seconds", "size", "rate", *terms])
        values = [f"{value:.4f}" for value in terms.values()]
        writer.writerow([step, round(elapsed), size, f"{rate:.2e}", *values])
