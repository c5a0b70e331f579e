"""The command line as a whole: its commands, `--version`, and how errors end a command."""

from __future__ import annotations

import os
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

import bodypix
from bodypix.cli import anonymize, demo, image, models, serve, video, webcam
from bodypix.cli.console import EXIT_USAGE, exit_code_of, print_error
from bodypix.cli.settings import explained
from bodypix.errors import BodyPixError
from bodypix.interrupts import Terminated, raising_terminated


class _Commands(TyperGroup):
    """Turns errors that bodypix raises on purpose into one line on stderr and exit code 2.

    SIGTERM ends a command as Ctrl-C does, so that nothing half written is left.
    """

    def invoke(self, ctx: Any) -> Any:
        with raising_terminated():
            try:
                return super().invoke(ctx)
            except (BodyPixError, typer.BadParameter) as error:
                told = explained(error, ctx) or error
                if isinstance(told, typer.BadParameter):
                    raise
                print_error(told)
                raise typer.Exit(EXIT_USAGE) from error
            except Terminated as stop:
                raise typer.Exit(exit_code_of(stop)) from None


app = typer.Typer(
    name="bodypix",
    cls=_Commands,
    no_args_is_help=True,
    rich_markup_mode="rich",
    context_settings={"help_option_names": ["-h", "--help"]},
    pretty_exceptions_show_locals=False,
    epilog="Exit codes: 0 all done; 1 some inputs failed; 2 wrong use; 130 interrupted.",
)
app.command("image", epilog=image.EXAMPLES)(image.command)
app.command("video", epilog=video.EXAMPLES)(video.command)
app.command("webcam", epilog=webcam.EXAMPLES)(webcam.command)
app.command("anonymize", epilog=anonymize.EXAMPLES)(anonymize.command)
app.command("demo", epilog=demo.EXAMPLES)(demo.command)
app.command("serve", epilog=serve.EXAMPLES)(serve.command)
app.add_typer(models.app, name="models")


def _print_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"bodypix {bodypix.__version__}")
        raise typer.Exit


@app.callback()
def _options(
    version: Annotated[
        bool,
        typer.Option(
            "--version", callback=_print_version, is_eager=True, help="Print the version and exit."
        ),
    ] = False,
) -> None:
    """Person masks, 24 body parts and poses from photos and films."""


def main() -> None:
    """Entry point of the script `bodypix` and of `python -m bodypix`."""
    # OpenCV reads it when it is imported. What is wrong is said here, in one line.
    os.environ.setdefault("OPENCV_LOG_LEVEL", "SILENT")
    app(prog_name="bodypix")
