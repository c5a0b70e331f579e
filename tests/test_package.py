"""The package as a whole: what it ships, what it needs, and what importing it does."""

from __future__ import annotations

import importlib.metadata
import re
import subprocess
import sys
from importlib.resources import files
from pathlib import Path

import pytest

import bodypix
from bodypix.checkpoints.catalogue import built_in, built_in_models
from bodypix.checkpoints.store import verified
from helpers.colours import colour_network

BASE = {"numpy", "onnxruntime", "opencv-python-headless", "rich", "typer"}
MEGABYTE = 1_000_000


def python(code: str, *arguments: object) -> str:
    """Standard output of a fresh interpreter, with warnings as errors."""
    result = subprocess.run(
        [sys.executable, "-W", "error", "-c", code, *map(str, arguments)],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert result.returncode == 0, result.stderr
    return result.stdout.strip()


def test_version_is_that_of_the_package() -> None:
    assert importlib.metadata.version("bodypix") == bodypix.__version__


def test_base_install_needs_no_more_than_it_says() -> None:
    requirements = importlib.metadata.requires("bodypix") or []
    base = [text for text in requirements if "extra ==" not in text]
    assert {re.split(r"[<>=!~ ;\[]", text)[0] for text in base} == BASE


def test_photo_ships_with_a_note_of_its_source() -> None:
    assets = files("bodypix") / "assets"
    assert (assets / "astronaut.jpg").is_file()
    assert "public domain" in (assets / "README.md").read_text(encoding="utf-8")
    assert (files("bodypix") / "py.typed").is_file()


def test_shipped_weights_are_whole_and_at_most_8_megabytes() -> None:
    assert built_in().default
    assert sum(verified(model).stat().st_size for model in built_in_models()) <= 8 * MEGABYTE


def test_import_is_light_and_silent() -> None:
    code = (
        "import sys, bodypix\n"
        "heavy = {'cv2', 'numpy', 'onnxruntime', 'rich', 'typer', 'torch'}\n"
        "print(sorted(heavy & set(sys.modules)))"
    )
    assert python(code) == "[]"


def test_inference_and_command_never_import_torch(tmp_path: Path) -> None:
    model = tmp_path / "colours.onnx"
    model.write_bytes(colour_network())
    code = (
        "import sys, numpy, bodypix\n"
        "from bodypix import body_segmentation, cli, drawing, v1\n"
        "from bodypix.cli import app\n"
        "model = bodypix.load(sys.argv[1], threads=1)\n"
        "image = numpy.zeros((48, 64, 3), numpy.uint8)\n"
        "model.segment_multi_person_parts(image)\n"
        "drawing.draw_bokeh_effect(image, model.segment_person_parts(image))\n"
        "print(sorted({'torch', 'onnx', 'PIL', 'bodypix_train'} & set(sys.modules)))"
    )
    assert python(code, model) == "[]"


@pytest.mark.parametrize("name", ["nonsense", "Numpy", "_private"])
def test_unknown_names_are_attribute_errors(name: str) -> None:
    with pytest.raises(AttributeError, match=name):
        getattr(bodypix, name)
