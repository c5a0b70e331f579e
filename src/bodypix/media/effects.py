"""What can be done to a picture of people, by name: the effects of all commands in one table."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Final, TypeAlias

import numpy as np
from numpy.typing import NDArray

from bodypix import drawing
from bodypix.drawing import checks
from bodypix.errors import InvalidArgumentError
from bodypix.results import PartSegmentation, PersonSegmentation, Pose

Image: TypeAlias = NDArray[np.uint8]
Segmentation: TypeAlias = PersonSegmentation | PartSegmentation
Background: TypeAlias = str | tuple[int, int, int] | Image
"""A colour, or an (H, W, 3) uint8 RGB picture of any size."""

# 1% of the longer side: the original's 3 pixels hide no face in a photo of 12 megapixels.
_BLUR_SHARE, _LEAST_BLUR = 0.01, 3.0
# A film numbers its people without end; the colours begin again.
_PEOPLE_COLORS: Final = 24
_FACE: Final = ("left_face", "right_face")


@dataclass(frozen=True)
class Found:
    """A picture and what was found in it.

    `image` is (H, W, 3) uint8 RGB. `segmentations` holds one for each person if `people` is set,
    else one of everybody together. `poses` is empty unless poses or people were looked for.
    """

    image: Image
    segmentations: Sequence[Segmentation]
    people: bool
    poses: Sequence[Pose]


@dataclass(frozen=True)
class Look:
    """How effects are drawn; the options of the commands under "How it looks".

    `background` is a colour or a picture for `replace`; `blur` None is 1% of the longer side, from
    3 to 250 pixels.
    `soft` takes the edges of cutout and replace from the probability and the picture instead of
    from the mask; people told apart have no probability, so theirs stay hard.
    """

    colors: str = "rainbow"
    opacity: float = 0.7
    background: Background = "#00b140"
    blur: float | None = None
    edge_blur: float = 3.0
    cell: int = 10
    soft: bool = False

    def blur_for(self, size: tuple[int, ...]) -> float:
        """Standard deviation in pixels of the blur of bokeh and blur-face in a picture that big."""
        if self.blur is not None:
            return self.blur
        return min(max(_LEAST_BLUR, _BLUR_SHARE * max(size)), checks.MAX_BLUR)


@dataclass(frozen=True)
class Effect:
    """One row of the table: how it is drawn, and what must be looked for before.

    `draw` gives a new (H, W, 3) uint8 RGB picture; with `alpha` it is (H, W, 4) RGBA.
    """

    draw: Callable[[Found, Look], Image]
    parts: bool = False
    people: bool = False
    poses: bool = False
    alpha: bool = False


def apply(names: Sequence[str], found: Found, look: Look) -> Image:
    """Several effects, each on the picture of the one before; none leaves the picture as it is.

    Args:
        names: keys of EFFECTS; one with `alpha` can only be the last.
        found: must hold what the effects need.
        look: how they are drawn.
    """
    for name in names:
        found = replace(found, image=EFFECTS[name].draw(found, look))
    return found.image


def overlay(found: Found, look: Look) -> Image:
    """The photo under the colours of parts, of people, or of the mask; skeletons on top."""
    first = next(iter(found.segmentations), None)
    return (_parts if isinstance(first, PartSegmentation) else _people)(found, look)


def _parts(found: Found, look: Look) -> Image:
    people = list(found.segmentations)
    layer = drawing.to_colored_part_mask(people, look.colors)
    covered = drawing.to_mask(people, (0, 0, 0, 255), (0, 0, 0, 0))
    if layer is not None and covered is not None:
        layer[..., 3] = covered[..., 3]  # the original's white ground would wash out the photo
    return _under_skeleton(found, layer, look)


def _people(found: Found, look: Look) -> Image:
    people = list(found.segmentations)
    return _under_skeleton(found, drawing.to_colored_people_mask(people, _colors(people)), look)


def _under_skeleton(found: Found, layer: Image | None, look: Look) -> Image:
    colored = drawing.draw_mask(found.image, layer, look.opacity)
    return _skeleton(replace(found, image=colored), look)


def _colors(people: Sequence[Segmentation]) -> list[tuple[int, int, int]] | None:
    """A colour for each person that stays theirs from frame to frame; None where nobody is."""
    palette = drawing.people_colors(_PEOPLE_COLORS)
    numbers = [place if one.track is None else one.track - 1 for place, one in enumerate(people)]
    return [palette[number % _PEOPLE_COLORS] for number in numbers] or None


def _skeleton(found: Found, _: Look) -> Image:
    size = max(found.image.shape[:2]) / 400
    return drawing.draw_poses(
        found.image, found.poses, radius=max(3.0, 2 * size), line_width=max(2, round(size))
    )


def _bokeh(found: Found, look: Look) -> Image:
    people = list(found.segmentations)
    return drawing.draw_bokeh_effect(
        found.image, people, look.blur_for(found.image.shape), look.edge_blur
    )


def _replace(found: Found, look: Look) -> Image:
    people, soft = list(found.segmentations), look.soft and not found.people
    return drawing.replace_background(
        found.image, people, look.background, edge_blur_amount=0 if soft else 2, soft=soft
    )


def _cutout(found: Found, look: Look) -> Image:
    soft = look.soft and not found.people
    return drawing.cutout(found.image, list(found.segmentations), soft=soft)


def _mask(found: Found, look: Look) -> Image:
    mask = drawing.to_mask(list(found.segmentations))
    return drawing.draw_mask(found.image, mask, look.opacity)


def _pixelate(found: Found, look: Look) -> Image:
    colored = drawing.to_colored_part_mask(list(found.segmentations), look.colors)
    return drawing.draw_pixelated_mask(
        found.image, colored, look.opacity, pixel_cell_width=look.cell
    )


def _blur_face(found: Found, look: Look) -> Image:
    people = list(found.segmentations)
    if not people:  # the drawing function would blur everything, as the original does
        return found.image
    return drawing.blur_body_part(
        found.image, people, _FACE, look.blur_for(found.image.shape), look.edge_blur
    )


EFFECTS: Final[Mapping[str, Effect]] = {
    "bokeh": Effect(_bokeh),
    "replace": Effect(_replace),
    "mask": Effect(_mask),
    "pixelate": Effect(_pixelate, parts=True),
    "blur-face": Effect(_blur_face, parts=True),
    "parts": Effect(_parts, parts=True),
    "people": Effect(_people, people=True),
    "skeleton": Effect(_skeleton, poses=True),
    "cutout": Effect(_cutout, alpha=True),
}
"""Every effect by its name. `mask` darkens the background; `parts` and `people` colour them."""


@dataclass(frozen=True)
class Needs:
    """What must be looked for before some effects can be drawn, and whether they give alpha."""

    parts: bool
    people: bool
    poses: bool
    alpha: bool


def needs(names: Sequence[str]) -> Needs:
    """What several effects need together.

    Raises:
        InvalidArgumentError: an unknown effect, or one with transparency before another.
    """
    for name in names:
        checks.one_of("effect", name, tuple(EFFECTS))
    for name, after in pairwise(names):
        if EFFECTS[name].alpha:
            raise InvalidArgumentError(
                f"effect: expected {name} as the last, since it leaves no background; got {after} "
                "after it."
            )
    rows = [EFFECTS[name] for name in names]
    return Needs(
        parts=any(row.parts for row in rows),
        people=any(row.people for row in rows),
        poses=any(row.poses for row in rows),
        alpha=any(row.alpha for row in rows),
    )
