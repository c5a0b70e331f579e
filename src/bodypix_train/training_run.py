"""What a training run consists of and writes down: network, average, optimizer, how far it is."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Any

import torch
from lightning_fabric import Fabric
from torch import Tensor, nn

from .checkpoint import BROKEN, completed, read_state, shape_of, write_state
from .ema import Ema
from .errors import TrainingError
from .networks.bodypix import BodyPixNet
from .networks.mobilenet import MobileNetV1
from .optimizer import make_optimizer
from .precision import in_bfloat16
from .processes import in_first
from .revive import revive_channels
from .schedule import LEARNERS, Schedule
from .tasks import Batch, SegmentationTask

log = logging.getLogger(__name__)

PATIENCE = 20  # batches in a row without a finite loss, after which a run is given up


class TrainingRun:
    """A task that learns, batch by batch, in ``out``; ``progress`` goes from 0 to 1."""

    def __init__(
        self, task: SegmentationTask, schedule: Schedule, out: Path, fabric: Fabric,
        minutes: float | None = None,
    ) -> None:  # fmt: skip
        self.schedule, self.out, self.fabric, self.minutes = schedule, out, fabric, minutes
        self.last = out / "last.pt"
        self.step, self.elapsed, self.lost = 0, 0.0, 0
        self.network = task.network
        self.network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        task.mixed = in_bfloat16(schedule.precision, fabric.device)
        frozen = freeze_blocks(self.network, schedule.freeze_blocks)
        if schedule.only != "all":
            frozen = keep_all_but(self.network, LEARNERS[schedule.only])
        self.model = fabric.setup_module(task)  # on its device, gradients averaged
        self.ema = Ema(self.network, schedule.ema)
        self.optimizer = make_optimizer(
            self.network,
            schedule.optimizer,
            schedule.weight_decay,
            fused=fabric.device.type == "cuda",
            mixed=task.mixed,
        )
        self.model.train()
        for part in [task] if schedule.freeze_norm else frozen:
            for module in part.modules():
                if isinstance(module, nn.BatchNorm2d):
                    module.eval()

    @property
    def progress(self) -> float:
        """By steps or by time, whichever is further."""
        by_time = self.elapsed / (60 * self.minutes) if self.minutes else 0.0
        return min(1.0, max(self.step / self.schedule.steps, by_time))

    @property
    def rate(self) -> float:
        return self.schedule.rate(self.step, self.progress)

    def learn(self, batch: Batch) -> dict[str, Tensor]:
        """One step. Returns the losses by name; none if the batch was skipped.

        A batch whose loss or gradients are not finite, in any process, changes nothing. Raises
        TrainingError after many of them.
        """
        batch = batch.to(self.fabric.device)
        if self.step == 0 and self.schedule.revive:
            self._revive(batch.image)
        for group in self.optimizer.param_groups:
            group["lr"] = self.rate
        self.optimizer.zero_grad()
        loss: Tensor
        terms: dict[str, Tensor]
        loss, terms = self.model(batch, self.progress)
        self.fabric.backward(loss)
        # Of the mean of all processes' gradients: what is not finite in one is so in all.
        norm = nn.utils.clip_grad_norm_(self.network.parameters(), 5.0)
        if not torch.isfinite(norm):
            self._skip(float(loss.detach()))
            return {}
        self.optimizer.step()
        self.ema.update(self.network, self.step)
        self.step += 1
        self.lost = 0
        return terms

    def _revive(self, image: Tensor) -> None:
        if not isinstance(self.network.backbone, MobileNetV1):
            return  # a ResNet's shortcuts keep it alive
        count = revive_channels(self.network.backbone, image)
        # Every process has seen other pictures: the first one's answer counts.
        self.network.load_state_dict(self.fabric.broadcast(self.network.state_dict()))
        log.info("%d dead channels begin anew", count)

    def _skip(self, loss: float) -> None:
        log.warning("step %d: loss is %s, batch skipped", self.step, loss)
        # The batch has gone into the statistics of batch normalisation already.
        averages = dict(self.ema.module.named_buffers())
        for name, value in self.network.named_buffers():
            if not torch.isfinite(value).all():
                value.copy_(averages[name])
        self.lost += 1
        if self.lost == PATIENCE:
            raise TrainingError(
                f"{self.out}: no finite loss in {PATIENCE} batches, at step {self.step}; lower"
                f' schedule.learning_rate or set schedule.precision = "float32".{self._saved()}'
            )

    def _saved(self) -> str:
        return f" {self.last} is from before that." if self.last.exists() else ""

    def save(self) -> None:
        """Write ``last.pt``, whole or not at all. Raises TrainingError in every process."""
        state = {
            "network": self.network.state_dict(),
            "ema": self.ema.module.state_dict(),
            "optimizer": self.optimizer.state_dict(),
            "step": self.step,
            "elapsed": self.elapsed,
            **shape_of(self.network),
        }
        in_first(self.fabric, lambda: save(self.last, state))

    def resume(self) -> None:
        """Go on from ``last.pt``, if it is there. Raises ValueError if it is another network's."""
        for rest in self.out.glob(f".{self.last.name}.*.part"):  # of runs killed while they saved
            rest.unlink(missing_ok=True)
        if not self.last.exists():
            return
        try:
            state = read_state(self.last)
            self.network.load_state_dict(completed(state["network"]))
            self.ema.module.load_state_dict(completed(state["ema"]))
            if len(completed(state["network"])) == len(state["network"]):
                self.optimizer.load_state_dict(state["optimizer"])
            else:
                log.warning("%s: of an older network, its optimizer begins anew", self.last)
            self.step, self.elapsed = state["step"], state["elapsed"]
        except BROKEN as error:
            raise ValueError(
                f"{self.last}: expected a checkpoint of this recipe's network, got {error!r};"
                " choose another --out, or delete it to begin anew"
            ) from error
        log.info("resumed at step %d", self.step)


def freeze_blocks(network: BodyPixNet, count: int) -> list[nn.Module]:
    """Keep the stem and the first ``count`` blocks as they are; returns them.

    Raises ValueError for a ResNet, and where no block is left.
    """
    if not count:
        return []
    if not isinstance(network.backbone, MobileNetV1):
        raise ValueError(
            f"schedule.freeze_blocks: expected 0 for a {network.architecture}, got {count}:"
            " only a MobileNet's blocks can be kept"
        )
    if count >= len(network.backbone.blocks):
        raise ValueError(
            f"schedule.freeze_blocks: expected fewer than the {len(network.backbone.blocks)}"
            f" blocks of the backbone, got {count}"
        )
    frozen = [network.backbone.stem, *network.backbone.blocks[:count]]
    for layer in frozen:
        layer.requires_grad_(False)
    return frozen


def keep_all_but(network: BodyPixNet, learners: tuple[str, ...]) -> list[nn.Module]:
    """Keep all but the modules of these names as it is; returns what has statistics of it."""
    network.requires_grad_(False)
    for name in learners:
        network.get_submodule(name).requires_grad_(True)
    norms = (module for module in network.modules() if isinstance(module, nn.BatchNorm2d))
    return [norm for norm in norms if not norm.weight.requires_grad]


def save(path: Path, state: dict[str, Any]) -> None:
    """Write a checkpoint whole or not at all. Raises TrainingError when the disk is full."""
    try:
        write_state(state, path)
    except OSError as error:
        kept = f"; the one before it is whole: {path}" if path.exists() else ""
        raise TrainingError(
            f"cannot write a checkpoint in {path.parent} ({error.__cause__ or error}){kept}."
            " Make room on the disk; the same command then goes on"
        ) from error
