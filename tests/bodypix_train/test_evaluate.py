"""Scores on made-up sets whose answers are known."""

from __future__ import annotations

import json
from pathlib import Path
from types import SimpleNamespace

import cv2
import numpy as np
import pytest
from typer.testing import CliRunner

import bodypix
from bodypix_train.__main__ import app
from bodypix_train.evalsets import list_set
from bodypix_train.evalsets import read as plain_read
from bodypix_train.evaluate import (
    CROWD,
    FRAMING,
    SetScore,
    Settings,
    boundary_f,
    by_group,
    evaluate_masks,
    mask_table,
)
from bodypix_train.evaluation import Work, evaluate
from bodypix_train.report import write_report


def square(low: int, high: int) -> np.ndarray:
    mask = np.zeros((40, 40), bool)
    mask[low:high, low:high] = True
    return mask


def test_boundary_f() -> None:
    assert boundary_f(square(10, 30), square(10, 30)) == 1.0
    assert boundary_f(square(10, 30), square(5, 35)) == 0.0
    assert boundary_f(square(0, 0), square(5, 35)) == 0.0
    assert boundary_f(square(10, 30), square(10, 31)) > 0.9


class RedModel:
    """Marks the red pixels as ``part``, whatever the options, and counts how often it is asked."""

    def __init__(self, part: int = 0) -> None:
        self.part, self.asked = part, 0

    def segment_person(self, image: np.ndarray, **_: object) -> SimpleNamespace:
        self.asked += 1
        return SimpleNamespace(mask=(image[..., 0] > 128).astype(np.uint8))

    def segment_person_parts(self, image: np.ndarray, **options: object) -> SimpleNamespace:
        mask = self.segment_person(image).mask
        ids = np.where(mask, self.part, -1).astype(np.int32)
        ids[:15][ids[:15] >= 0] = 7  # both models name the upper half alike
        return SimpleNamespace(part_ids=ids, mask=mask)


def scores_of(root: Path, *sets: str) -> dict[str, SetScore]:
    models = {"mine": RedModel()}
    return {
        name: evaluate_masks(models, list_set(root, name), Settings())["mine"]  # type: ignore[arg-type]
        for name in sets
    }


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
    scores = scores_of(tmp_path, "portraits", "pedestrians", "coco128")
    assert scores["portraits"].mean_iou == 1.0
    assert scores["pedestrians"].mean_iou == 1.0
    # One of the two COCO pictures shows nobody, and 100 of its 1600 pixels are marked.
    assert scores["coco128"].false_area == pytest.approx(100 / 1600)
    assert scores["coco128"].pooled_iou == pytest.approx(0.5, abs=0.06)
    lines = mask_table("set", {"mine": scores}).markdown().splitlines()
    assert lines[0] == "| set | pictures | mine: mean IoU | pooled IoU | outline F | false area |"
    assert lines[2] == "| portraits | 1 | 1.000 | 1.000 | 1.000 | – |"
    assert len(lines) == 5
    assert "6.25%" in lines[-1]


@pytest.mark.parametrize(
    ("low", "high", "iou"), [(10, 20, 1.0), (10, 30, 0.25), (30, 40, 0.0), (0, 0, 0.0)]
)
def test_iou(tmp_path: Path, low: int, high: int, iou: float) -> None:
    make_sets(tmp_path)
    mask = square(low, high).astype(np.uint8) * 255
    cv2.imwrite(str(tmp_path / "portraits" / "masks" / "a.png"), mask)
    (score,) = scores_of(tmp_path, "portraits")["portraits"].scores
    assert score.iou == iou


def test_groups_by_framing_and_number(tmp_path: Path) -> None:
    make_sets(tmp_path)
    scores = scores_of(tmp_path, "pedestrians", "coco128")
    framing, crowd = by_group(scores, FRAMING), by_group(scores, CROWD)
    # 100 or 121 of 1600 pixels are person; the other COCO picture shows nobody.
    assert {name: group.pictures for name, group in framing.items()} == {"5 to 20%": 2}
    assert {name: group.pictures for name, group in crowd.items()} == {"1 person": 2}


def test_every_picture_is_read_once_and_every_model_asked_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_sets(tmp_path)
    read: list[str] = []

    def reading(path: Path, *mode: int) -> np.ndarray:
        read.append(path.name)
        return plain_read(path, *mode)

    monkeypatch.setattr("bodypix_train.evalsets.read", reading)
    one, other = RedModel(0), RedModel(1)
    models = {"one": one, "other": other}
    entries = list_set(tmp_path, "coco128")
    scores = evaluate_masks(models, entries, Settings(), other)  # type: ignore[arg-type]
    assert read == ["1.png", "2.png"]
    assert (one.asked, other.asked) == (2, 2)
    assert scores["one"].agreement == 0.5
    assert scores["other"].agreement == 1.0


def test_report_shows_tables_and_pictures(tmp_path: Path) -> None:
    make_sets(tmp_path)
    model = RedModel()
    done = evaluate({"mine": model}, Work(tmp_path, ("coco128",)), Settings())  # type: ignore[dict-item]
    asked = model.asked
    page = write_report(tmp_path / "report", done)
    assert model.asked == asked
    text = page.read_text()
    assert "6.25%" in text
    assert "1 person" in text
    assert "coco128, best, median, worst: 1.png, mine IoU 1.000" in text
    assert "coco128, nobody there: 2.png, mine marks 6.2%" in text
    for place in (0, 1):
        picture = cv2.imread(str(page.parent / f"coco128-{place}.jpg"))
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
        list_set(tmp_path, "coco128")


@pytest.mark.parametrize("name", ["portraits", "coco128"])
def test_mask_of_another_size(tmp_path: Path, name: str) -> None:
    make_sets(tmp_path)
    cv2.imwrite(str(tmp_path / "portraits" / "masks" / "a.png"), np.zeros((9, 9), np.uint8))
    cv2.imwrite(str(tmp_path / "coco128" / "images" / "1.png"), np.zeros((9, 9, 3), np.uint8))
    with pytest.raises(ValueError, match="its mask"):
        scores_of(tmp_path, name)


@pytest.mark.parametrize(
    ("sets", "message"),
    [(("portrait",), "set: expected one of portraits, web"), ((), "with portraits, web")],
)
def test_sets_that_are_not_there(tmp_path: Path, sets: tuple[str, ...], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        Work(tmp_path, sets)


def test_command(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """All sets that are there, a model beside its reference, figures in a file."""
    make_sets(tmp_path)
    loaded: list[str | None] = []

    def load(*, model_url: str | None = None) -> RedModel:
        loaded.append(model_url)
        return RedModel(0 if model_url is None else 1)

    monkeypatch.setattr(bodypix, "load", load)
    out, page = tmp_path / "scores.json", tmp_path / "report"
    result = CliRunner().invoke(
        app,
        [
            "evaluate", "--data", str(tmp_path), "--model", "mine=", "--model", "other=o.onnx",
            "--parts-against", "o.onnx", "--out", str(out), "--report", str(page),
        ],
        catch_exceptions=False,
    )  # fmt: skip
    assert loaded == [None, "o.onnx"]  # the reference is there already
    lines = result.stdout.splitlines()
    columns = "mean IoU | pooled IoU | outline F | false area"
    assert lines[0] == f"| set | pictures | mine: {columns} | other: {columns} |"
    assert "| coco128 | 2 | 0.500 | 1.000 |" in lines  # the parts that agree
    assert f"report: {page / 'index.html'}" in lines
    figures = json.loads(out.read_text())
    assert figures["mine"]["portraits"]["mean_iou"] == 1.0
    assert figures["mine"]["coco128"]["same_parts"] == 0.5
    assert figures["other"]["framing: 5 to 20%"]["pictures"] == 3


@pytest.mark.parametrize("command", ["evaluate", "coco-ap"])
@pytest.mark.parametrize("out", ["gone/scores.json", "folder"])
def test_scores_that_could_not_be_written_are_not_measured(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, command: str, out: str
) -> None:
    make_sets(tmp_path)
    (tmp_path / "folder").mkdir()
    before = sorted(tmp_path.rglob("*"))
    model = RedModel()
    monkeypatch.setattr(bodypix, "load", lambda **_: model)
    arguments = [command, "--data", str(tmp_path), "--out", str(tmp_path / out)]
    result = CliRunner().invoke(app, arguments)
    assert isinstance(result.exception, ValueError)
    assert "--out: expected a file in a folder that exists" in str(result.exception)
    assert model.asked == 0
    assert sorted(tmp_path.rglob("*")) == before


@pytest.mark.parametrize("command", ["evaluate", "coco-ap"])
@pytest.mark.parametrize(
    ("models", "message"),
    [
        (["foo"], "--model: expected NAME=WHERE, such as ours=mine.onnx, got 'foo'"),
        (["=o.onnx"], "got '=o.onnx'"),
        (["a=", "a=o.onnx"], "--model: expected names of their own, got 'a' twice"),
    ],
)
def test_models_without_a_name_of_their_own(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, command: str, models: list[str], message: str
) -> None:
    """They would be measured under another's."""
    make_sets(tmp_path)
    monkeypatch.setattr(bodypix, "load", lambda **_: pytest.fail("nothing is to be measured"))
    options = [argument for model in models for argument in ("--model", model)]
    result = CliRunner().invoke(app, [command, "--data", str(tmp_path), *options])
    assert isinstance(result.exception, ValueError)
    assert message in str(result.exception)
