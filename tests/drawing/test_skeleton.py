"""Keypoints, skeletons, poses."""

from __future__ import annotations

import numpy as np
import pytest

from bodypix import body
from bodypix.drawing import draw_keypoints, draw_poses, draw_skeleton
from bodypix.errors import InvalidArgumentError
from bodypix.results import Keypoint, PersonSegmentation, Pose

AQUA = [0, 255, 255]


def pose(places: dict[str, tuple[float, float, float]]) -> Pose:
    """A pose of a few keypoints (x, y, score); the others score 0."""
    return Pose(
        0.5, [Keypoint(name, *places.get(name, (0.0, 0.0, 0.0))) for name in body.KEYPOINT_NAMES]
    )


@pytest.fixture
def black() -> np.ndarray:
    return np.zeros((60, 80, 3), np.uint8)


def test_a_dot_of_radius_three_in_aqua(black) -> None:
    drawn = draw_keypoints(black, pose({"nose": (20, 30, 0.9)}))
    assert drawn[30, 20].tolist() == AQUA
    assert drawn[30, 18].tolist() == AQUA
    assert not drawn[30, 15].any()
    assert not black.any()
    assert drawn[..., 1].sum() / 255 == pytest.approx(np.pi * 9, rel=0.1)


def test_half_pixels_count(black) -> None:
    drawn = draw_keypoints(black, pose({"nose": (20.5, 30, 0.9)})).astype(int)
    assert np.abs(drawn[:, 15:21] - drawn[:, 26:20:-1]).max() <= 30


@pytest.mark.parametrize(("score", "shown"), [(0.1, True), (0.0999, False)])
def test_a_line_needs_both_ends(black, score, shown) -> None:
    someone = pose({"left_hip": (10, 10, 0.9), "left_shoulder": (50, 10, score)})
    drawn = draw_skeleton(black, someone)
    assert bool(drawn[10, 30].any()) == shown
    assert draw_keypoints(black, someone)[10, 50].any() == shown


def test_only_pairs_of_the_skeleton_are_joined(black) -> None:
    assert not draw_skeleton(black, pose({"nose": (5, 5, 1), "left_eye": (30, 5, 1)})).any()


def test_options(black) -> None:
    someone = pose({"left_hip": (10, 20, 0.3), "left_shoulder": (50, 20, 0.3)})
    assert not draw_poses(black, someone, min_score=0.31).any()
    drawn = draw_poses(black, [someone], color="#ff0000", radius=6, line_width=5)
    assert drawn[18:23, 30, 0].min() > 250
    assert drawn[15:26, 10, 0].min() > 250
    assert not drawn[..., 1:].any()


@pytest.mark.parametrize("width", [2, 3, 5])
@pytest.mark.parametrize("end", [(60, 10), (60, 40), (20, 50)])
def test_lines_are_as_wide_as_asked(black, width, end) -> None:
    someone = pose({"left_hip": (15, 10, 1), "left_shoulder": (*end, 1)})
    length = np.hypot(end[0] - 15, end[1] - 10)
    drawn = draw_skeleton(black, someone, line_width=width)
    assert drawn[..., 1].sum() / 255 / length == pytest.approx(width, abs=0.9)


def test_no_poses(black) -> None:
    assert not draw_poses(black, []).any()


@pytest.mark.parametrize("far", [-1e12, 1e12, float("inf"), float("nan")])
def test_keypoints_outside_do_no_harm(black, far) -> None:
    someone = pose({"left_hip": (far, 10, 1), "left_shoulder": (20, far, 1), "nose": (-9, -9, 1)})
    draw_poses(black, someone)
    assert not draw_keypoints(black, someone).any()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"min_score": 1.2}, "min_score: expected a number from 0 to 1; got 1.2"),
        ({"radius": -1}, "radius"),
        ({"line_width": 0}, "line_width: expected a number from 1 to 1000; got 0"),
        ({"color": "aqua"}, "color: expected"),
        ({"color": (0, 0, 0, 9)}, "color: expected an opaque colour"),
    ],
)
def test_options_out_of_range(black, options, message) -> None:
    with pytest.raises(InvalidArgumentError, match=message):
        draw_poses(black, [], **options)


def test_what_is_no_pose(black) -> None:
    with pytest.raises(InvalidArgumentError, match=r"poses: expected a Pose.*got ndarray"):
        draw_poses(black, [np.zeros((17, 3))])


@pytest.mark.parametrize("wrong", [None, 7, PersonSegmentation(np.ones((2, 2), np.uint8))])
def test_what_holds_no_poses(black, wrong) -> None:
    for draw in (draw_poses, draw_skeleton, draw_keypoints):
        with pytest.raises(InvalidArgumentError, match=rf"poses: .*got {type(wrong).__name__}"):
            draw(black, wrong)
