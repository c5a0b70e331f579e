"""How long and how fast a network learns."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

from .fields import above_0, check_fields, flag, is_number, is_whole, listed, number, one_of, whole


def _is_stage(value: Any) -> bool:
    return (
        isinstance(value, list | tuple)
        and len(value) == 3
        and is_number(value[0])
        and 0 <= value[0] < 1
        and is_whole(value[1], 17)
        and value[1] % 16 == 1
        and is_whole(value[2], 1)
    )


# What a run of poses alone teaches: with long offsets that had learned along from the labels,
# pixels found their people less often (docs/accuracy.md).
POSE_HEADS = ("heatmaps", "short_offsets", "displacement_fwd", "displacement_bwd")
# Modules of a network that may learn alone, by what `only` calls them.
LEARNERS = {"poses": tuple(f"heads.{name}" for name in POSE_HEADS), "overview": ("overview",)}

FIELDS = {
    "steps": whole(1),
    "learning_rate": above_0(),
    "warmup": whole(1),
    "weight_decay": number(),
    "ema": number("a share from 0 to below 1", 0, math.nextafter(1, 0)),
    "stages": listed("a list of [share below 1, crop side 16k+1, batch size from 1]", _is_stage),
    "save_minutes": number(),
    "freeze_norm": flag(),
    "precision": one_of("bf16", "float32"),
    "optimizer": one_of("adamw", "muon"),
    "revive": flag(),
    "freeze_blocks": whole(0, "a number"),
    "only": one_of("all", *LEARNERS),
    "echo": whole(1),
}


@dataclass(frozen=True)
class Schedule:
    """``stages`` are (share of the steps done, crop side, batch size of each process).

    ``freeze_norm`` keeps the statistics of batch normalisation as they are: the network then
    gives one answer to one picture, whatever else is in the batch, and can follow a teacher that
    has no such noise. It needs a lower rate, and weights that are good already. ``precision``
    "bf16" multiplies in bfloat16 where the device can (see `precision`) and keeps weights and
    losses in float32. ``optimizer`` "muon" learns features faster than "adamw" (see `optimizer`).
    ``revive`` gives channels of the backbone that are never or always at their limit a new start
    (see `revive`). ``freeze_blocks``: the stem and so many blocks of a MobileNet's backbone stay as
    they are; steps are quicker then. ``only`` "poses", "overview": so does all but the pose heads,
    or but what the small picture adds (see `overview`). ``echo``: so often each batch is learned
    from (see `echo`).
    """

    steps: int
    learning_rate: float = 3e-3
    warmup: int = 200
    weight_decay: float = 0.02
    ema: float = 0.9995
    stages: tuple[tuple[float, int, int], ...] = ((0.0, 193, 24), (0.4, 257, 16))
    save_minutes: float = 3.0
    freeze_norm: bool = False
    precision: str = "bf16"
    optimizer: str = "adamw"
    revive: bool = False
    freeze_blocks: int = 0
    only: str = "all"
    echo: int = 1

    def __post_init__(self) -> None:
        check_fields("schedule", vars(self), FIELDS)
        if self.revive and (self.freeze_blocks or self.only != "all"):
            raise ValueError(
                "schedule.revive: expected false where freeze_blocks or only keep blocks as"
                " they are, got true"
            )
        shares = [share for share, _, _ in self.stages]
        if shares[:1] != [0] or shares != sorted(set(shares)):
            raise ValueError(
                "schedule.stages: expected [share, side, batch] with shares that rise from 0.0 on,"
                f" got {list(map(list, self.stages))}"
            )

    def stage(self, progress: float) -> tuple[int, int]:
        """(crop side, batch size) at ``progress`` in 0..1."""
        return next((s, b) for start, s, b in reversed(self.stages) if progress >= start)

    def rate(self, step: int, progress: float) -> float:
        """Learning rate: linear warm-up, then half a cosine down to 1%."""
        warm = min(1.0, (step + 1) / self.warmup)
        return self.learning_rate * warm * (0.01 + 0.99 * 0.5 * (1 + math.cos(math.pi * progress)))
