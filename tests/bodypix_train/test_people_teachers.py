"""MediaPipe's networks refine person maps where they can judge; TFLite files run."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest

from bodypix_train.errors import TrainingError
from bodypix_train.people_teachers import PeopleTeachers, Remembered, TfliteGraph, view_of

from .tflite_files import tflite


def standing(x: float, top: float, bottom: float, angle: float = 0.0) -> np.ndarray:
    """A pose whose body leans by ``angle`` degrees to the picture's right, around its hips."""
    heights = np.repeat([0.05, 0.3, 0.45, 0.55, 0.55, 0.75, 0.95], [5, 2, 2, 1, 3, 2, 2])[:17]
    heights[11:13] = 0.55
    y = top + (bottom - top) * heights
    hips = np.array([x, y[11]])
    sides = np.where(np.arange(17) % 2, -6.0, 6.0)
    turn = np.radians(angle)
    matrix = np.array([[np.cos(turn), -np.sin(turn)], [np.sin(turn), np.cos(turn)]])
    points = (np.column_stack([x + sides, y]) - hips) @ matrix.T + hips
    return np.column_stack([points, np.full(17, 0.9)])


def bright(image: np.ndarray) -> list[np.ndarray]:
    """A selfie segmenter for which what is white is a person."""
    return [image.mean(2, keepdims=True)]


def bright_body(image: np.ndarray) -> list[np.ndarray]:
    """A pose network likewise, sure that somebody is there."""
    return [np.array([0.9], np.float32), (image.mean(2, keepdims=True) - 0.5) * 20]


def nobody(image: np.ndarray) -> list[np.ndarray]:
    return [np.array([0.1], np.float32), np.full((256, 256, 1), 9.0, np.float32)]


def photo(*columns: int) -> np.ndarray:
    """White upright bars 30 wide and 140 high, in a black picture 200 by 240."""
    image = np.zeros((200, 240, 3), np.uint8)
    for x in columns:
        image[30:170, x - 15 : x + 15] = 255
    return image


def test_networks_move_outlines_where_all_agree() -> None:
    image = photo(60)
    rough = np.zeros((200, 240), np.float32)
    rough[32:168, 46:76] = 0.9  # a little aside
    refined = PeopleTeachers(bright, bright_body).refine(image, rough, [standing(60, 30, 170)])
    truth = image[..., 0] > 0
    wrong = np.count_nonzero((refined > 0.5) != truth)
    assert wrong < np.count_nonzero((rough > 0.5) != truth) / 2


def test_what_is_bright_but_nobody_stays_out_where_they_disagree() -> None:
    image = photo(60, 200)
    rough = np.where(np.arange(240)[None] < 120, image[..., 0] / 255 * 0.9, 0).astype(np.float32)
    poses = [standing(60, 30, 170)]
    refined = PeopleTeachers(bright, bright_body).refine(image, rough, poses)
    assert not (refined[:, 150:] > 0.5).any()
    assert (refined[60:140, 50:70] > 0.9).all()


def test_what_was_seen_before_is_remembered() -> None:
    asked = []

    def graph(image: np.ndarray) -> list[np.ndarray]:
        asked.append(image)
        return bright(image)

    remembered = Remembered(graph)
    black, white = np.zeros((4, 4, 3), np.float32), np.ones((4, 4, 3), np.float32)
    answers = [float(remembered(image)[0].max()) for image in (black, white, black, white)]
    assert answers == [0, 1, 0, 1]
    assert len(asked) == 2


def test_a_body_that_is_not_there_counts_nothing() -> None:
    image, pose = photo(60), standing(60, 30, 170)
    (view,) = [view_of(pose, (200, 240))]
    assert view is not None
    assert not PeopleTeachers(bright, nobody).body(image, view).any()


@pytest.mark.parametrize("angle", [0.0, 30.0, -80.0])
def test_bodies_are_shown_upright_and_put_back(angle: float) -> None:
    """The crop's mask comes back to where the body is, and the network saw it standing."""
    shown: list[np.ndarray] = []

    def remember(image: np.ndarray) -> list[np.ndarray]:
        shown.append(image)
        return bright_body(image)

    pose = standing(120, 30, 170, angle)
    view = view_of(pose, (200, 240))
    assert view is not None
    assert view.angle == pytest.approx(angle)
    image = np.zeros((200, 240, 3), np.uint8)
    for at in np.linspace(pose[[5, 6], :2].mean(0), pose[[15, 16], :2].mean(0), 200):
        x, y = at.astype(int)
        image[y - 3 : y + 4, x - 3 : x + 4] = 255
    mask = PeopleTeachers(bright, remember).body(image, view)
    same = (mask > 0.5) == (image[..., 0] > 0)
    assert same.mean() > 0.98
    rows, columns = np.nonzero(shown[0].mean(2) > 0.5)
    assert np.ptp(rows) > 4 * np.ptp(columns)


def test_small_unsure_and_unseen_people_are_left_to_bodypix() -> None:
    unsure = standing(60, 30, 170)
    unsure[:, 2] = 0.2
    outside = standing(60, 30, 170)
    outside[:, 0] += 500
    for pose in (unsure, outside, standing(60, 30, 44) * [0.5, 1, 1]):
        assert view_of(pose, (200, 240)) is None


def test_tflite_files_run(tmp_path: Path) -> None:
    (answer,) = TfliteGraph(tflite(tmp_path / "mean.tflite", 256))(
        np.tile(np.array([0.0, 0.3, 0.6], np.float32), (256, 256, 1))
    )
    assert answer.shape == (256, 256, 1)
    assert np.allclose(answer, 0.3)


def test_tflite_files_may_begin_later(tmp_path: Path) -> None:
    path = tflite(tmp_path / "mean.tflite", 32)
    path.write_bytes(b"names of classes\n" + path.read_bytes())
    (answer,) = TfliteGraph(path, side=32, begin=17)(np.full((32, 32, 3), 0.5, np.float32))
    assert np.allclose(answer, 0.5)


def test_other_networks_are_refused(tmp_path: Path) -> None:
    with pytest.raises(TrainingError, match=r"small.tflite: expected .* got \(1, 64, 64, 3\)"):
        TfliteGraph(tflite(tmp_path / "small.tflite", 64))


def test_without_a_runtime_it_says_what_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "ai_edge_litert.interpreter", None)
    with pytest.raises(TrainingError, match="pip install"):
        TfliteGraph(tmp_path / "some.tflite")


def test_a_folder_without_the_files_has_no_such_teachers(tmp_path: Path) -> None:
    tflite(tmp_path / "selfie_segmentation.tflite", 256)
    assert PeopleTeachers.from_folder(tmp_path) is None
    tflite(tmp_path / "pose_landmark_heavy.tflite", 256)
    assert PeopleTeachers.from_folder(tmp_path) is not None
