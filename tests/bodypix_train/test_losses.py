"""Losses fall where the answer is right and ignore what has no label."""

from __future__ import annotations

import pytest
import torch

from bodypix_train import losses


def person_target() -> torch.Tensor:
    target = torch.zeros(2, 1, 16, 16)
    target[:, :, 4:12, 4:12] = 1
    return target


def test_person_loss_prefers_the_truth() -> None:
    target = person_target()
    trust = torch.ones_like(target)
    right = losses.person_loss(10 * (2 * target - 1), target, trust)
    wrong = losses.person_loss(-10 * (2 * target - 1), target, trust)
    assert right < 0.01 < wrong


def test_distrusted_pixels_teach_nothing() -> None:
    target = person_target()
    trust = torch.ones_like(target)
    trust[..., :8] = 0
    logit = torch.zeros_like(target, requires_grad=True)
    losses.person_loss(logit, target, trust).backward()
    assert logit.grad is not None
    assert logit.grad[..., :8].abs().max() == 0
    assert logit.grad[..., 8:].abs().max() > 0


def test_parts_are_taught_inside_people_only() -> None:
    logits = torch.zeros(1, 24, 4, 4, requires_grad=True)
    target = torch.zeros(1, 24, 4, 4)
    target[:, 5] = 1
    inside = torch.zeros(1, 1, 4, 4)
    inside[..., 1, 2] = 1
    losses.part_loss(logits, target, inside).backward()
    assert logits.grad is not None
    touched = logits.grad.abs().sum(1)[0] > 0
    assert touched.nonzero().tolist() == [[1, 2]]
    assert logits.grad[0, 5, 1, 2] < 0  # pushed up


@pytest.mark.parametrize(("balance", "ratio"), [(0.0, 1 / 15), (0.5, 15**-0.5), (1.0, 1.0)])
def test_small_parts_may_count_beyond_their_area(balance: float, ratio: float) -> None:
    logits = torch.zeros(1, 24, 4, 4, requires_grad=True)
    target = torch.zeros(1, 24, 4, 4)
    target[:, 12] = 1
    target[..., 0, 0] = 0
    target[:, 10, 0, 0] = 1  # a hand beside fifteen pixels of torso
    losses.part_loss(logits, target, torch.ones(1, 1, 4, 4), balance).backward()
    assert logits.grad is not None
    pull = logits.grad.abs().sum(1)[0]
    assert float(pull[0, 0] / (pull.sum() - pull[0, 0])) == pytest.approx(ratio, rel=0.1)


def test_dice_asks_for_every_part_alike_whatever_its_area() -> None:
    share = torch.zeros(1, 24, 16, 16)
    share[:, 12] = 1
    share[..., 0] = 0
    share[:, 10, :, 0] = 1  # an arm beside a torso of fifteen times its area
    weight = torch.ones(1, 16, 16)
    right = 20 * share
    torso = right.clone()
    torso[:, 10, :, 0], torso[:, 12, :, 0] = 0, 20  # the arm is called torso
    arm = right.clone()
    arm[:, 10], arm[:, 12] = 20, 0  # the torso is called arm
    assert float(losses.part_dice(right, share, weight)) == pytest.approx(0, abs=1e-3)
    # One of both parts is lost either way, and the other has some of it on top.
    assert float(losses.part_dice(torso, share, weight)) == pytest.approx(0.5, abs=0.05)
    assert float(losses.part_dice(arm, share, weight)) == pytest.approx(0.93, abs=0.05)


def test_dice_looks_inside_people_only_and_at_parts_that_are_there() -> None:
    share = torch.zeros(1, 24, 8, 8)
    share[:, 5] = 1
    logits = torch.zeros(1, 24, 8, 8, requires_grad=True)
    weight = torch.zeros(1, 8, 8)
    assert losses.part_dice(logits, share, weight) == 0
    weight[:, :4] = 1
    losses.part_dice(logits, share, weight).backward()
    assert logits.grad is not None
    assert logits.grad[..., 4:, :].abs().max() == 0
    assert logits.grad[:, 5, :4].max() < 0 < logits.grad[:, 6, :4].min()


def test_dice_is_added_to_the_entropy_of_parts() -> None:
    logits = torch.randn(1, 24, 8, 8, generator=torch.Generator().manual_seed(0))
    target = torch.zeros(1, 24, 8, 8)
    target[:, 5] = 1
    inside = torch.ones(1, 1, 8, 8)
    alone = losses.part_loss(logits, target, inside)
    both = losses.part_loss(logits, target, inside, dice=3.0)
    share = losses.part_votes(target)
    assert float(both - alone) == pytest.approx(
        3 * float(losses.part_dice(logits, share, inside[:, 0])), rel=1e-4
    )


def test_nothing_to_teach_is_zero() -> None:
    logits = torch.zeros(1, 24, 4, 4)
    nothing = torch.zeros(1, 1, 4, 4)
    assert losses.part_loss(logits, torch.zeros_like(logits), nothing) == 0
    offsets = torch.ones(1, 34, 4, 4)
    assert losses.offset_loss(offsets, torch.zeros_like(offsets), torch.zeros(1, 17, 4, 4)) == 0


def test_displacements_are_weighted_by_the_end_they_start_from() -> None:
    heads = {
        "segments": 1, "heatmaps": 17, "short_offsets": 34, "long_offsets": 34,
        "displacement_fwd": 32, "displacement_bwd": 32, "part_offsets": 48,
    }  # fmt: skip
    teacher = {name: torch.zeros(1, channels, 2, 2) for name, channels in heads.items()}
    teacher["heatmaps"] -= 10
    teacher["heatmaps"][:, 0] = 10  # only the nose is there: parent of edges 0, 2, 4 and 10
    out = {name: torch.zeros_like(head, requires_grad=True) for name, head in teacher.items()}
    for name in ("displacement_fwd", "displacement_bwd"):
        teacher[name] = teacher[name] + 5
    terms = losses.pose_losses(out, teacher)
    terms["displacement_fwd"].backward()
    grad = out["displacement_fwd"].grad
    assert grad is not None
    taught = (grad.abs().sum((0, 2, 3)) > 0).nonzero().flatten().tolist()
    noses = [edge for edge, parent in enumerate(losses.PARENTS.tolist()) if parent == 0]
    assert taught == noses + [16 + edge for edge in noses]
    assert terms["displacement_bwd"] == 0
