"""Part ids to colours, and people to colours."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from bodypix.drawing.checks import (
    Image,
    Segmentation,
    Segmentations,
    listed,
    part_ids_only,
    segmentation_list,
    values_of,
)
from bodypix.drawing.colors import ColorLike, PartColors, part_palette, people_colors, rgba
from bodypix.drawing.masks import apply_palette, foreground_of
from bodypix.errors import InvalidArgumentError

_WHITE = np.array([[255, 255, 255]], np.uint8)


def to_colored_part_mask(
    segmentation: Segmentations, part_colors: PartColors | None = "rainbow"
) -> Image | None:
    """Every part in its colour on opaque white (spec section 7).

    Args:
        segmentation: a PartSegmentation, an (H, W) array of part ids (-1 outside), or a list of
            these; where several people overlap, the later one is on top.
        part_colors: a scale ("rainbow", "warm", "spectral") or one colour for each part id;
            None is "rainbow".

    Returns:
        (H, W, 4) uint8 RGBA, opaque everywhere; None for an empty list, as in the original.

    Raises:
        InvalidArgumentError: a part id without a colour, a person mask, sizes that differ.
    """
    palette = part_palette(part_colors)
    elements = segmentation_list(segmentation)
    if not elements:
        return None
    for element in elements:
        part_ids_only(element, "segmentation")
    ids = values_of(elements[0])
    if len(elements) > 1:
        ids = ids.copy()
        for element in elements[1:]:
            above = values_of(element)
            np.copyto(ids, above, where=above >= 0, casting="unsafe")
    low, high = int(ids.min()), int(ids.max())
    if low < -1:
        raise InvalidArgumentError(f"segmentation: expected part ids from -1 up; got {low}.")
    if high >= len(palette):
        raise InvalidArgumentError(
            f"No color could be found for part id {high}: part_colors holds {len(palette)} "
            f"colours, for the ids 0 to {len(palette) - 1}. Give one colour for each part id."
        )
    colors = np.full((len(palette) + 1, 4), 255, np.uint8)
    colors[:, :3] = np.concatenate((_WHITE, palette))
    # Index -1, which is outside, would wrap to the last colour; white goes there.
    return apply_palette(ids, np.roll(colors, -1, axis=0))


def to_colored_people_mask(
    people: Sequence[Segmentation],
    colors: Sequence[ColorLike] | None = None,
    background: ColorLike = (0, 0, 0, 0),
) -> Image | None:
    """Every person in a colour of their own, to lay over the image with `draw_mask`.

    Args:
        people: one segmentation for each person, as the multi-person methods return; where two
            overlap, the later one is on top.
        colors: a colour for each person, repeated if there are more people; None chooses.
        background: colour where nobody is; transparent by default.

    Returns:
        (H, W, 4) uint8 RGBA with straight alpha; None for an empty list.

    Raises:
        InvalidArgumentError: sizes that differ, not a colour, an empty list of colours.
    """
    elements = segmentation_list(people)
    if not elements:
        return None
    if colors is None:
        chosen = [rgba(color) for color in people_colors(len(elements))]
    else:
        chosen = [
            rgba(color, f"colors[{index}]") for index, color in enumerate(listed(colors, str))
        ]
        if not chosen:
            raise InvalidArgumentError("colors: expected at least one colour; got none.")
    palette = [rgba(background, "background")]
    palette += [chosen[index % len(chosen)] for index in range(len(elements))]
    owner = np.zeros(values_of(elements[0]).shape, np.intp)
    for index, element in enumerate(elements, start=1):
        owner[foreground_of(element).view(bool)] = index
    return apply_palette(owner, np.array(palette, np.uint8))
