"""`bodypix demo`: segment a real photo, show what comes out and how fast."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.table import Table

from bodypix.cli.console import stdout
from bodypix.cli.kinds import Effect, Kind
from bodypix.cli.options import (
    Device,
    InternalResolution,
    ModelName,
    Offline,
    Threads,
    given_path,
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
_COPY, _LEGEND = "photo.jpg", "legend.png"
_PICTURES: tuple[tuple[Kind | Effect, str], ...] = (
    (Kind.MASK, "mask.png"),
    (Kind.PARTS, "parts.png"),
    (Kind.OVERLAY, "overlay.jpg"),
    (Kind.CUTOUT, "cutout.png"),
    (Effect.BOKEH, "bokeh.jpg"),
    (Effect.BLUR_FACE, "blur-face.jpg"),
)


def command(
    output: Annotated[
        Path,
        typer.Option(
            "--output", "-o", parser=given_path, metavar="FOLDER", help="Folder to write to."
        ),
    ] = Path("bodypix-demo"),
    photo: Annotated[
        Path,
        typer.Option(metavar="FILE", show_default="the built-in one", help="Photo to segment."),
    ] = _PHOTO,
    model: ModelName = None,
    device: Device = "auto",
    threads: Threads = None,
    internal_resolution: InternalResolution = "medium",
    offline: Offline = False,
) -> None:
    """Segment a photo into the person and 24 body parts, and measure how long it takes.

    Without options: the built-in photo (Eileen Collins; NASA, public domain) and weights.
    """
    share = resolution_share(internal_resolution)

    from bodypix import drawing
    from bodypix.cli.pictures import render, write_picture
    from bodypix.cli.search import Search
    from bodypix.cli.targets import check_folder, refuse_overwriting
    from bodypix.images import read_image
    from bodypix.media.effects import Look
    from bodypix.results import PartSegmentation

    for name in (_COPY, _LEGEND, *(name for _, name in _PICTURES)):
        refuse_overwriting("--output", output / name, [photo, model])
    check_folder(output)
    image = read_image(photo)
    loaded = load_model(model, device, threads, offline=offline)
    found = Search(parts=True, poses=True, internal_resolution=share).run(loaded, image)
    pictures = {_COPY: image, _LEGEND: drawing.draw_legend()}
    for what, name in _PICTURES:
        pictures[name] = next(render(what, found, Look()))[1]
    for name, picture in pictures.items():
        write_picture(output / name, picture)

    (person,) = found.segmentations
    assert isinstance(person, PartSegmentation)
    poses = f"{len(found.poses)} {'pose' if len(found.poses) == 1 else 'poses'}"
    console = stdout()
    for line in (
        f"Written to {output}: {', '.join(pictures)}",
        f"Found: person on {person.mask.mean():.0%} of the picture, "
        f"{len(person.parts)} of 24 parts, {poses}",
        f"Model: {loaded.info.name} on {loaded.device}, photo {image.shape[1]}x{image.shape[0]}",
    ):
        console.print(line, markup=False)
    console.print(_timings(loaded, image, share))


def _timings(model: BodyPix, image: NDArray[np.uint8], share: float) -> Table:
    """How long the network and the whole call take, for the person and for the parts."""
    import numpy as np

    from bodypix.geometry import Frame
    from bodypix.preprocessing import fill_network_input

    facts = model.info
    frame = Frame.of((image.shape[0], image.shape[1]), share, facts.output_stride)
    tensor = np.empty((1, *frame.input_size, 3), np.float32)
    fill_network_input(image, frame, facts.preprocessing, tensor[0])
    table = Table(box=None, pad_edge=False, header_style="bold")
    table.add_column(f"median of {_RUNS} runs")
    table.add_column("network", justify="right")
    table.add_column("whole call", justify="right")
    heads = [facts.person_head, facts.parts_head]
    # The engine alone is the network's share of the call.
    person_network = _median_ms(partial(model._engine.run, tensor, heads[:1]))
    parts_network = _median_ms(partial(model._engine.run, tensor, heads))
    person = _median_ms(partial(model.segment_person, image, internal_resolution=share))
    parts = _median_ms(partial(model.segment_person_parts, image, internal_resolution=share))
    table.add_row("person mask", f"{person_network:.1f} ms", f"{person:.1f} ms")
    table.add_row("24 parts", f"{parts_network:.1f} ms", f"{parts:.1f} ms")
    return table


def _median_ms(call: Callable[[], object]) -> float:
    """Median time of a call in milliseconds; the first, which sets things up, is not counted."""
    call()
    seconds = []
    for _ in range(_RUNS):
        start = time.perf_counter()
        call()
        seconds.append(time.perf_counter() - start)
    return 1000 * statistics.median(seconds)
