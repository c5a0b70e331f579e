"""`bodypix anonymize`: a film in which faces, or whole people, cannot be recognised."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console
from rich.markup import escape

from bodypix.cli import moving
from bodypix.cli.console import EXIT_FAILED, print_error, stderr
from bodypix.cli.kinds import How, What
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
from bodypix.errors import OutputError

if TYPE_CHECKING:
    from bodypix.media.anonymizing import Account, HidingOptions

EXAMPLES = """Examples:

bodypix anonymize interview.mp4 -o safe.mp4

bodypix anonymize street.mp4 -o safe.mp4 --what people --how fill --report report.json

No program finds every face. Look at the result, first of all at the frames that the report names.

Exit codes: 0 done; 1 the input is damaged, writing failed, or with --strict there are frames in
which nobody was found; 2 nothing done, wrong use; 130 interrupted.
"""

_HIDE = "What to hide"
_SHOWN_SPANS = 5


def command(
    source: Annotated[
        str,
        typer.Argument(
            metavar="IN",
            show_default=False,
            help="Video, animation, folder or pattern of pictures, or - for raw RGB frames.",
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
            help="As in bodypix video.",
        ),
    ],
    what: Annotated[
        What, typer.Option(rich_help_panel=_HIDE, help="Faces, or people from head to foot.")
    ] = What.FACES,
    how: Annotated[
        How,
        typer.Option(
            rich_help_panel=_HIDE, help="Only fill leaves nothing that could be worked back."
        ),
    ] = How.BLUR,
    color: Annotated[
        str, typer.Option(rich_help_panel=_HIDE, metavar="COLOUR", help="Of fill: #rrggbb.")
    ] = "#000000",
    margin: Annotated[
        float,
        typer.Option(
            min=0, max=1, rich_help_panel=_HIDE, help="Around it, as a share of its size."
        ),
    ] = 0.15,
    seconds: Annotated[
        float,
        typer.Option(
            min=0,
            max=2,
            rich_help_panel=_HIDE,
            help="What is hidden stays hidden so long before and after.",
        ),
    ] = 0.2,
    threshold: Annotated[
        float,
        typer.Option(
            min=0,
            max=1,
            rich_help_panel=_HIDE,
            help="A pixel is a person above this probability; lower hides more.",
        ),
    ] = 0.3,
    report: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            rich_help_panel=moving.WRITE,
            show_default=False,
            help="Write as JSON in which frames nobody, or no face, was found.",
        ),
    ] = None,
    strict: Annotated[
        bool,
        typer.Option("--strict", help="Exit code 1 if there are frames in which nobody was found."),
    ] = False,
    quality: moving.Quality = 80,
    audio: moving.Audio = True,
    keep_partial: moving.KeepPartial = False,
    size: moving.Size = None,
    rate: moving.Rate = None,
    model: ModelName = None,
    device: Device = "auto",
    threads: Threads = None,
    internal_resolution: InternalResolution = "high",
    offline: Offline = False,
    settings: Settings = None,
    quiet: moving.Quiet = False,
) -> None:
    """Hide faces, or people, in a film, and say in which frames nobody was found.

    Voices stay (--no-audio takes them out). Titles, places and other notes in the file are not
    copied. A text on a shirt, a voice or a room can tell who somebody is as well.
    """
    share = resolution_share(internal_resolution)
    dimensions = moving.size_of(size)

    from bodypix.cli.conversion import convert, summary
    from bodypix.cli.targets import check_file, refuse_film, refuse_report
    from bodypix.media.anonymizing import Anonymizer, HidingOptions
    from bodypix.media.sinks import open_sink
    from bodypix.media.sources import open_source

    refuse_film(output, source, model, settings)
    if report is not None:
        refuse_report(report, output, source, model, settings)
    options = HidingOptions(
        what=what.value,
        how=how.value,
        color=color,
        margin=margin,
        seconds=seconds,
        threshold=threshold,
        internal_resolution=share,
    )
    loaded = load_model(model, device, film_threads(threads), offline=offline)
    console = stderr()
    with open_source(source, size=dimensions, rate=rate) as opened:
        anonymizer = Anonymizer(loaded, options)
        with open_sink(
            output,
            like=opened,
            quality=quality,
            audio=audio,
            keep_partial=keep_partial,
        ) as sink:
            if report is not None:
                check_file("--report", report)  # now, as the sink may have made its folder
            done = convert(
                opened,
                anonymizer.stages(),
                sink,
                console,
                bar=console.is_terminal and not quiet,
                keep_partial=keep_partial,
            )
        problem = opened.problem
    account = anonymizer.account
    if not quiet:
        console.print(summary(done, output, loaded.device))
    _print_account(console, account, what, report)
    reported = report is None or _write_report(
        report, source, output, options, loaded.info.name, account
    )
    if problem:
        print_error(f"{source}: {problem}; the frames before are written.")
    if problem or not reported or (strict and account.nobody):
        raise typer.Exit(EXIT_FAILED)


def _write_report(
    path: Path,
    source: str,
    output: str,
    options: HidingOptions,
    model: str,
    account: Account,
) -> bool:
    """Write the account as a JSON file, with what it is an account of; False, and said, if not."""
    from bodypix.files import write_whole

    content = {
        "source": source,
        "output": output,
        "model": model,
        "options": asdict(options),
        **account.to_dict(),
    }
    text = json.dumps(content, indent=2) + "\n"
    try:
        write_whole(path, lambda file: file.write(text.encode()), field="--report")
    except OutputError as error:
        print_error(error)
        return False
    return True


def _print_account(console: Console, account: Account, what: What, report: Path | None) -> None:
    """What the user should look at, in a few lines; these are shown even with --quiet."""
    kinds = [("nobody was found", account.nobody)]
    if what is What.FACES:
        kinds.append(("somebody, but no face, was found", account.no_face))
    for text, numbers in kinds:
        if not numbers:
            continue
        spans = account.spans(numbers)
        shown = ", ".join(map(_span_text, spans[:_SHOWN_SPANS]))
        more = len(spans) - _SHOWN_SPANS
        rest = f" and {more} more" if more > 0 else ""
        where = f"; all of them are in {report}" if more > 0 and report is not None else ""
        console.print(
            f"[yellow]Look at these:[/yellow] {text} in {len(numbers)} of {account.frames} frames: "
            f"{escape(shown + rest + where)}."
        )
    if account.by_time:
        console.print(
            f"In {len(account.by_time)} of these something is hidden, as it was found shortly "
            "before or after."
        )


def _span_text(span: dict[str, Any]) -> str:
    """A run of frames as people look for it in a player: 0:01.2-0:03.0."""
    first, last = (_clock_text(span[key]) for key in ("from", "to"))
    return first if first == last else f"{first}-{last}"


def _clock_text(seconds: float) -> str:
    tenths = round(seconds * 10)
    return f"{tenths // 600}:{tenths % 600 // 10:02}.{tenths % 10}"
