"""Scores on made-up sets whose answers are known."""

from __future__ import annotations

import json
from pathlib import Path
from types import SimpleNamespace

import cv2
import numpy as np
import pytest

from bodypix_train.evalsets import read_set
from bodypix_train.evaluate import CROWD, FRAMING, boundary_f, by_group, evaluate, iou, table
from bodypix_train.report import write_report


def square(low: int, high: int) -> np.ndarray:
    mask = np.zeros((40, 40), bool)
    mask[low:high, low:high] = True
    return mask


@pytest.mark.parametrize(
    ("answer", "truth", "expected"),
    [
        (square(10, 20), square(10, 20), 1.0),
        (square(10, 20), square(10, 30), 0.25),
        (square(0, 10), square(20, 30), 0.0),
        (square(0, 0), square(0, 0), 1.0),
    ],
)
def test_iou(answer: np.ndarray, truth: np.ndarray, expected: float) -> None:
    assert iou(answer, truth) == expected


def test_boundary_f() -> None:
    assert boundary_f(square(10, 30), square(10, 30)) == 1.0
    assert boundary_f(square(10, 30), square(5, 35)) == 0.0
    assert boundary_f(square(0, 0), square(5, 35)) == 0.0
    assert boundary_f(square(10, 30), square(10, 31)) > 0.9


class OnesModel:
    """Marks the red pixels, whatever the options."""

    def segment_person(self, image: np.ndarray, **_: object) -> SimpleNamespace:
        return SimpleNamespace(mask=(image[..., 0] > 128).astype(np.uint8))


def make_sets(root: Path) -> None:
    for name, masks in (("portraits", "masks"), ("pedestrians", "instances")):
        (root / name / "images").mkdir(parents=True)
        (root / name / masks).mkdir()
        image = np.zeros((40, 40, 3), np.uint8)
        image[square(10, 20)] = (0, 0, 255)  # red in OpenCV's order
        cv2.imwrite(str(root / name / "images" / "a.png"), image)
        truth = square(10, 20).astype(np.uint8) * (255 if masks == "masks" else 2)
        cv2.imwrite(str(root / name / masks / "a.png"), truth)
    folder = root / "coco128"
    (folder / "images").mkdir(parents=True)
    cv2.imwrite(str(folder / "images" / "1.png"), image)
    cv2.imwrite(str(folder / "images" / "2.png"), image)
    polygon = [10, 10, 20, 10, 20, 20, 10, 20]
    data = {
        "images": [{"id": i, "file_name": f"{i}.png", "height": 40, "width": 40} for i in (1, 2)],
        "annotations": [
            {"id": 1, "image_id": 1, "category_id": 1, "segmentation": [polygon]},
            {"id": 2, "image_id": 2, "category_id": 3, "segmentation": [polygon]},
        ],
    }
    (folder / "instances_person.json").write_text(json.dumps(data))


def test_sets_and_table(tmp_path: Path) -> None:
    make_sets(tmp_path)
    sets = ("portraits", "pedestrians", "coco128")
    scores = evaluate(OnesModel(), tmp_path, sets=sets)  # type: ignore[arg-type]
    assert scores["portraits"].mean_iou == 1.0
    assert scores["pedestrians"].mean_iou == 1.0
    # One of the two COCO pictures shows nobody, and 100 of its 1600 pixels are marked.
    assert scores["coco128"].false_area == pytest.approx(100 / 1600)
    assert scores["coco128"].pooled_iou == pytest.approx(0.5, abs=0.06)
    lines = table({"mine": scores}).splitlines()
    assert len(lines) == 2 + len(sets)
    assert "6.25%" in lines[-1]


def test_groups_by_framing_and_number(tmp_path: Path) -> None:
    make_sets(tmp_path)
    scores = evaluate(OnesModel(), tmp_path, sets=("pedestrians", "coco128"))  # type: ignore[arg-type]
    framing, crowd = by_group(scores, FRAMING), by_group(scores, CROWD)
    # 100 or 121 of 1600 pixels are person; the other COCO picture shows nobody.
    assert {name: group.pictures for name, group in framing.items()} == {"5 to 20%": 2}
    assert {name: group.pictures for name, group in crowd.items()} == {"1 person": 2}


def test_report_shows_tables_and_pictures(tmp_path: Path) -> None:
    make_sets(tmp_path)
    model = OnesModel()
    scores = evaluate(model, tmp_path, sets=("coco128",))  # type: ignore[arg-type]
    page = write_report(
        tmp_path / "report",
        {"mine": model},  # type: ignore[dict-item]
        {"mine": scores},
        tmp_path,
        internal_resolution=1.0,
        threshold=0.5,
    )
    text = page.read_text()
    assert "6.25%" in text
    assert "1 person" in text
    for kind in ("best-1", "worst-1", "nobody-2"):
        picture = cv2.imread(str(page.parent / f"coco128-{kind}.jpg"))
        assert picture is not None
        assert picture.shape == (320, 640, 3)
    # The falsely marked square is red.
    square_middle = picture[120, 320 + 120].astype(int)
    assert square_middle[2] > square_middle[1] + 60
    assert not list(page.parent.glob("*.part*"))


def test_coco_json_that_is_none(tmp_path: Path) -> None:
    make_sets(tmp_path)
    (tmp_path / "coco128" / "instances_person.json").write_text("{}")
    with pytest.raises(ValueError, match="expected COCO JSON"):
        list(read_set(tmp_path, "coco128"))


def test_mask_of_another_size(tmp_path: Path) -> None:
    make_sets(tmp_path)
    cv2.imwrite(str(tmp_path / "portraits" / "masks" / "a.png"), np.zeros((9, 9), np.uint8))
    with pytest.raises(ValueError, match="its mask"):
        list(read_set(tmp_path, "portraits"))
