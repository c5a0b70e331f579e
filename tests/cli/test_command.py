"""The command as it is installed: version, help, demo, module, and how fast it answers."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

import bodypix
from bodypix.cli.app import app
from helpers.colours import load, picture, save


def bodypix_command(*arguments: object) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "bodypix", *map(str, arguments)],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def test_version() -> None:
    result = bodypix_command("--version")
    assert (result.returncode, result.stdout) == (0, f"bodypix {bodypix.__version__}\n")


@pytest.mark.parametrize(
    "command",
    [[], ["image"], ["demo"], ["models"], *(["models", name] for name in ("list", "download"))],
)
def test_every_command_has_help(command: list[str]) -> None:
    result = CliRunner().invoke(app, [*command, "--help"])
    assert result.exit_code == 0
    assert "Usage" in result.stdout


def test_no_command_shows_help_and_a_wrong_one_ends_with_2() -> None:
    assert "Usage" in CliRunner().invoke(app, []).output
    result = CliRunner().invoke(app, ["imagine"])
    assert result.exit_code == 2
    assert "imagine" in result.output


def test_help_and_version_load_nothing_heavy() -> None:
    code = (
        "import sys\n"
        "from bodypix.cli.app import app\n"
        "heavy = {'cv2', 'numpy', 'onnxruntime', 'torch'} & set(sys.modules)\n"
        "sys.exit(f'loaded: {heavy}' if heavy else 0)"
    )
    result = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=False
    )
    assert result.returncode == 0, result.stderr


def test_errors_are_one_line_without_a_traceback(tmp_path: Path) -> None:
    photo = save(tmp_path / "photo.png", picture())
    result = bodypix_command("image", photo, "-o", tmp_path / "out", "--model", "no-such-model")
    assert result.returncode == 2
    assert result.stderr.startswith("Error: name: expected one of")
    assert result.stderr.count("\n") == 1
    assert result.stdout == ""


@pytest.mark.parametrize("level", [None, "ERROR"])
def test_opencv_keeps_quiet_unless_asked(
    tmp_path: Path, model_file: Path, monkeypatch: pytest.MonkeyPatch, level: str | None
) -> None:
    whole = save(tmp_path / "photo.bmp", picture()).read_bytes()
    (tmp_path / "bad.bmp").write_bytes(whole[:40] + bytes(2000))
    monkeypatch.delenv("OPENCV_LOG_LEVEL", raising=False)
    if level:
        monkeypatch.setenv("OPENCV_LOG_LEVEL", level)
    arguments = ["-o", tmp_path / "out", "--model", model_file]
    result = bodypix_command("image", tmp_path / "bad.bmp", *arguments)
    assert result.returncode == 1
    lines = result.stderr.splitlines()
    assert "failed" in lines[-2]
    assert bool(lines[:-2]) == (level is not None)


def test_batch_in_a_process_of_its_own(tmp_path: Path, model_file: Path) -> None:
    photo = save(tmp_path / "in" / "photo.png", picture())
    (tmp_path / "in" / "bad.png").write_text("no picture")
    result = bodypix_command(
        "image", tmp_path / "in", "-o", tmp_path / "out", "--model", model_file, "--json"
    )
    assert result.returncode == 1
    assert "bad.png" in result.stderr
    assert (tmp_path / "out" / f"{photo.stem}.mask.png").is_file()
    assert (tmp_path / "out" / "results.json").is_file()


def test_demo(tmp_path: Path, model_file: Path) -> None:
    out = tmp_path / "demo"
    result = CliRunner().invoke(app, ["demo", "-o", str(out), "--model", str(model_file)])
    assert result.exit_code == 0, result.output
    for name in ("mask.png", "parts.png", "overlay.jpg", "cutout.png", "legend.png"):
        assert load(out / name).size
        assert name in result.stdout
    assert "cpu" in result.stdout
    assert "network" in result.stdout
    assert "ms" in result.stdout


def test_demo_on_a_photo_of_ones_own(tmp_path: Path, model_file: Path) -> None:
    photo = save(tmp_path / "me.png", picture())
    before = save(tmp_path / "own" / "photo.jpg", picture()).read_bytes()
    own = ["-o", str(tmp_path / "own"), "--photo", str(tmp_path / "own" / "photo.jpg")]
    result = CliRunner().invoke(app, ["demo", *own, "--model", str(model_file)])
    assert result.exit_code == 2
    assert "is what is read" in result.stderr
    assert [path.name for path in (tmp_path / "own").iterdir()] == ["photo.jpg"]
    assert (tmp_path / "own" / "photo.jpg").read_bytes() == before
    arguments = ["-o", str(tmp_path / "demo"), "--photo", str(photo), "--model", str(model_file)]
    result = CliRunner().invoke(app, ["demo", *arguments])
    assert result.exit_code == 0, result.output
    assert load(tmp_path / "demo" / "mask.png").shape == (160, 240)
