"""`bodypix video`: a film in, the same film with effects out."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from bodypix.cli import moving
from bodypix.cli.console import EXIT_FAILED, print_error, stderr
from bodypix.cli.kinds import Colors
from bodypix.cli.options import (
    Device,
    InternalResolution,
    ModelName,
    Offline,
    Threads,
    film_threads,
    load_model,
    resolution_share,
)
from bodypix.cli.settings import Settings

if TYPE_CHECKING:
    from bodypix.media.backdrops import Backdrop

EXAMPLES = """Examples:

bodypix video talk.mp4 -o out.mp4 --effect bokeh

bodypix video talk.mp4 -o out.mp4 --effect replace --background beach.mp4

bodypix video talk.mp4 -o cut.webm --effect cutout

bodypix video talk.mp4 -o frames/ --effect parts --effect skeleton

Exit codes: 0 done; 1 the input is damaged or writing failed; 2 nothing done, wrong use;
130 interrupted.
"""


def command(
    source: Annotated[
        str,
        typer.Argument(
            metavar="IN",
            show_default=False,
            help="Video, animation (GIF, WebP), folder or pattern of pictures, or - for raw RGB "
            "frames on standard input.",
        ),
    ],
    output: Annotated[
        str,
        typer.Option(
            "--output",
            "-o",
            metavar="OUT",
            rich_help_panel=moving.WRITE,
            show_default=False,
            help="Video (.mp4 .mkv .webm .mov), animation (.gif .webp), folder or pattern of PNG "
            "files, or - for raw frames on standard output.",
        ),
    ],
    effects: moving.Effects,
    background: moving.Background = "#00b140",
    opacity: moving.Opacity = 0.7,
    colors: moving.ColorScale = Colors.RAINBOW,
    blur: moving.Blur = None,
    edge_blur: moving.EdgeBlur = 3.0,
    soft: moving.Soft = True,
    cell: moving.Cell = 10,
    threshold: moving.Threshold = 0.7,
    smoothing: moving.Smoothing = 0.9,
    max_people: moving.MaxPeople = 10,
    score_threshold: moving.ScoreThreshold = 0.4,
    flip_horizontal: moving.FlipHorizontal = False,
    quality: moving.Quality = 80,
    audio: moving.Audio = True,
    keep_partial: moving.KeepPartial = False,
    size: moving.Size = None,
    rate: moving.Rate = None,
    model: ModelName = None,
    device: Device = "auto",
    threads: Threads = None,
    internal_resolution: InternalResolution = "medium",
    offline: Offline = False,
    settings: Settings = None,
    quiet: moving.Quiet = False,
) -> None:
    """Put effects on people, or on what is behind them, in a film.

    Every frame keeps its own time, and the sound is copied. The output appears under its name only
    when it is whole.
    """
    share = resolution_share(internal_resolution)
    dimensions = moving.size_of(size)

    from bodypix.cli.conversion import convert, summary
    from bodypix.cli.targets import refuse_film
    from bodypix.media.effects import Look
    from bodypix.media.filming import Film, film_stages
    from bodypix.media.sinks import open_sink
    from bodypix.media.sources import open_source
    from bodypix.options import InferenceOptions

    refuse_film(output, source, background, model, settings)
    with backdrop_of(background) as backdrop:
        film = Film(
            effects=[effect.value for effect in dict.fromkeys(effects)],
            look=Look(
                colors=colors.value,
                opacity=opacity,
                blur=blur,
                edge_blur=edge_blur,
                cell=cell,
                soft=soft,
            ),
            backdrop=backdrop,
            smoothing=moving.smoothing_of(smoothing),
            options=InferenceOptions(
                internal_resolution=share,
                segmentation_threshold=threshold,
                flip_horizontal=flip_horizontal,
                max_detections=max_people,
                score_threshold=score_threshold,
            ),
        )
        loaded = load_model(model, device, film_threads(threads), offline=offline)
        console = stderr()
        with open_source(source, size=dimensions, rate=rate) as opened:
            with open_sink(
                output,
                like=opened,
                alpha=film.alpha,
                quality=quality,
                audio=audio,
                keep_partial=keep_partial,
            ) as sink:
                report = convert(
                    opened,
                    film_stages(loaded, lambda: film),
                    sink,
                    console,
                    bar=console.is_terminal and not quiet,
                    keep_partial=keep_partial,
                )
            problem = opened.problem
    if not quiet:
        console.print(summary(report, output, loaded.device))
    if problem:
        print_error(f"{source}: {problem}; the frames before are written.")
        raise typer.Exit(EXIT_FAILED)


def backdrop_of(text: str) -> Backdrop:
    """The argument of --background: a colour, a picture, or else a film."""
    from bodypix.cli.inputs import PICTURE_SUFFIXES
    from bodypix.cli.pictures import read_background
    from bodypix.media.backdrops import Backdrop, FilmBackdrop

    moves = os.path.isfile(text) and Path(text).suffix.lower() not in PICTURE_SUFFIXES
    return FilmBackdrop(text) if moves else Backdrop(read_background(text))
