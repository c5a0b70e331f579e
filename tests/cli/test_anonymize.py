"""`bodypix anonymize` from file to file, and what it reports."""

from __future__ import annotations

import json
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from typer.testing import CliRunner

from bodypix.cli.app import app
from bodypix.errors import OutputError
from bodypix.media import Frame, open_sink, open_source
from helpers.colours import picture

Run = Callable[..., Any]
RATE = Fraction(10)
BLANK = np.zeros((160, 240, 3), np.uint8)


@pytest.fixture
def run(model_file: Path) -> Run:
    """Run `bodypix anonymize` with the colour network, people filled with green."""

    def invoke(*arguments: object) -> Any:
        common = ["--model", model_file, "--internal-resolution", "full", "--threads", "1"]
        look = ["--what", "people", "--how", "fill", "--color", "#00ff00"]
        return CliRunner().invoke(app, ["anonymize", *map(str, [*look, *arguments, *common])])

    return invoke


def write(path: Path, *images: Any) -> Path:
    with open_sink(path, size=(240, 160), rate=RATE) as sink:
        for index, image in enumerate(images):
            sink.write(Frame(image, index, index / RATE, 1 / RATE))
    return path


def greens(path: Path) -> list[bool]:
    """Whether the person's middle is green, frame by frame."""
    with open_source(path) as source:
        return [
            bool(np.abs(frame.image[50, 64].astype(int) - (0, 255, 0)).max() <= 40)
            for frame in source
        ]


@pytest.fixture
def clip(tmp_path: Path) -> Path:
    """Two seconds, ten frames each: a person in frames 5 to 9 and 14 to 19."""
    someone = [5 <= index <= 9 or index >= 14 for index in range(20)]
    return write(tmp_path / "clip.mp4", *[picture() if there else BLANK for there in someone])


def test_people_are_hidden_also_shortly_before_and_after(
    run: Run, clip: Path, tmp_path: Path
) -> None:
    report = tmp_path / "report.json"
    result = run(clip, "-o", tmp_path / "safe.mp4", "--seconds", "0.2", "--report", report)
    assert result.exit_code == 0, result.output
    assert greens(tmp_path / "safe.mp4") == [index >= 3 for index in range(20)]
    assert result.stdout == ""
    text = " ".join(result.stderr.split())
    assert "nobody was found in 9 of 20 frames: 0:00.0-0:00.4, 0:01.0-0:01.3." in text
    assert "In 6 of these something is hidden" in text
    content = json.loads(report.read_text())
    assert content["frames"] == 20
    assert content["source"] == str(clip)
    assert content["model"] == "colours"
    assert content["options"]["what"] == "people"
    assert content["nobody_found"]["spans"] == [
        {"first": 0, "last": 4, "from": 0.0, "to": 0.4},
        {"first": 10, "last": 13, "from": 1.0, "to": 1.3},
    ]
    assert content["hidden_by_time_margin_only"]["frames"] == 6
    assert content["nothing_hidden"]["spans"] == [{"first": 0, "last": 2, "from": 0.0, "to": 0.2}]


def test_without_a_margin_in_time(run: Run, clip: Path, tmp_path: Path) -> None:
    result = run(clip, "-o", tmp_path / "safe.mp4", "--seconds", "0", "--strict", "--quiet")
    assert result.exit_code == 1  # there are frames without anybody
    assert greens(tmp_path / "safe.mp4") == [5 <= n <= 9 or n >= 14 for n in range(20)]
    assert "nobody was found in 9 of 20" in " ".join(result.stderr.split())  # even when quiet


def test_strict_when_somebody_is_in_every_frame(run: Run, tmp_path: Path) -> None:
    clip = write(tmp_path / "clip.mp4", *[picture()] * 3)
    result = run(clip, "-o", tmp_path / "safe.mp4", "--strict", "--quiet")
    assert (result.exit_code, result.stderr) == (0, "")


def test_many_gaps_are_cut_short(run: Run, tmp_path: Path) -> None:
    clip = write(tmp_path / "clip.mp4", *[picture(), BLANK] * 8)
    report = tmp_path / "report.json"
    result = run(clip, "-o", tmp_path / "safe.mp4", "--report", report)
    text = " ".join(result.stderr.split())
    assert f"0:00.9 and 3 more; all of them are in {report}." in text
    assert len(json.loads(report.read_text())["nobody_found"]["spans"]) == 8


def test_a_person_without_a_face(run: Run, tmp_path: Path) -> None:
    clip = write(tmp_path / "clip.mp4", picture(), picture())
    result = run(clip, "-o", tmp_path / "safe.mp4", "--what", "faces")
    assert result.exit_code == 0, result.output
    assert "somebody, but no face, was found in 2 of 2" in " ".join(result.stderr.split())
    assert greens(tmp_path / "safe.mp4") == [False, False]


def test_a_report_that_cannot_be_written(run: Run, clip: Path, tmp_path: Path) -> None:
    result = run(clip, "-o", tmp_path / "safe.mp4", "--report", tmp_path / "no" / "report.json")
    assert result.exit_code == 2
    assert result.stderr.startswith("Error: --report: ")
    assert "report.json" in result.stderr
    assert [path.name for path in tmp_path.iterdir()] == ["clip.mp4"]


@pytest.mark.parametrize("name", ["clip.mp4", "safe.mp4"])
def test_a_report_does_not_replace_a_film(run: Run, clip: Path, tmp_path: Path, name: str) -> None:
    before = clip.read_bytes()
    result = run(clip, "-o", tmp_path / "safe.mp4", "--report", tmp_path / name)
    assert result.exit_code == 2
    assert f"{name} is what " in " ".join(result.stderr.split())
    assert clip.read_bytes() == before
    assert [path.name for path in tmp_path.iterdir()] == ["clip.mp4"]


def test_a_report_in_the_folder_of_the_frames(run: Run, clip: Path, tmp_path: Path) -> None:
    folder = tmp_path / "frames"
    result = run(clip, "-o", folder, "--report", folder / "report.json")
    assert result.exit_code == 0, result.output
    assert json.loads((folder / "report.json").read_text())["frames"] == 20


def test_a_report_that_fails_at_the_end(
    run: Run, clip: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object, field: str) -> None:
        raise OutputError(f"{field}: cannot write (No space left on device).")

    monkeypatch.setattr("bodypix.files.write_whole", full)
    result = run(clip, "-o", tmp_path / "safe.mp4", "--report", tmp_path / "report.json")
    assert result.exit_code == 1
    assert greens(tmp_path / "safe.mp4")
    text = " ".join(result.stderr.split())
    assert "nobody was found in 9 of 20 frames" in text  # not lost with the file
    assert text.endswith("Error: --report: cannot write (No space left on device).")
