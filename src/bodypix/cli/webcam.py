"""`bodypix webcam`: a camera with effects, in a window, in a virtual camera, in a file."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, suppress
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.markup import escape

from bodypix.cli import moving
from bodypix.cli.console import stderr, stdout
from bodypix.cli.kinds import Colors, MovingEffect
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
    from bodypix.cli.controls import Controls
    from bodypix.media.frames import Frame, Sink
    from bodypix.media.pipeline import Stage
    from bodypix.media.sinks.window import WindowSink

EXAMPLES = """Examples:

bodypix webcam --effect bokeh

bodypix webcam --effect replace --background beach.jpg --virtual-camera

bodypix webcam camera:1 --effect skeleton -o me.mp4

bodypix webcam --list

Keys in the preview: q quit, e next effect, m mirror the preview, space freeze, s smoothing,
+ - threshold, [ ] blur, h help.
"""


def command(
    source: Annotated[
        str,
        typer.Argument(
            metavar="CAMERA",
            show_default=False,
            help="camera:0 (the default), camera:1, /dev/video2, or the address of a network "
            "camera.",
        ),
    ] = "camera:0",
    effects: moving.Effects = [MovingEffect.BOKEH],  # noqa: B006  # typer copies it
    list_cameras: Annotated[
        bool, typer.Option("--list", help="Show the cameras of this computer and end.")
    ] = False,
    preview: Annotated[
        bool,
        typer.Option("--preview/--no-preview", rich_help_panel=moving.WRITE, help="Show a window."),
    ] = True,
    mirror: Annotated[
        bool,
        typer.Option(
            "--mirror/--no-mirror",
            rich_help_panel=moving.WRITE,
            help="Mirror the preview (nothing else), as people know themselves.",
        ),
    ] = True,
    virtual_camera: Annotated[
        bool,
        typer.Option(
            "--virtual-camera",
            rich_help_panel=moving.WRITE,
            help='Be a camera for other programs (needs pip install "bodypix\\[virtual-camera]").',
        ),
    ] = False,
    virtual_device: Annotated[
        str,
        typer.Option(
            metavar="DEVICE",
            rich_help_panel=moving.WRITE,
            show_default="the first that is free",
            help="Which virtual camera, such as /dev/video2.",
        ),
    ] = "",
    output: Annotated[
        str | None,
        typer.Option(
            "--output",
            "-o",
            metavar="OUT",
            rich_help_panel=moving.WRITE,
            show_default=False,
            help="Also record a video (.mp4 .mkv .webm .mov).",
        ),
    ] = None,
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
    """Put effects on a camera's picture, live. Ctrl-C, q or closing the window ends it.

    Only the newest picture counts: where the computer is too slow, pictures are left out and
    nothing lags behind.
    """
    if list_cameras:
        _print_cameras(stdout())
        return
    if not (preview or virtual_camera or output):
        raise typer.BadParameter(
            "nothing would be seen of it: add --virtual-camera or --output.",
            param_hint="--no-preview",
        )
    share = resolution_share(internal_resolution)
    dimensions = moving.size_of(size)

    from bodypix.cli.controls import HELP, Controls
    from bodypix.cli.targets import refuse_film
    from bodypix.cli.video import backdrop_of
    from bodypix.media.effects import Look
    from bodypix.media.filming import Film, film_stages
    from bodypix.media.pipeline import run
    from bodypix.media.sinks import open_sink
    from bodypix.media.sinks.window import WindowSink
    from bodypix.media.sources import open_source
    from bodypix.options import InferenceOptions

    if output is not None:
        refuse_film(output, source, background, model, settings)
    console = stderr()
    with ExitStack() as stack:
        film = Film(
            effects=tuple(effect.value for effect in dict.fromkeys(effects)),
            look=Look(
                colors=colors.value,
                opacity=opacity,
                blur=blur,
                edge_blur=edge_blur,
                cell=cell,
                soft=soft,
            ),
            backdrop=stack.enter_context(backdrop_of(background)),
            smoothing=moving.smoothing_of(smoothing),
            options=InferenceOptions(
                internal_resolution=share,
                segmentation_threshold=threshold,
                flip_horizontal=flip_horizontal,
                max_detections=max_people,
                score_threshold=score_threshold,
            ),
        )
        if film.alpha and (preview or virtual_camera):
            raise typer.BadParameter(
                "cutout leaves nothing to show behind people: record it (-o me.webm --no-preview), "
                "or take replace.",
                param_hint="--effect",
            )
        loaded = load_model(model, device, film_threads(threads), offline=offline)
        camera = stack.enter_context(open_source(source, size=dimensions, rate=rate))
        if not camera.live:
            raise typer.BadParameter(
                f"{camera.name} is no camera; `bodypix video` is for files.", param_hint="CAMERA"
            )
        controls = Controls(film, mirror=mirror, blur=film.look.blur_for(camera.size))
        sinks: list[Sink] = []
        if virtual_camera:
            target = f"virtual-camera:{virtual_device}"
            sinks.append(stack.enter_context(open_sink(target, like=camera)))
        if output is not None:
            sinks.append(
                stack.enter_context(
                    open_sink(output, like=camera, alpha=film.alpha, quality=quality)
                )
            )
        window = stack.enter_context(WindowSink(size=camera.size)) if preview else None
        if not quiet:
            names = ", ".join(sink.name for sink in sinks)
            console.print(escape(f"{camera.name}{' to ' if names else ''}{names}"))
            console.print(escape(HELP) if window else "Ctrl-C ends it.")
        stages = film_stages(loaded, lambda: controls.film)
        stages["draw"] = _freezing(stages["draw"], controls)
        count = 0

        def on_frame(frame: Frame) -> bool:
            nonlocal count
            count += 1
            return window is not None and _preview(window, frame, controls, console, quiet)

        # Ctrl-C (or SIGTERM) is the way to end it without a preview; what was recorded is whole.
        with suppress(KeyboardInterrupt):
            run(camera, stages, sinks, on_frame=on_frame)
    if not quiet:
        console.print(f"{count} frames ({loaded.device}).")


def _preview(
    window: WindowSink, frame: Frame, controls: Controls, console: Console, quiet: bool
) -> bool:
    """Show a frame and obey the keys; whether it is over."""
    image = frame.image[:, ::-1] if controls.mirror else frame.image
    window.write(frame.replaced(image))
    for key in window.pressed_keys():
        answer = controls.press(key)
        if answer and not quiet:
            console.print(escape(answer))
    return controls.quit or window.closed_by_user


def _freezing(draw: Stage, controls: Controls) -> Stage:
    """A stage that, while the user wants it, repeats the last picture."""

    def pictures(frames: Iterator[Frame]) -> Iterator[Frame]:
        shown = None
        for frame in draw(frames):
            if shown is None or not controls.frozen:
                shown = frame.image
            yield frame.replaced(shown)

    return pictures


def _print_cameras(console: Console) -> None:
    from bodypix.media.sources.camera import list_cameras

    cameras = list_cameras()
    for camera in cameras:
        console.print(escape(f"camera:{camera.device}  {camera.name}"))
    if not cameras:
        console.print("No camera was found.")
