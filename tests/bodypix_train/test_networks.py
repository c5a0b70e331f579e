"""Networks: grids, widths and names of their parts."""

from __future__ import annotations

import pytest
import torch

from bodypix_train.networks.bodypix import BodyPixNet, hint_name
from bodypix_train.networks.layers import ConvBn
from bodypix_train.networks.resnet import ResNet
from bodypix_train.networks.surroundings import Surroundings
from bodypix_train.optimizer import make_optimizer


@pytest.mark.parametrize("architecture", ["MobileNetV1", "ResNet14", "ResNet26", "ResNet50"])
def test_decoder_takes_strides_4_8_and_16(architecture: str) -> None:
    network = BodyPixNet(0.125 if architecture != "MobileNetV1" else 0.25, (8, 8), architecture)
    features = network.backbone(torch.zeros(2, 3, 65, 97))
    tapped = [features[tap] for tap in network.backbone.taps]
    assert [tuple(f.shape[2:]) for f in tapped] == [(17, 25), (9, 13), (5, 7)]
    assert [f.shape[1] for f in tapped] == list(network.backbone.channels)
    heads = network(torch.zeros(2, 3, 65, 97), (2,))
    assert heads["segments_fine"].shape == (2, 1, 17, 25)
    assert heads[hint_name(2)].shape == features[1].shape


def test_blocks_at_stride_16_may_be_wider() -> None:
    network = BodyPixNet(0.25, (8, 8), late_multiplier=0.5)
    features = network.backbone(torch.zeros(1, 3, 65, 97))
    plain = BodyPixNet(0.25, (8, 8)).backbone(torch.zeros(1, 3, 65, 97))
    times = [wide.shape[1] / narrow.shape[1] for wide, narrow in zip(features, plain, strict=True)]
    assert times == [1] * 5 + [2] * 8
    assert network.backbone.channels == (32, 64, 256)
    with pytest.raises(ValueError, match=r"network\.late_multiplier: expected none for a ResNet14"):
        BodyPixNet(0.25, (8, 8), "ResNet14", late_multiplier=0.5)


def test_resnet50_has_the_usual_size() -> None:
    """25.6 million parameters with its 2.0 million of classification, which is not here."""
    count = sum(parameter.numel() for parameter in ResNet(50).parameters())
    assert count == 23_508_032


@pytest.mark.parametrize("name", ["ResNet", "ResNet51", "VGG16"])
def test_unknown_architecture(name: str) -> None:
    with pytest.raises(ValueError, match=r"network\.architecture: expected one of MobileNetV1"):
        BodyPixNet(0.5, (8, 8), name)


def test_frozen_norms_are_part_of_the_filters() -> None:
    torch.manual_seed(0)
    layer = ConvBn(4, 6, 3, stride=2)
    norm = layer[1]
    for values in (norm.running_mean, norm.running_var, norm.weight.data, norm.bias.data):
        values.uniform_(0.5, 2.0)
    image = torch.randn(2, 4, 9, 9)
    plain = layer.eval()(image)
    layer.train()
    norm.eval()
    frozen = layer(image)
    assert torch.allclose(frozen, plain, atol=1e-5)
    frozen.sum().backward()
    for parameter in layer.parameters():
        assert parameter.grad is not None
        assert parameter.grad.abs().max() > 0


@pytest.mark.parametrize("size", [(1, 1), (4, 7), (5, 6)])
def test_surroundings_begin_by_adding_nothing(size: tuple[int, int]) -> None:
    torch.manual_seed(0)
    layer, x = Surroundings(8, 4), torch.rand(2, 8, *size)
    assert torch.equal(layer.eval()(x), x)
    layer.train()(x).sum().backward()
    assert layer.widen[1].weight.grad.abs().max() > 0


@pytest.mark.parametrize("size", [(17, 17), (33, 49), (65, 81), (81, 97)])
def test_an_overview_begins_by_adding_nothing(size: tuple[int, int]) -> None:
    torch.manual_seed(0)
    without, image = BodyPixNet(0.25, (8, 8)).eval(), torch.rand(1, 3, *size)
    network = BodyPixNet(0.25, (8, 8), overview=4).eval()
    network.load_state_dict(without.state_dict(), strict=False)
    at16 = network.backbone(image)[-1]
    assert torch.equal(network.with_overview(at16, image), at16)
    network.with_overview(at16, image).sum().backward()
    assert network.overview.widen[1].weight.grad.abs().max() > 0


@pytest.mark.parametrize("place", [(640, 640), (704, 656), (16, 1280)])
def test_an_overview_shows_far_more_and_to_all_sides_alike(place: tuple[int, int]) -> None:
    network = BodyPixNet(0.25, (8, 8), overview=4).eval()
    torch.nn.init.ones_(network.overview.widen[1].weight)
    for parameter in network.parameters():
        if parameter.ndim == 4:  # small enough for no ReLU6 to be at its limit
            torch.nn.init.constant_(parameter, 1 / parameter[0].numel())
    image = torch.rand(1, 3, 1281, 1281, requires_grad=True)
    at16 = torch.zeros(1, 128, 81, 81)
    row, column = (pixels // 16 for pixels in place)
    network.with_overview(at16, image)[0, :, row, column].sum().backward()
    seen = image.grad[0].abs().sum(0)
    for cell, axis in zip(place, (1, 0), strict=True):
        reached = seen.sum(axis).nonzero()[:, 0]
        assert int(reached[0]) == pytest.approx(max(0, cell - 501), abs=64)
        assert int(reached[-1]) == pytest.approx(min(1280, cell + 501), abs=64)


@pytest.mark.parametrize(("row", "column"), [(40, 40), (41, 37), (2, 79)])
def test_surroundings_reach_far_and_to_all_sides_alike(row: int, column: int) -> None:
    layer, x = Surroundings(4, 4).eval(), torch.rand(1, 4, 81, 80, requires_grad=True)
    torch.nn.init.ones_(layer.widen[1].weight)
    for parameter in layer.parameters():
        if parameter.ndim == 4:
            torch.nn.init.constant_(parameter, 1e-2)
    (layer(x) - x)[0, :, row, column].sum().backward()
    reached = x.grad[0].abs().sum(0)
    rows, columns = (reached.sum(axis).nonzero()[:, 0] for axis in (1, 0))
    for cells, cell, end in ((rows, row, 80), (columns, column, 79)):
        assert cells[0] == pytest.approx(max(0, cell - 14), abs=1)
        assert cells[-1] == pytest.approx(min(end, cell + 14), abs=1)


def test_muon_moves_surroundings() -> None:
    network = BodyPixNet(0.25, (8, 8), surroundings=16)
    optimizer = make_optimizer(network, "muon", 0.0)
    square = {id(p) for group in optimizer.param_groups if group.get("orthogonal")
              for p in group["params"]}  # fmt: skip
    assert id(network.surroundings.shrink[1][0].weight) in square
    assert id(network.parts.weight) not in square
