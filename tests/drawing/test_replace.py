"""Cut-outs, other backgrounds, and colours at soft edges."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from bodypix.drawing import cutout, foreground_colors, refine_alpha, replace_background
from bodypix.drawing.matting import person_alpha
from bodypix.errors import ImageError, InvalidArgumentError
from bodypix.results import PersonSegmentation

GREEN = (0, 177, 64)


def test_hard_cutout(image, person) -> None:
    drawn = cutout(image, person)
    np.testing.assert_array_equal(drawn[..., :3], image)
    np.testing.assert_array_equal(drawn[..., 3], person.mask * 255)


def test_soft_cutout_takes_the_matte(image, person) -> None:
    alpha = cutout(image, person, soft=True)[..., 3]
    matte = refine_alpha(person.probability, image)
    np.testing.assert_array_equal(alpha, np.rint(matte * 255))
    assert ((alpha > 0) & (alpha < 255)).any()


def test_edge_blur_softens(image, person) -> None:
    alpha = cutout(image, person, edge_blur_amount=2)[..., 3]
    assert ((alpha > 0) & (alpha < 255)).sum() > 300
    assert alpha[24, 25] == 255


def test_nobody(image) -> None:
    assert not cutout(image, [])[..., 3].any()
    assert (replace_background(image, [], GREEN) == GREEN).all()
    assert person_alpha(image, []) is None
    assert person_alpha(image, [], soft=True) is None


def test_everybody(image) -> None:
    mask = np.ones(image.shape[:2], np.uint8)
    np.testing.assert_array_equal(replace_background(image, mask, GREEN), image)


@pytest.mark.parametrize("color", [GREEN, "#00b140", np.array(GREEN), list(GREEN)])
def test_a_color_behind_people(image, person, color) -> None:
    drawn = replace_background(image, person, color, edge_blur_amount=0)
    expected = np.where((person.mask == 1)[..., None], image, np.array(GREEN, np.uint8))
    np.testing.assert_array_equal(drawn, expected)


def test_an_image_behind_people(image, person) -> None:
    other = np.ascontiguousarray(image[::-1])
    drawn = replace_background(image, person, other, edge_blur_amount=0)
    np.testing.assert_array_equal(drawn[person.mask == 0], other[person.mask == 0])


@pytest.mark.parametrize("size", [(48, 200), (200, 65), (10, 10), (1, 1), (500, 300), (7, 900)])
def test_a_background_of_another_size_covers(image, size) -> None:
    """Its middle stays in the middle and its longer side is cropped, never squeezed."""
    stripes = np.zeros((*size, 3), np.uint8)
    stripes[: size[0] // 2] = 90
    stripes[:, : size[1] // 2, 2] = 200
    drawn = replace_background(image, [], stripes)
    assert drawn.shape == image.shape
    if min(size) > 5:
        assert drawn[2, 40].tolist() == [90, 90, 90]
        assert drawn[-3, 40].tolist() == [0, 0, 0]
        assert drawn[-3, 20].tolist() == [0, 0, 200]


def test_flip_mirrors_people_only(image, person) -> None:
    other = np.ascontiguousarray(image[::-1])
    flipped = replace_background(image, person, other, edge_blur_amount=0, flip_horizontal=True)
    mirrored = person.mask[:, ::-1]
    np.testing.assert_array_equal(flipped[mirrored == 1], image[:, ::-1][mirrored == 1])
    np.testing.assert_array_equal(flipped[mirrored == 0], other[mirrored == 0])


def known_composite(sigma: float) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """An image whose foreground colours are known everywhere, its alpha, and those colours."""
    random = np.random.default_rng(3)
    size = (160, 120)
    front, back = (
        cv2.resize(random.integers(low, low + 120, (6, 5, 3), np.uint8), size[::-1])
        for low in (0, 130)
    )
    mask = np.zeros(size, np.uint8)
    cv2.ellipse(mask, (60, 80), (35, 60), 15, 0, 360, 255, cv2.FILLED)
    alpha = cv2.GaussianBlur(mask, (0, 0), sigma)
    share = alpha[..., None] / 255
    return np.rint(front * share + back * (1 - share)).astype(np.uint8), alpha, front


@pytest.mark.parametrize("sigma", [1, 2, 4])
def test_decontamination_finds_the_foreground(sigma) -> None:
    image, alpha, front = known_composite(sigma)
    cleaned = foreground_colors(image, alpha)
    band = (alpha > 25) & (alpha < 230)

    def error(colors: np.ndarray) -> float:
        return float(np.abs(colors.astype(float) - front)[band].mean())

    assert error(cleaned) < error(image) / 3
    np.testing.assert_array_equal(cleaned[alpha == 255], image[alpha == 255])
    np.testing.assert_array_equal(cleaned[alpha == 0], image[alpha == 0])


def test_decontamination_can_be_left_out(image, person) -> None:
    soft = cutout(image, person, edge_blur_amount=2, decontaminate=False)
    np.testing.assert_array_equal(soft[..., :3], image)
    cleaned = cutout(image, person, edge_blur_amount=2)
    assert (cleaned[..., :3] != image).any()


@pytest.mark.parametrize("size", [(1, 1), (1, 30), (3, 2)])
def test_tiny_images(size) -> None:
    image = np.full((*size, 3), 77, np.uint8)
    alpha = np.full(size, 100, np.uint8)
    assert np.abs(foreground_colors(image, alpha).astype(int) - 77).max() <= 1


def test_soft_needs_a_probability(image, mask) -> None:
    for without in (mask, PersonSegmentation(mask)):
        with pytest.raises(InvalidArgumentError, match=r"soft: expected .* probability"):
            cutout(image, without, soft=True)


def test_refusals(image, mask) -> None:
    small = np.zeros((3, 4), np.uint8)
    uncertain = PersonSegmentation(small, probability=small.astype(np.float32))
    for call in (
        lambda: cutout(image, uncertain, soft=True),
        lambda: cutout(image, small),
        lambda: replace_background(image, small, GREEN),
    ):
        with pytest.raises(InvalidArgumentError, match="size of the image, 65x48; got 4x3"):
            call()
    with pytest.raises(InvalidArgumentError, match="background: expected"):
        replace_background(image, mask, "green")
    with pytest.raises(InvalidArgumentError, match="background: expected an opaque colour"):
        replace_background(image, mask, (0, 0, 0, 0))
    with pytest.raises(ImageError, match=r"background: expected .* got float64"):
        replace_background(image, mask, np.zeros((4, 4, 3)))
    with pytest.raises(ImageError, match="background: expected"):
        replace_background(image, mask, None)
    with pytest.raises(InvalidArgumentError, match="edge_blur_amount"):
        replace_background(image, mask, GREEN, edge_blur_amount=-1)


def test_foreground_colors_refuses() -> None:
    image, alpha = np.zeros((4, 5, 3), np.uint8), np.zeros((4, 5), np.uint8)
    with pytest.raises(ImageError, match="image: expected"):
        foreground_colors(alpha, alpha)
    with pytest.raises(InvalidArgumentError, match=r"alpha: expected uint8 .* got float32"):
        foreground_colors(image, alpha.astype(np.float32))
    with pytest.raises(InvalidArgumentError, match="alpha: expected the size of the image"):
        foreground_colors(image, alpha[1:])
    with pytest.raises(InvalidArgumentError, match=r"alpha: expected uint8 .* got int64 of shape"):
        foreground_colors(image, [[0, 1]])  # type: ignore[arg-type]
