"""A wider network answers as the narrow one that it is made of, and its channels can part."""

from __future__ import annotations

import pytest
import torch

from bodypix_train.networks.bodypix import BodyPixNet
from bodypix_train.widen import copies, widened

from .conftest import vouched


def trained(
    architecture: str = "MobileNetV1", surroundings: int = 8, overview: int = 8
) -> BodyPixNet:
    """Random weights and statistics, and detours that tell something."""
    torch.manual_seed(5)
    network = BodyPixNet(0.25, (16, 8), architecture, 0.7, surroundings, overview=overview).eval()
    for module in network.modules():
        if isinstance(module, torch.nn.BatchNorm2d):
            torch.nn.init.uniform_(module.weight, 0.5, 1.5)
            torch.nn.init.uniform_(module.bias, -0.5, 1)
            torch.nn.init.uniform_(module.running_mean, -0.1, 0.1)
    return vouched(network)


@pytest.mark.parametrize(
    ("multiplier", "late", "widths"),
    [
        (0.5, None, (32, 16)),
        (0.375, None, (21, 8)),
        (0.25, None, (16, 8)),
        (0.25, 0.5, (16, 16)),
    ],
)
@pytest.mark.parametrize(("surroundings", "overview"), [(0, 0), (8, 0), (8, 8)])
def test_it_answers_the_same(
    multiplier: float,
    late: float | None,
    widths: tuple[int, int],
    surroundings: int,
    overview: int,
) -> None:
    narrow = trained(surroundings=surroundings, overview=overview)
    wide = widened(narrow, multiplier, widths, late)
    assert (wide.multiplier, wide.widths, wide.training) == (multiplier, widths, False)
    assert wide.late_multiplier == (late or multiplier)
    image = torch.rand(2, 3, 65, 81) * 2 - 1
    with torch.no_grad():
        before, after = narrow(image), wide(image)
    for name, answer in before.items():
        assert float(answer.std()) > 1e-3, name  # it says something
        torch.testing.assert_close(after[name], answer, rtol=1e-3, atol=1e-3)


def test_a_resnet_too() -> None:
    narrow = trained("ResNet50")
    image = torch.rand(1, 3, 65, 65) * 2 - 1
    with torch.no_grad():
        before, after = narrow(image), widened(narrow, 0.5, (16, 8))(image)
    for name, answer in before.items():
        torch.testing.assert_close(after[name], answer, rtol=1e-3, atol=1e-3)


def test_copies_learn_differently() -> None:
    wide = widened(trained(), 0.5, (32, 16)).train()
    sum(head.square().mean() for head in wide(torch.rand(2, 3, 65, 65)).values()).backward()
    for block in wide.backbone.blocks:
        weight = block[1][0].weight
        first, second = weight.grad.chunk(2)
        assert (first - second).norm() > 0.1 * first.norm()


def test_channels_are_copied_in_their_order() -> None:
    assert copies(3, 7).tolist() == [0, 1, 2, 0, 1, 2, 0]


def test_what_cannot_be_made_wider() -> None:
    with pytest.raises(ValueError, match=r"at least multiplier 0\.25, .* got 0\.125, 0\.125 and"):
        widened(trained(), 0.125, (16, 8))
    with pytest.raises(ValueError, match=r"at least .*\(16, 8\), got 0\.5, 0\.5 and \(8, 8\)"):
        widened(trained(), 0.5, (8, 8))
    with pytest.raises(ValueError, match=r"0\.25 at stride 16, .* got 0\.5, 0\.125 and"):
        widened(trained(), 0.5, (16, 8), 0.125)
