"""Options that the commands for moving pictures share."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Annotated

import typer

from bodypix.cli.kinds import Colors, MovingEffect

if TYPE_CHECKING:
    from bodypix.temporal.smoothing import SmoothingOptions

FIND, LOOK, READ, WRITE = "What to find", "How it looks", "What to read", "What to write"
"""Panels of --help."""

Effects = Annotated[
    list[MovingEffect],
    typer.Option(
        "--effect",
        "-e",
        metavar="EFFECT",
        rich_help_panel=LOOK,
        show_default=False,
        help="bokeh, replace, mask, pixelate, blur-face, parts, people, skeleton or cutout; "
        "repeated, each is drawn over the one before.",
    ),
]
Background = Annotated[
    str,
    typer.Option(
        metavar="COLOUR|FILE",
        rich_help_panel=LOOK,
        help="For replace: #rrggbb, black, white, gray, green, a picture, or a video, which is "
        "played over and over.",
    ),
]
Threshold = Annotated[
    float,
    typer.Option(
        min=0, max=1, rich_help_panel=FIND, help="A pixel is a person above this probability."
    ),
]
Smoothing = Annotated[
    float,
    typer.Option(
        min=0,
        max=0.99,
        rich_help_panel=FIND,
        help="How steady masks are where the picture stands still; 0: each frame by itself.",
    ),
]
MaxPeople = Annotated[
    int, typer.Option(min=1, rich_help_panel=FIND, help="Most people to look for.")
]
ScoreThreshold = Annotated[
    float, typer.Option(min=0, max=1, rich_help_panel=FIND, help="Lowest score of a pose.")
]
FlipHorizontal = Annotated[
    bool,
    typer.Option(
        "--flip-horizontal",
        rich_help_panel=FIND,
        help="The input is mirrored: give left and right as the person's own.",
    ),
]
Opacity = Annotated[
    float, typer.Option(min=0, max=1, rich_help_panel=LOOK, help="Of colours over the picture.")
]
ColorScale = Annotated[
    Colors, typer.Option("--colors", rich_help_panel=LOOK, help="Colour scale of the parts.")
]
Blur = Annotated[
    float | None,
    typer.Option(
        min=0,
        max=250,
        rich_help_panel=LOOK,
        show_default="1% of the longer side, 3 to 250",
        help="Blur of bokeh and blur-face in pixels.",
    ),
]
EdgeBlur = Annotated[
    float,
    typer.Option(min=0, max=250, rich_help_panel=LOOK, help="Softness of edges in pixels."),
]
Soft = Annotated[
    bool,
    typer.Option(
        "--soft/--hard",
        rich_help_panel=LOOK,
        help="Edges of cutout and replace: fine, from probability and picture, or as the "
        "threshold cuts them.",
    ),
]
Cell = Annotated[
    int, typer.Option(min=1, rich_help_panel=LOOK, help="Cell size of pixelate in pixels.")
]
Quality = Annotated[
    int,
    typer.Option(
        min=1,
        max=100,
        rich_help_panel=WRITE,
        help="Of the written video; 20 more is about twice the bits.",
    ),
]
KeepPartial = Annotated[
    bool,
    typer.Option(
        "--keep-partial",
        rich_help_panel=WRITE,
        help="Keep what is done after Ctrl-C or an error, as a playable file.",
    ),
]
Audio = Annotated[
    bool, typer.Option("--audio/--no-audio", rich_help_panel=WRITE, help="Keep the sound.")
]
Size = Annotated[
    str | None,
    typer.Option(
        metavar="WIDTHxHEIGHT",
        rich_help_panel=READ,
        show_default=False,
        help="Of raw frames on standard input; asked of a camera.",
    ),
]
Rate = Annotated[
    float | None,
    typer.Option(
        min=0.01,
        rich_help_panel=READ,
        show_default=False,
        help="Frames a second, where the input does not say; asked of a camera.",
    ),
]
Quiet = Annotated[
    bool, typer.Option("--quiet", "-q", help="No progress bar and no summary; errors stay.")
]


def size_of(text: str | None) -> tuple[int, int] | None:
    """The argument of --size as (width, height).

    Raises:
        typer.BadParameter: not two numbers with an x between.
    """
    if text is None:
        return None
    match = re.fullmatch(r"(\d+)[x×](\d+)", text)
    if match is None:
        raise typer.BadParameter(
            f"expected WIDTHxHEIGHT such as 640x480, got {text!r}.", param_hint="--size"
        )
    return int(match[1]), int(match[2])


def smoothing_of(strength: float) -> SmoothingOptions | None:
    """The argument of --smoothing."""
    from bodypix.temporal.smoothing import SmoothingOptions

    return SmoothingOptions(strength=strength) if strength > 0 else None
