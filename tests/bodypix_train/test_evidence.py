"""Islands of a person map that nothing vouches for go; everything else stays as it is."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from bodypix_train.networks.bodypix import BodyPixNet
from bodypix_train.networks.evidence import AREA, FLOOR, KEYPOINT, LIKELY, SURE, with_evidence

ROWS, COLUMNS = 11, 17  # of the coarse grid


def no_keypoints() -> Tensor:
    return torch.full((1, 17, ROWS, COLUMNS), -4.0)


@pytest.fixture
def person() -> Tensor:
    """Two islands with soft edges, in the left and in the right half."""
    y, x = torch.meshgrid(torch.arange(41.0), torch.arange(65.0), indexing="ij")
    left = 9 - ((y - 20).abs() / 2).maximum((x - 12).abs())
    right = 9 - ((y - 20).abs() / 2).maximum((x - 50).abs())
    return left.maximum(right).clamp(-8, LIKELY)[None, None]


def test_an_island_without_keypoint_goes_and_the_other_stays(person: Tensor) -> None:
    heatmaps = no_keypoints()
    heatmaps[0, 5, 1, 3] = KEYPOINT + 1  # at one end of the left one
    seen = with_evidence(person, heatmaps)
    left, right = slice(0, 28), slice(34, 65)
    island = person[..., left] > 0
    assert torch.allclose(seen[..., left][island], person[..., left][island], atol=1e-5)
    assert (seen[..., right] <= FLOOR).all()
    assert (seen <= person).all()


def test_unsure_keypoints_vouch_for_nothing(person: Tensor) -> None:
    heatmaps = no_keypoints()
    heatmaps[0, 3, 5, 3] = KEYPOINT - 0.1
    assert not (with_evidence(person, heatmaps) > 0).any()


@pytest.mark.parametrize(("keypoint", "logit", "stays"), [
    (KEYPOINT - 0.1, LIKELY + 0.5, True),
    (KEYPOINT - 0.1, LIKELY - 0.5, False),
    (-0.1, LIKELY + 0.5, False),
])  # fmt: skip
def test_likely_areas_need_a_likely_keypoint(keypoint: float, logit: float, stays: bool) -> None:
    person, heatmaps = torch.full((1, 1, 41, 65), -8.0), no_keypoints()
    person[..., 4:30, 12:40] = logit
    heatmaps[0, 9, 5, 7] = keypoint
    assert torch.equal(with_evidence(person, heatmaps) > 0, (person > 0) & stays)


@pytest.mark.parametrize(("side", "logit", "stays"), [
    (AREA + 4, SURE + 0.5, True),
    (AREA + 4, SURE - 0.5, False),  # nobody can be sure
    (AREA - 4, SURE + 2, False),  # small
])  # fmt: skip
def test_a_large_area_vouches_for_itself(side: int, logit: float, stays: bool) -> None:
    person = torch.full((1, 1, 41, 65), -8.0)
    person[..., 8 : 8 + side, 12 : 12 + side] = logit
    person[..., 8 + side : 38, 16:20] = 0.5  # what hangs together with it stays as well
    seen = with_evidence(person, no_keypoints())
    assert torch.equal(seen > 0, (person > 0) & stays)


def test_an_area_at_the_edge_needs_no_more_than_what_is_seen() -> None:
    person = torch.full((1, 1, 41, 65), -8.0)
    person[..., :7, :] = SURE + 1  # half a window, along the picture's edge
    assert torch.equal(with_evidence(person, no_keypoints()) > 0, person > 0)


def test_a_keypoint_beside_everybody_vouches_for_nobody(person: Tensor) -> None:
    heatmaps = no_keypoints()
    heatmaps[0, 0, 5, 8] = 5.0  # between the two
    assert not (with_evidence(person, heatmaps) > 0).any()


def test_only_answers_are_gated_not_lessons() -> None:
    torch.manual_seed(0)
    network = BodyPixNet(0.25, (16, 8))
    torch.nn.init.constant_(network.person.bias, SURE / 2)
    torch.nn.init.constant_(network.heads["heatmaps"].bias, -9.0)
    image = torch.zeros(1, 3, 65, 97)
    for module in network.modules():
        if isinstance(module, torch.nn.BatchNorm2d):
            module.eval()
    taught = network(image)["segments_fine"]
    answered = network.eval()(image)["segments_fine"]
    assert (taught > 0).all()
    assert (answered < 0).all()
