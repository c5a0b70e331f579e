"""The colour network as a file, a photo for it, and the command to run on them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from bodypix.cli.app import app
from helpers.colours import colour_network, picture, save

Run = Callable[..., Any]
"""Of `bodypix image` with any arguments, as the fixture `run` gives it."""


def written(folder: Path) -> list[str]:
    """Names of all files below a folder."""
    return sorted(
        path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()
    )


@pytest.fixture(scope="session")
def model_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("model") / "colours.onnx"
    path.write_bytes(colour_network())
    return path


@pytest.fixture
def photo(tmp_path: Path) -> Path:
    """A picture of one person, `in/photo.png`."""
    return save(tmp_path / "in" / "photo.png", picture())


@pytest.fixture
def run(model_file: Path) -> Callable[..., Any]:
    """Run `bodypix image` with the colour network at full resolution."""

    def invoke(*arguments: object) -> Any:
        common = ["--model", model_file, "--internal-resolution", "full", "--threads", "1"]
        return CliRunner().invoke(app, ["image", *map(str, [*arguments, *common])])

    return invoke
