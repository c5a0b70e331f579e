"""A task is a network and its loss: one Module that turns a batch into a number."""

from __future__ import annotations

import math
from dataclasses import dataclass, field

import torch
from torch import Tensor, nn
from torch.nn import functional

from . import losses
from .consistency import Shift, consistency_losses, draw_shift, seen_again
from .networks.bodypix import BodyPixNet, hint_name
from .networks.mobilenet import MobileNetV1

SEEN_AGAIN = 0.25  # of the crops, where consistency counts: each costs as much as another crop


@dataclass(frozen=True)
class Batch:
    """Crops and targets as float tensors, NCHW.

    image (n,3,S,S) in [-1,1]; person and trust (n,1,S/4,S/4); parts (n,24,S/8,S/8) and
    has_parts (n,) in 0..1; ``teacher`` holds raw heads for the first m pictures, m <= n;
    ``poses`` targets and weights of the pose heads (see `targets`), empty if there are none.
    """

    image: Tensor
    person: Tensor
    trust: Tensor
    parts: Tensor
    has_parts: Tensor
    teacher: dict[str, Tensor]
    poses: dict[str, Tensor] = field(default_factory=dict)

    def to(self, device: torch.device) -> Batch:
        """The same on ``device``, the image in the layout that convolutions like best."""
        return Batch(
            image=channels_last(self.image.to(device)),
            person=self.person.to(device),
            trust=self.trust.to(device),
            parts=self.parts.to(device),
            has_parts=self.has_parts.to(device),
            teacher={name: head.to(device) for name, head in self.teacher.items()},
            poses={name: target.to(device) for name, target in self.poses.items()},
        )


class SegmentationTask(nn.Module):
    """All heads from labels and, for poses, from the teacher's answers to the same crop.

    With a ``consistency_weight`` the last quarter of a batch is seen again: see `consistency`.
    ``mixed``: the network multiplies in bfloat16; a run sets it by its schedule and device.
    """

    def __init__(
        self,
        network: BodyPixNet,
        pose_weight: float = 0.25,
        hints: tuple[int, ...] = (),
        hint_weight: float = 0.0,
        agree_weight: float = 0.5,
        consistency_weight: float = 0.0,
        parts_weight: float = 0.5,
        parts_agree_weight: float = 0.5,
        parts_balance: float = 0.0,
        parts_dice: float = 0.0,
        mixed: bool = True,
    ) -> None:
        super().__init__()
        self.network = network
        self.pose_weight = pose_weight
        self.hints, self.hint_weight = hints, hint_weight
        self.agree_weight = agree_weight
        self.consistency_weight = consistency_weight
        self.parts_weight, self.parts_agree_weight = parts_weight, parts_agree_weight
        self.parts_balance, self.parts_dice = parts_balance, parts_dice
        self.mixed = mixed

    def forward(self, batch: Batch, progress: float = 0.0) -> tuple[Tensor, dict[str, Tensor]]:
        """Loss to minimise and its parts by name, at ``progress`` in 0..1 of the run."""
        image, count, shift = batch.image, len(batch.image), (0, 0)
        twins = math.ceil(count * SEEN_AGAIN) if self.consistency_weight else 0
        if twins:  # in one batch: the normalization treats both alike
            shift = draw_shift()
            image = torch.cat([image, seen_again(image[-twins:], shift)])
        with torch.autocast(image.device.type, dtype=torch.bfloat16, enabled=self.mixed):
            raw = self.network(image, self.hints)
        # Features are large: only those that are taught are made float32.
        inner = {name: raw.pop(name) for name in map(hint_name, self.hints)}
        both = {name: head.float() for name, head in raw.items()}
        out = {name: head[:count] for name, head in both.items()} if twins else both
        terms = self.label_terms(out, batch)
        if twins:
            again = {name: head[count:] for name, head in both.items()}
            terms |= self.consistency_terms(out, again, batch.person, shift)
        if batch.teacher:
            taught = len(next(iter(batch.teacher.values())))
            mine = {
                name: (inner if name in inner else out)[name][:taught].float()
                for name in batch.teacher
            }
            # Hints lead the network; towards the end its labels are better than its teacher.
            weight = self.hint_weight * min(1.0, max(0.2, (1 - progress) / 0.3))
            for block in self.hints:
                name = hint_name(block)
                terms[name] = weight * losses.hint_loss(mine[name], batch.teacher[name])
            terms |= self.teacher_terms(mine, batch.teacher)
        if not any(term.requires_grad for term in terms.values()):
            # Pose heads alone learn, and no pose of the batch is known: the step changes nothing.
            terms["heatmaps_labels"] = 0 * out["heatmaps"].sum()
        return total(terms)

    def label_terms(self, out: dict[str, Tensor], batch: Batch) -> dict[str, Tensor]:
        """Losses against the labels: person and parts, coarse and fine, and poses where known."""
        poses = losses.labelled_pose_losses(out, batch.poses) if batch.poses else {}
        # Few pictures have these labels: they must not outweigh what all the others teach.
        known = batch.poses["heatmaps_weight"].flatten(1).amax(1) > 0 if batch.poses else None
        pose_weight = self.pose_weight * (float(known.float().mean()) if known is not None else 0)
        inside = (batch.person > 0.5).float() * batch.has_parts[:, None, None, None]
        each = (self.parts_balance, self.parts_dice)
        # Corner-aligned grids nest: every second (fourth) cell is a cell of the coarser grid.
        return {
            "person_fine": 2.0
            * losses.person_loss(out["segments_fine"], batch.person, batch.trust),
            "person": 0.3
            * losses.person_loss(
                out["segments"], batch.person[..., ::4, ::4], batch.trust[..., ::4, ::4]
            ),
            "parts_fine": self.parts_weight
            * losses.part_loss(
                out["part_heatmaps_fine"], batch.parts, inside[..., ::2, ::2], *each
            ),
            "parts": 0.2
            * self.parts_weight
            * losses.part_loss(
                out["part_heatmaps"], batch.parts[..., ::2, ::2], inside[..., ::4, ::4], *each
            ),
            **{f"{name}_labels": pose_weight * term for name, term in poses.items()},
        }

    def consistency_terms(
        self, out: dict[str, Tensor], again: dict[str, Tensor], person: Tensor, shift: Shift
    ) -> dict[str, Tensor]:
        """Losses between the last answers in ``out`` and those to the same crops seen again."""
        twins = len(again["segments_fine"])
        first = {name: head[-twins:] for name, head in out.items()}
        inside = (person[-twins:, :, ::2, ::2] > 0.5).float()
        apart = consistency_losses(first, again, inside, shift)
        return {name: self.consistency_weight * term for name, term in apart.items()}

    def teacher_terms(
        self, out: dict[str, Tensor], teacher: dict[str, Tensor]
    ) -> dict[str, Tensor]:
        """Losses of the coarse heads against the teacher's answers to the same crops."""
        person = torch.sigmoid(teacher["segments"])
        terms = {
            "agree": self.agree_weight
            * functional.binary_cross_entropy_with_logits(out["segments"], person)
        }
        for name, term in losses.pose_losses(out, teacher).items():
            terms[name] = self.pose_weight * term
        for name, term in losses.fine_losses(out, teacher).items():
            weight = self.parts_agree_weight if "parts" in name else self.agree_weight
            terms[name] = weight * term
        return terms


class StagewiseTask(SegmentationTask):
    """Every stage of the backbone learns by itself, given the teacher's features at its start.

    A stage reaches from one hint to the next, and the heads and the decoder see the teacher's
    features: no stage waits until those before it are good, so a new network learns the
    teacher's features much sooner (blockwise distillation, Li et al. 2020). The last hint must
    be the last block, and hints must name the blocks at strides 4 and 8. All pictures are taught.
    """

    def forward(self, batch: Batch, progress: float = 0.0) -> tuple[Tensor, dict[str, Tensor]]:
        network, teacher = self.network, batch.teacher
        backbone = network.backbone
        assert isinstance(backbone, MobileNetV1)  # `recipe` sees to it
        terms: dict[str, Tensor] = {}
        with torch.autocast(batch.image.device.type, dtype=torch.bfloat16, enabled=self.mixed):
            x, done = backbone.stem(batch.image), 0
            for block in self.hints:
                for layer in backbone.blocks[done:block]:
                    x = layer(x)
                name, done = hint_name(block), block
                terms[name] = self.hint_weight * losses.hint_loss(x.float(), teacher[name])
                x = channels_last(teacher[name])
            at = [channels_last(teacher[hint_name(tap + 1)]) for tap in backbone.taps]
            raw = network.decode(*at)
        out = {name: head.float() for name, head in raw.items()}
        return total(terms | self.label_terms(out, batch) | self.teacher_terms(out, teacher))


def channels_last(x: Tensor) -> Tensor:
    """The layout that CPU and GPU convolutions like best."""
    return x.contiguous(memory_format=torch.channels_last)


def total(terms: dict[str, Tensor]) -> tuple[Tensor, dict[str, Tensor]]:
    """The sum of all losses, and each of them, detached.

    As tensors: to ask a GPU for numbers at every step would keep it waiting.
    """
    loss = torch.stack(list(terms.values())).sum()
    return loss, {name: term.detach() for name, term in terms.items()}
