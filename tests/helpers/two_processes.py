"""A run of two processes, for `torchrun`: what each of them ends with goes to ``OUT/rankN.pt``."""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from bodypix_train.datasets.mixture import Mixture
from bodypix_train.datasets.sample import Sample
from bodypix_train.errors import Stopped
from bodypix_train.networks.bodypix import BodyPixNet
from bodypix_train.processes import agree, in_first, make_fabric
from bodypix_train.schedule import Schedule
from bodypix_train.tasks import Batch, SegmentationTask
from bodypix_train.train import train

SEED = 5
BATCH = 2  # of each process
SCHEDULE = Schedule(4, warmup=1, freeze_norm=True, stages=((0.0, 33, BATCH),), precision="float32")


class Plain(SegmentationTask):
    """A loss that is a mean over pictures: halves of a batch, averaged, are the whole batch.

    It uses neither the parts nor the poses, whose weights get no gradient.
    """

    poisoned: tuple[int, ...] = ()  # numbers of the batches whose loss is not finite

    def __init__(self, network: BodyPixNet) -> None:
        super().__init__(network, mixed=False)
        self.seen = 0
        self.images: list[Tensor] = []

    def forward(self, batch: Batch, progress: float = 0.0) -> tuple[Tensor, dict[str, Tensor]]:
        out = self.network(batch.image)["segments_fine"]
        loss = (out - 4 * batch.person).square().mean()
        self.images.append(batch.image.clone())
        self.seen += 1
        if self.seen in self.poisoned:
            loss = loss * float("nan")
        return loss, {"person": loss.detach()}


def picture() -> Mixture:
    """Noise with a person in its middle."""
    image = np.random.default_rng(0).integers(0, 256, (64, 64, 3), np.uint8)
    person = np.zeros((64, 64), np.uint8)
    person[16:48, 16:48] = 255
    return Mixture([(1.0, [Sample("noise", image, person, np.full_like(person, 255))])])


def plain_task() -> Plain:
    torch.manual_seed(0)
    return Plain(BodyPixNet(0.25, (8, 8)))


def main(out: Path) -> None:
    torch.set_num_threads(1)
    fabric = make_fabric()
    fabric.launch()
    rank = fabric.global_rank
    facts: dict[str, object] = {"world": fabric.world_size, "agree": agree(fabric, rank, -rank)}

    task = plain_task()
    reports: list[int] = []
    train(
        task, picture(), SCHEDULE, out / "equal", seed=SEED, fabric=fabric,
        report=lambda step, *_: reports.append(step),
    )  # fmt: skip
    facts |= {"images": task.images, "reports": reports, "weights": task.network.state_dict()}

    task = plain_task()
    task.poisoned = (2,) if rank == 1 else ()
    average = train(task, picture(), SCHEDULE, out / "poisoned", seed=SEED, fabric=fabric)
    facts |= {"batches": task.seen, "healthy": average.module.state_dict()}

    def ask_to_stop(self: Plain, batch: Batch, progress: float = 0.0) -> object:
        if self.seen == 1 and rank == 1:
            os.kill(os.getpid(), signal.SIGTERM)
        return Plain.forward(self, batch, progress)

    Stopping = type("Stopping", (Plain,), {"forward": ask_to_stop})
    try:
        network = plain_task().network
        train(Stopping(network), picture(), SCHEDULE, out / "stopped", seed=SEED, fabric=fabric)
    except Stopped as stop:
        facts["stop"] = str(stop)

    def fail() -> None:
        raise OSError("no space left")

    try:
        in_first(fabric, fail)
    except RuntimeError as error:
        facts["failure"] = str(error)
    torch.save(facts, out / f"rank{rank}.pt")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
