"""Every kind of source ends in one stream of batches; a recipe's mistakes name the field."""

from __future__ import annotations

import json
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch

from bodypix_train.datasets.lazy import Budget
from bodypix_train.datasets.mixture import BatchStream
from bodypix_train.recipe import Source, read_mixture, read_recipe, read_source
from bodypix_train.tasks import SegmentationTask

RECIPE = """
name = "tiny"
[network]
multiplier = 0.25
widths = [8, 8]
[loss]
pose_weight = 0.25
teacher_share = 0.0
[data]
teachers = "teachers"
sources = [
  { kind = "coco", images = "coco", annotations = "people.json", weight = 0.5 },
  { kind = "masks", images = "photos", masks = "masks", weight = 0.5 },
]
[augmentation]
paste_share = 0.0
[schedule]
steps = 4
stages = [[0.0, 65, 8]]
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Dark photos with keypoints, bright ones with masks."""
    for name in ("coco", "photos", "masks"):
        (tmp_path / name).mkdir()
    cv2.imwrite(str(tmp_path / "coco" / "a.png"), np.full((64, 64, 3), 40, np.uint8))
    cv2.imwrite(str(tmp_path / "photos" / "b.png"), np.full((64, 64, 3), 220, np.uint8))
    mask = np.zeros((64, 64), np.uint8)
    mask[10:50, 10:50] = 1
    cv2.imwrite(str(tmp_path / "masks" / "b.png"), mask)
    label = {
        "id": 1, "image_id": 1, "category_id": 1, "bbox": [10, 10, 40, 40],
        "segmentation": [[10, 10, 50, 10, 50, 50, 10, 50]], "keypoints": [30, 30, 2] * 17,
    }  # fmt: skip
    image = {"id": 1, "file_name": "a.png", "height": 64, "width": 64}
    (tmp_path / "people.json").write_text(json.dumps({"images": [image], "annotations": [label]}))
    (tmp_path / "tiny.toml").write_text(RECIPE)
    return tmp_path


@pytest.mark.parametrize("memory", ["", "memory_gb = 0"])
def test_what_a_source_does_not_label_costs_nothing(folder: Path, memory: str) -> None:
    path = folder / "tiny.toml"
    path.write_text(path.read_text().replace("[data]", f"[data]\n{memory}"))
    recipe = read_recipe(path)
    mixture = read_mixture(recipe, folder, folder)
    batch = next(iter(BatchStream(mixture, 16, 65, 0)))
    assert not batch.has_parts.any()
    taught = batch.poses["heatmaps_weight"].amax((1, 2, 3)) > 0
    assert 0 < taught.sum() < 16
    torch.manual_seed(0)
    loss, terms = SegmentationTask(recipe.network())(batch)
    assert torch.isfinite(loss)
    assert terms["parts"] == terms["parts_fine"] == 0
    assert terms["person_fine"] > 0
    assert terms["heatmaps_labels"] > 0


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"kind": "coco"}, "data.sources.annotations: expected a path, as kind 'coco' needs"),
        ({"kind": "masks"}, "data.sources.masks: expected a path, as kind 'masks' needs"),
        (
            {"kind": "teacher", "masks": "m"},
            "data.sources.masks: expected none, as only kind 'masks' has it, got 'm'",
        ),
        (
            {"kind": "nobody", "parts": "teachers"},
            "data.sources.parts: expected none, as only kinds 'coco' and 'masks' have it",
        ),
        ({"kind": "synthetic", "cut_out": False}, "data.sources.cut_out: expected none"),
        (
            {"kind": "masks", "masks": "m", "parts": "all"},
            "data.sources.parts: expected one of unknown, teachers, got 'all'",
        ),
    ],
)
def test_fields_that_do_not_fit(fields: dict[str, str], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        Source(images="images", **fields)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ('masks = "masks", ', "", "tiny.toml: data.sources.masks: expected a path"),
        ("[data]", "[data]\nmemory_gb = -1", "tiny.toml: data.memory_gb: expected 0 or more"),
    ],
)
def test_recipes_name_file_and_field(folder: Path, old: str, new: str, message: str) -> None:
    path = folder / "tiny.toml"
    path.write_text(path.read_text().replace(old, new))
    with pytest.raises(ValueError, match=message):
        read_recipe(path)


def test_who_is_cut_out_and_who_is_labelled_by_teachers(folder: Path) -> None:
    coco = Source("coco", "coco", 1.0, annotations="people.json")
    masks = Source("masks", "photos", 1.0, masks="masks")
    cut = [
        read_source(source, folder, folder, Budget(0))[0].exact
        for source in (
            coco,
            masks,
            Source("coco", "coco", annotations="people.json", cut_out=True),
            Source("masks", "photos", masks="masks", cut_out=False),
        )
    ]
    assert cut == [False, True, True, False]
    assert not coco.asks_teachers
    assert not masks.asks_teachers
    assert Source("teacher", "photos").asks_teachers
    assert not Source("nobody", "photos").asks_teachers
