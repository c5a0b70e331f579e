"""The ablation benchmark on tiny pictures: what differs, what is done once, what is refused."""

from __future__ import annotations

import importlib.util
import json
import sys
from dataclasses import replace
from pathlib import Path
from types import ModuleType

import cv2
import numpy as np
import pytest
import torch

from bodypix_train.__main__ import app
from bodypix_train.checkpoint import read_network, shape_of, write_weights
from bodypix_train.datasets.mixture import BatchStream, Mixture
from bodypix_train.network_teacher import NetworkTeacher
from bodypix_train.networks.bodypix import BodyPixNet
from bodypix_train.recipe import read_recipe
from bodypix_train.tasks import SegmentationTask

from .conftest import person_sample

SCRIPT = Path(__file__).parents[2] / "benchmarks" / "ablation.py"
RECIPE = """
name = "tiny \\"one\\""
network = { multiplier = 0.25, widths = [8, 8] }
loss = { pose_weight = 0.25, teacher_share = 0 }
schedule = { steps = 4, warmup = 1, stages = [[0.0, 33, 2]] }

[data]
teachers = "teachers"
sources = [
  { kind = "masks", images = "drawn/images", masks = "drawn/masks", weight = 1 },
  { kind = "nobody", images = "nobody", weight = 0.5 },
]
"""
VARIANTS = """
[variants."all are somebody"]
without = ["nobody", "synthetic"]
[variants."no decoder"]
change = { loss = { task = "coarse" } }
[variants."half as long"]
length = 0.5
"""


@pytest.fixture(scope="module")
def ablation() -> ModuleType:
    spec = importlib.util.spec_from_file_location("ablation", SCRIPT)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules["ablation"] = module  # where dataclasses look for it
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    sample = person_sample()
    image = cv2.cvtColor(sample.image, cv2.COLOR_RGB2BGR)
    for name in ("drawn/images", "drawn/masks", "nobody", "eval/web/images", "eval/web/masks"):
        (tmp_path / name).mkdir(parents=True)
    for place in ("drawn", "eval/web"):
        cv2.imwrite(str(tmp_path / place / "images" / "a.png"), image)
        cv2.imwrite(str(tmp_path / place / "masks" / "a.png"), sample.person)
    cv2.imwrite(str(tmp_path / "nobody" / "a.png"), np.full((64, 48, 3), 90, np.uint8))
    (tmp_path / "recipe.toml").write_text(RECIPE)
    (tmp_path / "variants.toml").write_text(VARIANTS)
    write_weights(BodyPixNet(0.25, (8, 8)), tmp_path / "start.pt")
    return tmp_path


def arguments(folder: Path, *more: str) -> list[str]:
    return [
        str(folder / "variants.toml"), str(folder / "recipe.toml"), "--data", str(folder),
        "--eval", str(folder / "eval"), "--out", str(folder / "out"),
        "--start", str(folder / "start.pt"), *more,
    ]  # fmt: skip


def option(given: list[str], name: str) -> str:
    return given[given.index(name) + 1]


def pretend(given: list[str]) -> None:
    """Leaves the checkpoint of a run that learnt nothing: a real one costs a second or two."""
    run = Path(option(given, "--out"))
    run.mkdir()
    network = BodyPixNet(0.25, (8, 8))
    state = {"ema": network.state_dict(), "step": int(option(given, "--steps"))}
    torch.save({**state, **shape_of(network)}, run / "last.pt")


def test_every_variant_is_trained_and_measured_once(
    ablation: ModuleType,
    folder: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    commands: list[list[str]] = []

    def command(given: list[str]) -> None:
        commands.append(given)
        if "no-decoder" in given[1]:
            app(given, standalone_mode=False)
        else:
            pretend(given)

    monkeypatch.setattr(ablation, "run_command", command)
    ablation.main(arguments(folder))
    table = [line for line in capsys.readouterr().out.splitlines() if line.startswith("| ")]
    assert table[0] == "| variant | steps | web IoU | outline F, web |"
    names = ["the recipe as it is", "all are somebody", "no decoder", "half as long"]
    assert [row.split(" | ")[0] for row in table[2:]] == [f"| {name}" for name in names]
    assert [row.split(" | ")[1] for row in table[2:]] == ["4", "4", "4", "2"]
    assert "(" not in table[2]
    assert all(row.count("(") == 2 for row in table[3:])

    kinds = [s.kind for s in read_recipe(folder / "out/all-are-somebody/recipe.toml").sources]
    assert kinds == ["masks"]
    figures = json.loads((folder / "out" / "ablation.json").read_text())
    assert list(figures) == names
    assert figures["half as long"]["steps"] == 2
    assert 0 <= figures["no decoder"]["web"]["mean_iou"] <= 1
    assert [given[0] for given in commands] == ["train"] * 4
    assert {option(given, "--start") for given in commands} == {str(folder / "start.pt")}

    ablation.main(arguments(folder))  # all of it is done
    assert len(commands) == 4
    again = [line for line in capsys.readouterr().out.splitlines() if line.startswith("| ")]
    assert again == table

    with pytest.raises(SystemExit, match="begun with, but steps was 4, is 6; put that back"):
        ablation.main(arguments(folder, "--steps", "6"))


def test_a_variant_that_was_stopped_goes_on(
    ablation: ModuleType, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls: list[str] = []

    def stopped(given: list[str]) -> None:
        calls.append(option(given, "--out"))
        assert option(given, "--minutes") == "5.0"
        raise ablation.TrainingError("stopped")

    monkeypatch.setattr(ablation, "run_command", stopped)
    for _ in range(2):
        with pytest.raises(SystemExit, match="error: stopped"):
            ablation.main(arguments(folder, "--minutes", "5"))
    assert len(set(calls)) == 1
    assert len(calls) == 2


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "expected tables"),
        ("[variants.x]\nwithot = []", "variants.x: expected without, change or length, got withot"),
        ('[variants.x]\nwithout = ["cocos"]', "without: expected kinds among .*, got 'cocos'"),
        ('[variants.x]\nwithout = ["coco"]', r"expected tables \[variants.NAME\]"),
        ("[variants.x]\nlength = 0", "length: expected a share above 0, got 0"),
        ("[variants.x]\nlength = 2\n[variants.'x!']\nlength = 3", "a name of its own"),
        ('[variants.x]\nchange = { loss = { task = "no" } }', "loss.task: expected one of joint"),
    ],
)
def test_variants_that_are_none(
    ablation: ModuleType, folder: Path, text: str, message: str
) -> None:
    (folder / "variants.toml").write_text(text)
    with pytest.raises(SystemExit, match=message):
        ablation.main(arguments(folder))
    assert not list(folder.glob("out/*/run"))


def test_a_file_where_its_folder_should_be_is_one_line(ablation: ModuleType, folder: Path) -> None:
    (folder / "out").write_text("text")
    with pytest.raises(SystemExit, match=r"error: .*out"):
        ablation.main(arguments(folder))


def test_recipes_are_written_as_they_are_read(ablation: ModuleType, tmp_path: Path) -> None:
    recipes = SCRIPT.parents[1] / "src" / "bodypix_train" / "recipes"
    for path in sorted(recipes.glob("*.toml")):
        fields = ablation.read_toml(path)
        (tmp_path / path.name).write_text(ablation.to_toml(fields), encoding="utf-8")
        assert ablation.read_toml(tmp_path / path.name) == fields
        assert read_recipe(tmp_path / path.name) == read_recipe(path)


def test_the_committed_variants_fit_the_default_recipe(
    ablation: ModuleType, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    table = SCRIPT.with_suffix(".toml")
    recipe = SCRIPT.parents[1] / "src" / "bodypix_train" / "recipes" / "default.toml"
    variants = ablation.read_variants(table, recipe)
    for variant in variants:
        (tmp_path / "recipe.toml").write_text(ablation.to_toml(variant.recipe), encoding="utf-8")
        read_recipe(tmp_path / "recipe.toml")
    names = [variant.name for variant in variants]
    told = capsys.readouterr().err
    for name in ablation.read_toml(table)["variants"]:
        assert (name in names) != (f"variants.{name}: nothing else than" in told)
    assert {"no hand-drawn masks", "no teachers", "no decoder"} < set(names)


@pytest.mark.parametrize("taught", [0.0, 1.0])
def test_without_the_decoder_only_coarse_heads_learn(folder: Path, taught: float) -> None:
    """From labels, and from a teacher with fine heads of its own."""
    recipe = replace(read_recipe(folder / "recipe.toml"), task="coarse")
    network = BodyPixNet(0.25, (8, 8))
    teacher = NetworkTeacher(BodyPixNet(0.25, (8, 8)).eval())
    mixture = Mixture([(1.0, [person_sample()])])
    batch = next(iter(BatchStream(mixture, 2, 33, 0, teacher, taught)))
    loss, terms = recipe.loss(network)(batch)
    loss.backward()
    assert network.person.weight.grad is None
    assert network.parts.weight.grad is None
    assert network.heads["segments"].weight.grad.abs().sum() > 0
    assert network.heads["part_heatmaps"].weight.grad.abs().sum() > 0
    assert set(terms) == set(SegmentationTask(BodyPixNet(0.25, (8, 8)))(batch)[1])
    assert ("person_fine_agree" in terms) == bool(taught)


def test_a_fresh_start_keeps_what_poses_need(
    ablation: ModuleType, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    old = BodyPixNet(0.25, (8, 8))
    write_weights(old, tmp_path / "old.pt")
    ablation.without_answers(tmp_path / "old.pt", tmp_path / "out" / "new.pt")
    new = read_network(tmp_path / "out" / "new.pt").state_dict()
    before = read_network(tmp_path / "old.pt").state_dict()
    weights = [name for name in new if name.endswith("weight") and new[name].ndim == 4]
    kept = {name for name in weights if torch.equal(new[name], before[name])}
    assert {name.split(".")[0] for name in kept} == {"backbone", "heads"}
    anew = {name.removesuffix(".weight") for name in weights if name not in kept}
    assert {"person", "parts", "heads.segments", "heads.part_heatmaps", "reduce.0"} <= anew
    assert "heads.heatmaps" not in anew

    with pytest.raises(SystemExit):
        ablation.main(["v.toml", "r.toml", "--data", "d", "--eval", "e", "--out", "o", "--fresh"])
    assert "--fresh: expected --start as well" in capsys.readouterr().err
