"""Targets are what the decoder needs: decoded again, they give the labels back."""

from __future__ import annotations

import numpy as np
import pytest

from bodypix.body import POSE_EDGES
from bodypix.decoding.poses import decode_multiple_poses
from bodypix_train.targets import CHILDREN, PARENTS, RADIUS, no_pose_targets, pose_targets

SIDE = 17


def figure(x: float, y: float, size: float) -> np.ndarray:
    """Keypoints of a person standing at x, y: seventeen places well apart."""
    places = np.array(
        [
            (0, -4), (0.4, -4.4), (-0.4, -4.4), (0.8, -4), (-0.8, -4), (1.2, -2.6), (-1.2, -2.6),
            (1.6, -1.2), (-1.6, -1.2), (1.8, 0), (-1.8, 0), (0.7, 0), (-0.7, 0), (0.8, 2),
            (-0.8, 2), (0.8, 4), (-0.8, 4),
        ]
    )  # fmt: skip
    xy = places * size + (x, y)
    return np.hstack([xy, np.full((17, 1), 2)]).astype(np.float32)


def owners(*boxes: tuple[int, int]) -> np.ndarray:
    owner = np.zeros((SIDE, SIDE), int)
    for person, (first, last) in enumerate(boxes, 1):
        owner[2:15, first:last] = person
    return owner


def test_decoding_gives_the_labels_back() -> None:
    people = np.stack([figure(70, 130, 20), figure(190, 126, 22)])
    targets = pose_targets(people, owners((2, 8), (9, 15)))
    poses = decode_multiple_poses(
        # Peaks where the keypoints are, else every cell of a disk would be a root.
        targets["heatmaps"] / (1 + np.hypot(*np.split(targets["short_offsets"], 2, axis=2)) / 32),
        targets["short_offsets"],
        targets["displacement_fwd"],
        targets["displacement_bwd"],
        output_stride=16,
        score_threshold=0.5,
    )
    assert len(poses) == 2
    left, right = sorted(poses, key=lambda pose: pose.positions[0, 0])
    assert np.abs(left.positions - people[0, :, :2]).max() < 1e-3
    assert np.abs(right.positions - people[1, :, :2]).max() < 1e-3


def test_long_offsets_lead_from_a_person_to_its_own_keypoints() -> None:
    people = np.stack([figure(70, 130, 20), figure(190, 126, 22)])
    targets = pose_targets(people, owners((2, 8), (9, 15)))
    for row, column, person in ((8, 4, 0), (8, 12, 1)):
        dy, dx = np.split(targets["long_offsets"][row, column], 2)
        found = np.stack([column * 16 + dx, row * 16 + dy], axis=1)
        assert np.allclose(found, people[person, :, :2], atol=1e-3)
    assert targets["long_offsets_weight"][8, 4].all()
    assert not targets["long_offsets_weight"][0].any()


def test_disks() -> None:
    people = figure(130, 130, 20)[None]
    heat = pose_targets(people, owners((4, 12)))["heatmaps"]
    for keypoint, (x, y, _) in enumerate(people[0]):
        rows, columns = np.nonzero(heat[..., keypoint])
        assert np.hypot(columns * 16 - x, rows * 16 - y).max() <= RADIUS


def test_unlabelled_keypoints_teach_nothing() -> None:
    people = figure(130, 130, 20)[None]
    people[0, 9] = 0
    targets = pose_targets(people, owners((4, 12)))
    assert not targets["near"][..., 9].any()
    assert not targets["heatmaps_weight"][..., 9][owners((4, 12)) > 0].any()
    assert targets["heatmaps_weight"][0, 0, 9] == 1  # nobody there, so no wrist either
    assert not targets["long_offsets_weight"][..., 9].any()
    edge = next(i for i, (_, child) in enumerate(POSE_EDGES) if child == 9)
    assert not targets["displacement_fwd_weight"][..., edge].any()
    assert not targets["displacement_bwd_weight"][..., edge].any()


def test_displacements_go_from_the_disk_of_the_nearest_person() -> None:
    people = np.stack([figure(70, 130, 20), figure(190, 126, 22)])
    targets = pose_targets(people, owners((2, 8), (9, 15)))
    for edge, (parent, child) in enumerate(zip(PARENTS, CHILDREN, strict=True)):
        x, y, _ = people[1, parent]
        row, column = round(y / 16), round(x / 16)
        dy, dx = targets["displacement_fwd"][row, column, [edge, edge + 16]]
        assert (column * 16 + dx, row * 16 + dy) == pytest.approx(people[1, child, :2], abs=1e-3)


def test_nobody_and_unknown_differ() -> None:
    nobody = pose_targets(np.zeros((0, 17, 3), np.float32), np.zeros((5, 5), int))
    assert nobody["heatmaps_weight"].all()
    assert not nobody["heatmaps"].any()
    unknown = no_pose_targets(5)
    assert set(unknown) == set(nobody)
    assert not any(unknown[name].any() for name in unknown if "weight" in name or name == "near")
