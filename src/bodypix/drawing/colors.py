"""Colours: what callers may write, the scales of the 24 parts, colours that tell people apart."""

from __future__ import annotations

import colorsys
import re
from collections.abc import Sequence
from typing import Final, TypeAlias

import numpy as np
from numpy.typing import NDArray

from bodypix import body
from bodypix.drawing.checks import listed
from bodypix.errors import InvalidArgumentError

ColorLike: TypeAlias = str | Sequence[int]
"""`(r, g, b)`, `(r, g, b, a)` with 0..255 each, or `"#rgb"`, `"#rrggbb"`, `"#rrggbbaa"`."""

PartColors: TypeAlias = str | Sequence[ColorLike]
"""`"rainbow"`, `"warm"`, `"spectral"`, or one colour for each part id, starting at id 0."""

Rgba = tuple[int, int, int, int]

_HEX = re.compile(r"#(?:[0-9a-f]{3}|[0-9a-f]{6}|[0-9a-f]{8})", re.IGNORECASE)

PEOPLE_COLORS: Final[tuple[body.Color, ...]] = (
    (66, 133, 244),
    (251, 140, 0),
    (67, 170, 90),
    (229, 57, 103),
    (148, 92, 214),
    (0, 172, 193),
    (253, 216, 53),
    (141, 110, 99),
)
"""First colours of `people_colors`: neighbours in the list differ in hue and in lightness."""

_GOLDEN_RATIO = 0.618033988749895


def rgba(color: ColorLike, field: str = "color") -> Rgba:
    """Red, green, blue, alpha (0..255) of a colour; opaque where no alpha is given.

    Raises:
        InvalidArgumentError: not a colour.

    >>> rgba("#ff8000"), rgba((1, 2, 3, 0))
    ((255, 128, 0, 255), (1, 2, 3, 0))
    """
    if isinstance(color, str):
        if _HEX.fullmatch(color):
            digits = color[1:]
            if len(digits) == 3:
                digits = "".join(digit * 2 for digit in digits)
            values = list(bytes.fromhex(digits))
            return values[0], values[1], values[2], values[3] if len(values) == 4 else 255
    elif isinstance(color, (Sequence, np.ndarray)) and len(color) in (3, 4):
        channels = [_channel(value) for value in color]
        if None not in channels:
            red, green, blue, alpha = [*channels, 255][:4]
            return red, green, blue, alpha  # type: ignore[return-value]
    raise InvalidArgumentError(
        f"{field}: expected (r, g, b) or (r, g, b, a) with whole numbers from 0 to 255, or a "
        f'string such as "#ff8800"; got {color!r}.'
    )


def _channel(value: object) -> int | None:
    if isinstance(value, (int, np.integer)) and not isinstance(value, bool) and 0 <= value <= 255:
        return int(value)
    return None


def rgb(color: ColorLike, field: str = "color") -> body.Color:
    """Red, green, blue of a colour that may not be transparent.

    Raises:
        InvalidArgumentError: not a colour, or one with an alpha below 255.
    """
    red, green, blue, alpha = rgba(color, field)
    if alpha != 255:
        raise InvalidArgumentError(f"{field}: expected an opaque colour; got {color!r}.")
    return red, green, blue


def part_palette(part_colors: PartColors | None = "rainbow") -> NDArray[np.uint8]:
    """(N, 3) uint8 RGB: the colour of every part id from 0 to N-1; N is 24 for the named scales.

    None is "rainbow".

    Raises:
        InvalidArgumentError: an unknown scale, or a list that holds something else than colours.
    """
    if part_colors is None:
        part_colors = "rainbow"
    if isinstance(part_colors, str):
        scale = body.COLOR_SCALES.get(part_colors)
        if scale is None:
            raise InvalidArgumentError(
                f"part_colors: expected {', '.join(map(repr, body.COLOR_SCALES))} or a list of "
                f"colours; got {part_colors!r}."
            )
        return np.array(scale, dtype=np.uint8)
    given = enumerate(listed(part_colors))
    colors = [rgb(color, f"part_colors[{index}]") for index, color in given]
    return np.array(colors, dtype=np.uint8).reshape(-1, 3)


def people_colors(count: int) -> list[body.Color]:
    """`count` colours for `count` people: PEOPLE_COLORS, then hues a golden section apart."""
    colors = list(PEOPLE_COLORS[:count])
    for index in range(len(colors), count):
        hue = (index * _GOLDEN_RATIO) % 1.0
        lightness = (0.5, 0.65, 0.38)[index % 3]
        red, green, blue = colorsys.hls_to_rgb(hue, lightness, 0.7)
        colors.append((round(red * 255), round(green * 255), round(blue * 255)))
    return colors
