"""From what was found in a picture to the pictures that are written."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from bodypix import drawing
from bodypix.cli.kinds import PER_PERSON, Effect, Kind
from bodypix.errors import InvalidArgumentError, OutputError
from bodypix.files import write_whole
from bodypix.images import read_image
from bodypix.media import effects
from bodypix.media.effects import Found, Look, Segmentation
from bodypix.results import PartSegmentation

Array = NDArray[np.uint8]

_JPEG_QUALITY = 92
_COLOR_NAMES = {"black": "#000000", "white": "#ffffff", "gray": "#808080", "green": "#00b140"}


def read_background(text: str) -> str | Array:
    """The argument of --background: `#rrggbb`, a name of _COLOR_NAMES, or the path of a picture.

    Raises:
        InvalidArgumentError: none of these.
        ImageError: a file that is no usable picture.
    """
    if text in _COLOR_NAMES or re.fullmatch(r"#(?:[0-9a-fA-F]{3}){1,2}", text):
        return _COLOR_NAMES.get(text, text)
    if not os.path.exists(text):
        raise InvalidArgumentError(
            f"--background: expected #rrggbb, {', '.join(_COLOR_NAMES)} or a picture; got {text!r}."
        )
    return read_image(Path(text))


def render(what: Kind | Effect, found: Found, look: Look) -> Iterator[tuple[str, Array]]:
    """The pictures of one kind: pairs of what goes into the name before the ending, and pixels.

    Separate people give one picture each for the kinds in PER_PERSON (`.person-1`, ...), so none
    where nobody was found. Pixels are (H, W) grey, (H, W, 3) RGB or (H, W, 4) RGBA.
    """
    if isinstance(what, Effect):
        yield "", effects.apply([what.value], found, look)
    elif found.people and what in PER_PERSON:
        for number, person in enumerate(found.segmentations, start=1):
            yield f".person-{number}", _of_one(what, found.image, person, look)
    elif what is Kind.OVERLAY:
        yield "", effects.overlay(found, look)
    else:
        yield "", _of_one(what, found.image, found.segmentations[0], look)


def _of_one(kind: Kind, image: Array, segmentation: Segmentation, look: Look) -> Array:
    """A picture of one segmentation: of everybody, or of one person."""
    if kind is Kind.MASK:
        return segmentation.mask * np.uint8(255)
    if kind is Kind.PROBABILITY:
        assert segmentation.probability is not None  # only separate people have none
        levels: Array = np.rint(segmentation.probability * 255.0).astype(np.uint8)
        return levels
    if kind is Kind.CUTOUT:
        return drawing.cutout(image, segmentation, soft=look.soft)
    assert isinstance(segmentation, PartSegmentation)
    if kind is Kind.PART_IDS:
        return (segmentation.part_ids + 1).astype(np.uint8)
    colored = drawing.to_colored_part_mask(segmentation, look.colors)
    assert colored is not None
    return colored[..., :3]


def write_picture(path: Path, picture: Array) -> None:
    """Write a grey, RGB or RGBA picture as `.png` or `.jpg`, whole or not at all.

    Raises:
        OutputError: the file cannot be written there, or the picture is too large for its format
            (JPEG: 65535 pixels a side).
    """
    to_bgr = {3: cv2.COLOR_RGB2BGR, 4: cv2.COLOR_RGBA2BGRA}
    pixels = picture if picture.ndim == 2 else cv2.cvtColor(picture, to_bgr[picture.shape[2]])
    is_jpeg = path.suffix.lower() != ".png"
    options = [cv2.IMWRITE_JPEG_QUALITY, _JPEG_QUALITY] if is_jpeg else []
    done, data = cv2.imencode(".jpg" if is_jpeg else ".png", pixels, options)
    if not done:
        raise OutputError(
            f"{path.name}: expected a size that {path.suffix} can hold, got "
            f"{picture.shape[1]}x{picture.shape[0]}; write to a .png file instead."
        )
    write_whole(path, lambda file: file.write(data.tobytes()))
