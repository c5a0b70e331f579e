"""Flicker of masks on clips whose pictures stand still or move as the test says."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

import cv2
import numpy as np
import pytest

from bodypix_train.evaluate import Settings
from bodypix_train.evaluate_clips import clip_table, evaluate_clip, list_clips
from bodypix_train.evaluation import Work, evaluate
from bodypix_train.flicker import Changes, Flicker, made_clip, read_clip, worst_run
from bodypix_train.report import write_report
from helpers.clips import CONSTANT, make_clip

SIZE = (60, 80)


def still(count: int) -> list[np.ndarray]:
    return [np.full((*SIZE, 3), 90, np.uint8)] * count


class Model:
    """Sees somebody in the left half, and from frame to frame in or not in ten columns more."""

    def __init__(self, first: int = 0, flicker: bool = True) -> None:
        self.first, self.flicker, self.frame = first, flicker, -1

    def segment_person(self, image: np.ndarray, **_: object) -> SimpleNamespace:
        self.frame += 1
        probability = np.zeros(SIZE, np.float32)
        if self.frame >= self.first:
            probability[:, : 40 + 10 * (self.flicker and self.frame % 2)] = 0.9
        return SimpleNamespace(probability=probability)


def test_changes_where_the_picture_stands_still() -> None:
    before, after = np.zeros(SIZE, bool), np.zeros(SIZE, bool)
    after[:, :20] = True
    change = np.zeros(SIZE, np.uint8)
    change[:, 40:] = 99
    flicker = Flicker()
    flicker.add(before, after, change)
    assert flicker.per_thousand == 500
    change[:, :20] = 99  # where the picture moves the mask may
    flicker = Flicker()
    flicker.add(before, after, change)
    assert flicker.per_thousand == 0


def test_no_still_pixel_no_flicker() -> None:
    assert Flicker().per_thousand == 0


def test_noise_is_hardly_a_change_and_movement_is() -> None:
    random = np.random.default_rng(0)
    changes = Changes()
    assert changes(still(1)[0]) is None
    noisy = still(1)[0] + random.integers(-3, 4, (*SIZE, 3)).astype(np.int8).astype(np.uint8)
    assert changes(noisy).max() < 6
    moved = noisy.copy()
    moved[20:40, 20:40] = 200
    assert changes(moved)[30, 30] > 90


def test_models_see_the_same_frames_from_the_first_with_somebody() -> None:
    models = {"early": Model(first=2), "late": Model(first=4, flicker=False)}
    scores = evaluate_clip(models, still(30), 12, Settings())  # type: ignore[arg-type]
    early, late = scores["early"], scores["late"]
    assert early.frames == late.frames == 12
    # Ten of 80 columns change in every frame.
    assert early.own == pytest.approx(125)
    assert early.smoothed < 0.5 * early.own
    assert early.area == pytest.approx((40 + 5) / 80)
    # The late model begins to see somebody in the third of the frames: half a picture changes.
    assert late.own == pytest.approx(500 / 11)
    assert early.strip.shape == (2 * 120, 8 * 160, 3)
    reds = (early.strip[..., 0] > early.strip[..., 1] + 100).any(axis=1)
    assert reds[:120].any()
    row = clip_table("clip", {m: {"c": s} for m, s in scores.items()}).rows[0]
    assert row.counts == ("12",)
    assert row.cells["early"][0] == "125.000"


def test_nobody_in_the_clip() -> None:
    assert evaluate_clip({"m": Model(first=99)}, still(5), 60, Settings()) == {}  # type: ignore[dict-item]


def test_made_clip_moves_a_person_over_grain() -> None:
    clip = made_clip()
    frames = [next(clip) for _ in range(22)]
    changes = Changes()
    levels = [change for frame in frames if (change := changes(frame)) is not None]
    assert np.median(levels[3]) < 6
    assert frames[0].shape == (480, 640, 3)
    assert (levels[20] > 20).sum() > 1000


def test_films_of_a_folder(tmp_path: Path) -> None:
    make_clip(tmp_path / "film.mp4", CONSTANT[:3], size=(160, 120))
    (tmp_path / "notes.txt").write_text("no film")
    clips = list_clips(tmp_path)
    assert clips == {"made": None, "film": tmp_path / "film.mp4"}
    assert [frame.shape for frame in read_clip(tmp_path / "film.mp4")] == [(120, 160, 3)] * 3


def test_films_in_figures_and_report(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    make_clip(tmp_path / "film.mp4", CONSTANT[:6], size=SIZE[::-1])
    monkeypatch.setattr("bodypix_train.evaluate_clips.made_clip", lambda: iter(still(9)))
    work = Work(tmp_path, (), clips=tmp_path, frames=4)
    done = evaluate({"mine": Model()}, work, Settings())  # type: ignore[dict-item]
    figures = done.summary()["mine"]
    assert list(figures) == ["clip: made", "clip: film"]
    assert figures["clip: film"]["frames"] == 4
    assert figures["clip: made"]["flicker"] == pytest.approx(125)
    page = write_report(tmp_path / "report", done)
    assert "made: mine 125.000, smoothed" in page.read_text()
    strip = cv2.imread(str(page.parent / "clip-made-mine.jpg"))
    assert strip.shape == (240, 3 * 160, 3)


def test_no_films(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"expected video files \(.mp4"):
        list_clips(tmp_path)
    (tmp_path / "broken.mp4").write_bytes(b"no film")
    with pytest.raises(ValueError, match=r"broken.mp4: expected a video file"):
        next(read_clip(tmp_path / "broken.mp4"))


def test_worst_run() -> None:
    assert worst_run([0, 1, 5, 4, 0, 8], 2) == 2
    assert worst_run([1, 2], 8) == 0
