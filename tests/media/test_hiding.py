"""Where faces and people are hidden in one frame, and what is left to see there."""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
import pytest

from bodypix import body
from bodypix.errors import InvalidArgumentError
from bodypix.media.hiding import check_words, face_circle, find, hide
from bodypix.results import Keypoint, PartSegmentation, Pose

Mask = np.ndarray[Any, np.dtype[np.uint8]]
FACE = {
    "nose": (50, 42),
    "left_eye": (54, 40),
    "right_eye": (46, 40),
    "left_ear": (60, 41),
    "right_ear": (40, 41),
}


def pose(score: float = 0.9, **points: tuple[float, float]) -> Pose:
    """A pose in which only these keypoints are seen."""
    keypoints = [
        Keypoint(name, *points[name], 0.9) if name in points else Keypoint(name, 0.0, 0.0, 0.0)
        for name in body.KEYPOINT_NAMES
    ]
    return Pose(score, keypoints)


def people(*poses: Pose, shape: tuple[int, int] = (100, 120), **parts: Any) -> PartSegmentation:
    """Parts as boxes (rows, columns) by name."""
    ids = np.full(shape, -1, np.int32)
    for name, box in parts.items():
        ids[box] = body.part_id(name)
    return PartSegmentation(ids, all_poses=list(poses))


def disc(x: float, y: float, radius: float, shape: tuple[int, int] = (100, 120)) -> Mask:
    """Pixels whose centres are inside a circle."""
    rows, columns = np.indices(shape)
    return (np.hypot(columns - x, rows - y) <= radius).view(np.uint8)


def test_faces_of_the_part_map_with_a_margin() -> None:
    found = people(
        left_face=np.s_[30:50, 40:50], right_face=np.s_[30:50, 50:60], torso_front=np.s_[50:90]
    )
    seen = find(found, "faces", margin=0.25)
    assert seen.somebody
    assert seen.extent == 20
    expected = np.zeros((100, 120), np.uint8)
    expected[30:50, 40:60] = 1
    grown = cv2.dilate(expected, np.ones((11, 11), np.uint8))  # 5 pixels each way
    assert seen.area[expected.view(bool)].all()
    assert not seen.area[~grown.view(bool)].any()
    assert seen.area[25, 50] == seen.area[54, 50] == seen.area[40, 35] == seen.area[40, 64] == 1
    assert seen.area[26, 36] == 0  # the margin is round


def test_each_face_has_a_margin_of_its_own_size() -> None:
    found = people(left_face=np.s_[40:80, 10:50], right_face=np.s_[10:14, 100:104])
    seen = find(found, "faces", margin=0.5)
    assert seen.extent == 40
    assert seen.area[21, 30] == 1
    assert seen.area[8, 102] == 1
    assert seen.area[16, 102] == 0


def test_faces_of_poses() -> None:
    seen = find(people(pose(**FACE)), "faces", margin=0.0)
    assert seen.area[disc(50, 41, 10).view(bool)].all()  # from ear to ear
    assert not seen.area[~disc(50, 41, 18).view(bool)].any()
    wider = find(people(pose(**FACE)), "faces", margin=0.2)
    assert wider.area.sum() > 1.3 * seen.area.sum()
    assert wider.extent == seen.extent


@pytest.mark.parametrize(
    ("names", "least", "most"),
    [
        (["left_ear", "right_ear"], 12, 18),
        (["left_eye", "right_eye", "nose"], 8, 16),
        (["right_ear", "right_eye"], 3, 16),
    ],
)
def test_a_face_seen_in_part(names: list[str], least: float, most: float) -> None:
    circle = face_circle(pose(**{name: FACE[name] for name in names}))
    assert circle is not None
    x, y, radius = circle
    assert least <= radius <= most
    for name in names:
        assert np.hypot(FACE[name][0] - x, FACE[name][1] - y) <= radius


def test_shoulders_tell_the_size_of_a_face_of_one_point() -> None:
    found = pose(nose=(50, 42), left_shoulder=(80, 70), right_shoulder=(20, 70))
    circle = face_circle(found)
    assert circle == (50, 42, pytest.approx(21))


@pytest.mark.parametrize("points", [{}, {"nose": (50, 42)}, {"left_wrist": (5, 5)}])
def test_no_face_in_a_pose(points: dict[str, tuple[float, float]]) -> None:
    assert face_circle(pose(**points)) is None
    seen = find(people(pose(**points)), "faces", margin=0.2)
    assert not seen.area.any()
    assert seen.extent == 0
    assert seen.somebody


def test_weak_poses_and_specks_are_nobody() -> None:
    seen = find(people(pose(score=0.1, **FACE)), "faces", margin=0.2)
    assert not seen.area.any()
    assert not seen.somebody
    assert not find(people(torso_front=np.s_[:3, :3]), "faces", margin=0.2).somebody
    assert find(people(torso_front=np.s_[:30, :30]), "faces", margin=0.2).somebody


def test_whole_people() -> None:
    found = people(left_face=np.s_[30:40, 40:50], torso_front=np.s_[40:80, 30:60])
    seen = find(found, "people", margin=0.0)
    np.testing.assert_array_equal(seen.area, found.mask)
    assert seen.extent > 0
    wider = find(found, "people", margin=0.5)
    assert wider.area[found.mask.view(bool)].all()
    assert wider.area.sum() > 1.2 * found.mask.sum()
    nobody = find(people(), "people", margin=0.5)
    assert (nobody.extent, nobody.somebody, nobody.area.any()) == (0, False, False)


def noise(shape: tuple[int, int] = (100, 120)) -> Mask:
    return np.random.default_rng(1).integers(0, 256, (*shape, 3), np.uint8)


@pytest.mark.parametrize("how", ["blur", "pixelate", "fill"])
def test_nothing_fine_is_left_inside_and_nothing_changes_far_outside(how: Any) -> None:
    image, area = noise(), disc(50, 41, 20)
    hidden = hide(image, area, how, extent=40)
    inside = area.view(bool)
    near = disc(50, 41, 28).view(bool)
    np.testing.assert_array_equal(hidden[~near], image[~near])
    np.testing.assert_array_equal(image, noise())
    # Neighbours differ by 85 levels on average in the noise.
    across = np.abs(np.diff(hidden.astype(int), axis=1))
    both = inside[:, 1:] & inside[:, :-1]
    assert across[both].mean() < 10
    if how == "fill":
        assert not hidden[inside].any()
        np.testing.assert_array_equal(hidden[~inside], image[~inside])


def test_coarseness_follows_the_face() -> None:
    image, area = noise((240, 320)), disc(160, 120, 100, (240, 320))
    cells = {
        extent: len(np.unique(hide(image, area, "pixelate", extent)[area.view(bool)], axis=0))
        for extent in (60, 180)
    }
    # 200 pixels of area: cells of 10 and of 30 pixels.
    assert 250 <= cells[60] <= 450
    assert 25 <= cells[180] <= 60


def test_fill_has_the_colour() -> None:
    area = disc(50, 41, 20)
    hidden = hide(noise(), area, "fill", 40, "#00ff80")
    assert (hidden[area.view(bool)] == (0, 255, 128)).all()


def test_nothing_to_hide() -> None:
    image = noise()
    hidden = hide(image, np.zeros((100, 120), np.uint8), "blur", 0)
    np.testing.assert_array_equal(hidden, image)
    assert hidden is not image


@pytest.mark.parametrize("how", ["blur", "pixelate", "fill"])
def test_areas_at_the_border(how: Any) -> None:
    area = np.zeros((100, 120), np.uint8)
    area[:30, 100:] = area[90:, :20] = 1
    hidden, inside = hide(noise(), area, how, 30), area.view(bool)
    assert (hidden[inside] != noise()[inside]).any(axis=1).mean() > 0.95
    np.testing.assert_array_equal(hidden[40:80], noise()[40:80])


def test_words() -> None:
    check_words("people", "fill")
    with pytest.raises(InvalidArgumentError, match="what: expected one of 'faces', 'people'"):
        check_words("hands", "fill")
    with pytest.raises(InvalidArgumentError, match="how: expected one of 'blur'"):
        check_words("faces", "smear")
