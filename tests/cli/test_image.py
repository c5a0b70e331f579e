"""`bodypix image`: what is written, under which names, and how bad input ends."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from typer.testing import CliRunner

from bodypix.body import RAINBOW
from bodypix.cli.app import app
from bodypix.errors import DeviceError, InvalidArgumentError
from bodypix.interrupts import Terminated
from helpers.colours import TORSO_FRONT, load, picture, save

Run = Callable[..., Any]


def written(folder: Path) -> list[str]:
    """Names of all files below a folder."""
    return sorted(
        path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()
    )


def test_mask_and_overlay_by_default(run: Run, photo: Path, tmp_path: Path) -> None:
    result = run(photo, "-o", tmp_path / "out")
    assert result.exit_code == 0, result.output
    assert written(tmp_path / "out") == ["photo.mask.png", "photo.overlay.jpg"]
    mask = load(tmp_path / "out" / "photo.mask.png")
    assert mask.shape == (160, 240)
    assert set(np.unique(mask)) == {0, 255}
    assert mask[80, 64] == 255
    assert mask[5, 5] == mask[80, 180] == 0
    assert "1 of 1 picture done" in result.stderr
    assert result.stdout == ""


def test_every_kind_and_effect(run: Run, photo: Path, tmp_path: Path) -> None:
    kinds = ["mask", "parts", "cutout", "overlay", "part-ids", "probability"]
    effects = ["bokeh", "pixelate", "blur-face", "replace", "mask"]
    options = [f"--kind={kind}" for kind in kinds] + [f"--effect={effect}" for effect in effects]
    result = run(photo, "-o", tmp_path / "out", *options)
    assert result.exit_code == 0, result.output
    out = tmp_path / "out"
    assert written(out) == sorted(
        [f"photo.{kind}.{'jpg' if kind == 'overlay' else 'png'}" for kind in kinds]
        + [f"photo.effect-{effect}.jpg" for effect in effects]
    )
    ids = load(out / "photo.part-ids.png")
    assert (ids[80, 64], ids[5, 5]) == (TORSO_FRONT + 1, 0)
    parts = load(out / "photo.parts.png")
    assert tuple(parts[80, 64][::-1]) == RAINBOW[TORSO_FRONT]
    assert tuple(parts[5, 5]) == (255, 255, 255)
    cutout = load(out / "photo.cutout.png")
    assert cutout.shape == (160, 240, 4)
    assert (cutout[80, 64, 3], cutout[5, 5, 3]) == (255, 0)
    probability = load(out / "photo.probability.png")
    assert probability[40, 30] > 250
    assert probability[5, 200] < 5


def test_parts_and_pose_add_their_pictures(run: Run, photo: Path, tmp_path: Path) -> None:
    assert run(photo, "-o", tmp_path / "a", "--parts").exit_code == 0
    assert written(tmp_path / "a") == ["photo.mask.png", "photo.overlay.jpg", "photo.parts.png"]
    assert run(photo, "-o", tmp_path / "b", "--effect", "bokeh", "--pose").exit_code == 0
    assert written(tmp_path / "b") == ["photo.effect-bokeh.jpg", "photo.overlay.jpg"]


def test_people_get_a_file_each(run: Run, tmp_path: Path) -> None:
    photo = save(tmp_path / "two.png", picture(people=2))
    result = run(photo, "-o", tmp_path / "out", "--people", "-k", "mask", "-k", "overlay")
    assert result.exit_code == 0, result.output
    assert written(tmp_path / "out") == [
        "two.overlay.jpg",
        "two.person-1.mask.png",
        "two.person-2.mask.png",
    ]
    first, second = (load(tmp_path / "out" / f"two.person-{n}.mask.png") for n in (1, 2))
    assert first.any()
    assert second.any()
    assert not (first & second).any()


def test_nobody_is_no_error(run: Run, tmp_path: Path) -> None:
    photo = save(tmp_path / "empty.png", np.zeros((64, 64, 3), np.uint8))
    options = ["--people", "--pose", "--json", "--effect", "bokeh", "--effect", "blur-face"]
    effects = ["--effect", "pixelate", "--effect", "replace", "--effect", "mask"]
    result = run(photo, "-o", tmp_path / "out", *options, *effects, "-k", "mask", "-k", "overlay")
    assert result.exit_code == 0, result.output
    assert json.loads((tmp_path / "out" / "results.json").read_text()) == []
    assert "empty.person-1.mask.png" not in written(tmp_path / "out")
    assert "empty.overlay.jpg" in written(tmp_path / "out")


def test_one_file(run: Run, photo: Path, tmp_path: Path) -> None:
    target = tmp_path / "cutout.png"
    assert run(photo, "-o", target, "--kind", "cutout").exit_code == 0
    assert load(target).shape == (160, 240, 4)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["-o", "x.png"], "x.png is one file, but mask and overlay would have to go into it"),
        (["-o", "x.png", "--kind", "mask", "--people"], "a mask of each person"),
        (["gone.png", "-o", "x.png", "--kind", "mask"], "2 pictures would"),
        (["-o", "x.jpg", "--kind", "cutout"], "needs a .png"),
        (["-o", "x.webp", "--kind", "mask"], ".png, .jpg"),
        ([], "where to write"),
        (["--kind", "mask", "--json"], "where to write"),
        (["-o", "x", "--json", "--keep-existing"], "leave out one"),
        (["-o", "x", "--kind", "probability", "--people"], "--people"),
        (["-o", "x", "--threshold", "1.5"], "threshold"),
        (["-o", "x", "--kind", "nonsense"], "nonsense"),
        (["-o", "x", "--effect", "replace", "--background", "mauve"], "mauve"),
        (["-o", "x", "--internal-resolution", "huge"], "huge"),
        (["-o", "x", "--internal-resolution", "7"], "7"),
    ],
)
def test_wrong_use_ends_with_2_before_anything_is_written(
    model_file: Path,
    photo: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    arguments: list[str],
    message: str,
) -> None:
    monkeypatch.chdir(tmp_path)
    result = CliRunner().invoke(app, ["image", str(photo), "--model", str(model_file), *arguments])
    assert result.exit_code == 2, result.output
    shown = " ".join(result.stderr.replace("│", " ").split())  # as typer wraps it in a box
    assert message in shown
    assert "Traceback" not in result.output
    assert written(tmp_path) == ["in/photo.png"]


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


def test_the_summary_names_a_file_and_the_results_beside_it(
    run: Run, photo: Path, tmp_path: Path
) -> None:
    result = run(photo, "-o", tmp_path / "m.jpg", "--kind", "overlay", "--json")
    assert result.exit_code == 0, result.output
    files = f"{tmp_path / 'm.jpg'}, {tmp_path / 'results.json'}"
    assert f"; written: {files}." in result.stderr


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


def test_a_picture_that_is_read_is_never_written_over(run: Run, photo: Path) -> None:
    before = photo.read_bytes()
    result = run(photo, "-o", photo, "--kind", "mask")
    assert result.exit_code == 1
    assert "one of the files to read" in result.stderr
    assert photo.read_bytes() == before


def test_a_background_is_not_written_over(run: Run, photo: Path, tmp_path: Path) -> None:
    beach = save(tmp_path / "beach.png", picture())
    before = beach.read_bytes()
    result = run(photo, "-o", beach, "-e", "replace", "--background", beach)
    assert result.exit_code == 1
    assert "one of the files to read" in result.stderr
    assert beach.read_bytes() == before


def test_a_picture_called_like_the_results(run: Run, photo: Path) -> None:
    odd = photo.rename(photo.with_name("results.json"))
    before = odd.read_bytes()
    result = run(odd, "-o", odd.parent, "--json", "-k", "mask")
    assert result.exit_code == 2
    assert "--json" in result.stderr
    assert odd.read_bytes() == before


def test_results_beside_the_pictures_can_be_made_twice(run: Run, photo: Path) -> None:
    folder = photo.parent
    for _ in range(2):
        result = run(folder, "-o", folder)
        assert result.exit_code == 0, result.output
        assert written(folder) == ["photo.mask.png", "photo.overlay.jpg", "photo.png"]


def test_keep_existing_goes_on_where_a_batch_ended(run: Run, tmp_path: Path) -> None:
    for name in "ab":
        save(tmp_path / "in" / f"{name}.png", picture())
    out = tmp_path / "out"
    assert run(tmp_path / "in" / "a.png", "-o", out).exit_code == 0
    before = (out / "a.mask.png").stat().st_mtime_ns
    result = run(tmp_path / "in", "-o", out, "--keep-existing")
    assert result.exit_code == 0
    assert "1 of 2 pictures done" in result.stderr
    assert "1 already there" in result.stderr
    assert (out / "a.mask.png").stat().st_mtime_ns == before
    assert (out / "b.mask.png").exists()


def test_quiet_prints_nothing_but_errors(run: Run, photo: Path, tmp_path: Path) -> None:
    result = run(photo, "-o", tmp_path / "out", "--quiet")
    assert (result.exit_code, result.output) == (0, "")
    result = run(tmp_path / "gone.png", "-o", tmp_path / "out", "--quiet")
    assert result.exit_code == 1
    assert "gone.png" in result.stderr


def test_recursive_folders_are_kept(run: Run, tmp_path: Path) -> None:
    save(tmp_path / "in" / "a.png", picture())
    save(tmp_path / "in" / "deep" / "down" / "a.png", picture())
    result = run(tmp_path / "in", "-r", "-o", tmp_path / "out", "-k", "mask")
    assert result.exit_code == 0
    assert written(tmp_path / "out") == ["a.mask.png", "deep/down/a.mask.png"]


def test_replace_by_a_colour(run: Run, photo: Path, tmp_path: Path) -> None:
    target = tmp_path / "replaced.png"
    assert run(photo, "-o", target, "-e", "replace", "--background", "#1e90ff").exit_code == 0
    image = load(target)
    assert tuple(image[5, 5][::-1]) == (0x1E, 0x90, 0xFF)
    assert image[80, 30].min() > 250
