"""`bodypix-train make`: the steps of a release, what is done again and what is not."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch
from typer.testing import CliRunner

import bodypix
from bodypix_train import child
from bodypix_train.__main__ import app
from bodypix_train.catalogue_entry import put_into
from bodypix_train.checkpoint import read_network, write_weights
from bodypix_train.child import StepFailed
from bodypix_train.make import Workshop
from bodypix_train.networks.bodypix import BodyPixNet
from bodypix_train.release import read_release
from helpers.colours import colour_network

from .conftest import TINY_RECIPE
from .test_release import RELEASE

TEACHER = """
name = "teacher"
version = "1"
description = "for tests"
[[runs]]
recipe = "wide.toml"
"""
STUDENT = """
name = "student"
version = "7"
alias = "tiny"
description = "for tests"
[[runs]]
recipe = "one.toml"
teacher = "teacher.toml"
steps = 3
[[runs]]
recipe = "two.toml"
[evaluate]
sets = ["portraits"]
"""


class Commands:
    """Stands for `bodypix-train`: leaves files behind as it does, and remembers the calls."""

    def __init__(self) -> None:
        self.calls: list[list[str]] = []
        self.trained = 0

    def __call__(self, arguments: list[str]) -> None:
        self.calls.append(arguments)
        self.work(arguments)

    def work(self, arguments: list[str]) -> None:
        if arguments[0] in ("train", "distill"):
            folder = Path(arguments[arguments.index("--out") + 1])
            folder.mkdir(parents=True, exist_ok=True)
            (folder / "log.csv").write_text("step,seconds,size,rate,person\n1,1,33,1e-3,0.5\n")
            state = {"step": 1, "elapsed": 1.0, "weights": self.trained}
            torch.save(state, folder / "last.pt")
            self.trained += 1
        elif arguments[0] == "export":
            Path(arguments[2]).write_bytes(colour_network())
            Path(arguments[arguments.index("--keep") + 1]).write_text(arguments[1])
        elif arguments[0] == "evaluate":
            report = Path(arguments[arguments.index("--report") + 1])
            report.mkdir(exist_ok=True)
            (report / "tables.md").write_text("| set |\n")

    def names(self) -> list[str]:
        names = [call[0] for call in self.calls]
        self.calls = []
        return names


class RealCommands(Commands):
    """Runs `bodypix-train` in this process."""

    def work(self, arguments: list[str]) -> None:
        result = CliRunner().invoke(app, arguments)
        if result.exception:
            raise result.exception


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """A photo of nobody to train on, and one picture to measure on."""
    folder = tmp_path / "data"
    grey = np.full((64, 48, 3), 90, np.uint8)
    for name in ("images", "eval/portraits/images", "eval/portraits/masks"):
        (folder / name).mkdir(parents=True)
        cv2.imwrite(str(folder / name / "a.png"), grey)
    return folder


@pytest.fixture
def plans(tmp_path: Path) -> Path:
    folder = tmp_path / "plans"
    folder.mkdir()
    (folder / "one.toml").write_text(TINY_RECIPE)
    (folder / "two.toml").write_text('base = "one.toml"\n[schedule]\nsteps = 2\n')
    (folder / "wide.toml").write_text('base = "one.toml"\n[network]\nwidths = [16, 8]\n')
    (folder / "teacher.toml").write_text(TEACHER)
    (folder / "student.toml").write_text(STUDENT)
    return folder


def test_from_data_to_onnx_and_not_again(data: Path, plans: Path, tmp_path: Path) -> None:
    commands = RealCommands()
    workshop = Workshop(commands, data, tmp_path / "out")
    release = read_release(plans / "student.toml")
    folder = workshop.make(release)
    # The teacher comes first; its release asks for no evaluation.
    assert commands.names() == [
        "train", "export", "curves",
        "distill", "train", "export", "curves", "evaluate",
    ]  # fmt: skip

    model = bodypix.load(folder / "student.onnx", threads=1)
    assert (model.info.name, model.info.version, model.info.multiplier) == ("student", "7", 0.25)
    steps = [torch.load(folder / "runs" / run / "last.pt")["step"] for run in ("one", "two")]
    assert steps == [3, 2]
    assert read_network(folder / "start.pt").widths == (8, 8)
    assert read_network(tmp_path / "out" / "teacher" / "start.pt").widths == (16, 8)
    assert (folder / "report" / "index.html").is_file()
    entry = json.loads((folder / "catalogue.json").read_text())
    assert (entry["name"], entry["alias"], entry["default"]) == ("student", "tiny", False)
    assert entry["size"] == (folder / "student.onnx").stat().st_size
    card = (folder / "card.md").read_text()
    assert entry["sha256"] in card
    assert "| one.toml | teacher.toml | 3 |" in card
    assert "| images | nobody | 1 | 1 | 1 |" in card
    assert (folder / "report" / "tables.md").read_text() in card

    assert workshop.make(release) == folder
    assert commands.names() == []
    assert (folder / "card.md").read_text() == card

    (folder / "scores.json").unlink()
    (folder / "student.onnx").unlink()
    workshop.make(release)
    assert commands.names() == ["export", "curves", "evaluate"]

    # Figures of an older version are none of this one's.
    newer = replace(release, version="8")
    replace(workshop, evaluate=False).make(newer)
    assert commands.names() == ["export", "curves"]
    assert "## Accuracy" not in (folder / "card.md").read_text()


def test_a_run_that_was_cut_short_goes_on(plans: Path, data: Path, tmp_path: Path) -> None:
    class Cut(Commands):
        def __call__(self, arguments: list[str]) -> None:
            super().__call__(arguments)
            if arguments[0] == "train" and "two" in arguments[1] and len(self.calls) < 3:
                raise StepFailed(arguments, 143)

    (plans / "tiny.toml").write_text(RELEASE)
    commands = Cut()
    workshop = Workshop(commands, data, tmp_path / "out")
    release = read_release(plans / "tiny.toml")
    with pytest.raises(StepFailed, match="`bodypix-train train` ended with code 143, see above"):
        workshop.make(release)
    assert not (tmp_path / "out" / "tiny" / "tiny.onnx").exists()
    workshop.make(release)
    assert [call[0] for call in commands.calls] == ["train", "train", "train", "export", "curves"]
    assert commands.calls[1] == commands.calls[2]


def test_a_changed_recipe_is_not_mixed_with_the_old(
    plans: Path, data: Path, tmp_path: Path
) -> None:
    (plans / "tiny.toml").write_text(RELEASE)
    commands = Commands()
    workshop = Workshop(commands, data, tmp_path / "out")
    folder = workshop.make(read_release(plans / "tiny.toml"))
    path = plans / "two.toml"
    path.write_text("# other words, the same recipe\n" + path.read_text())
    workshop.make(read_release(plans / "tiny.toml"))
    path.write_text(path.read_text().replace("steps = 2", "steps = 5"))
    with pytest.raises(ValueError, match=r"runs/two: .* recipe\.schedule\.steps was 2, is 5"):
        workshop.make(read_release(plans / "tiny.toml"))
    for file in (folder / "runs" / "two").iterdir():
        file.unlink()
    commands.calls = []
    workshop.make(read_release(plans / "tiny.toml"))
    assert commands.names() == ["train", "export", "curves"]


def test_weights_of_another_release_can_be_given(plans: Path, data: Path, tmp_path: Path) -> None:
    (tmp_path / "given.pt").write_bytes(b"weights")
    commands = Commands()
    given = {"teacher": tmp_path / "given.pt"}
    Workshop(commands, data, tmp_path / "out", given, evaluate=False).make(
        read_release(plans / "student.toml")
    )
    assert "--teacher" in commands.calls[0]
    assert str(tmp_path / "given.pt") in commands.calls[0]
    assert commands.names() == ["distill", "train", "export", "curves"]
    given = {"other": tmp_path / "given.pt"}
    with pytest.raises(ValueError, match="--use: expected teacher, got 'other'"):
        Workshop(commands, data, tmp_path / "out", given).make(read_release(plans / "student.toml"))
    with pytest.raises(ValueError, match="--use: expected none, as it rests on no other"):
        Workshop(commands, data, tmp_path / "out", given).make(read_release(plans / "teacher.toml"))
    assert not commands.calls


def test_a_student_can_begin_as_a_likeness_of_its_teacher(
    plans: Path, data: Path, tmp_path: Path
) -> None:
    narrow = 'teacher = "teacher.toml"\nstart = "teacher.toml"\nnarrow = "images"'
    (plans / "student.toml").write_text(STUDENT.replace('teacher = "teacher.toml"', narrow))
    release = read_release(plans / "student.toml")

    class CutShort(RealCommands):
        def work(self, arguments: list[str]) -> None:
            super().work(arguments)
            if arguments[0] == "distill":
                raise StepFailed(arguments, 1)

    with pytest.raises(StepFailed):
        Workshop(CutShort(), data, tmp_path / "out", evaluate=False).make(release)
    commands = RealCommands()
    folder = Workshop(commands, data, tmp_path / "out", evaluate=False).make(release)
    assert all(call[0] != "narrow" for call in commands.calls)
    start = folder / "runs" / "one" / "narrow.pt"
    assert read_network(start).widths == read_network(folder / "start.pt").widths
    distilled = next(call for call in commands.calls if call[0] == "distill")
    assert distilled[distilled.index("--start") + 1] == str(start)

    (plans / "student.toml").write_text(STUDENT.replace("steps = 3", 'narrow = "images"'))
    with pytest.raises(ValueError, match=r"runs\.narrow: expected a start as well, got images"):
        read_release(plans / "student.toml")


def test_a_larger_model_can_begin_as_a_copy_of_a_smaller_one(
    plans: Path, data: Path, tmp_path: Path
) -> None:
    size = "[16, 16]\nlate_multiplier = 0.5"
    (plans / "one.toml").write_text(TINY_RECIPE.replace("[8, 8]", size))
    (plans / "large.toml").write_text(
        RELEASE.replace('"one.toml"', '"one.toml"\nstart = "small.pt"\nwiden = true\nsteps = 1')
    )
    write_weights(BodyPixNet(0.25, (8, 8)), plans / "small.pt")
    commands = RealCommands()
    workshop = Workshop(commands, data, tmp_path / "out", evaluate=False)
    folder = workshop.make(read_release(plans / "large.toml"))
    start = folder / "runs" / "one" / "wide.pt"
    assert commands.calls[0][:3] == ["widen", str(plans / "small.pt"), str(start)]
    assert commands.calls[1][commands.calls[1].index("--start") + 1] == str(start)
    network = read_network(start)
    assert (network.widths, network.multiplier, network.late_multiplier) == ((16, 16), 0.25, 0.5)
    assert commands.names() == ["widen", "train", "train", "export", "curves"]
    workshop.make(read_release(plans / "large.toml"))
    assert commands.names() == []


def test_runs_before_it_take_part_in_an_outcome(plans: Path, data: Path, tmp_path: Path) -> None:
    last = "mix = { start = 0.25, one = 0.25, zero = 0.1 }\n"
    (plans / "zero.toml").write_text('base = "one.toml"\nseed = 5\n')
    text = RELEASE.replace("[[runs]]", '[[runs]]\nrecipe = "zero.toml"\n[[runs]]', 1)
    text = text.replace('"one.toml"\n', '"one.toml"\nmix = { start = 0.5 }\n')
    (plans / "tiny.toml").write_text(text.replace('"two.toml"\n', f'"two.toml"\n{last}'))
    commands = RealCommands()
    workshop = Workshop(commands, data, tmp_path / "out", evaluate=False)
    folder = workshop.make(read_release(plans / "tiny.toml"))
    assert commands.names() == [
        "train",
        *("train", "mix"),
        *("train", "mix", "mix", "mix"),
        *("export", "curves"),
    ]
    runs = folder / "runs"

    def bias(file: Path) -> float:
        return float(read_network(file).person.bias.detach())

    zero, one, two = (bias(runs / name / "last.pt") for name in ("zero", "one", "two"))
    first = bias(runs / "one" / "mixed.pt")
    assert len({zero, one, two}) == 3
    assert first == pytest.approx(0.5 * zero + 0.5 * one, rel=2e-3)
    mean = 0.4 * two + 0.5 * first + 0.1 * zero
    assert bias(folder / "start.pt") == pytest.approx(mean, rel=2e-3)
    assert "| two.toml | none | 2 | 0 |" in (card := (folder / "card.md").read_text())
    assert "0.25 of start, 0.25 of one, 0.1 of zero |" in card

    workshop.make(read_release(plans / "tiny.toml"))
    assert commands.names() == []
    (runs / "two" / "mixed.pt").unlink()
    workshop.make(read_release(plans / "tiny.toml"))
    assert commands.names() == ["mix", "mix", "mix"]


def test_releases_that_rest_on_each_other_are_refused(
    plans: Path, data: Path, tmp_path: Path
) -> None:
    text = TEACHER.replace('"wide.toml"', '"wide.toml"\nteacher = "student.toml"')
    (plans / "teacher.toml").write_text(text)
    commands = Commands()
    with pytest.raises(ValueError, match="student -> teacher -> student"):
        Workshop(commands, data, tmp_path / "out").make(read_release(plans / "student.toml"))
    assert not commands.calls


def test_what_a_later_step_would_miss_is_missed_first(
    plans: Path, data: Path, tmp_path: Path
) -> None:
    (plans / "student.toml").write_text(STUDENT + 'synthetic = "held-out"\n')
    release = read_release(plans / "student.toml")
    commands = Commands()
    with pytest.raises(ValueError, match=r"held-out, found none; .*--no-evaluate"):
        Workshop(commands, data, tmp_path / "out").make(release)
    assert not commands.calls


def test_pictures_are_rendered_and_labelled_before_a_run(
    plans: Path, data: Path, tmp_path: Path
) -> None:
    """Which commands with which arguments; what they do has tests of its own."""
    (plans / "one.toml").write_text(TINY_RECIPE.replace('"nobody"', '"teacher"'))
    text = RELEASE + '[[render]]\nfolder = "people"\ncount = 5\nbackgrounds = ["images"]\n'
    (plans / "tiny.toml").write_text(text)
    calls: list[list[str]] = []

    def stop_at_train(arguments: list[str]) -> None:
        calls.append(arguments)
        if arguments[0] == "train":
            raise StepFailed(arguments, 1)

    options = ("--device", "cuda:0")
    workshop = Workshop(stop_at_train, data, tmp_path / "out", render_options=options)
    with pytest.raises(StepFailed):
        workshop.make(read_release(plans / "tiny.toml"))
    assert [call[0] for call in calls] == ["render", "label", "train"]
    joined = " ".join(calls[0])
    assert f"--count 5 --seed 0 --out {data / 'people'}" in joined
    assert f"--backgrounds {data / 'images'} --device cuda:0" in joined
    labels = ["--labels", str(tmp_path / "out" / "labels")]
    assert calls[1][-2:] == labels
    assert " ".join(labels) in " ".join(calls[2])


def test_pictures_are_labelled_anew_with_the_weights_of_the_run_before(
    plans: Path, data: Path, tmp_path: Path
) -> None:
    (plans / "one.toml").write_text(TINY_RECIPE.replace('"nobody"', '"teacher"'))
    (plans / "three.toml").write_text('base = "one.toml"\n')
    again = RELEASE.replace('recipe = "two.toml"', 'recipe = "two.toml"\nrelabel = true')
    (plans / "tiny.toml").write_text(again + '[[runs]]\nrecipe = "three.toml"\n')
    commands = Commands()
    Workshop(commands, data, tmp_path / "out", evaluate=False).make(
        read_release(plans / "tiny.toml")
    )
    first, second, third = (call for call in commands.calls if call[0] == "label")
    runs = tmp_path / "out" / "tiny" / "runs"
    assert "--network" not in first + third
    assert second[second.index("--network") + 1] == str(runs / "one" / "last.pt")
    labels = [call[call.index("--labels") + 1] for call in commands.calls if "--labels" in call]
    own = str(runs / "two" / "labels")
    assert labels == [str(tmp_path / "out" / "labels")] * 2 + [own] * 4

    (plans / "tiny.toml").write_text(RELEASE.replace('"one.toml"', '"one.toml"\nrelabel = true'))
    with pytest.raises(ValueError, match=r"runs\.relabel: expected a say where nothing begins"):
        read_release(plans / "tiny.toml")


def test_another_release_has_a_say_in_labels(plans: Path, data: Path, tmp_path: Path) -> None:
    (plans / "one.toml").write_text(TINY_RECIPE.replace('"nobody"', '"teacher"'))
    (plans / "tiny.toml").write_text(RELEASE)
    heard = STUDENT.replace("steps = 3", 'relabel = true\nsay = "tiny.toml"')
    (plans / "student.toml").write_text(heard)
    commands = Commands()
    Workshop(commands, data, tmp_path / "out", evaluate=False).make(
        read_release(plans / "student.toml")
    )
    (own,) = (call for call in commands.calls if call[0] == "label" and "--network" in call)
    assert own[own.index("--network") + 1] == str(tmp_path / "out" / "tiny" / "start.pt")

    (plans / "student.toml").write_text(heard.replace("relabel = true\n", ""))
    with pytest.raises(ValueError, match=r"runs\.say: expected relabel = true as well"):
        read_release(plans / "student.toml")


def test_a_model_goes_into_the_package(plans: Path, data: Path, tmp_path: Path) -> None:
    weights = tmp_path / "weights"
    weights.mkdir()
    with pytest.raises(ValueError, match=r"models\.json, found none"):
        put_into(weights, tmp_path)
    before = [{"name": "first", "default": False}, {"name": "tiny", "default": True}]
    (weights / "models.json").write_text(json.dumps(before))
    (plans / "tiny.toml").write_text(RELEASE)
    commands = Commands()
    folder = Workshop(commands, data, tmp_path / "out").make(read_release(plans / "tiny.toml"))
    model = put_into(weights, folder)
    assert model.read_bytes() == (folder / "tiny.onnx").read_bytes()
    first, tiny = json.loads((weights / "models.json").read_text())
    assert first == before[0]
    assert tiny["default"] is True
    assert tiny["file"] == "tiny.onnx"
    (weights / "models.json").write_text("[]")
    put_into(weights, folder)
    assert json.loads((weights / "models.json").read_text())[0]["default"] is False


def test_the_command(
    plans: Path, data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    commands = Commands()
    monkeypatch.setattr(child, "run_command", commands)
    (tmp_path / "given.pt").write_bytes(b"weights")
    weights = tmp_path / "weights"
    weights.mkdir()
    (weights / "models.json").write_text("[]")
    arguments = ["make", str(plans / "student.toml"), "--data", str(data)]
    arguments += ["--out", str(tmp_path / "out"), "--against", "default=", "--into", str(weights)]
    arguments += ["--devices", "2"]
    given = ["--use", f"teacher={tmp_path / 'given.pt'}"]
    result = CliRunner().invoke(app, [*arguments, *given])
    assert result.exit_code == 0, result.output
    assert str(tmp_path / "out" / "student" / "card.md") in result.output
    assert (weights / "student.onnx").read_bytes() == colour_network()
    assert commands.calls[0][-2:] == commands.calls[1][-2:] == ["--devices", "2"]
    evaluate = commands.calls[-1]
    assert evaluate[evaluate.index("--model") + 1].startswith("student=")
    assert "default=" in evaluate
    assert commands.names() == ["distill", "train", "export", "curves", "evaluate"]
    result = CliRunner().invoke(app, [*arguments, "--use", "teacher=gone.pt"])
    assert "expected NAME=CHECKPOINT, a file, got 'teacher=gone.pt'" in str(result.exception)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--against", "mine.onnx"], "--against: expected NAME=WHERE, .* got 'mine.onnx'"),
        (["--against", "a=", "--against", "a="], "--against: .* got 'a' twice"),
        (["--against", "student="], "--against: .* got 'student' twice"),  # the release's own
        (["--use", "wide.toml"], "--use: expected NAME=CHECKPOINT, a file, got 'wide.toml'"),
        (["--use", "a=wide.toml", "--use", "a=wide.toml"], "--use: .* got 'a' twice"),
    ],
)
def test_names_are_checked_before_anything_is_made(
    plans: Path, data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
    options: list[str], message: str,
) -> None:  # fmt: skip
    commands = Commands()
    monkeypatch.setattr(child, "run_command", commands)
    monkeypatch.chdir(plans)
    arguments = ["make", "student.toml", "--data", str(data), "--out", str(tmp_path / "out")]
    result = CliRunner().invoke(app, [*arguments, *options])
    assert isinstance(result.exception, ValueError)
    assert re.search(message, str(result.exception))
    assert commands.calls == []
