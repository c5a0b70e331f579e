"""Part scores on made-up shards whose answers are known."""

from __future__ import annotations

import json
from pathlib import Path
from types import SimpleNamespace

import cv2
import numpy as np
import pytest

from bodypix.body import PART_NAMES
from bodypix_train.evaluate_parts import PartScore, evaluate_parts, table
from bodypix_train.synthetic.shards import write_shard


def png(pixels: np.ndarray, ending: str = ".png") -> bytes:
    return bytes(cv2.imencode(ending, pixels)[1])


def picture(tone: float, people: int) -> dict[str, bytes]:
    """Part 3 in the left half, nobody in the right one."""
    parts = np.zeros((32, 32), np.uint8)
    parts[:, :16] = 4
    about = {"people": [{"skin_tone": tone}] * people}
    image = np.zeros((32, 32, 3), np.uint8)
    return {"jpg": png(image, ".jpg"), "parts.png": png(parts), "json": json.dumps(about).encode()}


class Model:
    """Names part 3 in the upper half, part 5 in one row below."""

    def segment_person_parts(self, image: np.ndarray, **_: object) -> SimpleNamespace:
        ids = np.full(image.shape[:2], -1, np.int32)
        ids[:16] = 3
        ids[16] = 5
        return SimpleNamespace(part_ids=ids)


def test_scores_and_groups(tmp_path: Path) -> None:
    shard = [(0, picture(2.0, 1)), (1, picture(9.6, 1)), (2, picture(5.0, 3))]
    write_shard(tmp_path / "shard-00000.tar", shard)
    scores = evaluate_parts(Model(), tmp_path)  # type: ignore[arg-type]
    assert {name: score.pictures for name, score in scores.items()} == {
        "all": 3, "1 person": 2, "2 and more people": 1, "skin tone 1 to 3": 1,
        "skin tone 8 to 10": 1,
    }  # fmt: skip
    # Part 3: 256 of 768 pixels; part 5: named where there is none; all others are left out.
    assert scores["all"].ious == pytest.approx({PART_NAMES[3]: 1 / 3, PART_NAMES[5]: 0.0})
    assert scores["all"].miou == pytest.approx(1 / 6)
    assert scores["all"].person_iou == pytest.approx((256 + 16) / (768 + 16))
    lines = table({"mine": scores}).splitlines()
    assert lines[2] == "| all | 3 | 0.167 | 0.347 |"


def test_nothing_seen_nothing_there() -> None:
    score = PartScore()
    score.add(np.full((4, 4), -1), np.full((4, 4), -1))
    assert score.ious == {}


def test_a_folder_without_pictures_is_named(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="expected shards"):
        evaluate_parts(Model(), tmp_path)  # type: ignore[arg-type]
