"""Islands of a person map without a keypoint go; everything else stays as it is."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from bodypix_train.networks.bodypix import BodyPixNet
from bodypix_train.networks.evidence import FLOOR, with_evidence

ROWS, COLUMNS = 11, 17  # of the coarse grid


def no_keypoints() -> Tensor:
    return torch.full((1, 17, ROWS, COLUMNS), -4.0)


@pytest.fixture
def person() -> Tensor:
    """Two islands with soft edges, in the left and in the right half."""
    y, x = torch.meshgrid(torch.arange(41.0), torch.arange(65.0), indexing="ij")
    left = 9 - ((y - 20).abs() / 2).maximum((x - 12).abs())
    right = 9 - ((y - 20).abs() / 2).maximum((x - 50).abs())
    return left.maximum(right).clamp(min=-8)[None, None]


def test_an_island_without_keypoint_goes_and_the_other_stays(person: Tensor) -> None:
    heatmaps = no_keypoints()
    heatmaps[0, 5, 1, 3] = 2.0  # at one end of the left one
    seen = with_evidence(person, heatmaps)
    left, right = slice(0, 28), slice(34, 65)
    island = person[..., left] > 0
    assert torch.allclose(seen[..., left][island], person[..., left][island], atol=1e-5)
    assert (seen[..., right] <= FLOOR).all()
    assert (seen <= person).all()


def test_unsure_keypoints_vouch_for_nothing(person: Tensor) -> None:
    heatmaps = no_keypoints()
    heatmaps[0, 3, 5, 3] = -0.1
    assert not (with_evidence(person, heatmaps) > 0).any()


def test_a_keypoint_beside_everybody_vouches_for_nobody(person: Tensor) -> None:
    heatmaps = no_keypoints()
    heatmaps[0, 0, 5, 8] = 5.0  # between the two
    assert not (with_evidence(person, heatmaps) > 0).any()


def test_only_answers_are_gated_not_lessons() -> None:
    torch.manual_seed(0)
    network = BodyPixNet(0.25, (16, 8))
    for parameter in (network.person.bias, network.heads["heatmaps"].bias):
        assert parameter is not None
        torch.nn.init.constant_(parameter, 3.0 if parameter is network.person.bias else -9.0)
    image = torch.zeros(1, 3, 65, 97)
    for module in network.modules():
        if isinstance(module, torch.nn.BatchNorm2d):
            module.eval()
    taught = network(image)["segments_fine"]
    answered = network.eval()(image)["segments_fine"]
    assert (taught > 0).all()
    assert (answered < 0).all()
