"""Options that several commands of `bodypix-train` have."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Annotated

import typer

Data = Annotated[Path, typer.Option(help="Folder that the recipe's paths start from.")]
RecipeFile = Annotated[Path, typer.Argument(help="Recipe, a TOML file.", exists=True)]
Labels = Annotated[Path, typer.Option(help="Folder of the teachers' answers.")]


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
