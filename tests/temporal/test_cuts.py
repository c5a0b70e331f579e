"""Cuts are found; flashes, exposure, fast limbs and a shaken camera are none."""

from __future__ import annotations

from itertools import permutations
from pathlib import Path

import cv2
import numpy as np
import pytest

from bodypix.temporal import CutDetector, is_cut
from bodypix.temporal.cuts import scene_of
from helpers.films import film, scene

SIZE = (240, 320)


def cuts(frames) -> list[int]:
    """Indices of the frames that begin a take."""
    detector = CutDetector()
    return [index for index, frame in enumerate(frames) if detector.update(frame)]


def brightened(frame: np.ndarray, gain: float, offset: float = 0, gamma: float = 1) -> np.ndarray:
    return np.clip(255 * (frame / 255.0) ** gamma * gain + offset, 0, 255).astype(np.uint8)


def test_takes_are_told_apart() -> None:
    frames = [scene(seed, *SIZE) for seed in (1, 1, 1, 2, 2, 3, 1, 1)]
    assert cuts(frames) == [3, 5, 6]


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize(
    "light",
    [{"gain": 1.5}, {"gain": 3.0}, {"gain": 0.2}, {"gain": 1.0, "offset": 70},
     {"gain": 1.0, "offset": -70}, {"gain": 1.0, "gamma": 0.4}, {"gain": 1.0, "gamma": 2.5}],
)  # fmt: skip
def test_changes_of_light_are_no_cut(seed, light) -> None:
    frame = scene(seed, *SIZE)
    assert cuts([frame, brightened(frame, **light), frame]) == []


@pytest.mark.parametrize("level", [0, 255])
def test_a_flash_and_a_black_frame_hide_nothing(level) -> None:
    blank = np.full((*SIZE, 3), level, np.uint8)
    one, other = scene(1, *SIZE), scene(2, *SIZE)
    assert cuts([one, blank, blank, one]) == []
    assert cuts([one, blank, other, other]) == [2]
    assert cuts([blank, one, one]) == []


@pytest.mark.parametrize("speed", [20, 45, 90])
def test_fast_movement_is_no_cut(speed) -> None:
    assert cuts(film([30 + index * speed % 120 for index in range(12)])) == []


def test_somebody_large_who_appears_is_no_cut() -> None:
    before, after = scene(1, *SIZE), scene(1, *SIZE)
    after[20:220, 80:240] = scene(2, *SIZE)[20:220, 80:240]
    assert cuts([before, after, before]) == []


@pytest.mark.parametrize("shift", [(4, 0), (16, 9), (0, 30), (-40, 20)])
def test_a_fast_camera_is_no_cut(shift) -> None:
    wide = scene(8, 400, 500)
    (dx, dy), (height, width) = shift, SIZE
    before = wide[80 : 80 + height, 80 : 80 + width]
    after = wide[80 + dy : 80 + dy + height, 80 + dx : 80 + dx + width]
    assert cuts([before, after]) == []


def test_dissolving_is_no_cut() -> None:
    one, other = scene(1, *SIZE), scene(2, *SIZE)
    frames = [cv2.addWeighted(one, 1 - share, other, share, 0) for share in np.linspace(0, 1, 25)]
    assert cuts(frames) == []


def test_thumbnails_do_as_well() -> None:
    one, other = scene(1, 720, 1280), scene(2, 720, 1280)
    small = [cv2.resize(some, (160, 90), interpolation=cv2.INTER_AREA) for some in (one, other)]
    assert scene_of(one).shape == scene_of(small[0]).shape == (48, 64)
    assert is_cut(scene_of(one), scene_of(small[1]))
    assert not is_cut(scene_of(one), scene_of(small[0]))


def test_reset_forgets() -> None:
    detector = CutDetector()
    assert not detector.update(scene(1))
    detector.reset()
    assert not detector.update(scene(2))
    assert detector.update(scene(1))


def test_real_clips(shared: Path) -> None:
    """No cut within a clip, even 6 frames apart; one wherever two different rooms meet."""
    takes = {}
    for name in ("webcam-signing-walk.mkv", "full-body-juggling.mp4", "people-walking-past.mp4"):
        capture = cv2.VideoCapture(str(shared / "data" / "clips" / name))
        capture.set(cv2.CAP_PROP_POS_FRAMES, 60)
        frames = [cv2.resize(capture.read()[1], (320, 240)) for _ in range(25)]
        capture.release()
        takes[name] = frames
        assert cuts(frames) == []
        assert cuts(frames[::6]) == []
    for one, other in permutations(takes, 2):
        assert cuts([*takes[one][:8], *takes[other][12:18]]) == [8]
