"""The command `bodypix-train negatives`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def negatives(
    listed: Annotated[
        Path,
        typer.Argument(
            help="List of files, such as a release's negatives.tsv.", exists=True, dir_okay=False
        ),
    ],
    packages: Annotated[
        Path,
        typer.Option(help="Folder of the packages, .deb and .tgz.", exists=True, file_okay=False),
    ],
    out: Annotated[
        Path, typer.Option(help="Folder for images/ and objects/; it goes on.", file_okay=False)
    ],
) -> None:
    """Make the pictures without people that a list names, of files of free-software packages."""
    from .collect import collect, read_list

    made = missing = 0
    for archive, used, left in collect(read_list(listed), packages, out):
        made, missing = made + used, missing + left
        if left:
            there = any(packages.glob(archive))
            what = f"{left} of its files cannot be used" if there else "not in the folder"
            typer.echo(f"{archive}: {what}", err=True)
    typer.echo(f"{out}: pictures of {made} files, {missing} files left out")
