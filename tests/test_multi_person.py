"""`segment_multi_person` and `segment_multi_person_parts`, on a network that can be foreseen."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

import bodypix
from bodypix import body
from bodypix.checkpoints.onnx_format import read_model, write_model
from bodypix.engine import Engine
from bodypix.errors import InvalidArgumentError
from bodypix.results import PartSegmentation, PersonSegmentation
from helpers.colours import TORSO_FRONT, colour_network, picture

FULL: dict[str, Any] = {"internal_resolution": "full"}


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> bodypix.BodyPix:
    path = tmp_path_factory.mktemp("model") / "colours.onnx"
    path.write_bytes(colour_network())
    return bodypix.load(path, device="cpu", threads=1)


@pytest.fixture(scope="module")
def zero(tmp_path_factory: pytest.TempPathFactory) -> bodypix.BodyPix:
    """All heads zero, and keypoint scores too: the network of the original's own tests."""
    network = read_model(colour_network())
    for tensor in network.initializers:
        # The original's test replaces the scores after the sigmoid, which takes a logit to 0.
        tensor.array = np.full_like(tensor.array, -100.0 if tensor.name == "heatmaps/b" else 0.0)
    path = tmp_path_factory.mktemp("model") / "zero.onnx"
    path.write_bytes(write_model(network))
    return bodypix.load(path, device="cpu", threads=1)


def test_the_zero_network_sees_nobody(zero: bodypix.BodyPix) -> None:
    image = np.zeros((73, 73, 3), np.uint8)
    person, parts = zero.segment_person(image), zero.segment_person_parts(image)
    assert not person.mask.any()  # a probability of 0.5 is not above 0.7
    assert np.all(parts.part_ids == -1)
    assert person.all_poses == parts.all_poses == []
    assert zero.segment_multi_person(image) == []
    assert zero.segment_multi_person_parts(image) == []


@pytest.mark.parametrize("matching", ["all", "face"])
def test_two_people_share_the_mask(model: bodypix.BodyPix, matching: Any) -> None:
    image = picture(people=2)
    people = model.segment_multi_person(image, matching=matching, **FULL)
    assert [type(person) for person in people] == [PersonSegmentation] * 2
    whole = model.segment_person(image, **FULL)
    np.testing.assert_array_equal(people[0].mask + people[1].mask, whole.mask)
    for person in people:
        assert person.mask.dtype == np.uint8
        assert person.pose is not None
        nose = person.pose.keypoint("nose")
        left, top, width, height = person.box or (0, 0, 0, 0)
        assert left < nose.x < left + width <= left + 110
        assert top < nose.y < top + height
        assert person.probability is None
        assert person.all_poses == whole.all_poses
        # This network's long offsets are zero: pixels belong to the nearer of the two.
        assert person.mask[80, round(nose.x)] == 1


def test_parts_are_dealt_out_like_pixels(model: bodypix.BodyPix) -> None:
    image = picture(people=2)
    people = model.segment_multi_person(image, **FULL)
    part_maps = model.segment_multi_person_parts(image, **FULL)
    assert [type(person) for person in part_maps] == [PartSegmentation] * 2
    for person, parts in zip(people, part_maps, strict=True):
        np.testing.assert_array_equal(parts.part_ids, np.where(person.mask, TORSO_FRONT, -1))
        assert parts.part_ids.dtype == np.int32
        assert parts.pose == person.pose
        assert parts.all_poses == person.all_poses


def test_nobody(model: bodypix.BodyPix) -> None:
    black = np.zeros((60, 80, 3), np.uint8)
    assert model.segment_multi_person(black) == []
    assert model.segment_multi_person_parts(black) == []
    assert model.segment_multi_person(np.full((60, 80, 3), 255, np.uint8)) == []  # no keypoints


def test_at_most_so_many(model: bodypix.BodyPix) -> None:
    image = picture(people=2)
    (only,) = model.segment_multi_person(image, max_detections=1, **FULL)
    np.testing.assert_array_equal(only.mask, model.segment_person(image, **FULL).mask)


def test_only_poses_of_the_score_are_people(model: bodypix.BodyPix) -> None:
    """One person's keypoints score less than the root threshold on average."""
    image = picture(people=2)
    whole = model.segment_person(image, score_threshold=0.999, **FULL)
    people = model.segment_multi_person(image, score_threshold=0.999, **FULL)
    assert [person.pose for person in people] == [
        pose for pose in whole.all_poses if pose.score >= 0.999
    ]


def test_flip_keeps_the_frame_and_the_persons_own_sides(model: bodypix.BodyPix) -> None:
    image = picture(people=2)
    mirrored = np.ascontiguousarray(image[:, ::-1])
    flipped = model.segment_multi_person(image, flip_horizontal=True, **FULL)
    parts = model.segment_multi_person_parts(image, flip_horizontal=True, **FULL)
    seen = model.segment_multi_person(mirrored, **FULL)
    assert len(flipped) == len(parts) == len(seen) == 2
    for ours, part_map, theirs in zip(flipped, parts, seen, strict=True):
        np.testing.assert_array_equal(ours.mask, theirs.mask[:, ::-1])
        np.testing.assert_array_equal(part_map.mask, ours.mask)
        assert ours.mask.flags.c_contiguous
        assert ours.pose is not None
        assert theirs.pose is not None
        for name, index in zip(body.KEYPOINT_NAMES, body.MIRRORED_KEYPOINTS, strict=True):
            assert ours.pose.keypoint(name).x == image.shape[1] - 1 - theirs.pose.keypoints[index].x


def test_poses_are_found_when_first_read(
    model: bodypix.BodyPix, monkeypatch: pytest.MonkeyPatch
) -> None:
    heads: list[Sequence[str]] = []
    run = Engine.run

    def counting(self: Engine, images: Any, names: Sequence[str]) -> Any:
        heads.append(tuple(names))
        return run(self, images, names)

    monkeypatch.setattr(Engine, "run", counting)
    person = model.segment_person(picture(), **FULL)
    assert heads == [("segments",)]
    assert len(person.all_poses) == 1
    assert len(person.all_poses) == 1
    assert len(heads) == 2
    assert "heatmaps" in heads[1]
    assert "segments" not in heads[1]


@pytest.mark.parametrize("parts", [False, True])
@pytest.mark.parametrize(
    ("name", "value", "expected"),
    [
        ("internal_resolution", 2.01, "number from 0.1 to 2.0"),
        ("segmentation_threshold", 1.1, "a number from 0 to 1"),
        ("max_detections", 0, "a whole number from 1"),
        ("score_threshold", -0.1, "a number from 0 to 1"),
        ("nms_radius", 0, "a number above 0"),
        ("min_keypoint_score", 1.5, "a number from 0 to 1"),
        ("refine_steps", 21, "a whole number from 1 to 20"),
        ("refine_steps", 0, "a whole number from 1 to 20"),
        ("matching", "hands", "'all' or 'face'"),
    ],
)
def test_options_out_of_range(
    model: bodypix.BodyPix, parts: bool, name: str, value: object, expected: str
) -> None:
    segment = model.segment_multi_person_parts if parts else model.segment_multi_person
    with pytest.raises(InvalidArgumentError) as caught:
        segment(picture(), **{name: value})  # type: ignore[arg-type]
    message = str(caught.value)
    assert message.startswith(f"{name}: ")
    assert expected in message
    assert repr(value) in message


def test_images_smaller_than_a_cell(model: bodypix.BodyPix) -> None:
    for size in ((1, 1), (1, 30), (30, 1), (5, 7)):
        image = np.full((*size, 3), (255, 0, 0), np.uint8)  # red: every cell a keypoint
        for person in model.segment_multi_person(image, segmentation_threshold=0.0, **FULL):
            assert person.mask.shape == size


def test_a_file_name_will_do(model: bodypix.BodyPix, tmp_path: Path) -> None:
    path = tmp_path / "two.png"
    cv2.imwrite(str(path), picture(2)[..., ::-1])
    assert len(model.segment_multi_person(path, **FULL)) == 2
