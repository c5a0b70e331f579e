"""`draw_bokeh_effect` and `blur_body_part`."""

from __future__ import annotations

import numpy as np
import pytest

from bodypix.drawing import blur_body_part, draw_bokeh_effect
from bodypix.drawing.blur import blur
from bodypix.drawing.contours import contour
from bodypix.errors import ImageError, InvalidArgumentError
from bodypix.results import PartSegmentation, PersonSegmentation


def composite(image, alpha, sigma) -> np.ndarray:
    """`image * a + blurred * (1 - a)` in floating point."""
    alpha = alpha[..., None] / 255
    return image * alpha + blur(image, sigma, "reflect") * (1 - alpha)


@pytest.mark.parametrize("edge", [0, 3])
def test_bokeh_formula(image, person, edge) -> None:
    alpha = blur(person.mask * np.uint8(255), edge, "reflect")
    drawn = draw_bokeh_effect(image, person, 5, edge)
    assert drawn.shape == image.shape
    assert np.abs(drawn - composite(image, alpha, 5)).max() <= 1.5


def test_bokeh_takes_masks_parts_and_lists(image, person, parts) -> None:
    expected = draw_bokeh_effect(image, person)
    left = person.mask.copy()
    left[:, 25:] = 0
    for same in (person.mask, person.mask > 0, parts, [left, person.mask - left]):
        np.testing.assert_array_equal(draw_bokeh_effect(image, same), expected)


def test_borders_are_not_darkened() -> None:
    white, nobody = np.full((30, 40, 3), 255, np.uint8), np.zeros((30, 40), np.uint8)
    assert (draw_bokeh_effect(white, nobody, 8) == 255).all()


def test_a_person_at_the_border_stays_sharp_there(image) -> None:
    everybody = np.ones(image.shape[:2], np.uint8)
    np.testing.assert_array_equal(draw_bokeh_effect(image, everybody, 9, 9), image)


def test_transparent_borders_as_the_original_has_them(image) -> None:
    drawn = draw_bokeh_effect(image, [], border="transparent")
    assert drawn.shape == (*image.shape[:2], 4)
    assert drawn[0, 0, 3] == 82
    assert abs(int(drawn[0, 32, 3]) - 145) <= 1
    assert drawn[24, 32, 3] == 255
    # colours are not darkened, only see-through: close to the reflecting blur
    difference = np.abs(drawn[..., :3].astype(int) - draw_bokeh_effect(image, []))
    assert difference.max() < 40
    assert difference[12:-12, 12:-12].max() <= 1


def test_nobody_blurs_everything(image) -> None:
    np.testing.assert_array_equal(draw_bokeh_effect(image, [], 4), blur(image, 4, "reflect"))
    np.testing.assert_array_equal(blur_body_part(image, [], (0,), 4), blur(image, 4, "reflect"))


def test_nobody_and_no_blur_is_a_copy(image) -> None:
    drawn = draw_bokeh_effect(image, [], 0)
    np.testing.assert_array_equal(drawn, image)
    assert not np.shares_memory(drawn, image)


@pytest.mark.parametrize("border", ["reflect", "transparent"])
@pytest.mark.parametrize("width", [64, 65])
def test_flip_mirrors_the_picture(image, parts, border, width) -> None:
    image, ids = image[:, :width], parts.part_ids[:, :width]
    for draw, what in (
        (draw_bokeh_effect, (ids >= 0)),
        (draw_bokeh_effect, []),
        (blur_body_part, ids),
    ):
        plain = draw(image, what, border=border)
        flipped = draw(image, what, flip_horizontal=True, border=border)
        np.testing.assert_array_equal(flipped, plain[:, ::-1])


def test_body_part_formula(image, parts) -> None:
    chosen = np.isin(parts.part_ids, (10, 11, 12)).astype(np.uint8)
    sharp = np.where((chosen == 1) & (contour(chosen) == 0), 0, 255).astype(np.uint8)
    drawn = blur_body_part(image, parts, (10, "right_hand", "torsoFront"), 6, 0)
    assert np.abs(drawn - composite(image, sharp, 6)).max() <= 1.5


def test_the_face_is_the_default(image, parts) -> None:
    np.testing.assert_array_equal(
        blur_body_part(image, parts), blur_body_part(image, parts, ("left_face", "right_face"))
    )


def test_parts_that_are_not_there_change_nothing(image) -> None:
    ids = np.full(image.shape[:2], 5, np.int32)
    np.testing.assert_array_equal(blur_body_part(image, PartSegmentation(ids), (0, 1)), image)
    np.testing.assert_array_equal(blur_body_part(image, PartSegmentation(ids), ()), image)


@pytest.mark.parametrize("part", ["left_face", "leftFace", 0, np.int64(0)])
def test_one_part_is_a_list_of_one(image, parts, part) -> None:
    np.testing.assert_array_equal(
        blur_body_part(image, parts, part), blur_body_part(image, parts, [0])
    )


def test_no_choice_is_the_face(image, parts) -> None:
    np.testing.assert_array_equal(
        blur_body_part(image, parts, None), blur_body_part(image, parts, (0, 1))
    )


@pytest.mark.parametrize("part", ["tail", 1.5, object()])
def test_what_is_no_part(image, parts, part) -> None:
    with pytest.raises(InvalidArgumentError, match="part: expected"):
        blur_body_part(image, parts, part)


@pytest.mark.parametrize("part", ["tail", 24, -1, 1.5, True])
def test_unknown_parts(image, parts, part) -> None:
    with pytest.raises(InvalidArgumentError, match="part: expected"):
        blur_body_part(image, parts, [part])


def test_a_person_mask_has_no_parts(image, person) -> None:
    with pytest.raises(InvalidArgumentError, match="expected part ids; got a PersonSegmentation"):
        blur_body_part(image, person)
    # As `save` writes it: ids are one higher, and the wrong parts would be blurred.
    for array in (person.mask, np.zeros(image.shape[:2], np.uint8)):
        with pytest.raises(InvalidArgumentError, match=r"part_segmentation: .*got uint8.*subtract"):
            blur_body_part(image, array)


def test_sizes_that_differ_are_both_named(image) -> None:
    wrong = PersonSegmentation(np.zeros((65, 48), np.uint8))
    with pytest.raises(InvalidArgumentError, match="size of the image, 65x48; got 48x65"):
        draw_bokeh_effect(image, wrong)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"background_blur_amount": -1}, "background_blur_amount: .* 0 to 250; got -1"),
        ({"background_blur_amount": 251}, "background_blur_amount"),
        ({"edge_blur_amount": float("nan")}, "edge_blur_amount"),
        ({"border": "black"}, "border"),
        ({"kernel": ""}, "kernel"),
    ],
)
def test_options_out_of_range(image, parts, options, message) -> None:
    for draw in (draw_bokeh_effect, blur_body_part):
        with pytest.raises(InvalidArgumentError, match=message):
            draw(image, parts, **options)


def test_a_grey_image_is_refused(parts) -> None:
    with pytest.raises(ImageError, match=r"got uint8 of shape \(48, 65\)"):
        draw_bokeh_effect(np.zeros((48, 65), np.uint8), parts)
