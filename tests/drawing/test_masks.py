"""`to_mask`: colours, ids, lists, refusals."""

from __future__ import annotations

import numpy as np
import pytest

from bodypix.drawing import to_mask
from bodypix.errors import InvalidArgumentError
from bodypix.results import PartSegmentation, PersonSegmentation

RED, BLUE = (255, 0, 0, 255), (0, 0, 255, 128)


def test_defaults_are_transparent_person_on_opaque_black(person) -> None:
    drawn = to_mask(person)
    assert drawn.dtype == np.uint8
    assert drawn.shape == (*person.mask.shape, 4)
    assert not drawn[..., :3].any()
    np.testing.assert_array_equal(drawn[..., 3], np.where(person.mask == 1, 0, 255))


def test_colors_go_where_they_belong(person) -> None:
    drawn = to_mask(person, RED, BLUE)
    expected = np.where((person.mask == 1)[..., None], RED, BLUE)
    np.testing.assert_array_equal(drawn, expected)


def test_empty_list_is_none() -> None:
    assert to_mask([]) is None


def test_a_list_is_the_union() -> None:
    first, second = np.array([[1, 0, 0]], np.uint8), np.array([[0, 0, 1]], np.uint8)
    drawn = to_mask([first, PersonSegmentation(second)], RED, BLUE)
    assert drawn[0].tolist() == [list(RED), list(BLUE), list(RED)]


@pytest.mark.parametrize(
    "array",
    [
        np.array([[False, True]]),
        np.array([[0, 1]], np.uint8),
        np.array([[0, 255]], np.uint8),
        np.array([[0, 1]], np.int64),
    ],
)
def test_every_way_to_write_a_mask(array) -> None:
    assert to_mask(array, RED, BLUE)[0].tolist() == [list(BLUE), list(RED)]


def test_parts_count_whole_unless_ids_are_given() -> None:
    parts = PartSegmentation(np.array([[-1, 0, 1, 23]], np.int32))
    for ids, expected in [
        (None, [0, 255, 255, 255]),
        ([1], [0, 0, 255, 0]),
        (["left_face", 23], [0, 255, 0, 255]),
        ([], [0, 0, 0, 0]),
    ]:
        drawn = to_mask(parts, (0, 0, 0, 255), (0, 0, 0, 0), foreground_ids=ids)
        assert drawn[0, :, 3].tolist() == expected


def test_ids_apply_to_plain_arrays() -> None:
    drawn = to_mask(np.array([[-1, 0, 7]]), RED, BLUE, foreground_ids=(0, 7))
    assert drawn[0].tolist() == [list(BLUE), list(RED), list(RED)]


def test_the_segmentation_is_left_alone(person) -> None:
    before = person.mask.copy()
    to_mask([person, person], RED, BLUE, draw_contour=True)
    np.testing.assert_array_equal(person.mask, before)


@pytest.mark.parametrize(
    ("segmentation", "message"),
    [
        (np.array([[-1, 3]]), r"a mask .*got values from -1 to 3.*foreground_ids"),
        (np.array([[0, 7, 255]], np.uint8), "got values from 0 to 255"),
        (np.zeros((2, 2), np.float32), r"integers; got float32 of shape \(2, 2\)"),
        (np.zeros((1, 2, 2), np.uint8), r"got uint8 of shape \(1, 2, 2\)"),
        (np.zeros((0, 4), np.uint8), r"got uint8 of shape \(0, 4\)"),
        ("mask.png", "got str"),
        ([[0, 1]], "got list"),
    ],
)
def test_what_is_no_mask(segmentation, message) -> None:
    with pytest.raises(InvalidArgumentError, match=message):
        to_mask(segmentation)


def test_sizes_that_differ_are_both_named() -> None:
    with pytest.raises(InvalidArgumentError, match=r"segmentation 1: .* 3x2; got 2x3"):
        to_mask([np.zeros((2, 3), np.uint8), np.zeros((3, 2), np.uint8)])


@pytest.mark.parametrize("color", [(0, 0), (0, 0, 256), (0.5, 0, 0), "red", "#12345", None, 7])
def test_what_is_no_color(color) -> None:
    with pytest.raises(InvalidArgumentError, match=r"foreground: expected \(r, g, b\)"):
        to_mask(np.ones((1, 1), np.uint8), color)


@pytest.mark.parametrize(
    ("color", "expected"),
    [
        ("#f80", [255, 136, 0, 255]),
        ("#FF8800", [255, 136, 0, 255]),
        ("#ff880040", [255, 136, 0, 64]),
        ((1, 2, 3), [1, 2, 3, 255]),
        (np.array([1, 2, 3, 4]), [1, 2, 3, 4]),
    ],
)
def test_ways_to_write_a_color(color, expected) -> None:
    assert to_mask(np.ones((1, 1), np.uint8), color)[0, 0].tolist() == expected


def test_an_unknown_part_name() -> None:
    with pytest.raises(InvalidArgumentError, match="got 'tail'"):
        to_mask(np.zeros((1, 1), np.int32), foreground_ids=["tail"])


@pytest.mark.parametrize(("one", "several"), [(1, [1]), ("right_face", [1]), (np.uint8(5), [5])])
def test_one_id_is_a_list_of_one(one, several) -> None:
    ids = np.array([[-1, 0, 1, 5]], np.int32)
    np.testing.assert_array_equal(
        to_mask(ids, foreground_ids=one), to_mask(ids, foreground_ids=several)
    )


@pytest.mark.parametrize("ids", [1.5, [0.5], [None], object()])
def test_what_is_no_id(ids) -> None:
    with pytest.raises(InvalidArgumentError, match="foreground_ids: expected whole numbers or"):
        to_mask(np.array([[-1, 0]], np.int32), foreground_ids=ids)
