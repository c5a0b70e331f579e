"""Options that several commands of `bodypix-train` have."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

Data = Annotated[Path, typer.Option(help="Folder that the recipe's paths start from.")]
RecipeFile = Annotated[Path, typer.Argument(help="Recipe, a TOML file.", exists=True)]
Labels = Annotated[Path, typer.Option(help="Folder of the teachers' answers.")]
