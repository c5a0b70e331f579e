"""A task is a network and its loss: one Module that turns a batch into a number."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from . import losses
from .networks.bodypix import BodyPixNet, hint_name


@dataclass(frozen=True)
class Batch:
    """Crops and targets as float tensors, NCHW.

    image (n,3,S,S) in [-1,1]; person and trust (n,1,S/4,S/4); parts (n,24,S/8,S/8) and
    has_parts (n,) in 0..1; ``teacher`` holds raw heads for the first m pictures, m <= n.
    """

    image: Tensor
    person: Tensor
    trust: Tensor
    parts: Tensor
    has_parts: Tensor
    teacher: dict[str, Tensor]


class SegmentationTask(nn.Module):
    """All heads from labels and, for poses, from the teacher's answers to the same crop."""

    def __init__(
        self,
        network: BodyPixNet,
        pose_weight: float = 0.25,
        hints: tuple[int, ...] = (),
        hint_weight: float = 0.0,
    ) -> None:
        super().__init__()
        self.network = network
        self.pose_weight = pose_weight
        self.hints, self.hint_weight = hints, hint_weight

    def forward(self, batch: Batch, progress: float = 0.0) -> tuple[Tensor, dict[str, float]]:
        """Loss to minimise and its parts by name, at ``progress`` in 0..1 of the run."""
        device = batch.image.device.type
        with torch.autocast(device, dtype=torch.bfloat16):
            raw = self.network(batch.image, self.hints)
        out = {name: head.float() for name, head in raw.items()}
        inside = (batch.person > 0.5).float() * batch.has_parts[:, None, None, None]
        # Corner-aligned grids nest: every second (fourth) cell is a cell of the coarser grid.
        terms = {
            "person_fine": 2.0
            * losses.person_loss(out["segments_fine"], batch.person, batch.trust),
            "person": 0.3
            * losses.person_loss(
                out["segments"], batch.person[..., ::4, ::4], batch.trust[..., ::4, ::4]
            ),
            "parts_fine": 0.3
            * losses.part_loss(out["part_heatmaps_fine"], batch.parts, inside[..., ::2, ::2]),
            "parts": 0.1
            * losses.part_loss(
                out["part_heatmaps"], batch.parts[..., ::2, ::2], inside[..., ::4, ::4]
            ),
        }
        if batch.teacher:
            count = len(next(iter(batch.teacher.values())))
            mine = {name: out[name][:count] for name in batch.teacher}
            # Hints lead the network; towards the end its labels are better than its teacher.
            weight = self.hint_weight * min(1.0, max(0.2, (1 - progress) / 0.3))
            for block in self.hints:
                name = hint_name(block)
                terms[name] = weight * losses.hint_loss(mine[name], batch.teacher[name])
            for name, term in losses.pose_losses(mine, batch.teacher).items():
                terms[name] = self.pose_weight * term
        total = torch.stack(list(terms.values())).sum()
        return total, {name: float(term.detach()) for name, term in terms.items()}
