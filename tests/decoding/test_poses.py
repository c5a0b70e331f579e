"""Poses out of heads: against a literal port, and the facts that the original promises."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from bodypix import body
from bodypix.decoding.poses import (
    argmax2d,
    decode_multiple_poses,
    decode_single_pose,
    flip_pose_horizontal,
    flip_poses_horizontal,
    scale_poses,
)
from bodypix.errors import InvalidArgumentError
from bodypix.geometry import Frame
from bodypix.results import Keypoint, Pose
from helpers.literal_decoding import decode_poses

Heads = dict[str, NDArray[np.float32]]
DEFAULTS: dict[str, Any] = {"max_detections": 10, "score_threshold": 0.4, "nms_radius": 20.0}


def random_heads(seed: int, rows: int = 9, columns: int = 12, reach: float = 30.0) -> Heads:
    """Heads of nobody in particular: steep heatmaps, vectors that often leave the grid."""
    random = np.random.default_rng(seed)

    def head(channels: int, size: float) -> NDArray[np.float32]:
        return random.normal(0, size, (rows, columns, channels)).astype(np.float32)

    return {
        "heatmap_scores": random.random((rows, columns, 17), dtype=np.float32) ** 4,
        "short_offsets": head(34, reach / 3),
        "displacement_fwd": head(32, reach),
        "displacement_bwd": head(32, reach),
    }


def as_array(poses: list[Pose]) -> NDArray[np.float64]:
    return np.array([np.column_stack([pose.positions, pose.scores]) for pose in poses])


@pytest.mark.parametrize("stride", [8, 16, 32])
@pytest.mark.parametrize(
    "options",
    [
        {},
        {"max_detections": 1},
        {"max_detections": 40, "score_threshold": 0.0},
        {"score_threshold": 0.9},
        {"nms_radius": 1.0},
        {"nms_radius": 200.0, "max_detections": 5},
    ],
)
def test_against_a_literal_port(stride: int, options: dict[str, Any]) -> None:
    for seed in range(3):
        heads = random_heads(seed)
        values = {**DEFAULTS, **options}
        expected = decode_poses(*heads.values(), stride, **values)
        poses = decode_multiple_poses(**heads, output_stride=stride, **values)
        assert len(poses) == len(expected)
        for pose, literal in zip(poses, expected, strict=True):
            assert pose.score == pytest.approx(literal.score, abs=1e-12)
            np.testing.assert_array_equal(as_array([pose])[0], literal.points)


def test_plateaus_and_ties_follow_the_original() -> None:
    heads = random_heads(0)
    heads["heatmap_scores"] = np.round(heads["heatmap_scores"] * 4) / np.float32(4)
    poses = decode_multiple_poses(**heads, output_stride=16, nms_radius=5.0)
    expected = decode_poses(*heads.values(), 16, 10, 0.4, 5.0)
    np.testing.assert_array_equal(as_array(poses), [pose.points for pose in expected])


@pytest.mark.parametrize(("rows", "columns"), [(1, 1), (1, 5), (4, 1)])
def test_grids_of_one_row_or_column(rows: int, columns: int) -> None:
    heads = random_heads(3, rows, columns)
    heads["heatmap_scores"][:] = 0.8
    poses = decode_multiple_poses(**heads, output_stride=16)
    expected = decode_poses(*heads.values(), 16, 10, 0.4, 20.0)
    np.testing.assert_array_equal(as_array(poses), [pose.points for pose in expected])


def test_far_vectors_are_clamped_to_the_grid_not_wrapped() -> None:
    heads = random_heads(4)
    heads["displacement_fwd"][:] = -1e6
    heads["displacement_bwd"][:] = -1e6
    heads["short_offsets"][:] = 0.0
    heads["heatmap_scores"][:] = 0.0
    heads["heatmap_scores"][5, 5, 0] = 0.9
    (pose,) = decode_multiple_poses(**heads, output_stride=16)
    assert pose.keypoint("nose") == Keypoint("nose", 80.0, 80.0, pytest.approx(0.9))
    others = np.delete(pose.positions, 0, axis=0)
    np.testing.assert_array_equal(others, np.zeros((16, 2)))


def test_the_zero_network_has_no_poses() -> None:
    """Section 11: logits of 0 are scores of 0.5; below, a threshold above that finds nobody."""
    heads = {
        "heatmap_scores": np.zeros((17, 17, 17), dtype=np.float32),
        "short_offsets": np.zeros((17, 17, 34), dtype=np.float32),
        "displacement_fwd": np.zeros((17, 17, 32), dtype=np.float32),
        "displacement_bwd": np.zeros((17, 17, 32), dtype=np.float32),
    }
    assert decode_multiple_poses(**heads, output_stride=32) == []


@pytest.mark.parametrize(("radius", "found"), [(15.9, 2), (16.0, 1)])
def test_suppression_includes_the_radius(radius: float, found: int) -> None:
    heads = {name: np.zeros_like(head) for name, head in random_heads(0).items()}
    heads["heatmap_scores"][4, 3, 0] = heads["heatmap_scores"][4, 4, 0] = 0.9
    poses = decode_multiple_poses(**heads, output_stride=16, nms_radius=radius)
    assert len(poses) == found


def test_suppressed_keypoints_do_not_count_in_the_score() -> None:
    heads = {name: np.zeros_like(head) for name, head in random_heads(0).items()}
    heads["heatmap_scores"][2, 2, 0] = 0.9
    heads["heatmap_scores"][8, 8, 0] = 0.8
    # Both people's left eyes are drawn to one place.
    heads["heatmap_scores"][5, 5, 1] = 0.6
    heads["displacement_fwd"][2, 2, [0, 16]] = 48.0
    heads["displacement_fwd"][8, 8, [0, 16]] = -48.0
    # Everything else of the second pose ends where it begins, far from the first pose.
    first, second = decode_multiple_poses(
        **heads, output_stride=16, score_threshold=0.7, nms_radius=10.0
    )
    assert first.keypoint("left_eye").score == pytest.approx(0.6)
    assert second.keypoint("left_eye").score == pytest.approx(0.6)
    assert first.score == pytest.approx((0.9 + 0.6) / 17)
    assert second.score == pytest.approx(0.8 / 17)


def test_threshold_is_compared_in_double_precision() -> None:
    heads = {name: np.zeros_like(head) for name, head in random_heads(0).items()}
    heads["heatmap_scores"][4, 4, 0] = np.float32(0.3)  # a little more than 0.3
    assert len(decode_multiple_poses(**heads, output_stride=16, score_threshold=0.3)) == 1
    heads["heatmap_scores"][4, 4, 0] = np.float32(0.7)  # a little less than 0.7
    assert not decode_multiple_poses(**heads, output_stride=16, score_threshold=0.7)


@pytest.mark.parametrize(
    ("name", "shape"),
    [
        ("short_offsets", (9, 12, 33)),
        ("displacement_fwd", (9, 12, 34)),
        ("displacement_bwd", (9, 11, 32)),
        ("heatmap_scores", (9, 12)),
    ],
)
def test_heads_that_do_not_fit(name: str, shape: tuple[int, ...]) -> None:
    heads = random_heads(0) | {name: np.zeros(shape, dtype=np.float32)}
    with pytest.raises(InvalidArgumentError, match=f"^{name}: expected shape .* got "):
        decode_multiple_poses(**heads, output_stride=16)


A = [1, 2, 0, 3, 4, -1, 2, 9, 6]
B = [0.5, 0.2, 0.9, 4.3, 0.2, 0.7, 0.6, -0.11, 1.4]
C = [4, 0.2, 0.8, 0.1, 6, 0.6, 0.3, 11, 0.6]


@pytest.mark.parametrize(
    ("channels", "side", "expected"),
    [
        ([[1, 2, 0, 3]], 2, [(1, 1)]),
        ([A], 3, [(2, 1)]),
        ([B], 3, [(1, 0)]),
        ([A, B, C], 3, [(2, 1), (1, 0), (2, 1)]),
        ([[5, 5, 5, 5]], 2, [(0, 0)]),
    ],
)
def test_argmax2d(channels: list[list[float]], side: int, expected: list[tuple[int, int]]) -> None:
    scores = np.array(channels).T.reshape(side, side, -1)
    np.testing.assert_array_equal(argmax2d(scores), expected)


def test_single_pose_takes_each_heatmap_at_its_maximum() -> None:
    heads = random_heads(7)
    pose = decode_single_pose(heads["heatmap_scores"], heads["short_offsets"], output_stride=16)
    for index, point in enumerate(pose.keypoints):
        heatmap = heads["heatmap_scores"][..., index]
        row, column = np.unravel_index(heatmap.argmax(), heatmap.shape)
        dy, dx = heads["short_offsets"][row, column, [index, index + 17]]
        assert (point.name, point.x, point.y, point.score) == (
            body.KEYPOINT_NAMES[index],
            column * 16 + float(dx),
            row * 16 + float(dy),
            heatmap.max(),
        )
    assert pose.score == pytest.approx(pose.scores.mean())


def some_pose(seed: int = 0) -> Pose:
    values = np.random.default_rng(seed).random((17, 3)) * (100, 100, 1)
    points = zip(body.KEYPOINT_NAMES, values.tolist(), strict=True)
    return Pose(0.5, [Keypoint(name, *value) for name, value in points])


def test_scaling_undoes_padding_and_size() -> None:
    (scaled,) = scale_poses([some_pose()], Frame.of((480, 640), "low", 16))
    before = some_pose().positions
    np.testing.assert_allclose(scaled.positions[:, 0], before[:, 0] * (684 / 161) - 22)
    np.testing.assert_allclose(scaled.positions[:, 1], before[:, 1] * (480 / 113))
    assert scaled.score == 0.5
    np.testing.assert_array_equal(scaled.scores, some_pose().scores)


def test_scaling_of_a_centred_frame_keeps_pixel_centres() -> None:
    (scaled,) = scale_poses([some_pose()], Frame.of((480, 640), "low", 16, centred=True))
    before = some_pose().positions + 0.5
    np.testing.assert_allclose(scaled.positions[:, 0], before[:, 0] * (684 / 161) - 22.5)
    np.testing.assert_allclose(scaled.positions[:, 1], before[:, 1] * (480 / 113) - 0.5)


def test_flipping_keeps_names_or_swaps_sides() -> None:
    pose = some_pose()
    drawn = flip_pose_horizontal(pose, 101)
    np.testing.assert_allclose(drawn.positions, pose.positions * (-1, 1) + (100, 0))
    assert [point.name for point in drawn.keypoints] == list(body.KEYPOINT_NAMES)

    put_right = flip_pose_horizontal(pose, 101, swap_sides=True)
    assert [point.name for point in put_right.keypoints] == list(body.KEYPOINT_NAMES)
    left, right = put_right.keypoint("left_wrist"), pose.keypoint("right_wrist")
    assert (left.x, left.y, left.score) == (100 - right.x, right.y, right.score)
    assert put_right.keypoint("nose") == drawn.keypoint("nose")


@pytest.mark.parametrize("swap_sides", [False, True])
def test_flipping_twice_changes_nothing(swap_sides: bool) -> None:
    pose = some_pose()
    (once,) = flip_poses_horizontal([pose], 64, swap_sides=swap_sides)
    (twice,) = flip_poses_horizontal([once], 64, swap_sides=swap_sides)
    np.testing.assert_allclose(twice.positions, pose.positions)
    np.testing.assert_array_equal(twice.scores, pose.scores)


def test_flipping_without_a_width() -> None:
    pose = some_pose()
    assert flip_poses_horizontal([pose], 0) == [pose]
    with pytest.raises(InvalidArgumentError, match=r"^width: expected at least 1 pixel, got 0"):
        flip_pose_horizontal(pose, 0)
