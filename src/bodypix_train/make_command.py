"""`bodypix-train make`: a release from data to ONNX."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from .command_options import named_entries


def make(
    release: Annotated[
        str, typer.Argument(help="Release, a TOML file, or one of ours: default, small, ...")
    ],
    data: Annotated[Path, typer.Option(help="Folder that the paths of recipes start from.")],
    out: Annotated[
        Path,
        typer.Option(help="Folder of releases; each gets one of its own there.", file_okay=False),
    ],
    use: Annotated[
        list[str] | None,
        typer.Option(
            help="NAME=CHECKPOINT: the weights of another release that this one rests on, which "
            "would be made first. May be repeated."
        ),
    ] = None,
    against: Annotated[
        list[str] | None,
        typer.Option(help="NAME=WHERE: measure this model too, as --model of `evaluate`."),
    ] = None,
    evaluate: Annotated[bool, typer.Option(help="Measure the model at the end.")] = True,
    render_device: Annotated[
        str, typer.Option(help="Where `render` draws: cpu, or a GPU: cuda:0.")
    ] = "cpu",
    devices: Annotated[
        int | None, typer.Option(help="Processes that train, as --devices of `train`.", min=1)
    ] = None,
    into: Annotated[
        Path | None,
        typer.Option(help="Folder of the package's weights: copy the model there and list it."),
    ] = None,
) -> None:
    """Render, label, train, export and measure, as a release file says; resumes step by step."""
    from .catalogue_entry import put_into
    from .child import run_command
    from .make import Workshop
    from .release import find_release, read_release

    given: dict[str, Path] = {}
    shape = "NAME=CHECKPOINT, a file"
    for name, path in named_entries("--use", use or (), shape).items():
        given[name] = Path(path)
        if not given[name].is_file():
            raise ValueError(f"--use: expected {shape}, got {f'{name}={path}'!r}")
    named_entries("--against", against or ())
    workshop = Workshop(
        run_command,
        data,
        out,
        given,
        tuple(against or ()),
        evaluate,
        ("--devices", str(devices)) if devices else (),
        render_options=("--device", render_device),
    )
    folder = workshop.make(read_release(find_release(release)))
    typer.echo(f"{folder / 'card.md'}  the figures of the model")
    if into:
        typer.echo(f"{put_into(into, folder)}  listed in {into / 'models.json'}")
