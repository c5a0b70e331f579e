"""`to_colored_part_mask` and `to_colored_people_mask`."""

from __future__ import annotations

import numpy as np
import pytest

from bodypix import body
from bodypix.drawing import people_colors, to_colored_part_mask, to_colored_people_mask
from bodypix.errors import InvalidArgumentError
from bodypix.results import PartSegmentation, PersonSegmentation

WHITE = [255, 255, 255, 255]
EVERY_PART = np.arange(-1, 24, dtype=np.int32)[None]


@pytest.mark.parametrize("scale", list(body.COLOR_SCALES))
def test_scales(scale: str) -> None:
    drawn = to_colored_part_mask(PartSegmentation(EVERY_PART), scale)
    assert drawn.shape == (1, 25, 4)
    assert drawn[0].tolist() == [WHITE, *([*color, 255] for color in body.COLOR_SCALES[scale])]


def test_rainbow_is_the_default() -> None:
    np.testing.assert_array_equal(
        to_colored_part_mask(EVERY_PART), to_colored_part_mask(EVERY_PART, "rainbow")
    )


def test_own_colors() -> None:
    drawn = to_colored_part_mask(np.array([[1, -1, 0]]), ["#102030", (7, 8, 9)])
    assert drawn[0].tolist() == [[7, 8, 9, 255], WHITE, [16, 32, 48, 255]]


def test_later_people_are_on_top() -> None:
    colors = [(i, i, i) for i in range(24)]
    people = [np.array([[3, 3, -1]], np.int32), np.array([[-1, 5, -1]], np.int32)]
    assert to_colored_part_mask(people, colors)[0, :, 0].tolist() == [3, 5, 255]
    assert people[0].tolist() == [[3, 3, -1]]


def test_empty_lists_are_none() -> None:
    assert to_colored_part_mask([]) is None
    assert to_colored_people_mask([]) is None


@pytest.mark.parametrize(
    ("ids", "colors", "message"),
    [
        ([[2]], [(0, 0, 0), (1, 1, 1)], "No color could be found for part id 2.*2 colours"),
        ([[24]], "rainbow", "No color could be found for part id 24"),
        ([[-2]], "rainbow", "from -1 up; got -2"),
        ([[0]], "viridis", "'rainbow', 'warm', 'spectral'.*got 'viridis'"),
        ([[0]], [(0, 0, 0, 9)], r"part_colors\[0\]: expected an opaque colour"),
        ([[0]], [], "No color could be found for part id 0"),
    ],
)
def test_refusals(ids, colors, message) -> None:
    with pytest.raises(InvalidArgumentError, match=message):
        to_colored_part_mask(np.array(ids), colors)


@pytest.mark.parametrize(
    "mask", [np.zeros((2, 2), np.uint8), PersonSegmentation(np.zeros((2, 2), np.uint8))]
)
def test_a_person_mask_has_no_parts(mask) -> None:
    with pytest.raises(InvalidArgumentError, match="expected part ids"):
        to_colored_part_mask(mask)


def test_people_in_their_colors() -> None:
    people = [np.array([[1, 1, 0]], np.uint8), PersonSegmentation(np.array([[0, 1, 0]], np.uint8))]
    drawn = to_colored_people_mask(people, ["#0000ff", (9, 8, 7, 6)])
    assert drawn[0].tolist() == [[0, 0, 255, 255], [9, 8, 7, 6], [0, 0, 0, 0]]


def test_colors_repeat_for_more_people() -> None:
    people = [np.eye(3, dtype=np.uint8)[[row]] for row in range(3)]
    drawn = to_colored_people_mask(people, [(1, 1, 1), (2, 2, 2)])
    assert drawn[0, :, 0].tolist() == [1, 2, 1]


def test_no_color_at_all() -> None:
    with pytest.raises(InvalidArgumentError, match="colors: expected at least one"):
        to_colored_people_mask([np.ones((1, 1), np.uint8)], [])


def test_people_colors_differ() -> None:
    colors = people_colors(40)
    assert len(set(colors)) == 40
    assert people_colors(3) == colors[:3]
    assert all(0 <= channel <= 255 for color in colors for channel in color)


def test_none_is_the_rainbow(parts) -> None:
    np.testing.assert_array_equal(
        to_colored_part_mask(parts, None), to_colored_part_mask(parts, "rainbow")
    )


def test_what_holds_no_colors(parts, person) -> None:
    with pytest.raises(InvalidArgumentError, match=r"part_colors\[0\]: expected"):
        to_colored_part_mask(parts, 7)
    with pytest.raises(InvalidArgumentError, match=r"colors\[0\]: expected"):
        to_colored_people_mask([person], 7)


def test_one_color_is_a_list_of_one(person) -> None:
    np.testing.assert_array_equal(
        to_colored_people_mask([person], "#102030"), to_colored_people_mask([person], ["#102030"])
    )
