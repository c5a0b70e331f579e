"""Every kind of source ends in one stream of batches; a recipe's mistakes name the field."""

from __future__ import annotations

import json
import re
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
        ({"kind": "empty", "animals": True}, "data.sources.animals: expected none, as only kind"),
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


def with_field(table: str, line: str) -> str:
    """RECIPE with one more field, or another value of one that is there."""
    kept = [old for old in RECIPE.splitlines() if old.split(" = ")[0] != line.split(" = ")[0]]
    return "\n".join(kept).replace(f"[{table}]", f"[{table}]\n{line}")


@pytest.mark.parametrize(
    ("table", "line", "message"),
    [
        ("loss", "parts_wieght = 9", "loss.parts_wieght: no such field; expected one of task, "),
        ("network", "surrounding = 128", "network.surrounding: no such field; .*surroundings"),
        ("data", "memory = 5", "data.memory: no such field; expected one of teachers, memory_gb"),
        ("augmentation", "wide = 1", "augmentation.wide: no such field; expected one of widest"),
        ("schedule", "stops = 5", "schedule.stops: no such field; expected one of steps"),
    ],
)
def test_fields_that_are_none_are_named(folder: Path, table: str, line: str, message: str) -> None:
    path = folder / "tiny.toml"
    path.write_text(with_field(table, line))
    with pytest.raises(ValueError, match=f"tiny.toml: {message}"):
        read_recipe(path)


@pytest.mark.parametrize(
    ("first", "message"),
    [
        ("sede = 7", "sede: no such field; expected one of base, name, seed, network, "),
        ("lossy = {}", "lossy: no such field"),
        ('seed = "a"', "seed: expected a whole number from 0, got 'a'"),
        ("seed = -1", "seed: expected a whole number from 0, got -1"),
        ('base = "."', "expected a TOML file, the base of .*, got "),
    ],
)
def test_fields_outside_of_all_tables(folder: Path, first: str, message: str) -> None:
    path = folder / "tiny.toml"
    path.write_text(f"{first}\n{RECIPE}")
    with pytest.raises(ValueError, match=message):
        read_recipe(path)


@pytest.mark.parametrize(
    ("table", "line"),
    [
        *(("network", f"multiplier = {value}") for value in ('"x"', "0", "nan", "true", "[1]")),
        *(("network", f"widths = {value}") for value in ("3", "[8]", "[8, 0]", "[8, 8.5]")),
        ("network", 'architecture = "ResNet51"'),
        ("network", 'coarse_parts = "all"'),
        ("loss", 'task = ["x"]'),
        *(("loss", f"pose_weight = {value}") for value in ("nan", "inf", "-1", '"0.25"')),
        ("loss", "teacher_share = 5"),
        *(("loss", f"hints = {value}") for value in ('"ab"', "[99]", "[3, 3]", "[0]", "[true]")),
        ("loss", "hint_weight = -1"),
        ("loss", 'agree_weight = "x"'),
        ("data", "teachers = 3"),
        ("data", 'memory_gb = "8"'),
        ("data", "memory_gb = inf"),
        *(("augmentation", f"closest = {value}") for value in ("0", '"x"', "2")),
        ("augmentation", "face_share = 1.5"),
        ("augmentation", "stretch = 0"),
        *(("schedule", f"steps = {value}") for value in ('"x"', "-5", "0", "1.5", "true")),
        *(("schedule", f"learning_rate = {value}") for value in ('"1e-3"', "nan", "0")),
        ("schedule", "warmup = 0"),
        ("schedule", "ema = 2.5"),
        ("schedule", "ema = 1"),
        ("schedule", 'freeze_norm = "no"'),
        ("schedule", "freeze_blocks = 1.5"),
        ("schedule", "precision = 3"),
        *(
            ("schedule", f"stages = {value}")
            for value in (
                "3", "[]", "[3]", "[[0.0, 129]]", '[[0.0, "129", 2]]', "[[0.0, 128, 2]]",
                "[[0.0, 129, 0]]", "[[0.5, 129, 2]]", "[[0.0, 129, 2], [0.0, 65, 2]]",
                "[[0.0, 129, 2], [0.7, 65, 2], [0.3, 65, 2]]",
            )
        ),
    ],
)  # fmt: skip
def test_values_that_will_not_do_are_named(folder: Path, table: str, line: str) -> None:
    path = folder / "tiny.toml"
    path.write_text(with_field(table, line))
    with pytest.raises(ValueError, match=rf"tiny\.toml: {table}\.{line.split(' =')[0]}: expected"):
        read_recipe(path)


@pytest.mark.parametrize("table", ["network", "loss", "data", "augmentation", "schedule"])
def test_tables_are_tables(folder: Path, table: str) -> None:
    path = folder / "tiny.toml"
    path.write_text(f"{table} = 3\n" + RECIPE.replace(f"[{table}]", f"[{table}_]"))
    with pytest.raises(ValueError, match=f"{table}: expected a table, got 3"):
        read_recipe(path)


@pytest.mark.parametrize(
    ("table", "field"),
    [("network", "widths"), ("loss", "pose_weight"), ("schedule", "steps"), ("schedule", "stages")],
)
def test_missing_fields_are_named(folder: Path, table: str, field: str) -> None:
    path = folder / "tiny.toml"
    lines = [line for line in RECIPE.splitlines() if not line.startswith(f"{field} =")]
    path.write_text("\n".join(lines))
    with pytest.raises(ValueError, match=rf"tiny\.toml: {table}\.{field}: .*found no field"):
        read_recipe(path)


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ('"x"', "data.sources: expected a list of tables"),
        ('{ images = "a", weight = 1 }', "data.sources.kind: expected one of .* found no field"),
        ('{ kind = "nobody", images = 3, weight = 1 }', "data.sources.images: expected a path"),
        ('{ kind = "nobody", images = "a", weight = "x" }', "weight: expected 0 or more, got 'x'"),
        ('{ kind = "nobody", images = "a", wieght = 1 }', "data.sources.wieght: no such field"),
        (
            '{ kind = "nobody", images = "a" }',
            "weight: expected a number above 0 for kind 'nobody', images 'a', got none",
        ),
        ('{ kind = "nobody", images = "a", weight = 0 }', "images 'a', got 0"),
        ('{ kind = "objects", images = "a", weight = 1 }', "expected none for kind 'objects'"),
    ],
)
def test_sources_that_could_not_be_drawn_are_named(folder: Path, source: str, message: str) -> None:
    path = folder / "tiny.toml"
    path.write_text(re.sub(r"sources = \[\n.*?\n\]", f"sources = [{source}]", RECIPE, flags=re.S))
    with pytest.raises(ValueError, match=rf"tiny\.toml: .*{message}"):
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
