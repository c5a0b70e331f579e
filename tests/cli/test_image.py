"""`bodypix image`: what is written, under which names, and how bad input ends."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from bodypix.body import RAINBOW
from bodypix.cli.app import app
from helpers.colours import TORSO_FRONT, load, picture, save

from .conftest import Run, written


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


def test_people_of_an_earlier_run_do_not_stay(run: Run, tmp_path: Path) -> None:
    photo = save(tmp_path / "two.png", picture(people=2))
    command = [photo, "-o", tmp_path / "out", "--people", "-k", "mask"]
    assert run(*command).exit_code == 0
    assert run(*command, "--max-people", "1").exit_code == 0
    assert written(tmp_path / "out") == ["two.person-1.mask.png"]


@pytest.mark.parametrize("empty", ["IN", "--output"])
def test_an_empty_path_is_not_the_current_folder(run: Run, photo: Path, empty: str) -> None:
    result = run("", "-o", "out") if empty == "IN" else run(photo, "-o", "")
    assert result.exit_code == 2
    assert "expected a path, got an empty text" in result.output


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


def test_the_summary_names_a_file_and_the_results_beside_it(
    run: Run, photo: Path, tmp_path: Path
) -> None:
    result = run(photo, "-o", tmp_path / "m.jpg", "--kind", "overlay", "--json")
    assert result.exit_code == 0, result.output
    files = f"{tmp_path / 'm.jpg'}, {tmp_path / 'results.json'}"
    assert f"; written: {files}." in result.stderr


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
