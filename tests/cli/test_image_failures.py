"""What fails in `bodypix image`, and that it costs nothing else."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from typer.testing import CliRunner

from bodypix.cli.app import app
from bodypix.errors import DeviceError, InvalidArgumentError
from bodypix.interrupts import Terminated
from helpers.colours import picture, save

from .conftest import Run, written


@pytest.mark.parametrize("device", ["cuda", "abacus"])
def test_a_device_that_is_not_there(run: Run, photo: Path, tmp_path: Path, device: str) -> None:
    result = run(photo, "-o", tmp_path / "out", "--device", device)
    assert result.exit_code == 2
    assert result.stderr.startswith("Error: ")
    assert device in result.stderr


@pytest.mark.parametrize("model", ["no-such-model", "gone.onnx", "gone.json"])
def test_a_model_that_is_not_there(photo: Path, tmp_path: Path, model: str) -> None:
    arguments = ["image", str(photo), "-o", str(tmp_path / "out"), "--model", model]
    result = CliRunner().invoke(app, arguments)
    assert result.exit_code == 2
    assert model in result.stderr
    assert len(result.stderr.splitlines()) == 1


def test_a_broken_model_file(photo: Path, tmp_path: Path) -> None:
    broken = tmp_path / "broken.onnx"
    broken.write_bytes(b"no model")
    arguments = ["image", str(photo), "-o", str(tmp_path / "out"), "--model", str(broken)]
    result = CliRunner().invoke(app, arguments)
    assert result.exit_code == 2
    assert "broken.onnx" in result.stderr or "model file" in result.stderr


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (["LONG", "-o", "out"], 1),
        (["in", "-o", "LONG"], 2),
        (["in", "-o", "LONG.png", "-k", "mask"], 1),
        (["in", "-o", "LONG.png", "-k", "mask", "--keep-existing"], 1),
        (["in", "-o", "out", "--background", "LONG"], 2),
        (["in", "-o", "out", "--model", "LONG"], 2),
        (["in", "-o", "out", "--model", "LONG.onnx"], 2),
    ],
)
def test_names_that_are_too_long(
    model_file: Path, photo: Path, monkeypatch: pytest.MonkeyPatch, arguments: list[str], code: int
) -> None:
    monkeypatch.chdir(photo.parents[1])
    long = [argument.replace("LONG", "x" * 300) for argument in arguments]
    result = CliRunner().invoke(app, ["image", "--quiet", "--model", str(model_file), *long])
    assert (result.exit_code, type(result.exception)) == (code, SystemExit)
    assert "x" * 300 in result.stderr
    assert len(result.stderr.splitlines()) == 1


def test_bad_files_never_stop_the_rest(run: Run, tmp_path: Path) -> None:
    folder = tmp_path / "in"
    save(folder / "good-1.png", picture())
    whole = save(folder / "truncated.jpg", picture()).read_bytes()
    (folder / "truncated.jpg").write_bytes(whole[: len(whole) // 3])
    (folder / "text.png").write_text("not a picture")
    (folder / "zero.jpg").touch()
    save(folder / "z-good-2.png", picture())
    (tmp_path / "nothing").mkdir()
    result = run(folder, tmp_path / "nothing", tmp_path / "gone.jpg", "-o", tmp_path / "out")
    assert result.exit_code == 1, result.output
    assert {"good-1.mask.png", "z-good-2.mask.png"} <= set(written(tmp_path / "out"))
    for bad in ("text.png", "zero.jpg", "nothing", "gone.jpg"):
        assert any(
            line.startswith("failed") and bad in line for line in result.stderr.splitlines()
        ), bad
    assert "failed" in result.stderr.splitlines()[-1]
    assert "Traceback" not in result.stderr


def test_only_bad_input(run: Run, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    result = run(tmp_path / "empty", "-o", tmp_path / "out")
    assert result.exit_code == 1
    assert "no pictures here" in result.stderr
    assert "0 of 1 picture done" in result.stderr


def test_output_that_cannot_be_a_folder(run: Run, photo: Path, tmp_path: Path) -> None:
    (tmp_path / "taken").write_text("mine")
    result = run(photo, "-o", tmp_path / "taken")
    assert result.exit_code == 2
    assert "taken" in result.stderr
    assert (tmp_path / "taken").read_text() == "mine"


@pytest.mark.skipif(
    not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root may write to every folder"
)
def test_read_only_output_folder(run: Run, photo: Path, tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    (tmp_path / "out").chmod(0o555)
    result = run(photo, "-o", tmp_path / "out")
    assert result.exit_code == 2
    assert "cannot write" in result.stderr


def test_a_full_disk_fails_the_picture_and_leaves_no_half_file(
    run: Run, photo: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("bodypix.files.os.replace", full)
    result = run(photo, "-o", tmp_path / "out")
    assert result.exit_code == 1
    assert "No space left" in result.stderr
    assert written(tmp_path / "out") == []


def test_strange_errors_fail_one_picture_only(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from bodypix.cli import batch

    real = batch.read_image

    def fails_on_b(path: Path) -> Any:
        if path.name == "b.png":
            raise MemoryError("too much")
        return real(path)

    for name in "abc":
        save(tmp_path / "in" / f"{name}.png", picture())
    monkeypatch.setattr(batch, "read_image", fails_on_b)
    result = run(tmp_path / "in", "-o", tmp_path / "out", "-k", "mask")
    assert result.exit_code == 1
    assert written(tmp_path / "out") == ["a.mask.png", "c.mask.png"]
    assert "b.png: MemoryError: too much" in result.stderr


@pytest.mark.parametrize(("stop", "code"), [(KeyboardInterrupt, 130), (Terminated, 143)])
def test_interrupted_batch_keeps_what_is_done(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, stop: type[BaseException], code: int
) -> None:
    from bodypix.cli import batch

    real = batch.read_image

    def interrupted_on_b(path: Path) -> Any:
        if path.name == "b.png":
            raise stop
        return real(path)

    for name in "abc":
        save(tmp_path / "in" / f"{name}.png", picture())
    monkeypatch.setattr(batch, "read_image", interrupted_on_b)
    result = run(tmp_path / "in", "-o", tmp_path / "out", "-k", "mask", "--json")
    assert result.exit_code == code
    assert written(tmp_path / "out") == ["a.mask.png", "results.json"]
    assert len(json.loads((tmp_path / "out" / "results.json").read_text())) == 1
    assert "1 of 3 pictures done" in result.stderr
    assert "interrupted" in result.stderr


def test_a_device_that_fails_on_the_way_keeps_what_is_done(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from bodypix.cli import batch

    def fails_on_b(*arguments: Any) -> None:
        if arguments[1].source.name == "b.png":
            raise DeviceError("the GPU fell off the bus")
        process(*arguments)

    for name in "abc":
        save(tmp_path / "in" / f"{name}.png", picture())
    process = batch._process
    monkeypatch.setattr(batch, "_process", fails_on_b)
    out = tmp_path / "out"
    result = run(tmp_path / "in", "-o", out, "-k", "mask", "--json")
    assert result.exit_code == 1
    assert written(out) == ["a.mask.png", "results.json"]
    assert len(json.loads((out / "results.json").read_text())) == 1
    assert "b.png: the GPU fell off the bus" in result.stderr
    assert "1 of 3 pictures done" in result.stderr
    assert "the rest was not tried" in result.stderr
    result = run(tmp_path / "in" / "b.png", "-o", out, "-k", "mask")
    assert result.exit_code == 2  # nothing was done


def test_an_argument_that_one_picture_makes_wrong(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from bodypix.cli import batch

    def fails_on_b(*arguments: Any) -> None:
        if arguments[1].source.name == "b.png":
            raise InvalidArgumentError("blur: too much for this one")
        process(*arguments)

    for name in "abc":
        save(tmp_path / "in" / f"{name}.png", picture())
    process = batch._process
    monkeypatch.setattr(batch, "_process", fails_on_b)
    result = run(tmp_path / "in", "-o", tmp_path / "out", "-k", "mask", "--json")
    assert result.exit_code == 1
    assert written(tmp_path / "out") == ["a.mask.png", "c.mask.png", "results.json"]
    assert "b.png: blur: too much" in result.stderr


def test_a_very_wide_picture(run: Run, tmp_path: Path) -> None:
    save(tmp_path / "in" / "wide.jpg", np.zeros((20, 26_000, 3), np.uint8))
    result = run(tmp_path / "in", "-o", tmp_path / "out", "-e", "bokeh", "-e", "blur-face")
    assert result.exit_code == 0, result.output
    assert len(written(tmp_path / "out")) == 2


def test_results_that_cannot_be_written(run: Run, photo: Path, tmp_path: Path) -> None:
    (tmp_path / "out" / "results.json").mkdir(parents=True)
    result = run(photo, "-o", tmp_path / "out", "-k", "mask", "--json")
    assert result.exit_code == 1
    assert "Error: --json: cannot write" in result.stderr
    assert "1 of 1 picture done" in result.stderr


@pytest.mark.parametrize("name", ["pictures", "folder", "no", "here"])
def test_a_failed_input_is_named_once(
    run: Run, photo: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.chdir(photo.parent)
    result = run(name, photo, "-o", "out")
    assert result.stderr.startswith(f"failed {name}: no such file or folder\n")
    Path(name).mkdir()
    result = run(name, photo, "-o", "out")
    assert result.stderr.startswith(f"failed {name}: no pictures here (")
    broken = Path(f"{name}.png")
    broken.write_text("text")
    result = run(broken, photo, "-o", "out")
    assert result.stderr.splitlines()[0].count(broken.name) == 1
