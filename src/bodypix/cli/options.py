"""Options that several commands share: which model, on which device, at which resolution."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from bodypix.segmenter import BodyPix

_PANEL = "How to run"

ModelName = Annotated[
    str | None,
    typer.Option(
        "--model",
        "-m",
        metavar="NAME|FILE",
        rich_help_panel=_PANEL,
        show_default="the built-in default",
        help="A name of `bodypix models list`, an .onnx file, or a tfjs model.json.",
    ),
]
Device = Annotated[
    str,
    typer.Option(rich_help_panel=_PANEL, help="auto, cpu, or cuda (fails where there is none)."),
]
Threads = Annotated[
    int | None,
    typer.Option(
        min=1, rich_help_panel=_PANEL, show_default="all cores", help="Threads on the CPU."
    ),
]
InternalResolution = Annotated[
    str,
    typer.Option(
        "--internal-resolution",
        metavar="SIZE",
        rich_help_panel=_PANEL,
        help="Size the network sees: low, medium, high, full, or a factor from 0.1 to 2. "
        "Larger is finer and slower.",
    ),
]
Offline = Annotated[
    bool,
    typer.Option("--offline", rich_help_panel=_PANEL, help="Never download; fail instead."),
]


def given_path(text: str | Path) -> Path:
    """A path; "" is none, though pathlib takes it for the current folder.

    It is what a shell makes of a variable that was never set.

    Raises:
        typer.BadParameter: which ends the command with exit code 2.
    """
    if not str(text):
        raise typer.BadParameter("expected a path, got an empty text.")
    return Path(text)


def resolution_share(text: str) -> float:
    """The argument of --internal-resolution as a number.

    Raises:
        InvalidArgumentError: neither a name nor a number from 0.1 to 2.
    """
    from bodypix import geometry

    try:
        value: float | str = float(text)
    except ValueError:
        value = text
    return geometry.resolution_share(value)  # type: ignore[arg-type]  # checks the word itself


def model_path(model: str, *, offline: bool = False) -> Path:
    """The ONNX file of a model: a name of the catalogue, a file, or the address of a tfjs model.

    What is not on this machine yet is fetched, with a progress bar on stderr.

    Raises:
        InvalidArgumentError: an unknown name.
        CheckpointError: the file is missing or no usable model, or could not be fetched.
    """
    from bodypix.checkpoints import store
    from bodypix.checkpoints.options import LoadOptions
    from bodypix.cli.downloads import download_bar

    # False would overrule BODYPIX_OFFLINE.
    never = True if offline else None
    with download_bar() as progress:
        if _is_location(model):
            options = LoadOptions(model_url=model)
            return store.resolve(options, offline=never, progress=progress)
        return store.resolve_name(model, offline=never, progress=progress)


def load_model(
    model: str | None, device: str, threads: int | None, *, offline: bool = False
) -> BodyPix:
    """`bodypix.load` with the options of the command line."""
    from bodypix.segmenter import load

    if model is None:
        return load(device=device, threads=threads)
    path = model_path(model, offline=offline)
    return load(model_url=str(path), device=device, threads=threads)


def film_threads(threads: int | None) -> int:
    """Threads for the network beside decoding, drawing and encoding: all cores but one.

    With a thread on every core the network's threads wait for each other whenever one of them is
    interrupted by the encoder, which on two cores takes longer than a single thread.
    """
    return threads or max(1, (os.cpu_count() or 1) - 1)


def _is_location(model: str) -> bool:
    """Whether a file or an address is meant, not a name."""
    return "://" in model or model.endswith((".json", ".onnx")) or os.path.isfile(model)
