"""`bodypix models`: list, download and look into models, and convert those of tfjs."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table
from rich.text import Text

from bodypix.cli.console import EXIT_FAILED, print_error, stdout
from bodypix.cli.options import Offline, model_path
from bodypix.errors import BodyPixError

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
    from bodypix.checkpoints.catalogue import PUBLISHED, built_in_models

    table = Table(box=None, pad_edge=False, header_style="bold")
    for heading in ("name", "network", "stride", "size", "where"):
        # Names are there to be copied: on a narrow terminal another column gives way.
        table.add_column(
            heading,
            justify="right" if heading in ("stride", "size") else "left",
            min_width=max(len(model.name) for model in PUBLISHED) if heading == "name" else None,
        )
    for model in built_in_models():
        where = "built in, the default" if model.default else "built in"
        network = f"{model.architecture} {model.multiplier:g}"
        table.add_row(
            model.name, network, str(model.output_stride), f"{model.size / 1e6:.1f} MB", where
        )
    for published in PUBLISHED:
        options = published.options
        network = options.architecture
        if network == "MobileNetV1":
            network += f" {options.multiplier:g}"
        where = "downloaded" if store.cached(published) else "to download"
        table.add_row(
            published.name,
            network,
            str(options.output_stride),
            f"{published.megabytes:g} MB",
            where,
        )
    console = stdout()
    console.print(table)
    console.print(f"\nDownloads are kept in {store.cache_folder()}", markup=False)


@app.command(
    "download", epilog="Exit codes: 0 all there; 1 some could not be fetched; 2 wrong use."
)
def download(
    names: Annotated[
        list[str] | None,
        typer.Argument(metavar="NAME", help="Names of `bodypix models list`.", show_default=False),
    ] = None,
    everything: Annotated[
        bool, typer.Option("--all", help="Every published model, about 500 MB.")
    ] = False,
) -> None:
    """Fetch published models and convert them, so that later runs need no network."""
    from bodypix.checkpoints.catalogue import PUBLISHED, published

    wanted = [model.name for model in PUBLISHED] if everything else list(names or [])
    if not wanted:
        raise typer.BadParameter("expected at least one name, or --all.", param_hint="NAME")
    for name in wanted:
        published(name)  # a name that does not exist stops before anything is fetched
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
