"""Several processes that train one network together, through Lightning Fabric.

Each process has a GPU of its own, or none, draws batches of its own, and all step by the mean of
their gradients. The first process alone writes files.
"""

from __future__ import annotations

import os
from collections.abc import Callable

import numpy as np
import torch
from lightning_fabric import Fabric
from lightning_fabric.strategies.ddp import DDPStrategy

from .errors import TrainingError


def make_fabric(devices: int | None = None) -> Fabric:
    """One process, ``devices`` of them, or as many as `torchrun` has started; on GPUs if any.

    ``launch()`` of the result starts the others, which run this same command. Raises ValueError
    when there are fewer GPUs, or when `torchrun` has started another number of processes.
    """
    nodes = 1
    if torch.distributed.is_available() and torch.distributed.is_torchelastic_launched():
        started = int(os.environ["LOCAL_WORLD_SIZE"])
        if devices not in (None, started):
            raise ValueError(
                f"devices: torchrun has started {started} processes here, got {devices}; leave it"
            )
        devices, nodes = started, int(os.environ.get("GROUP_WORLD_SIZE", "1"))
    devices = devices or 1
    gpus = torch.cuda.device_count()
    if 0 < gpus < devices:
        raise ValueError(f"devices: expected at most {gpus}, one per GPU, got {devices}")
    os.environ["LOCAL_WORLD_SIZE"] = str(devices)  # as torchrun does: they share the memory
    return Fabric(
        accelerator="cuda" if gpus else "cpu",
        devices=devices,
        num_nodes=nodes,
        # A batch without pose labels, say, teaches no pose head: not all weights get gradients.
        strategy=DDPStrategy(find_unused_parameters=True) if devices * nodes > 1 else "auto",
    )


def batch_seed(seed: int, step: int, rank: int) -> int:
    """Seed of the batches that process ``rank`` draws from ``step`` on; never twice the same."""
    return int(np.random.SeedSequence([seed, step, rank]).generate_state(1, np.uint64)[0])


def agree(fabric: Fabric, *values: float) -> tuple[float, ...]:
    """The largest of each value over all processes."""
    if fabric.world_size == 1:
        return values
    table = torch.tensor(values, dtype=torch.float64, device=fabric.device)
    return tuple(fabric.all_reduce(table, reduce_op="max").tolist())  # type: ignore[union-attr]


def in_first(fabric: Fabric, work: Callable[[], None]) -> None:
    """Do ``work`` in the first process; where it fails, TrainingError ends every process."""
    failure = cause = None
    if fabric.is_global_zero:
        try:
            work()
        except (OSError, TrainingError) as error:
            failure, cause = str(error), error
    failure = fabric.broadcast(failure)
    if failure is not None:
        raise TrainingError(failure) from cause
