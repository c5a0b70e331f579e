"""Muon's steps, and new starts for dead channels."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from bodypix_train.networks.bodypix import BodyPixNet
from bodypix_train.networks.mobilenet import MobileNetV1
from bodypix_train.optimizer import make_optimizer, orthogonal
from bodypix_train.revive import revive_channels
from bodypix_train.schedule import Schedule


@pytest.mark.parametrize("mixed", [False, True])
@pytest.mark.parametrize("shape", [(8, 8), (4, 16), (16, 4)])
def test_all_singular_values_come_near_one(shape: tuple[int, int], mixed: bool) -> None:
    torch.manual_seed(0)
    matrix = torch.randn(shape) @ torch.diag(torch.logspace(0, -1, shape[1]))
    values = torch.linalg.svdvals(orthogonal(matrix, mixed=mixed))
    assert values.min() > 0.5
    assert values.max() < 1.3


def test_muon_moves_the_pointwise_weights_of_the_backbone_orthogonally() -> None:
    torch.manual_seed(0)
    network = BodyPixNet(0.25, (16, 8))
    optimizer = make_optimizer(network, "muon", 0.0)
    weights = {
        "square": network.backbone.blocks[4][1][0].weight,
        "depthwise": network.backbone.blocks[4][0][0].weight,
        "decoder": network.lateral8[0].weight,
    }
    before = {name: weight.detach().clone() for name, weight in weights.items()}
    for group in optimizer.param_groups:
        group["lr"] = 1e-3
    sum(head.square().mean() for head in network(torch.randn(2, 3, 65, 65)).values()).backward()
    gradient = weights["square"].grad
    optimizer.step()
    assert weights["square"].grad is gradient
    steps = {name: (weight.detach() - before[name]) for name, weight in weights.items()}
    matrix = steps["square"].flatten(1)
    values = torch.linalg.svdvals(matrix) / (1e-3 * 0.2 * max(matrix.shape) ** 0.5)
    assert 0.5 < values.median() < 1.3
    for name in ("depthwise", "decoder"):  # Adam's first step: the rate, up or down
        moved = steps[name][weights[name].grad.abs() > 1e-6].abs()
        assert torch.allclose(moved, torch.full_like(moved, 1e-3), rtol=0.02)


def test_adamw_is_plain_and_weights_decay_in_full_convolutions_only() -> None:
    network = BodyPixNet(0.25, (16, 8))
    optimizer = make_optimizer(network, "adamw", 0.1)
    decayed = {id(p) for g in optimizer.param_groups if g["weight_decay"] for p in g["params"]}
    assert type(optimizer) is torch.optim.AdamW
    assert id(network.backbone.blocks[0][1][0].weight) in decayed
    assert id(network.backbone.blocks[0][0][0].weight) not in decayed
    assert id(network.coarse_share) not in decayed


def test_muon_goes_on_from_its_saved_state() -> None:
    torch.manual_seed(0)
    runs = []
    for interrupted in (False, True):
        torch.manual_seed(1)
        network = nn.ModuleDict({"backbone": nn.Conv2d(6, 4, 1)})
        optimizer = make_optimizer(network, "muon", 0.01)
        for step in range(4):
            if interrupted and step == 2:
                state = optimizer.state_dict()
                optimizer = make_optimizer(network, "muon", 0.01)
                optimizer.load_state_dict(state)
            optimizer.zero_grad()
            network["backbone"](torch.randn(2, 6, 5, 5)).square().mean().backward()
            optimizer.step()
        runs.append(network["backbone"].weight.detach().clone())
    assert torch.equal(*runs)


def test_unknown_optimizers_are_refused() -> None:
    with pytest.raises(ValueError, match=r"schedule\.optimizer: expected one of adamw, muon"):
        Schedule(10, optimizer="sgd")


def test_dead_channels_live_again_and_others_stay() -> None:
    torch.manual_seed(0)
    backbone = MobileNetV1(0.25)
    image = torch.rand(2, 3, 65, 65) * 2 - 1
    for _ in range(200):  # until the statistics fit
        backbone(image)
    backbone.eval()
    while revive_channels(backbone, image):  # chance has left some for dead
        pass
    depthwise = backbone.blocks[2][0]
    with torch.no_grad():
        depthwise[1].bias[:2] = -50.0  # never more than 0
        depthwise[1].bias[2] = 50.0  # never less than 6
    kept = depthwise[0].weight[3:].detach().clone()
    x = backbone.stem(image)
    for block in backbone.blocks[:2]:
        x = block(x)
    assert revive_channels(backbone, image) >= 3  # what follows them may have died too
    out = depthwise(x)
    assert (out[:, :3].amax((0, 2, 3)) > 0.1).all()
    assert (out[:, :3].amin((0, 2, 3)) < 5.9).all()
    assert torch.equal(depthwise[0].weight[3:], kept)
    assert revive_channels(backbone, image) == 0
