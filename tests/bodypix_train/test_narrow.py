"""A narrower network answers much as the wide one that it is made of."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest
import torch
from torch import Tensor

from bodypix_train.checkpoint import LATER
from bodypix_train.narrow import choose, narrowed, read_pictures
from bodypix_train.networks.bodypix import BodyPixNet


@pytest.fixture
def images() -> Tensor:
    torch.manual_seed(3)
    blurred = torch.nn.functional.interpolate(torch.rand(12, 3, 9, 9), (65, 65), mode="bilinear")
    return blurred * 2 - 1


@pytest.fixture
def wide(images: Tensor) -> BodyPixNet:
    """Random weights, with statistics that fit: no layer is dead."""
    torch.manual_seed(5)
    network = BodyPixNet(0.25, (16, 8))
    for module in network.modules():
        if isinstance(module, torch.nn.BatchNorm2d):
            module.momentum = None  # the mean of all batches
            torch.nn.init.constant_(module.bias, 1.0)
    for _ in range(2):
        network.train()(images)
    return network.eval()


def likeness(one: BodyPixNet, two: BodyPixNet, images: Tensor, name: str) -> float:
    """Correlation of the two answers."""
    with torch.no_grad():
        answers = torch.stack([net.train(False)(images)[name].flatten() for net in (one, two)])
    return float(torch.corrcoef(answers)[0, 1])


@pytest.mark.parametrize("name", ["segments", "heatmaps", "part_heatmaps_fine"])
def test_half_the_channels_answer_much_alike(wide: BodyPixNet, images: Tensor, name: str) -> None:
    narrow = narrowed(wide, images, 0.125, (8, 4))
    assert (narrow.multiplier, narrow.widths) == (0.125, (8, 4))
    assert likeness(wide, narrow, images, name) > 0.6


@pytest.mark.parametrize("name", ["segments", "heatmaps", "part_heatmaps_fine"])
def test_all_channels_answer_the_same(wide: BodyPixNet, images: Tensor, name: str) -> None:
    assert likeness(wide, narrowed(wide, images, 0.25, (16, 8)), images, name) > 0.98


@pytest.mark.parametrize("name", LATER)
def test_what_detours_tell_is_fitted_too(name: str, wide: BodyPixNet, images: Tensor) -> None:
    torch.manual_seed(2)
    further = BodyPixNet(0.25, (16, 8), **{name: 8}).eval()
    further.load_state_dict(wide.state_dict(), strict=False)
    torch.nn.init.constant_(getattr(further, name).widen[1].weight, 0.5)
    assert likeness(wide, further, images, "segments") < 0.99  # they tell something
    narrow = narrowed(further, images, 0.25, (16, 8))
    assert getattr(narrow, name) is None
    alike = likeness(further, narrow, images, "segments")
    assert alike > max(0.8, likeness(wide, further, images, "segments"))


def test_channels_that_say_the_same_are_chosen_once() -> None:
    torch.manual_seed(0)
    a, b, c = torch.randn(3, 4, 1, 8, 8)
    x = torch.cat([3 * a, 2.9 * a, b, 0.1 * c], 1)
    readers = torch.ones(1, 4, 1, 1)
    assert choose(x, readers, 2).tolist() == [0, 2]
    readers[0, 2] = 0  # nobody reads it
    assert choose(x, readers, 2).tolist() == [0, 3]


def test_what_cannot_be_made_narrower(wide: BodyPixNet, images: Tensor) -> None:
    with pytest.raises(ValueError, match=r"at most multiplier 0\.25 .* got 0\.5"):
        narrowed(wide, images, 0.5, (8, 4))
    with pytest.raises(ValueError, match=r"at most .*\(16, 8\), got 0\.25 and \(16, 9\)"):
        narrowed(wide, images, 0.25, (16, 9))
    with pytest.raises(ValueError, match="got a ResNet"):
        narrowed(BodyPixNet(0.25, (8, 4), "ResNet50"), images, 0.25, (8, 4))


def test_pictures_are_read_as_the_network_sees_them(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="expected pictures to fit a network to, found none"):
        read_pictures(tmp_path, 3)
    red = np.zeros((40, 60, 3), np.uint8)
    red[..., 2] = 255  # OpenCV: blue, green, red
    for name in "abcd":
        cv2.imwrite(str(tmp_path / f"{name}.png"), red)
    (tmp_path / "broken.png").write_bytes(b"no picture")
    images = read_pictures(tmp_path, 3, side=33)
    assert images.shape == (3, 3, 33, 33)
    assert images[:, 0].min() == 1
    assert images[:, 1:].max() == -1
