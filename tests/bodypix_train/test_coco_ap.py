"""COCO average precision on a made-up set, for models whose answers are known."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from typer.testing import CliRunner

import bodypix
from bodypix import body
from bodypix.results import Keypoint, PersonSegmentation, Pose
from bodypix_train.__main__ import app
from bodypix_train.coco_ap import MAX_PEOPLE, SCORE_THRESHOLD, coco_ap, table

HEIGHT, WIDTH = 120, 160
# Where the people of picture 1 and 2 are: x, y, width, height. Nobody is in picture 3.
BOXES = {1: [(10, 20, 40, 80), (90, 10, 50, 100)], 2: [(40, 30, 60, 60)], 3: []}
ROWS = ["coco-keypoints poses", "coco-keypoints masks", "coco128 masks"]

Box = tuple[int, int, int, int]


def points_in(box: Box) -> np.ndarray:
    """(17, 2): keypoints on the diagonal of a box."""
    x, y, width, height = box
    return np.linspace((x, y), (x + width, y + height), body.KEYPOINTS)


def person_in(box: Box, score: float = 0.9) -> PersonSegmentation:
    x, y, width, height = box
    mask = np.zeros((HEIGHT, WIDTH), np.uint8)
    mask[y : y + height, x : x + width] = 1
    names = body.KEYPOINT_NAMES
    keypoints = [Keypoint(n, *p, score) for n, p in zip(names, points_in(box), strict=True)]
    return PersonSegmentation(mask, pose=Pose(score, keypoints))


class KnowingModel:
    """Tells the picture by its brightness, and answers what `change` makes of the true box."""

    def __init__(self, change: Callable[[Box], list[PersonSegmentation]]) -> None:
        self.change = change
        self.options: dict[str, Any] = {}

    def segment_multi_person(self, image: np.ndarray, **options: Any) -> list[PersonSegmentation]:
        self.options = options
        boxes = BOXES[int(image[0, 0, 0])]
        return [person for box in boxes for person in self.change(box)]


def perfect(box: Box) -> list[PersonSegmentation]:
    return [person_in(box)]


def shifted(box: Box) -> list[PersonSegmentation]:
    x, y, width, height = box
    return [person_in((x + width // 5, y, width, height))]  # of the union, 2/3 are shared


def nobody(_: Box) -> list[PersonSegmentation]:
    return []


def annotation(picture: int, box: Box) -> dict[str, Any]:
    x, y, width, height = box
    right, bottom = x + width, y + height
    return {
        "image_id": picture,
        "category_id": 1,
        "segmentation": [[x, y, right, y, right, bottom, x, bottom]],
    }


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """Both sets with the same pictures; "coco128" has nothing but masks, ids not even from 1."""
    for name, file, images in (
        ("coco-keypoints", "test_coco.json", "."),
        ("coco128", "instances_person.json", "images"),
    ):
        folder = tmp_path / name / images
        folder.mkdir(parents=True)
        labels = []
        for picture, boxes in BOXES.items():
            shade = np.full((HEIGHT, WIDTH, 3), picture, np.uint8)
            cv2.imwrite(str(folder / f"{picture}.png"), shade)
            labels += [annotation(picture, box) for box in boxes]
            if name == "coco-keypoints":
                for label, box in zip(labels[-len(boxes) :], boxes, strict=False):
                    points = np.column_stack((points_in(box), np.full(body.KEYPOINTS, 2)))
                    label["keypoints"] = points.ravel().tolist()
                    label["id"] = len(labels)
        size = {"height": HEIGHT, "width": WIDTH}
        entries = [{"id": p, "file_name": f"{p}.png", **size} for p in BOXES]
        data = {"images": entries, "annotations": labels}
        (tmp_path / name / file).write_text(json.dumps(data))
    return tmp_path


def edit(file: Path, change: Callable[[dict[str, Any]], None]) -> None:
    data = json.loads(file.read_text())
    change(data)
    file.write_text(json.dumps(data))


def score(root: Path, change: Callable[[Box], list[PersonSegmentation]]) -> dict[str, Any]:
    return coco_ap(KnowingModel(change), root)  # type: ignore[arg-type]


def test_perfect_answers(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    scores = score(root, perfect)
    assert list(scores) == ROWS
    for row in scores.values():
        assert (row.pictures, row.people) == (3, 3)
        assert (row.ap, row.ap50, row.ap75, row.ar) == pytest.approx((1, 1, 1, 1))
    assert capsys.readouterr().out == ""


def test_shifted_answers_hold_at_low_thresholds_only(root: Path) -> None:
    scores = score(root, shifted)
    for name in ROWS[1:]:
        # An overlap of 2/3 passes 0.50, 0.55, 0.60 and 0.65 of the ten thresholds.
        assert scores[name].ap50 == pytest.approx(1)
        assert scores[name].ap75 == 0
        assert scores[name].ap == pytest.approx(0.4)
        assert scores[name].ar == pytest.approx(0.4)
    assert scores[ROWS[0]].ap < 0.5


def test_nobody_found(root: Path) -> None:
    for row in score(root, nobody).values():
        assert (row.ap, row.ap50, row.ap75, row.ar) == (0, 0, 0, 0)


def test_unsure_false_people_cost_less_than_sure_ones(root: Path) -> None:
    def more(false_score: float) -> Callable[[Box], list[PersonSegmentation]]:
        return lambda box: [person_in(box, 0.9), person_in((0, 0, 8, 8), false_score)]

    unsure, sure = score(root, more(0.1)), score(root, more(0.95))
    for name in ROWS:
        assert unsure[name].ap == pytest.approx(1)
        assert sure[name].ap < 0.7


def test_empty_mask_is_an_answer_for_poses_only(root: Path) -> None:
    def unseen(box: Box) -> list[PersonSegmentation]:
        pose = person_in(box).pose
        return [PersonSegmentation(np.zeros((HEIGHT, WIDTH), np.uint8), pose=pose)]

    assert [row.ap for row in score(root, unseen).values()] == pytest.approx([1, 0, 0])


def test_crowds_and_people_without_keypoints_count_neither_way(root: Path) -> None:
    def change(data: dict[str, Any]) -> None:
        data["annotations"][0]["iscrowd"] = 1
        del data["annotations"][1]["keypoints"]

    edit(root / "coco-keypoints" / "test_coco.json", change)
    for answers in (perfect, lambda box: perfect(box) if box in BOXES[2] else []):
        assert score(root, answers)["coco-keypoints poses"].ap == pytest.approx(1)
    masks = score(root, perfect)["coco-keypoints masks"]
    assert (masks.people, masks.ap) == (2, pytest.approx(1))


def test_set_without_people_has_no_score(root: Path) -> None:
    edit(root / "coco128" / "instances_person.json", lambda data: data["annotations"].clear())
    row = score(root, perfect)["coco128 masks"]
    assert (row.people, row.ap, row.ar) == (0, None, None)
    lines = table({"x": {"coco128 masks": row}}).markdown()
    assert lines.endswith("| coco128 masks | 3 | 0 | – | – | – | – |")


def test_options_of_the_model(root: Path) -> None:
    model = KnowingModel(perfect)
    coco_ap(model, root, internal_resolution=0.5)  # type: ignore[arg-type]
    assert model.options == {
        "internal_resolution": 0.5,
        "segmentation_threshold": 0.5,
        "max_detections": MAX_PEOPLE,
        "score_threshold": SCORE_THRESHOLD,
    }


def test_picture_of_another_size(root: Path) -> None:
    cv2.imwrite(str(root / "coco128" / "images" / "2.png"), np.full((9, 9, 3), 2, np.uint8))
    with pytest.raises(ValueError, match=r"2\.png: expected \(120, 160\).*got \(9, 9\)"):
        score(root, perfect)


def test_command(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    models = {"near.onnx": KnowingModel(shifted), None: KnowingModel(perfect)}
    monkeypatch.setattr(bodypix, "load", lambda *, model_url=None: models[model_url])
    out = root / "scores.json"
    arguments = ["coco-ap", "--data", str(root), "--model", "mine=", "--model", "near=near.onnx"]
    result = CliRunner().invoke(app, [*arguments, "--out", str(out)], catch_exceptions=False)
    lines = result.output.splitlines()
    columns = ["mine: AP", "AP50", "AP75", "AR", "near: AP", "AP50", "AP75", "AR"]
    assert lines[0] == f"| set | pictures | people | {' | '.join(columns)} |"
    ones, near = "1.000 | 1.000 | 1.000 | 1.000", "0.400 | 1.000 | 0.000 | 0.400"
    assert lines[-1] == f"| coco128 masks | 3 | 3 | {ones} | {near} |"
    assert {model.options["score_threshold"] for model in models.values()} == {SCORE_THRESHOLD}
    scores = json.loads(out.read_text())
    assert scores["near"]["coco128 masks"]["ap"] == pytest.approx(0.4)
    assert not list(root.glob("*.part"))
