"""`bodypix models`: list, download and look into models, and convert those of tfjs."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.table import Table
from rich.text import Text

from bodypix.cli.console import EXIT_FAILED, print_error, stdout
from bodypix.cli.options import Offline, model_path
from bodypix.errors import BodyPixError

if TYPE_CHECKING:
    from bodypix.checkpoints.catalogue import OwnModel, PublishedModel

app = typer.Typer(
    no_args_is_help=True,
    help="Built-in and published models: list, download, convert, info.",
    epilog="Downloads are kept in the folder that `bodypix models list` shows; BODYPIX_CACHE names "
    "another one, BODYPIX_OFFLINE=1 forbids downloads.",
)


@app.command("list")
def list_models() -> None:
    """All models by name, and which of them are on this machine."""
    from bodypix.checkpoints import store
    from bodypix.checkpoints.catalogue import PublishedModel, all_models

    models = all_models()
    table = Table(box=None, pad_edge=False, header_style="bold")
    for heading in ("name", "network", "stride", "size", "where"):
        # Names are there to be copied: on a narrow terminal another column gives way.
        table.add_column(
            heading,
            justify="right" if heading in ("stride", "size") else "left",
            min_width=max(len(model.name) for model in models) if heading == "name" else None,
        )
    for model in models:
        if isinstance(model, PublishedModel):
            options = model.options
            facts = (options.architecture, options.multiplier, options.output_stride)
            megabytes = f"{model.megabytes:g}"
        else:
            facts = (model.architecture, model.multiplier, model.output_stride)
            megabytes = f"{model.size / 1e6:.1f}"
        architecture, multiplier, stride = facts
        network = architecture + (f" {multiplier:g}" if architecture == "MobileNetV1" else "")
        table.add_row(model.name, network, str(stride), f"{megabytes} MB", _where(model))
    console = stdout()
    console.print(table)
    console.print(f"\nDownloads are kept in {store.cache_folder()}", markup=False)


def _where(model: OwnModel | PublishedModel) -> str:
    """Where a model's file is, and the other names it has."""
    from bodypix.checkpoints import store
    from bodypix.checkpoints.catalogue import PublishedModel

    if isinstance(model, PublishedModel):
        return "downloaded" if store.cached(model) else "to download"
    notes = ["the default"] if model.default else []
    notes += [f"also named {model.alias}"] if model.alias else []
    if model.built_in:
        place = "built in"
    else:
        place = "downloaded" if store.cached(model) else "to download"
    return ", ".join([place, *notes])


@app.command(
    "download", epilog="Exit codes: 0 all there; 1 some could not be fetched; 2 wrong use."
)
def download(
    names: Annotated[
        list[str] | None,
        typer.Argument(metavar="NAME", help="Names of `bodypix models list`.", show_default=False),
    ] = None,
    everything: Annotated[bool, typer.Option("--all", help="Every model, about 500 MB.")] = False,
) -> None:
    """Fetch models, and convert the published ones, so that later runs need no network."""
    from bodypix.checkpoints.catalogue import all_models, find_model

    wanted = [model.name for model in all_models()] if everything else list(names or [])
    if not wanted:
        raise typer.BadParameter("expected at least one name, or --all.", param_hint="NAME")
    for name in wanted:
        find_model(name)  # a name that does not exist stops before anything is fetched
    failed = False
    for name in wanted:
        try:
            path = model_path(name)
        except BodyPixError as error:
            print_error(f"{name}: {error}")
            failed = True
        else:
            stdout().print(f"{name}: {path}", markup=False)
    if failed:
        raise typer.Exit(EXIT_FAILED)


@app.command("convert", epilog="Example: bodypix models convert model-stride16.json -o model.onnx")
def convert(
    source: Annotated[
        Path,
        typer.Argument(
            metavar="MODEL.json",
            help="A tfjs graph model, its weight shards beside it.",
            show_default=False,
        ),
    ],
    output: Annotated[
        Path,
        typer.Option("--output", "-o", metavar="FILE.onnx", show_default=False, help="To write."),
    ],
) -> None:
    """Make an ONNX file from a BodyPix model in tfjs format."""
    from bodypix.checkpoints import info

    if output.suffix.lower() != ".onnx":
        raise typer.BadParameter(f"expected a name ending in .onnx; got {output}.", param_hint="-o")
    made = info.convert(source, output)
    stdout().print(f"{output}: {made.metadata.name}, {made.size / 1e6:.1f} MB", markup=False)


@app.command("info")
def show_info(
    model: Annotated[
        str,
        typer.Argument(
            metavar="NAME|FILE",
            help="A name of `bodypix models list`, an .onnx file or a tfjs JSON.",
            show_default=False,
        ),
    ],
    offline: Offline = False,
) -> None:
    """What a model is, what it computes, and where its file lies."""
    from bodypix.checkpoints.info import model_info

    found = model_info(model_path(model, offline=offline))
    facts = found.metadata
    width = f" {facts.multiplier:g}" if facts.architecture == "MobileNetV1" else ""
    table = Table(box=None, pad_edge=False, show_header=False)
    table.add_column(style="bold")
    for key, value in {
        "name": f"{facts.name}, version {facts.version}",
        "network": f"{facts.architecture}{width}, output stride {facts.output_stride}",
        "parameters": f"{found.parameters / 1e6:.2f} million",
        "person mask": f"from {facts.person_head}",
        "body parts": f"from {facts.parts_head}",
        "heads": ", ".join(f"{head} ({channels})" for head, channels in found.heads.items()),
        "licence": facts.licence,
        "file": str(found.path),
        "size": f"{found.size / 1e6:.2f} MB",
        "sha256": found.sha256,
    }.items():
        table.add_row(key, Text(value))
    stdout().print(table)
