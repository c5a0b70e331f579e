"""`bodypix video` from file to file, its settings, and how it ends when something is wrong."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from typer.testing import CliRunner

from bodypix.cli.app import app
from bodypix.errors import OutputError
from bodypix.interrupts import Terminated
from bodypix.media import Frame, open_sink, open_source
from helpers.colours import picture

Run = Callable[..., Any]
TIMES = [Fraction(place, 30) for place in (0, 1, 2, 4, 5, 8, 9, 10)]


@pytest.fixture
def run(model_file: Path) -> Run:
    """Run `bodypix video` with the colour network at full resolution."""

    def invoke(*arguments: object) -> Any:
        common = ["--model", model_file, "--internal-resolution", "full", "--threads", "1"]
        return CliRunner().invoke(app, ["video", *map(str, [*arguments, *common])])

    return invoke


def write(path: Path, count: int = len(TIMES), image: Any = None) -> Path:
    """A film of one person who stands still, at uneven times."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with open_sink(path, size=(240, 160), rate=30) as sink:
        for index, time in enumerate(TIMES[:count]):
            sink.write(Frame(picture() if image is None else image, index, time))
    return path


@pytest.fixture
def clip(tmp_path: Path) -> Path:
    return write(tmp_path / "in" / "clip.mp4")


def read(path: Path, **options: Any) -> list[Frame]:
    with open_source(path, **options) as source:
        return list(source)


def near(pixel: Any, color: tuple[int, int, int], levels: int = 40) -> bool:
    """Whether a pixel has a colour, as far as video codecs keep it."""
    return bool(np.abs(pixel.astype(int) - color).max() <= levels)


def test_every_frame_at_its_time(run: Run, clip: Path, tmp_path: Path) -> None:
    out = tmp_path / "out.mp4"
    result = run(clip, "-o", out, "--effect", "replace", "--background", "#0000ff")
    assert result.exit_code == 0, result.output
    assert result.stdout == ""
    assert "8 frames" in result.stderr
    frames = read(out)
    assert [frame.time for frame in frames] == [frame.time for frame in read(clip)] == TIMES
    for frame in frames:
        assert near(frame.image[5, 200], (0, 0, 255))
        assert near(frame.image[50, 64], (255, 255, 255))
    assert sorted(path.name for path in tmp_path.iterdir()) == ["in", "out.mp4"]


def test_effects_over_each_other(run: Run, clip: Path, tmp_path: Path) -> None:
    result = run(clip, "-o", tmp_path / "o.mkv", "-e", "replace", "--background=red", "-e", "parts")
    assert result.exit_code == 2  # no such colour
    assert "--background" in result.stderr
    result = run(
        clip, "-o", tmp_path / "o.mkv", "-e", "replace", "--background=white", "-e", "parts", "-q"
    )
    assert (result.exit_code, result.output) == (0, "")
    frame = read(tmp_path / "o.mkv")[3].image
    assert near(frame[5, 200], (255, 255, 255))
    assert not near(frame[50, 64], (255, 255, 255))


def test_transparent_output(run: Run, clip: Path, tmp_path: Path) -> None:
    folder = tmp_path / "frames"
    result = run(clip, "-o", folder, "--effect", "cutout")
    assert result.exit_code == 0, result.output
    assert len(list(folder.iterdir())) == len(TIMES)
    result = run(clip, "-o", tmp_path / "no.mp4", "--effect", "cutout")
    assert result.exit_code == 2
    assert "hold no transparency" in result.stderr
    assert not (tmp_path / "no.mp4").exists()


def test_a_film_behind_the_people(run: Run, clip: Path, tmp_path: Path) -> None:
    green = np.full((160, 240, 3), (0, 200, 0), np.uint8)
    behind = write(tmp_path / "in" / "green.mp4", count=2, image=green)
    result = run(clip, "-o", tmp_path / "out.mp4", "-e", "replace", "--background", behind)
    assert result.exit_code == 0, result.output
    assert all(near(frame.image[5, 200], (0, 200, 0)) for frame in read(tmp_path / "out.mp4"))


def test_raw_frames_through_pipes(model_file: Path) -> None:
    raw = b"".join(picture().tobytes() for _ in range(3))
    arguments = ["video", "-", "-o", "-", "-e", "replace", "--background=blue", "--size=240x160"]
    common = ["--model", model_file, "--internal-resolution=full", "--threads=1"]
    result = CliRunner().invoke(app, [*arguments, *map(str, common)], input=raw)
    assert result.exit_code == 2
    result = CliRunner().invoke(
        app, [*arguments, "--background=#0000ff", *map(str, common)], input=raw
    )
    assert result.exit_code == 0, result.stderr
    frames = np.frombuffer(result.stdout_bytes, np.uint8).reshape(3, 160, 240, 3)
    assert tuple(frames[2, 5, 200]) == (0, 0, 255)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([], "--effect"),
        (["-e", "glow"], "glow"),
        (["-e", "cutout", "-e", "bokeh"], "cutout as the last"),
        (["-e", "bokeh", "--size", "big"], "WIDTHxHEIGHT"),
        (["-e", "bokeh", "--threshold", "7"], "--threshold"),
    ],
)
def test_wrong_use(
    run: Run, clip: Path, tmp_path: Path, arguments: list[str], message: str
) -> None:
    result = run(clip, "-o", tmp_path / "out.mp4", *arguments)
    assert result.exit_code == 2
    assert message in result.stderr
    assert not (tmp_path / "out.mp4").exists()


def test_what_is_read_is_not_written_over(run: Run, clip: Path) -> None:
    before = clip.read_bytes()
    result = run(clip, "-o", clip.parent / ".." / "in" / clip.name, "-e", "bokeh")
    assert result.exit_code == 2
    assert "is what is read" in result.stderr
    assert clip.read_bytes() == before
    background = write(clip.parent / "green.mp4", count=2)
    before = background.read_bytes()
    result = run(clip, "-o", background, "-e", "replace", "--background", background)
    assert result.exit_code == 2
    assert "is what is read" in result.stderr
    assert background.read_bytes() == before


@pytest.mark.parametrize("output", ["", "%06d.png"])
def test_pictures_that_are_read_are_not_written_over(run: Run, tmp_path: Path, output: str) -> None:
    folder = write(tmp_path / "in")
    before = {path.name: path.read_bytes() for path in folder.iterdir()}
    result = run(folder / "*.png", "-o", folder / output, "-e", "bokeh", "--rate", "5")
    assert result.exit_code == 2
    assert "could write over" in result.stderr
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == before


def test_inputs_that_are_no_film(run: Run, tmp_path: Path) -> None:
    text = tmp_path / "notes.mp4"
    text.write_text("not a film")
    for source in (text, tmp_path / "nowhere.mp4"):
        result = run(source, "-o", tmp_path / "out.mp4", "-e", "bokeh")
        assert result.exit_code == 2
        assert source.name in result.stderr
    assert sorted(path.name for path in tmp_path.iterdir()) == ["notes.mp4"]


@pytest.mark.parametrize(
    "arguments",
    [["LONG", "-o", "o.mp4"], ["in/clip.mp4", "-o", "LONG"], ["LONG/%d.png", "-o", "LONG/%d.png"]],
)
def test_names_that_are_too_long(
    run: Run, clip: Path, monkeypatch: pytest.MonkeyPatch, arguments: list[str]
) -> None:
    monkeypatch.chdir(clip.parents[1])
    long = [argument.replace("LONG", "x" * 300) for argument in arguments]
    result = run(*long, "-e", "bokeh")
    assert result.exit_code == 2
    assert result.stderr.startswith("Error: ")
    result = run("in/clip.mp4", "-o", "o.mp4", "-e", "replace", "--background", "x" * 300)
    assert result.exit_code == 2
    assert "--background" in result.stderr


def test_a_film_that_was_cut_off(run: Run, tmp_path: Path) -> None:
    whole = tmp_path / "whole.mp4"
    random = np.random.default_rng(2)
    with open_sink(whole, size=(240, 160), rate=30) as sink:
        for index, time in enumerate(TIMES):  # noise, so that every frame has its share of bytes
            image = random.integers(0, 256, (160, 240, 3), np.uint8)
            sink.write(Frame(image, index, 10 * time))
    torn = tmp_path / "torn.mp4"
    torn.write_bytes(whole.read_bytes()[: whole.stat().st_size * 2 // 3])
    result = run(torn, "-o", tmp_path / "out.mp4", "-e", "bokeh")
    assert result.exit_code == 1
    assert "torn.mp4" in result.stderr
    assert 1 <= len(read(tmp_path / "out.mp4")) < len(TIMES)


@pytest.mark.parametrize("keep", [False, True])
@pytest.mark.parametrize(
    ("error", "code"),
    [(KeyboardInterrupt(), 130), (Terminated(), 143), (OutputError("the disk is full"), 1)],
)
def test_an_end_on_the_way(
    run: Run,
    clip: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    keep: bool,
    error: BaseException,
    code: int,
) -> None:
    from bodypix.media import pipeline

    def stopped(*arguments: Any, on_frame: Any, **options: Any) -> Any:
        def fail(frame: Frame) -> None:
            if frame.index == 3:
                raise error
            on_frame(frame)

        return original(*arguments, on_frame=fail, **options)

    original = pipeline.run
    monkeypatch.setattr(pipeline, "run", stopped)
    out = tmp_path / "out.mp4"
    result = run(clip, "-o", out, "-e", "bokeh", *(["--keep-partial"] if keep else []))
    interrupted = isinstance(error, KeyboardInterrupt)
    assert result.exit_code == code, result.stderr
    assert ("interrupted" if interrupted else "the disk is full") in result.stderr
    assert out.exists() == keep
    if keep:
        assert len(read(out)) == 4
    assert {path.name for path in tmp_path.iterdir()} <= {"in", "out.mp4"}


def test_a_disk_that_is_full_at_the_end(
    run: Run, clip: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("bodypix.media.sinks.video.os.replace", full)
    result = run(clip, "-o", tmp_path / "out.mp4", "-e", "bokeh")
    assert result.exit_code == 1
    assert "No space left" in result.stderr
    assert [path.name for path in tmp_path.iterdir()] == ["in"]


def test_a_damaged_picture_of_a_film(run: Run, tmp_path: Path) -> None:
    folder = write(tmp_path / "in")
    (folder / "000003.png").write_text("no picture")
    result = run(folder, "-o", tmp_path / "out.mp4", "-e", "bokeh")
    assert result.exit_code == 1
    assert "000003.png" in result.stderr
    assert "nothing was written" in result.stderr


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no SIGTERM that can be caught")
def test_sigterm_leaves_nothing_half_written(model_file: Path, tmp_path: Path) -> None:
    options = ["--size", "240x160", "-e", "bokeh", "--model", model_file, "--threads", "1"]
    arguments = ["video", "-", "-o", tmp_path / "out.mkv", *options]
    with subprocess.Popen(
        [sys.executable, "-m", "bodypix", *map(str, arguments)],
        stdin=subprocess.PIPE,
        stderr=subprocess.PIPE,
    ) as process:
        assert process.stdin is not None
        assert process.stderr is not None
        for _ in range(12):  # then it waits for more
            process.stdin.write(picture().tobytes())
        process.stdin.flush()
        deadline = time.monotonic() + 60
        while not list(tmp_path.iterdir()) and time.monotonic() < deadline:
            time.sleep(0.05)
        process.send_signal(signal.SIGTERM)
        process.stdin.close()
        said = process.stderr.read()
        assert process.wait(60) == 143, said
    assert b"Traceback" not in said
    assert not list(tmp_path.iterdir())


def test_settings_file(run: Run, clip: Path, tmp_path: Path) -> None:
    settings = tmp_path / "settings.toml"
    settings.write_text(
        'background = "#0000ff"\ncell = 7\nstrict = true\n'
        '[video]\neffect = ["replace"]\nquality = 90\n[webcam]\nmirror = false\n'
    )
    result = run(clip, "-o", tmp_path / "a.mp4", "--settings", settings)
    assert result.exit_code == 0, result.output
    assert near(read(tmp_path / "a.mp4")[0].image[5, 200], (0, 0, 255))
    result = run(clip, "-o", tmp_path / "b.mp4", "--settings", settings, "--background", "white")
    assert result.exit_code == 0, result.output
    assert near(read(tmp_path / "b.mp4")[0].image[5, 200], (255, 255, 255))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("effect = [", "is no TOML file"),
        ("[video]\nblurr = 3", "sets 'blurr' in [video], which is no option there"),
        ("colour = 3", "sets 'colour' above its tables"),
        ("[films]\nblur = 3", "has a table [films]"),
        ("[video]\nin = 'a.mp4'", "sets 'in'"),
    ],
)
def test_settings_that_are_wrong(
    run: Run, clip: Path, tmp_path: Path, text: str, message: str
) -> None:
    settings = tmp_path / "settings.toml"
    settings.write_text(text)
    result = run(clip, "-o", tmp_path / "out.mp4", "-e", "bokeh", "--settings", settings)
    assert result.exit_code == 2, result.output
    assert message in result.stderr


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("threshold = 'high'", "threshold to 'high': "),
        ("threshold = 7", "threshold to 7: "),
        ("effect = ['glow']", "effect to ['glow']: "),
        ("effect = 'bokeh'", "effect to 'bokeh': expected a list of at least one, such as"),
        ("effect = []", "effect to []: expected a list of at least one, such as"),
        ("size = 'big'", "size to 'big': expected WIDTHxHEIGHT"),
        ("background = 'mauve'", "background to 'mauve': expected #rrggbb"),
        ("internal-resolution = 'huge'", "internal-resolution to 'huge': expected 'low'"),
        ("model = 'huge'", "model to 'huge': expected one of"),
    ],
)
def test_values_of_settings_that_are_wrong(
    clip: Path, model_file: Path, tmp_path: Path, line: str, message: str
) -> None:
    settings = tmp_path / "settings.toml"
    effect = "" if "effect" in line else "effect = ['bokeh']\n"
    settings.write_text(f"{effect}{line}\n")
    arguments = ["video", clip, "-o", tmp_path / "out.mp4", "--settings", settings]
    result = CliRunner().invoke(app, list(map(str, arguments)))
    assert result.exit_code == 2
    assert result.stderr.startswith(f"Error: --settings: {settings} sets {message}")
    assert len(result.stderr.splitlines()) == 1
    overruled = ["-e", "bokeh", "--threshold=0.5", "--size=9x9", "--background=white"]
    overruled += ["--internal-resolution=full", f"--model={model_file}"]
    result = CliRunner().invoke(app, [*map(str, arguments), *overruled])
    assert result.exit_code == 0, result.output


def test_a_wrong_value_on_the_command_line_is_not_blamed_on_the_settings(
    run: Run, clip: Path, tmp_path: Path
) -> None:
    settings = tmp_path / "settings.toml"
    settings.write_text("threshold = 0.5\nbackground = 'white'\n")
    for wrong in (["--threshold", "7"], ["--background", "mauve"], ["--size", "big"]):
        result = run(clip, "-o", tmp_path / "o.mp4", "-e", "bokeh", "--settings", settings, *wrong)
        assert result.exit_code == 2
        assert wrong[0] in result.stderr
        assert "--settings" not in result.stderr


def test_settings_file_that_is_not_there(run: Run, clip: Path, tmp_path: Path) -> None:
    result = run(clip, "-o", tmp_path / "o.mp4", "-e", "bokeh", "--settings", tmp_path / "no.toml")
    assert result.exit_code == 2
    assert "cannot read" in result.stderr


def test_settings_by_environment(
    run: Run, clip: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = tmp_path / "settings.toml"
    settings.write_text('[video]\neffect = ["replace"]\nbackground = "#0000ff"')
    monkeypatch.setenv("BODYPIX_SETTINGS", os.fspath(settings))
    assert run(clip, "-o", tmp_path / "a.mp4").exit_code == 0
    assert near(read(tmp_path / "a.mp4")[0].image[5, 200], (0, 0, 255))
