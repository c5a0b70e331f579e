"""`--json`: COCO's results format, checked by pycocotools itself."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from helpers.colours import load, picture, save

Run = Callable[..., Any]


def results(folder: Path) -> list[dict[str, Any]]:
    found = json.loads((folder / "results.json").read_text(encoding="utf-8"))
    assert isinstance(found, list)
    return found


def test_entry_for_everybody(run: Run, photo: Path, tmp_path: Path) -> None:
    assert run(photo, "-o", tmp_path / "out", "--json", "--parts", "--pose").exit_code == 0
    (entry,) = results(tmp_path / "out")
    assert set(entry) == {
        "image_id", "file_name", "category_id", "segmentation", "bbox", "score", "poses", "parts",
    }  # fmt: skip
    assert (entry["image_id"], entry["category_id"]) == (1, 1)
    assert entry["file_name"] == str(photo)
    assert entry["segmentation"]["size"] == [160, 240]
    assert 0.7 < entry["score"] <= 1
    assert list(entry["parts"]) == ["torso_front"]
    assert len(entry["poses"][0]["keypoints"]) == 51


def test_masks_and_boxes_are_those_of_the_pictures(run: Run, photo: Path, tmp_path: Path) -> None:
    coco_mask = pytest.importorskip("pycocotools.mask")
    assert run(photo, "-o", tmp_path / "out", "--json", "--parts", "-k", "mask").exit_code == 0
    (entry,) = results(tmp_path / "out")
    mask = load(tmp_path / "out" / "photo.mask.png") // 255
    assert np.array_equal(coco_mask.decode(entry["segmentation"]), mask)
    assert np.array_equal(coco_mask.decode(entry["parts"]["torso_front"]), mask)
    assert coco_mask.toBbox(entry["segmentation"]).tolist() == entry["bbox"]


def test_people_have_keypoints_and_pycocotools_takes_the_file(run: Run, tmp_path: Path) -> None:
    coco = pytest.importorskip("pycocotools.coco")
    photo = save(tmp_path / "in" / "000000000139.png", picture(people=2))
    assert run(photo, "-o", tmp_path / "out", "--json", "--people").exit_code == 0
    entries = results(tmp_path / "out")
    assert [entry["image_id"] for entry in entries] == [139, 139]
    for entry in entries:
        assert len(entry["keypoints"]) == 51
        x, y, width, height = entry["bbox"]
        assert x <= entry["keypoints"][0] <= x + width
        assert y <= entry["keypoints"][1] <= y + height
    truth = coco.COCO()
    truth.dataset = {
        "images": [{"id": 139, "width": 240, "height": 160}],
        "categories": [{"id": 1, "name": "person"}],
        "annotations": [],
    }
    truth.createIndex()
    read = truth.loadRes(str(tmp_path / "out" / "results.json"))
    assert len(read.anns) == 2


def test_json_alone_goes_to_standard_output(run: Run, photo: Path, tmp_path: Path) -> None:
    result = run(photo, "--json")
    assert result.exit_code == 0, result.output
    assert len(json.loads(result.stdout)) == 1
    assert not (tmp_path / "results.json").exists()


def test_ids_count_up_where_names_are_no_numbers(run: Run, tmp_path: Path) -> None:
    for name in ("7", "b"):
        save(tmp_path / "in" / f"{name}.png", picture())
    assert run(tmp_path / "in", "-o", tmp_path / "out", "--json").exit_code == 0
    entries = results(tmp_path / "out")
    assert [(entry["image_id"], Path(entry["file_name"]).name) for entry in entries] == [
        (1, "7.png"),
        (2, "b.png"),
    ]
