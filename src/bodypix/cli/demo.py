"""`bodypix demo`: segment a real photo, show what comes out and how fast."""

from __future__ import annotations

import statistics
import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from bodypix.cli.console import stdout
from bodypix.cli.options import (
    Device,
    InternalResolution,
    ModelName,
    Offline,
    Threads,
    load_model,
    resolution_share,
)

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from bodypix.segmenter import BodyPix

EXAMPLES = """Examples:

bodypix demo

bodypix demo --photo me.jpg -o me --internal-resolution full
"""

_PHOTO = Path(__file__).parents[1] / "assets" / "astronaut.jpg"
_RUNS = 10


def command(
    output: Annotated[
        Path, typer.Option("--output", "-o", metavar="FOLDER", help="Folder to write to.")
    ] = Path("bodypix-demo"),
    photo: Annotated[
        Path, typer.Option(metavar="FILE", show_default="the built-in one", help="Photo to segment.")
    ] = _PHOTO,
    model: ModelName = None,
    device: Device = "auto",
    threads: Threads = None,
    internal_resolution: InternalResolution = "medium",
    offline: Offline = False,
) -> None:
    """Segment a photo into the person and 24 body parts, and measure how long it takes.

    Without options: the built-in photo (Eileen Collins; NASA, public domain), the built-in weights.
    """
    share = resolution_share(internal_resolution)

    from bodypix import drawing
    from bodypix.cli.batch import check_folder
    from bodypix.cli.kinds import Effect, Kind
    from bodypix.cli.pictures import Look, render, write_picture
    from bodypix.cli.search import Search
    from bodypix.images import load_image

    check_folder(output)
    image = load_image(photo)
    loaded = load_model(model, device, threads, offline=offline)
    found = Search(parts=True, poses=True, internal_resolution=share).run(loaded, image)
    pictures = {"photo.jpg": image, "legend.png": drawing.draw_legend()}
    for what, name in (
        (Kind.MASK, "mask.png"),
        (Kind.PARTS, "parts.png"),
        (Kind.OVERLAY, "overlay.jpg"),
        (Kind.CUTOUT, "cutout.png"),
        (Effect.BOKEH, "bokeh.jpg"),
        (Effect.BLUR_FACE, "blur-face.jpg"),
    ):
        pictures[name] = next(render(what, found, Look()))[1]
    for name, picture in pictures.items():
        write_picture(output / name, picture)
