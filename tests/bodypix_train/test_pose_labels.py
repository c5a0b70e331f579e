"""Skeletons become labels of the pose heads; guesses, and what lies beside people, do not."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch

from bodypix.body import KEYPOINTS
from bodypix_train import label, people_teachers
from bodypix_train.datasets import photos
from bodypix_train.datasets.augment import poses_at
from bodypix_train.datasets.lazy import Budget
from bodypix_train.label import Teachers
from bodypix_train.networks.bodypix import BodyPixNet
from bodypix_train.people_teachers import PeopleTeachers
from bodypix_train.pose_labels import pose_labels
from bodypix_train.processes import make_fabric
from bodypix_train.recipe import Source, read_recipe
from bodypix_train.schedule import LEARNERS, POSE_HEADS
from bodypix_train.skeletons import Skeleton
from bodypix_train.tasks import Batch, SegmentationTask
from bodypix_train.training_run import TrainingRun, keep_all_but

from .conftest import SCHEDULE, TINY_RECIPE
from .test_label import FixedTeacher
from .test_pose_parts import FRAME, person

NOSE, LEFT_SHOULDER, LEFT_WRIST, LEFT_ANKLE, RIGHT_ANKLE = 0, 5, 9, 15, 16


def everywhere() -> np.ndarray:
    return np.ones((81, 61), np.float32)


def labels_of(*people: Skeleton, seen: np.ndarray | None = None) -> tuple[np.ndarray, np.ndarray]:
    return pose_labels(people, everywhere() if seen is None else seen, FRAME, (21, 16))


def test_keypoints_are_the_skeletons() -> None:
    keypoints, _ = labels_of(person(60))
    assert keypoints.shape == (2, KEYPOINTS, 3)
    assert tuple(keypoints[0, NOSE]) == (60, 20, 2)
    assert tuple(keypoints[0, LEFT_SHOULDER]) == (80, 40, 2)
    assert tuple(keypoints[0, LEFT_WRIST]) == (62, 76, 2)
    assert not keypoints[1].any()  # everybody else


def test_guesses_are_hidden_or_unknown() -> None:
    someone = person(60)
    someone.points[27, 3] = 0.45  # the left ankle's visibility
    someone.points[28, 4] = 0.1  # the right one's presence
    keypoints, _ = labels_of(someone)
    assert keypoints[0, LEFT_ANKLE, 2] == 1
    assert not keypoints[0, RIGHT_ANKLE].any()


def test_beside_people_and_beside_the_picture_nothing_is_labelled() -> None:
    seen = everywhere()
    seen[60:] = 0  # nobody below row 120, farther from the ankles than the margin
    keypoints, owners = labels_of(person(60), seen=seen)
    assert not keypoints[0, [LEFT_ANKLE, RIGHT_ANKLE]].any()
    assert keypoints[0, NOSE, 2] == 2
    assert not owners[17:].any()
    keypoints, _ = labels_of(person(115))
    assert not keypoints[0, LEFT_SHOULDER].any()  # at x = 135 of 120


def test_a_doubtful_skeleton_teaches_nothing() -> None:
    keypoints, owners = labels_of(Skeleton(person(60).points, 0.7))
    assert not keypoints.any()
    assert (owners == 1).all()  # of people whose poses are unknown


def test_pixels_are_those_of_the_nearest_bones() -> None:
    _, owners = labels_of(person(20), person(90))
    row = owners[8]  # at 61 pixels, where trunks are
    assert row[2] == 1  # x = 16
    assert row[11] == 2
    assert row[15] == 2
    _, owners = labels_of(person(20))
    assert owners[8, 15] == 2  # far from all bones: somebody else


class Nobody(FixedTeacher):
    def poses(self, image: np.ndarray) -> list[np.ndarray]:
        return []


@pytest.mark.parametrize("asked", [True, False])
def test_the_pose_network_s_skeletons_are_written(
    asked: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    everywhere = {"segments": np.full(1, 20, np.float32), "part_heatmaps": np.zeros(24, np.float32)}
    monkeypatch.setattr(label, "skeletons", lambda image, poses, network: [person(60)])
    side = people_teachers.SIDE
    people = PeopleTeachers(lambda image: [np.ones((side, side, 1), np.float32)], lambda image: [])
    teachers = Teachers(Nobody(everywhere), [], people if asked else None)
    labels = teachers.label(np.zeros((*FRAME, 3), np.uint8))
    assert ("keypoints" in labels) == ("owners" in labels) == asked
    if asked:
        assert tuple(labels["keypoints"][0, NOSE]) == (60, 20, 2)
        assert labels["owners"].shape == labels["parts"].shape[:2]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (images := tmp_path / "images").mkdir()
    cv2.imwrite(str(images / "a.png"), np.full((*FRAME, 3), 90, np.uint8))
    keypoints, owners = labels_of(person(60))
    whole = np.full((81, 61), 255, np.uint8)
    parts = np.full((21, 16, 24), 10, np.uint8)
    (tmp_path / "labels").mkdir()
    np.savez(
        tmp_path / "labels" / "a.npz", person=whole, parts=parts, keypoints=keypoints, owners=owners
    )
    return tmp_path


def test_photos_are_taught_with_them(folder: Path) -> None:
    images, labels, budget = folder / "images", folder / "labels", Budget(10**6)
    (plain,) = photos.read_teacher_folder(images, labels, budget)
    assert plain.keypoints is None
    (sample,) = photos.read_teacher_folder(images, labels, budget, poses=True)
    targets = poses_at(sample, np.array([[1.0, 0, 0], [0, 1, 0]]), 113)
    assert targets is not None
    assert targets["heatmaps"][1, 4, NOSE] == 1  # at x = 64, y = 16
    assert targets["heatmaps"][6, 1, NOSE] == 0
    assert targets["heatmaps_weight"][1:6, 3:6, NOSE].all()
    assert not targets["heatmaps_weight"][6, 0, NOSE]  # farther from all bones: whose, is unknown


def test_older_labels_are_named(folder: Path, caplog: pytest.LogCaptureFixture) -> None:
    path = folder / "labels" / "a.npz"
    with np.load(path) as file:
        old = {name: file[name] for name in ("person", "parts")}
    np.savez(path, **old)
    assert not list(
        photos.read_teacher_folder(folder / "images", path.parent, Budget(10**6), poses=True)
    )
    assert "a.npz" in caplog.text
    assert "a.npz: unreadable labels (no poses; delete it" in caplog.text


def test_where_nobody_is_there_are_no_poses(folder: Path) -> None:
    (sample,) = photos.read_nobody_folder(folder / "images", Budget(10**6), poses=True)
    targets = poses_at(sample, np.array([[1.0, 0, 0], [0, 1, 0]]), 113)
    assert targets is not None
    assert not targets["heatmaps"].any()
    assert targets["heatmaps_weight"].all()
    assert not any(
        targets[name].any()
        for name in targets
        if name.endswith(("near", "s_weight")) and name != "heatmaps_weight"
    )


def test_in_doubt_nothing_is_taught_of_poses(folder: Path) -> None:
    path = folder / "labels" / "a.npz"
    with np.load(path) as file:
        doubted = dict(file)
    doubted["person"] = np.zeros((81, 61), np.uint8)
    doubted["person"][1:3, 1:3] = 50
    np.savez(path, **doubted)
    (sample,) = photos.read_empty_folder(folder / "images", path.parent, Budget(10**6), poses=True)
    targets = poses_at(sample, np.array([[1.0, 0, 0], [0, 1, 0]]), 113)
    assert targets is not None
    assert targets["heatmaps_weight"][0, 0].max() == 1
    assert sample.instances is not None
    assert sample.instances.sum() == 4


@pytest.mark.parametrize("kind", ["synthetic", "objects", "coco", "masks"])
def test_sources_that_cannot_have_them(kind: str) -> None:
    more = {"coco": {"annotations": "a"}, "masks": {"masks": "a"}}.get(kind, {})
    with pytest.raises(ValueError, match=r"data\.sources\.poses: expected none"):
        Source(kind, "images", poses=True, **more)  # type: ignore[arg-type]


def test_only_pose_heads_learn() -> None:
    network = BodyPixNet(0.25, (8, 8))
    frozen = keep_all_but(network, LEARNERS["poses"])
    learning = {name for name, value in network.named_parameters() if value.requires_grad}
    assert learning == {f"heads.{h}.{p}" for h in POSE_HEADS for p in ("weight", "bias")}
    assert frozen == [m for m in network.modules() if isinstance(m, torch.nn.BatchNorm2d)]


def test_a_batch_of_unknown_poses_changes_nothing(tmp_path: Path) -> None:
    """People that are put over crops have no poses: a small batch may know of none."""
    network = BodyPixNet(0.25, (8, 8))
    before = {name: value.clone() for name, value in network.state_dict().items()}
    schedule = replace(SCHEDULE, only="poses", freeze_norm=True, weight_decay=0.0)
    run = TrainingRun(SegmentationTask(network), schedule, tmp_path, make_fabric())
    grid = torch.zeros(2, 1, 9, 9)
    batch = Batch(
        torch.zeros(2, 3, 33, 33), grid, grid + 1, torch.zeros(2, 24, 5, 5), torch.ones(2), {}
    )
    assert run.learn(batch)
    assert run.step == 1
    assert all(torch.equal(before[name], value) for name, value in network.state_dict().items())


def test_a_run_of_pose_heads_needs_poses(tmp_path: Path) -> None:
    path = tmp_path / "recipe.toml"
    path.write_text(TINY_RECIPE.replace("[schedule]", '[schedule]\nonly = "poses"'))
    with pytest.raises(
        ValueError, match=r"schedule\.only: for poses, expected sources .* got kind 'nobody'"
    ):
        read_recipe(path)
    path.write_text(path.read_text().replace("weight = 1.0", "weight = 1.0, poses = true"))
    assert read_recipe(path).schedule.only == "poses"
