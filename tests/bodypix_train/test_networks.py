"""Networks: grids, widths and names of their parts."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from bodypix_train.checkpoint import read_network, write_weights
from bodypix_train.networks.bodypix import BodyPixNet, Context, hint_name
from bodypix_train.networks.resnet import ResNet


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


def test_resnet50_has_the_usual_size() -> None:
    """25.6 million parameters with its 2.0 million of classification, which is not here."""
    count = sum(parameter.numel() for parameter in ResNet(50).parameters())
    assert count == 23_508_032


@pytest.mark.parametrize("name", ["ResNet", "ResNet51", "VGG16"])
def test_unknown_architecture(name: str) -> None:
    with pytest.raises(ValueError, match=r"network\.architecture: expected one of MobileNetV1"):
        BodyPixNet(0.5, (8, 8), name)


def test_context_tells_of_what_is_far_off() -> None:
    """Two pictures with the same mean that differ a hundred pixels away only."""
    context = Context(1, 4).eval()
    pair = torch.zeros(2, 1, 17, 17)
    pair[0, 0, 2, 8] = pair[1, 0, 14, 8] = 9.0
    here = [context(x[None])[0, :, 8, 8] for x in pair]
    assert torch.equal(*here)  # begins with nothing added
    torch.nn.init.normal_(context.added.weight)
    torch.nn.init.normal_(context.project[0].weight)
    here = [context(x[None])[0, :, 8, 8] for x in pair]
    assert (here[0] - here[1]).abs().max() > 1e-4


def test_weights_of_older_networks_answer_as_they_did(tmp_path: Path) -> None:
    network = BodyPixNet(0.25, (16, 8)).eval()
    write_weights(network, tmp_path / "new.pt")
    state = torch.load(tmp_path / "new.pt", weights_only=True)
    names = [n for n in state["ema"] if "context.around" in n or "context.added" in n]
    assert names
    for name in names:
        del state["ema"][name]
    torch.save(state, tmp_path / "old.pt")
    image = torch.rand(1, 3, 65, 49) * 2 - 1
    new, old = (read_network(tmp_path / f"{age}.pt")(image) for age in ("new", "old"))
    assert all(torch.equal(new[name], old[name]) for name in new)
