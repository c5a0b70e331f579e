"""A film from a source to a sink with a bar, and how that can end."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import typer
from rich.console import Console
from rich.markup import escape
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    ProgressColumn,
    Task,
    TextColumn,
    TimeRemainingColumn,
)
from rich.text import Text

from bodypix.cli.console import EXIT_FAILED, exit_code_of, print_error
from bodypix.errors import ImageError, MediaError, OutputError

if TYPE_CHECKING:
    from bodypix.media.frames import Frame, Sink, Source
    from bodypix.media.pipeline import Report, Stage


class _Speed(ProgressColumn):
    """Frames a second of late."""

    def render(self, task: Task) -> Text:
        return Text("" if task.speed is None else f"{task.speed:.0f} frames/s")


def convert(
    source: Source,
    stages: Mapping[str, Stage],
    sink: Sink,
    console: Console,
    *,
    bar: bool,
    keep_partial: bool,
) -> Report:
    """Take a whole film through the stages, and close the sink.

    Frames done and time left are shown on the way.

    Raises:
        typer.Exit: it was interrupted, or reading or writing failed; what happened was printed.
    """
    from bodypix.media.pipeline import run

    columns = (
        TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), _Speed(),
        TimeRemainingColumn(),
    )  # fmt: skip
    with Progress(*columns, console=console, disable=not bar, transient=True) as progress:
        task = progress.add_task(escape(source.name), total=source.count)

        def on_frame(_: Frame) -> None:
            progress.advance(task)

        kept = "what was done is kept" if keep_partial else "nothing was written"
        try:
            report = run(source, stages, [sink], on_frame=on_frame)
            sink.close()  # here, so that a disk that is full at the end counts as well
        except KeyboardInterrupt as stop:
            console.print(f"[red]interrupted[/red]; {kept}.")
            raise typer.Exit(exit_code_of(stop)) from None
        except (MediaError, ImageError) as error:
            print_error(f"{error} ({kept})")
            raise typer.Exit(EXIT_FAILED) from None
        except OutputError as error:
            print_error(error)
            raise typer.Exit(EXIT_FAILED) from None
    return report


def summary(report: Report, output: str, device: str) -> str:
    """One line on a film that is done."""
    speed = report.frames / report.seconds if report.seconds else 0.0
    frames = f"{report.frames} {'frame' if report.frames == 1 else 'frames'}"
    return f"{frames}, {speed:.0f} a second ({device}), written to {escape(output)}."
