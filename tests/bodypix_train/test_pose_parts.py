"""Skeletons correct parts; the judge is fitted, kept and told apart from other files."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from bodypix.body import MIRRORED_PARTS
from bodypix_train.errors import TrainingError
from bodypix_train.fit_parts import fit
from bodypix_train.people_teachers import view_of
from bodypix_train.pose_parts import MIRROR, PartJudge, cell_features, extended, mirror_image
from bodypix_train.skeletons import Skeleton, look, look_again, skeletons

FRAME = (160, 120)
TORSO_FRONT, LEFT_LOWER_ARM_FRONT = 12, 6


def person(x: float = 60.0) -> Skeleton:
    """Somebody upright who faces us, forearms over the body: his left is at our right."""
    points = np.zeros((39, 5))
    points[:, 3:] = 1.0
    places = {
        (0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10): (0, 20), (11,): (20, 40), (12,): (-20, 40),
        (13,): (22, 70), (14,): (-22, 70), (15, 17, 19, 21): (2, 76), (16, 18, 20, 22): (-4, 84),
        (23,): (14, 95), (24,): (-14, 95), (25,): (14, 120), (26,): (-14, 120),
        (27, 29, 31): (14, 150),
        (28, 30, 32): (-14, 150), (33,): (0, 95), (34,): (0, 15),
    }  # fmt: skip
    for numbers, (right, down) in places.items():
        points[list(numbers), :2] = x + right, down
    return Skeleton(points, 0.9)


def constant(part: int) -> PartJudge:
    """A judge for whom everything is one part."""
    width = cell_features(torso(), [person()], FRAME)[0].shape[1]
    bias = np.full(24, -9.0, np.float32)
    bias[[part, MIRROR[part]]] = 9.0
    layer = (np.zeros((width, 24), np.float32), bias)
    return PartJudge(np.zeros(width, np.float32), np.ones(width, np.float32), (layer,))


def torso() -> np.ndarray:
    shares = np.zeros((21, 16, 24), np.float32)
    shares[..., TORSO_FRONT] = 1
    return shares


def test_judge_speaks_where_bones_are_and_nowhere_else() -> None:
    shares = torso()
    judged = constant(LEFT_LOWER_ARM_FRONT).refine(shares, [person(30)], FRAME)
    assert np.allclose(judged.sum(-1), 1, atol=1e-5)
    assert judged[8, 4, TORSO_FRONT] < 0.5  # the chest
    assert np.array_equal(judged[:, -1], shares[:, -1])  # the far border
    assert constant(0).refine(shares, [], FRAME) is shares


def test_a_cell_belongs_to_the_nearest_person() -> None:
    shares = torso()
    both, _ = cell_features(shares, [person(20), person(100)], FRAME)
    left, _ = cell_features(shares, [person(20)], FRAME)
    right, _ = cell_features(shares, [person(100)], FRAME)
    for column, alone in ((1, left), (14, right)):
        row = 10 * 16 + column
        assert np.array_equal(both[row], alone[row])


def test_a_mirror_image_is_somebody_else_with_left_and_right_exchanged() -> None:
    skeleton = person(50)
    points = extended(skeleton)
    turned = mirror_image(points, FRAME[1])
    assert np.allclose(turned[15, :2], [FRAME[1] - 1 - points[16, 0], points[16, 1]])
    assert np.allclose(mirror_image(turned, FRAME[1]), points)
    assert list(MIRROR) == list(MIRRORED_PARTS)


def test_fitting_learns_arms_that_the_shares_call_torso(tmp_path: Path) -> None:
    shares, cells, truth = torso(), [], []
    for x in range(30, 90, 4):
        for mirrored in (False, True):
            features, distance = cell_features(shares, [person(x)], FRAME, mirrored=mirrored)
            left_forearm = features[:, 2] > 0.5  # closeness to the third bone, elbow to wrist
            assert left_forearm.any()
            assert (distance[left_forearm] < 0.2).all()
            cells.append(features)
            right_forearm = features[:, 3] > 0.5
            arms = np.where(right_forearm, MIRROR[LEFT_LOWER_ARM_FRONT], TORSO_FRONT)
            truth.append(np.where(left_forearm, LEFT_LOWER_ARM_FRONT, arms))
    judge = fit(
        torch.from_numpy(np.concatenate(cells * 4)), torch.from_numpy(np.concatenate(truth * 4))
    )
    judge.save(tmp_path / "judge.npz")
    judged = PartJudge.load(tmp_path / "judge.npz").refine(shares, [person(61)], FRAME)
    assert judged[9, 9].argmax() == LEFT_LOWER_ARM_FRONT  # 72 pixels right of 67
    assert judged[6, 7].argmax() == TORSO_FRONT


def test_a_file_that_is_no_judge(tmp_path: Path) -> None:
    judge = constant(0)
    judge.save(tmp_path / "judge.npz")
    whole = (tmp_path / "judge.npz").read_bytes()
    np.savez(tmp_path / "other.npz", a=np.zeros(3))
    (tmp_path / "cut.npz").write_bytes(whole[:-90])
    PartJudge(judge.mean[1:], judge.deviation[1:], judge.layers).save(tmp_path / "older.npz")
    for name in ("other", "cut", "older", "missing"):
        with pytest.raises(TrainingError, match=f"{name}.npz: expected the part judge"):
            PartJudge.load(tmp_path / f"{name}.npz")


def test_network_looks_twice_and_one_person_has_one_skeleton() -> None:
    looks = []

    def network(image: np.ndarray) -> list[np.ndarray]:
        looks.append(image)
        points = person(128).points.copy()
        points[:, 1] += 48
        points[:, 3:] = 5.0
        return [np.array([0.9], np.float32), points.astype(np.float32).ravel()]

    pose = np.column_stack([np.linspace(40, 80, 17), np.linspace(20, 150, 17), np.full(17, 0.9)])
    assert view_of(pose, FRAME) is not None
    image = np.zeros((*FRAME, 3), np.uint8)
    found = skeletons(image, [pose, np.add(pose, [1, 0, 0])], network)
    assert len(looks) == 4
    assert len(found) == 1
    # Where its own place is as good as that of the pose, once is enough.
    view = view_of(pose, FRAME)
    assert view is not None
    skeleton = look(image, view, network)
    assert skeleton is not None
    again = look_again(view, skeleton)
    assert again is not None
    near = replace(again, radius=again.radius * 1.1)
    assert look_again(near, skeleton) is None
    assert skeletons(image, [pose], lambda image: [np.array([0.1], np.float32)]) == []
