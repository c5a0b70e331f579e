"""Options that several commands of `bodypix-train` have."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path
from typing import Annotated

import typer

Data = Annotated[
    Path, typer.Option(help="Folder that the recipe's paths start from.", file_okay=False)
]
RecipeFile = Annotated[
    Path, typer.Argument(help="Recipe, a TOML file.", exists=True, dir_okay=False)
]
Labels = Annotated[Path, typer.Option(help="Folder of the teachers' answers.", file_okay=False)]


def check_target(option: str, path: Path | None) -> None:
    """Raises ValueError, before the work, for a file that could not be written after it."""
    if path is None:
        return
    if path.is_dir() or not os.access(path.parent, os.W_OK):
        raise ValueError(
            f"{option}: expected a file in a folder that exists and that you may write to,"
            f" got {str(path)!r}"
        )


def named_entries(
    option: str, entries: Iterable[str], shape: str = "NAME=WHERE, such as ours=mine.onnx"
) -> dict[str, str]:
    """What stands behind the = of each entry, by its name.

    Raises ValueError, naming ``option``, where an entry lacks = or its name, or shares its name.
    """
    found: dict[str, str] = {}
    for entry in entries:
        name, equals, value = entry.partition("=")
        if not (name and equals):
            raise ValueError(f"{option}: expected {shape}, got {entry!r}")
        if name in found:
            raise ValueError(f"{option}: expected names of their own, got {name!r} twice")
        found[name] = value
    return found
