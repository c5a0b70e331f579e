"""`draw_mask` and `draw_pixelated_mask`."""

from __future__ import annotations

import numpy as np
import pytest

from bodypix.drawing import draw_mask, draw_pixelated_mask, to_colored_part_mask, to_mask
from bodypix.errors import ImageError, InvalidArgumentError

BOTH = pytest.mark.parametrize("draw", [draw_mask, draw_pixelated_mask])


@pytest.mark.parametrize("opacity", [0, 0.3, 0.7, 1])
def test_draw_mask_formula(image, person, opacity) -> None:
    mask = to_mask(person, (250, 10, 90, 100), (0, 40, 200, 255))
    alpha = mask[..., 3:].astype(float) / 255 * opacity
    expected = image * (1 - alpha) + mask[..., :3] * alpha
    drawn = draw_mask(image, mask, opacity)
    assert drawn.shape == image.shape
    assert drawn.dtype == np.uint8
    assert np.abs(drawn - expected).max() <= 1.5


def test_an_opaque_mask_needs_no_alpha(image, parts) -> None:
    mask = to_colored_part_mask(parts)
    np.testing.assert_array_equal(draw_mask(image, mask), draw_mask(image, mask[..., :3].copy()))


def test_a_blurred_mask_keeps_its_strength_at_the_border(image) -> None:
    black = np.zeros((*image.shape[:2], 4), np.uint8)
    black[..., 3] = 255
    assert not draw_mask(image, black, 1, 5).any()
    as_canvas = draw_mask(image, black, 1, 5, border="transparent")
    assert as_canvas.shape == (*image.shape[:2], 4)
    assert (as_canvas[..., 3] == 255).all()
    assert np.abs(as_canvas[0, 30, :3] - image[0, 30] * 0.46).max() < 4


@BOTH
@pytest.mark.parametrize("border", ["reflect", "transparent"])
def test_without_a_mask_the_image_alone(draw, image, border) -> None:
    drawn = draw(image, None, border=border)
    np.testing.assert_array_equal(drawn[..., :3], image)
    assert drawn.shape[2] == (3 if border == "reflect" else 4)
    assert not np.shares_memory(drawn, image)


@BOTH
@pytest.mark.parametrize("border", ["reflect", "transparent"])
@pytest.mark.parametrize("width", [64, 65])
def test_flip_mirrors_the_picture(draw, image, parts, border, width) -> None:
    mask = to_colored_part_mask(parts)[:, :width]
    plain = draw(image[:, :width], mask, 0.5, 2, border=border)
    flipped = draw(image[:, :width], mask, 0.5, 2, True, border=border)
    np.testing.assert_array_equal(flipped, plain[:, ::-1])


def test_pixelation_has_flat_cells_and_a_grid() -> None:
    image = np.zeros((40, 60, 3), np.uint8)
    mask = np.full((40, 60, 4), 255, np.uint8)
    mask[..., 0] = np.arange(60) * 4
    drawn = draw_pixelated_mask(image, mask, 1.0, pixel_cell_width=10)
    # cells are sampled between their two middle pixels; lines cover both neighbours by half
    inside = drawn[5]
    for cell in range(6):
        value = round((cell * 10 + 4.5) * 4)
        assert (np.abs(inside[cell * 10 + 1 : cell * 10 + 9, 0].astype(int) - value) <= 1).all()
        assert abs(int(inside[cell * 10, 0]) - (value + 255) / 2) <= 1
    assert (drawn[5, :, 1:] == 255).all()


def test_no_closing_line_and_drifting_cells() -> None:
    image, mask = np.zeros((11, 29, 3), np.uint8), np.zeros((11, 29, 4), np.uint8)
    mask[..., 3] = 255
    drawn = draw_pixelated_mask(image, mask, 1.0)[5, :, 0]
    assert np.flatnonzero(drawn).tolist() == [0, 9, 10]  # 29 // 10 = 2 lines: at 0 and at 10


@pytest.mark.parametrize("cell", [1, 2, 7, 48, 49, 500])
@pytest.mark.parametrize("border", ["reflect", "transparent"])
def test_any_cell_width(image, parts, cell, border) -> None:
    mask = to_colored_part_mask(parts)
    drawn = draw_pixelated_mask(image, mask, pixel_cell_width=cell, border=border)
    assert drawn.shape[:2] == image.shape[:2]


def test_pixelation_under_transparent_parts(image, person) -> None:
    mask = to_mask(person)
    opaque = draw_pixelated_mask(image, mask, 0.5)
    as_canvas = draw_pixelated_mask(image, mask, 0.5, border="transparent")
    inside = (24, 26)
    assert person.mask[inside] == 1
    assert np.abs(opaque[inside].astype(int) - image[inside]).max() <= 1
    assert as_canvas[inside][3] == 128
    assert np.abs(as_canvas[inside][:3].astype(int) - image[inside]).max() <= 2


@BOTH
def test_sizes_that_differ_are_both_named(draw, image) -> None:
    with pytest.raises(InvalidArgumentError, match="size of the image, 65x48; got 48x65"):
        draw(image, np.zeros((65, 48, 4), np.uint8))


@BOTH
@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"mask_opacity": 1.1}, "mask_opacity: expected a number from 0 to 1; got 1.1"),
        ({"mask_opacity": -0.1}, "mask_opacity"),
        ({"mask_opacity": float("nan")}, "mask_opacity"),
        ({"mask_opacity": "0.5"}, "mask_opacity.*got '0.5'"),
        ({"mask_opacity": None}, "mask_opacity.*got None"),
        ({"mask_blur_amount": -1}, "mask_blur_amount: expected a number from 0 to 250; got -1"),
        ({"mask_blur_amount": float("inf")}, "mask_blur_amount"),
        ({"border": "wrap"}, "border: expected one of 'reflect', 'transparent'; got 'wrap'"),
        ({"kernel": "disc"}, "kernel: expected one of 'gaussian', 'boxes'; got 'disc'"),
    ],
)
def test_options_out_of_range(draw, image, options, message) -> None:
    with pytest.raises(InvalidArgumentError, match=message):
        draw(image, None, **options)


@pytest.mark.parametrize("cell", [0, -3, 2.5, True, "10"])
def test_cell_width_out_of_range(image, cell) -> None:
    with pytest.raises(InvalidArgumentError, match="pixel_cell_width: expected a whole number, 1"):
        draw_pixelated_mask(image, None, pixel_cell_width=cell)


@BOTH
@pytest.mark.parametrize(
    "bad",
    [
        np.zeros((4, 4), np.uint8),
        np.zeros((4, 4, 4), np.uint8),
        np.zeros((4, 4, 3), np.float32),
        np.zeros((0, 4, 3), np.uint8),
        None,
        "photo.jpg",
    ],
)
def test_what_is_no_image(draw, bad) -> None:
    with pytest.raises(ImageError, match="image: expected"):
        draw(bad, None)
    if bad is not None and np.ndim(bad) < 3:
        with pytest.raises(ImageError, match="mask_image: expected"):
            draw(np.zeros((4, 4, 3), np.uint8), bad)


def test_pil_images_are_taken(image) -> None:
    pil = pytest.importorskip("PIL.Image")
    np.testing.assert_array_equal(draw_mask(pil.fromarray(image), None), image)
