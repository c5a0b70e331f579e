"""Part scores on made-up shards whose answers are known."""

from __future__ import annotations

import json
import re
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import cv2
import numpy as np
import pytest

from bodypix.body import KEYPOINT_NAMES, KEYPOINTS, PART_NAMES, PARTS
from bodypix.results import Keypoint, Pose
from bodypix_train.evaluate import Settings
from bodypix_train.evaluate_parts import count_parts, part_table, read_picture
from bodypix_train.evaluation import Evaluation, Work, evaluate
from bodypix_train.report import write_report
from bodypix_train.synthetic.shards import index_shards, write_shard


def png(pixels: np.ndarray, ending: str = ".png") -> bytes:
    return bytes(cv2.imencode(ending, pixels)[1])


def picture(tone: float, people: int) -> dict[str, bytes]:
    """Part 3 of person 1 in the left half, nobody in the right one; the others are unseen."""
    parts = np.zeros((32, 32), np.uint8)
    parts[:, :16] = 4
    points = np.full((people, KEYPOINTS, 3), (8, 16, 2), float)
    points[1:] = 0
    about = {
        "framing": "webcam",
        "people": [{"skin_tone": tone}] * people,
        "keypoints": points.tolist(),
    }
    return {
        "jpg": png(np.zeros((32, 32, 3), np.uint8), ".jpg"),
        "parts.png": png(parts),
        "people.png": png((parts > 0).astype(np.uint8)),
        "json": json.dumps(about).encode(),
    }


class Model:
    """Names part 3 in the upper half, part 5 in one row below, and has all keypoints at (8, 16)."""

    def segment_person_parts(self, image: np.ndarray, **_: object) -> SimpleNamespace:
        ids = np.full(image.shape[:2], -1, np.int32)
        ids[:16] = 3
        ids[16] = 5
        pose = Pose(0.9, [Keypoint(name, 8.0, 16.0, 0.9) for name in KEYPOINT_NAMES])
        return SimpleNamespace(part_ids=ids, all_poses=[pose])


def run(folder: Path) -> Evaluation:
    work = Work(folder, (), synthetic=folder)
    return evaluate({"mine": Model()}, work, Settings())  # type: ignore[dict-item]


@pytest.fixture
def shards(tmp_path: Path) -> Path:
    shard = [(0, picture(2.0, 1)), (1, picture(9.6, 1)), (2, picture(5.0, 3))]
    write_shard(tmp_path / "shard-00000.tar", shard)
    return tmp_path


def test_scores_and_groups(shards: Path) -> None:
    done = run(shards)
    scores = done.parts["mine"]
    assert {name: len(score.pictures) for name, score in scores.items()} == {
        "all": 3, "1 person": 2, "2 and more people": 1, "framing: webcam": 3,
        "skin tone 1 to 3": 1, "skin tone 8 to 10": 1,
    }  # fmt: skip
    # Part 3: 256 of 768 pixels; part 5: named where there is none; all others are left out.
    assert scores["all"].ious == pytest.approx({PART_NAMES[3]: 1 / 3, PART_NAMES[5]: 0.0})
    assert scores["all"].miou == pytest.approx(1 / 6)
    assert scores["all"].person_iou == pytest.approx((256 + 16) / (768 + 16))
    assert part_table("x", done.parts).markdown().splitlines()[2] == "| all | 3 | 0.167 | 0.347 |"
    figures = done.summary()["mine"]
    assert figures["synthetic: all"]["part_miou"] == pytest.approx(1 / 6)
    assert figures["poses: synthetic people, 1 person"]["people"] == 2
    # Nobody asks for the two people of whom nothing is seen.
    assert done.poses["mine"]["synthetic people"].people == 3
    assert done.poses["mine"]["synthetic people"].oks == pytest.approx(1)


def test_report_shows_parts_and_poses(shards: Path) -> None:
    page = write_report(shards / "report", run(shards))
    text = page.read_text()
    assert "<td>left_upper_arm_back" in text
    assert "parts, best, median, worst: 00000000, mine part mIoU 0.167" in text
    assert "poses-synthetic people, best, median, worst: 00000000, mine OKS 1.000" in text
    row = cv2.imread(str(page.parent / "parts-0.jpg"))
    assert row.shape == (320, 960, 3)
    # Where the truth and the answer name the same part the colours are the same, and not white.
    truth, answer = row[40, 320 + 40].astype(int), row[40, 640 + 40].astype(int)
    assert np.abs(truth - answer).max() < 12
    assert truth.min() < 200


def test_true_people_have_the_area_and_box_that_is_seen(shards: Path) -> None:
    people = read_picture(list(index_shards(shards))[2]).people
    assert [person.counts for person in people] == [True, False, False]
    assert (people[0].area, people[0].box) == (512, (0, 0, 16, 32))


def test_parts_are_counted_as_sets_of_pixels() -> None:
    random = np.random.default_rng(0)
    answer, truth = random.integers(-1, PARTS, (2, 20, 20))
    both, either = count_parts(answer, truth)
    for part in range(PARTS):
        assert both[part] == np.count_nonzero((answer == part) & (truth == part))
        assert either[part] == np.count_nonzero((answer == part) | (truth == part))
    assert both[PARTS] == np.count_nonzero((answer >= 0) & (truth >= 0))


def test_nothing_seen_nothing_there() -> None:
    both, either = count_parts(np.full((4, 4), -1), np.full((4, 4), -1))
    assert not both.any()
    assert not either.any()


def broken(change: dict[str, Any]) -> dict[str, bytes]:
    files = picture(5.0, 1) | change
    return {ending: content for ending, content in files.items() if content}


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"people.png": b""}, "picture 00000001: 'people.png' is missing"),
        (
            {"parts.png": png(np.zeros((9, 9), np.uint8))},
            r"00000001: expected labels of \(32, 32\)",
        ),
        ({"jpg": b"no picture"}, "00000001: image: expected a JPEG or PNG"),
    ],
)
def test_broken_pictures_are_named_and_left_out(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, change: dict[str, Any], message: str
) -> None:
    shard = [(0, picture(5.0, 1)), (1, broken(change))]
    write_shard(tmp_path / "shard-00000.tar", shard)
    assert len(run(tmp_path).parts["mine"]["all"].pictures) == 1
    assert re.search(message, caplog.text)


def test_a_folder_without_pictures_is_named(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="expected shards"):
        run(tmp_path)
