"""Pixels to people: against a literal port, and what must hold at the edges."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from bodypix import body
from bodypix.decoding import instances, long_offsets
from bodypix.decoding.instances import assign_instances
from bodypix.errors import InvalidArgumentError
from bodypix.geometry import Frame, grid_size
from bodypix.results import Keypoint, Pose
from helpers.literal_decoding import assign

IMAGE = (72, 110)
STRIDE = 8


class Scene:
    """A made-up picture: people as clouds of keypoints, long offsets that lead to the nearest."""

    def __init__(
        self, image_size: tuple[int, int] = IMAGE, people: int = 3, seed: int = 0, noise: float = 3
    ) -> None:
        random = np.random.default_rng(seed)
        self.frame = Frame.of(image_size, "medium", STRIDE)
        rows, columns = grid_size(self.frame.input_size, STRIDE)
        middles = random.random((people, 2)) * (image_size[1], image_size[0])
        spread = random.normal(0, 8, (17, 2))
        self.points = np.empty((people, 17, 3))
        self.points[..., :2] = middles[:, None] + spread
        self.points[..., 2] = random.uniform(0.1, 1.0, (people, 17))
        share = self.frame.input_size[1] / self.frame.padded_size[1]
        y, x = np.mgrid[:rows, :columns] * (STRIDE / share)
        apart = (x[..., None] - middles[:, 0]) ** 2 + (y[..., None] - middles[:, 1]) ** 2
        near = apart.argmin(axis=-1)
        self.long_offsets = np.empty((rows, columns, 34), dtype=np.float32)
        self.long_offsets[..., :17] = (self.points[near, :, 1] - y[..., None]) * share
        self.long_offsets[..., 17:] = (self.points[near, :, 0] - x[..., None]) * share
        self.long_offsets += random.normal(0, noise, self.long_offsets.shape).astype(np.float32)
        self.mask = (random.random(image_size) < 0.8).astype(np.uint8)

    @property
    def poses(self) -> list[Pose]:
        return [
            Pose(0.5, [Keypoint(n, *v) for n, v in zip(body.KEYPOINT_NAMES, p, strict=True)])
            for p in self.points.tolist()
        ]

    def assign(self, **options: Any) -> NDArray[np.signedinteger]:
        return assign_instances(
            self.mask,
            self.long_offsets,
            self.poses,
            frame=self.frame,
            output_stride=STRIDE,
            **options,
        )

    def literal(
        self, *, refine_steps: int = 10, gate: float = 0.3, face: bool = False
    ) -> NDArray[np.int64]:
        return assign(
            self.mask,
            self.long_offsets,
            self.points,
            self.frame.input_size,
            self.frame.padding,
            STRIDE,
            refine_steps,
            gate,
            face,
        )


def assert_same_people(owners: NDArray[np.signedinteger], expected: NDArray[np.int64]) -> None:
    """The same but at borders between people, which take much room in these small pictures."""
    np.testing.assert_array_equal(owners == -1, expected == -1)
    assert np.mean(owners != expected) < 0.03


@pytest.mark.parametrize("image_size", [IMAGE, (50, 150), (150, 50), (33, 47)])
@pytest.mark.parametrize("refine_steps", [1, 10, 20])
@pytest.mark.parametrize("people", [1, 2, 4])
def test_all_keypoints(image_size: tuple[int, int], refine_steps: int, people: int) -> None:
    scene = Scene(image_size, people)
    owners = scene.assign(refine_steps=refine_steps)
    assert owners.dtype == np.int8
    assert_same_people(owners, scene.literal(refine_steps=refine_steps))


@pytest.mark.parametrize("image_size", [IMAGE, (50, 150), (33, 47)])
@pytest.mark.parametrize("refine_steps", [1, 10])
@pytest.mark.parametrize("people", [1, 4])
def test_face_keypoints_are_exact(
    image_size: tuple[int, int], refine_steps: int, people: int
) -> None:
    scene = Scene(image_size, people, noise=6)
    owners = scene.assign(refine_steps=refine_steps, matching="face")
    expected = scene.literal(refine_steps=refine_steps, face=True)
    assert np.mean(owners == expected) > 0.999


@pytest.mark.parametrize("gate", [0.0, 0.5, 0.8])
def test_only_keypoints_above_the_score_count(gate: float) -> None:
    scene = Scene(seed=4)
    owners = scene.assign(min_keypoint_score=gate)
    assert_same_people(owners, scene.literal(gate=gate))


def test_face_matching_has_a_gate_of_its_own() -> None:
    scene = Scene()
    usual = scene.assign(matching="face")
    np.testing.assert_array_equal(usual, scene.assign(matching="face", min_keypoint_score=0.9))


def test_a_pose_without_usable_keypoints_never_wins() -> None:
    scene = Scene()
    scene.points[1, :, 2] = 0.2
    owners = scene.assign()
    assert set(np.unique(owners)) == {-1, 0, 2}
    scene.points[:, :, 2] = 0.3  # the gate is strict
    assert np.all(scene.assign() == -1)
    scene.points[:, :, 2] = 0.9
    scene.points[:, :5, 2] = 0.1
    assert np.all(scene.assign(matching="face") == -1)
    np.testing.assert_array_equal(scene.assign() >= 0, scene.mask == 1)


def test_the_earlier_of_two_equal_poses_wins() -> None:
    scene = Scene()
    scene.points[2] = scene.points[0]
    assert 2 not in scene.assign()
    assert 2 not in scene.assign(matching="face")


def test_nobody_wins_a_thousand_pixels_away() -> None:
    scene = Scene(people=1)
    scene.points[..., 0] += 1200.0
    assert np.all(scene.assign() == -1)
    np.testing.assert_array_equal(scene.assign(matching="face") == 0, scene.mask == 1)


@pytest.mark.parametrize("matching", ["all", "face"])
@pytest.mark.parametrize("people", [0, 2])
def test_an_empty_mask(matching: str, people: int) -> None:
    scene = Scene(people=2)
    scene.points = scene.points[:people]
    scene.mask[:] = 0
    owners = scene.assign(matching=matching)
    assert owners.shape == IMAGE
    assert np.all(owners == -1)


def test_positions_outside_never_read_from_the_other_end() -> None:
    """Offsets that lead far above and left must not meet those of the last row and column."""
    scene = Scene(people=1)
    scene.points[..., :2] = 0.0
    scene.long_offsets[:] = -1000.0
    trap = scene.long_offsets.copy()
    trap[-1], trap[:, -1] = 1e6, 1e6
    inner = np.zeros_like(scene.mask)
    inner[:36, :55] = 1  # starts away from the trap
    scene.mask = inner
    for matching in ("all", "face"):
        expected = scene.assign(matching=matching)
        scene.long_offsets, kept = trap, scene.long_offsets
        np.testing.assert_array_equal(scene.assign(matching=matching), expected)
        scene.long_offsets = kept


def test_above_the_grid_the_original_has_no_answer() -> None:
    """Face matching reads nothing above the grid, so nobody wins there; columns are clamped."""
    scene = Scene(people=1, noise=0)
    scene.points[..., 2] = 0.9
    scene.long_offsets[..., :5] = -1000.0
    assert np.all(scene.assign(matching="face") == -1)
    scene = Scene(people=1, noise=0)
    scene.points[..., 2] = 0.9
    scene.long_offsets[..., 17:22] = -1000.0
    np.testing.assert_array_equal(scene.assign(matching="face") == 0, scene.mask == 1)


def test_keypoints_outside_the_image() -> None:
    scene = Scene(people=2)
    scene.points[0, :, :2] = -80.0
    scene.points[1, :, :2] = 400.0
    owners = scene.assign()
    np.testing.assert_array_equal(owners >= 0, scene.mask == 1)
    assert_same_people(owners, scene.literal())


@pytest.mark.parametrize("matching", ["all", "face"])
def test_many_pixels_are_followed_in_parts(matching: str, monkeypatch: pytest.MonkeyPatch) -> None:
    scene = Scene()
    expected = scene.assign(matching=matching)
    monkeypatch.setattr(long_offsets, "_PIXELS_AT_ONCE", 7)
    monkeypatch.setattr(instances, "_PIXELS_AT_ONCE", 1000)
    np.testing.assert_array_equal(scene.assign(matching=matching), expected)


@pytest.mark.parametrize("dtype", [np.bool_, np.uint8])
def test_masks_of_bytes_and_truths(dtype: type[np.generic]) -> None:
    scene = Scene()
    expected = scene.assign()
    scene.mask = scene.mask.astype(dtype)
    np.testing.assert_array_equal(scene.assign(), expected)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"matching": "nose"}, r"^matching: expected 'all' or 'face', got 'nose'"),
        ({"mask": np.ones((3, 3), np.uint8)}, r"^mask: expected uint8 or bool of shape \(72, 110"),
        ({"mask": np.ones(IMAGE, np.float32)}, r"^mask: .* got float32"),
        ({"long_offsets": np.zeros((4, 4, 32), np.float32)}, r"^long_offsets: .* got \(4, 4, 32\)"),
    ],
)
def test_bad_arguments(change: dict[str, Any], message: str) -> None:
    scene = Scene()
    arguments: dict[str, Any] = {
        "mask": scene.mask,
        "long_offsets": scene.long_offsets,
        "poses": scene.poses,
        "frame": scene.frame,
        "output_stride": STRIDE,
    }
    with pytest.raises(InvalidArgumentError, match=message):
        assign_instances(**arguments | change)
