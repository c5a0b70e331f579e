"""From what was found in a picture to the pictures that are written."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from bodypix import drawing
from bodypix.cli.kinds import PER_PERSON, Effect, Kind
from bodypix.cli.search import Found, Segmentation
from bodypix.errors import InvalidArgumentError, OutputError
from bodypix.files import write_whole
from bodypix.images import read_image
from bodypix.results import PartSegmentation

Array = NDArray[np.uint8]

_JPEG_QUALITY = 92
_COLOR_NAMES = {"black": "#000000", "white": "#ffffff", "gray": "#808080", "green": "#00b140"}
# 1% of the longer side: the original's 3 pixels hide no face in a photo of 12 megapixels.
_BLUR_SHARE, _LEAST_BLUR = 0.01, 3.0


@dataclass(frozen=True)
class Look:
    """How pictures are drawn; the options of `bodypix image` under "How it looks".

    `background` is a colour or a picture for `replace`; `blur` None is 1% of the longer side.
    """

    colors: str = "rainbow"
    opacity: float = 0.7
    background: str | tuple[int, int, int] | Array = "#00b140"
    blur: float | None = None
    edge_blur: float = 3.0
    cell: int = 10
    soft: bool = False

    def blur_for(self, image: Array) -> float:
        """Standard deviation of the blur of bokeh and blur-face for this picture, in pixels."""
        if self.blur is not None:
            return self.blur
        longer: int = max(image.shape)
        return max(_LEAST_BLUR, _BLUR_SHARE * longer)


def read_background(text: str) -> str | Array:
    """The argument of --background: `#rrggbb`, a name of _COLOR_NAMES, or the path of a picture.

    Raises:
        InvalidArgumentError: none of these.
        ImageError: a file that is no usable picture.
    """
    if text in _COLOR_NAMES or re.fullmatch(r"#(?:[0-9a-fA-F]{3}){1,2}", text):
        return _COLOR_NAMES.get(text, text)
    if not Path(text).exists():
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
        yield "", _effect(what, found, look)
    elif found.people and what in PER_PERSON:
        for number, person in enumerate(found.segmentations, start=1):
            yield f".person-{number}", _of_one(what, found.image, person, look)
    elif what is Kind.OVERLAY:
        yield "", overlay(found, look)
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


def overlay(found: Found, look: Look) -> Array:
    """The photo under the colours of parts, of people, or of the mask; skeletons on top."""
    people = list(found.segmentations)
    if people and isinstance(people[0], PartSegmentation):
        layer = drawing.to_colored_part_mask(people, look.colors)
        covered = drawing.to_mask(people, (0, 0, 0, 255), (0, 0, 0, 0))
        assert layer is not None
        assert covered is not None
        layer[..., 3] = covered[..., 3]  # the original's white ground would wash out the photo
    else:
        layer = drawing.to_colored_people_mask(people)
    drawn = drawing.draw_mask(found.image, layer, look.opacity)
    size = max(found.image.shape[:2]) / 400
    return drawing.draw_poses(
        drawn, found.poses, radius=max(3.0, 2 * size), line_width=max(2, round(size))
    )


def _effect(effect: Effect, found: Found, look: Look) -> Array:
    image, people = found.image, list(found.segmentations)
    if effect is Effect.BOKEH:
        return drawing.draw_bokeh_effect(image, people, look.blur_for(image), look.edge_blur)
    if effect is Effect.REPLACE:
        return drawing.replace_background(
            image, people[0] if look.soft else people, look.background, soft=look.soft
        )
    if effect is Effect.MASK:
        return drawing.draw_mask(image, drawing.to_mask(people), look.opacity)
    if effect is Effect.PIXELATE:
        return drawing.draw_pixelated_mask(
            image,
            drawing.to_colored_part_mask(people, look.colors),
            look.opacity,
            pixel_cell_width=look.cell,
        )
    if not people:  # the drawing function would blur everything, as the original does
        return image
    return drawing.blur_body_part(
        image, people, ("left_face", "right_face"), look.blur_for(image), look.edge_blur
    )


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
