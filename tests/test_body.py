"""The vocabulary."""

from __future__ import annotations

import numpy as np
import pytest

from bodypix import body
from bodypix.errors import InvalidArgumentError


def test_counts() -> None:
    assert body.PARTS == len(set(body.PART_NAMES)) == 24
    assert body.KEYPOINTS == len(set(body.KEYPOINT_NAMES)) == 17
    assert len(body.POSE_EDGES) == 16
    assert len(body.SKELETON) == 12


def test_pose_edges_are_a_tree_from_the_nose() -> None:
    reached = {0}
    for parent, child in body.POSE_EDGES:
        assert parent in reached
        assert child not in reached
        reached.add(child)
    assert len(reached) == 17


@pytest.mark.parametrize("name", body.COLOR_SCALES)
def test_color_scales_hold_24_bytes_triples(name: str) -> None:
    scale = np.array(body.COLOR_SCALES[name])
    assert scale.shape == (24, 3)
    assert scale.min() >= 0
    assert scale.max() <= 255
    assert len({tuple(color) for color in scale.tolist()}) == 24


def test_color_scales_are_the_originals() -> None:
    assert body.RAINBOW[0] == (110, 64, 170)
    assert body.RAINBOW[23] == (99, 81, 195)
    assert body.WARM[12] == (26, 199, 194)
    assert body.SPECTRAL[1] == (181, 26, 71)
    # The scales share their endpoints' hues: rainbow and warm begin with the same colour.
    assert body.WARM[0] == body.RAINBOW[0]


@pytest.mark.parametrize(
    ("mirrored", "names"),
    [
        (body.MIRRORED_PARTS, body.PART_NAMES),
        (body.MIRRORED_KEYPOINTS, body.KEYPOINT_NAMES),
    ],
)
def test_mirroring_swaps_sides_and_nothing_else(
    mirrored: tuple[int, ...], names: tuple[str, ...]
) -> None:
    for index, other in enumerate(mirrored):
        assert mirrored[other] == index
        swapped = names[index].replace("left", "?").replace("right", "left").replace("?", "right")
        assert names[other] == swapped


def test_mirrored_parts_by_number() -> None:
    assert body.MIRRORED_PARTS[:6] == (1, 0, 4, 5, 2, 3)
    assert body.MIRRORED_PARTS[12:14] == (12, 13)


def test_version_1_ids() -> None:
    assert [body.V1_TO_V2_PARTS[part] for part in (0, 2, 3, 9, 11, 14, 21, 22, 23)] == [
        0, 16, 21, 23, 22, 4, 11, 8, 10,
    ]  # fmt: skip
    for old, new in enumerate(body.V1_TO_V2_PARTS):
        assert body.V2_TO_V1_PARTS[new] == old


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ("left_face", 0),
        ("leftFace", 0),
        ("left_feet", 22),
        ("left_foot", 22),
        ("rightFoot", 23),
        ("torso_back", 13),
        ("right_upper_arm_front", 4),
        (7, 7),
        (np.int64(23), 23),
    ],
)
def test_part_id(given: str | int, expected: int) -> None:
    assert body.part_id(given) == expected


@pytest.mark.parametrize("given", ["nose", "left_arm", "", -1, 24, True, 2.0, None])
def test_unknown_parts_are_refused(given: object) -> None:
    with pytest.raises(InvalidArgumentError, match="part: expected") as caught:
        body.part_id(given)  # type: ignore[arg-type]
    assert repr(given) in str(caught.value)


@pytest.mark.parametrize(("given", "expected"), [("nose", 0), ("leftWrist", 9), (16, 16)])
def test_keypoint_id(given: str | int, expected: int) -> None:
    assert body.keypoint_id(given) == expected


@pytest.mark.parametrize("given", ["left_hand", 17, -1])
def test_unknown_keypoints_are_refused(given: str | int) -> None:
    with pytest.raises(InvalidArgumentError, match="keypoint: expected"):
        body.keypoint_id(given)
