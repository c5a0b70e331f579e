"""Losses of all heads. Logits and targets are NCHW float tensors; a missing label has weight 0.

Shapes: S is the crop's side, G = (S-1)/16+1 the coarse grid, and n the number of pictures.
"""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F

from bodypix.body import POSE_EDGES

from .networks.bodypix import OFFSET_UNIT

PARENTS = torch.tensor([parent for parent, _ in POSE_EDGES])
CHILDREN = torch.tensor([child for _, child in POSE_EDGES])
SEEN = 8  # cells of a batch from which a part's dice counts


def person_loss(logit: Tensor, target: Tensor, trust: Tensor, edge_weight: float = 2.0) -> Tensor:
    """Cross-entropy, heavier along edges, plus soft dice; all (n,1,h,w), target in 0..1."""
    edge = (target - F.avg_pool2d(target, 5, 1, 2, count_include_pad=False)).abs()
    weight = trust * (1 + edge_weight * (edge * 2).clamp(max=1))
    entropy = F.binary_cross_entropy_with_logits(logit, target, reduction="none")
    probability = torch.sigmoid(logit)
    both = (probability * target * trust).sum((1, 2, 3))
    total = ((probability + target) * trust).sum((1, 2, 3))
    # The constant keeps crops without anybody from dividing by nothing.
    dice = 1 - (2 * both + 20) / (total + 20)
    return (entropy * weight).sum() / weight.sum().clamp(min=1) + 0.5 * dice.mean()


def part_votes(target: Tensor) -> Tensor:
    """A teacher's shares of parts (n,24,h,w) as a clearer vote, which adds up to 1 as well.

    Odds to the power 1.5 favour the largest share, with ties left open.
    """
    odds = (target / (1 - target.clamp(max=0.995))) ** 1.5
    return odds / odds.sum(1, keepdim=True).clamp(min=1e-3)


def rarity(share: Tensor, weight: Tensor, balance: float) -> Tensor:
    """How much each pixel (n,h,w) counts where small parts are to count more than their area.

    ``share`` (n,24,h,w) adds up to 1, ``weight`` is (n,h,w). A part's pixels count by its share of
    all, to the power -``balance``: 0.5 lies halfway between counting pixels (0) and parts (1). No
    part counts as rarer than one pixel in 200, or a few pixels would lead the batch.
    """
    area = (share * weight[:, None]).sum((0, 2, 3))
    common = area / area.sum().clamp(min=1e-3) + 1 / 200
    return torch.einsum("nchw,c->nhw", share, common**-balance)


def part_loss(
    logits: Tensor, target: Tensor, inside: Tensor, balance: float = 0.0, dice: float = 0.0
) -> Tensor:
    """Which part, where there is a person: softmax and per-channel cross-entropy.

    ``logits`` and ``target`` (n,24,h,w) with target in 0..1, ``inside`` (n,1,h,w) weights. The
    softmax term ranks the parts; the per-channel one keeps each logit a probability's, as users
    of the head expect. ``balance``: see `rarity`. ``dice`` is the weight of `part_dice`.
    """
    share = part_votes(target)
    known = inside[:, 0] * (target.amax(1) > 0.15)
    weight = known * rarity(share, known, balance) if balance else known
    rank = -(share * F.log_softmax(logits, 1)).sum(1)
    each = F.binary_cross_entropy_with_logits(logits, share, reduction="none").sum(1)
    entropy = ((rank + 0.2 * each) * weight).sum() / weight.sum().clamp(min=1)
    return entropy + dice * part_dice(logits, share, known) if dice else entropy


def part_dice(logits: Tensor, share: Tensor, weight: Tensor) -> Tensor:
    """Soft dice of every part over the batch, 0 where all is right; the mean of parts there are.

    ``share`` (n,24,h,w) adds up to 1, ``weight`` is (n,h,w). All parts count alike, as in the mean
    IoU, whatever their area (Milletari et al. 2016).
    """
    weight = weight[:, None]
    answer = torch.softmax(logits, 1) * weight
    area = (share * weight).sum((0, 2, 3))
    both = (answer * share).sum((0, 2, 3))
    apart = 1 - (2 * both + 1) / (answer.sum((0, 2, 3)) + area + 1)
    seen = area > SEEN
    return (apart * seen).sum() / seen.sum().clamp(min=1)


def offset_loss(offsets: Tensor, target: Tensor, weight: Tensor) -> Tensor:
    """Huber loss in units of 32 network pixels.

    ``offsets`` and ``target`` (n,2k,G,G) hold all dy, then all dx; ``weight`` is (n,k,G,G).
    """
    error = F.smooth_l1_loss(
        offsets / OFFSET_UNIT, target / OFFSET_UNIT, beta=0.1, reduction="none"
    )
    return (error * torch.cat([weight, weight], 1)).sum() / (2 * weight.sum()).clamp(min=1)


def pose_losses(out: dict[str, Tensor], teacher: dict[str, Tensor]) -> dict[str, Tensor]:
    """Losses of the heads that only the teacher can answer, all on the coarse grid.

    Offsets and displacements mean something only near the keypoint that they start from, long
    offsets only on a person; the teacher's own confidence says where that is.
    """
    heat = torch.sigmoid(teacher["heatmaps"])
    near = torch.where(heat > 0.2, heat, 0)
    person = (torch.sigmoid(teacher["segments"]) > 0.5).float()
    on_person = person.expand(-1, 17, -1, -1)
    entropy = F.binary_cross_entropy_with_logits(out["heatmaps"], heat, reduction="none")
    part_offsets = (out["part_offsets"] - teacher["part_offsets"]).abs() * person
    return {
        "heatmaps": (entropy * (1 + 10 * heat)).mean() * 8,
        "short_offsets": offset_loss(out["short_offsets"], teacher["short_offsets"], near),
        "long_offsets": offset_loss(out["long_offsets"], teacher["long_offsets"], on_person),
        "displacement_fwd": offset_loss(
            out["displacement_fwd"], teacher["displacement_fwd"], near[:, PARENTS]
        ),
        "displacement_bwd": offset_loss(
            out["displacement_bwd"], teacher["displacement_bwd"], near[:, CHILDREN]
        ),
        "part_offsets": part_offsets.sum() / (48 * person.sum()).clamp(min=1),
    }


def fine_losses(out: dict[str, Tensor], teacher: dict[str, Tensor]) -> dict[str, Tensor]:
    """Losses against a teacher that has the fine heads too; nothing for one that has not.

    Parts by the divergence of the shares that softmax gives them, where the teacher sees a
    person (Hinton et al. 2015, at temperature 1).
    """
    if "segments_fine" not in teacher:
        return {}
    person = torch.sigmoid(teacher["segments_fine"])
    inside = (person[..., ::2, ::2] > 0.5).float()
    mine = F.log_softmax(out["part_heatmaps_fine"], 1)
    theirs = F.log_softmax(teacher["part_heatmaps_fine"], 1)
    parts = F.kl_div(mine, theirs, reduction="none", log_target=True).sum(1, keepdim=True)
    return {
        "person_fine_agree": F.binary_cross_entropy_with_logits(out["segments_fine"], person),
        "parts_fine_agree": (parts * inside).sum() / inside.sum().clamp(min=1),
    }


def labelled_pose_losses(out: dict[str, Tensor], targets: dict[str, Tensor]) -> dict[str, Tensor]:
    """Losses of the pose heads against labels, as `targets` gives them.

    There are no labels for part_offsets: nothing that decodes reads them.
    """
    weight = targets["heatmaps_weight"] * (1 + 10 * targets["heatmaps"])
    entropy = F.binary_cross_entropy_with_logits(
        out["heatmaps"], targets["heatmaps"], reduction="none"
    )
    terms = {"heatmaps": (entropy * weight).sum() / targets["heatmaps_weight"].sum().clamp(min=1)}
    terms["heatmaps"] = terms["heatmaps"] * 8
    terms["short_offsets"] = offset_loss(
        out["short_offsets"], targets["short_offsets"], targets["near"]
    )
    for name in ("long_offsets", "displacement_fwd", "displacement_bwd"):
        terms[name] = offset_loss(out[name], targets[name], targets[f"{name}_weight"])
    return terms


def hint_loss(feature: Tensor, teacher: Tensor) -> Tensor:
    """Squared error of a backbone feature, relative to the teacher's own energy.

    A network two or more times as wide follows with the mean of the channels that began as
    copies of one (see `widen`).
    """
    if feature.shape != teacher.shape:
        feature = feature.unflatten(1, (-1, teacher.shape[1])).mean(1)
    return F.mse_loss(feature, teacher) / teacher.square().mean().clamp(min=1e-6)
