"""The API of the body-segmentation package."""

from __future__ import annotations

import numpy as np
import pytest

import bodypix
from bodypix import body, drawing
from bodypix import body_segmentation as bodies
from bodypix.errors import InvalidArgumentError
from bodypix.results import PartSegmentation, PersonSegmentation
from helpers.colours import colour_network, picture

LEFT = np.array([[1, 1, 0, 0]], np.uint8)
RIGHT = np.array([[0, 1, 1, 0]], np.uint8)
PARTS = np.array([[-1, 0, 23, 5]], np.int32)


class Recorder:
    """Stands in for a model: answers with fixed results and keeps the options."""

    def __init__(self) -> None:
        self.calls: list[tuple[str, dict[str, object]]] = []

    def segment_person(self, image: object, **options: object) -> PersonSegmentation:
        self.calls.append(("person", options))
        return PersonSegmentation(LEFT)

    def segment_person_parts(self, image: object, **options: object) -> PartSegmentation:
        self.calls.append(("parts", options))
        return PartSegmentation(PARTS)

    def segment_multi_person(self, image: object, **options: object) -> list[PersonSegmentation]:
        self.calls.append(("people", options))
        return [PersonSegmentation(LEFT), PersonSegmentation(RIGHT)]

    def segment_multi_person_parts(
        self, image: object, **options: object
    ) -> list[PartSegmentation]:
        self.calls.append(("people's parts", options))
        return [PartSegmentation(PARTS)]


def people(*, multi: bool = False, parts: bool = False) -> list[bodies.Segmentation]:
    segmenter = bodies.BodySegmenter(Recorder())  # type: ignore[arg-type]
    return segmenter.segment_people(
        None,  # type: ignore[arg-type]
        multi_segmentation=multi,
        segment_body_parts=parts,
    )


def mask_of(*pixels: tuple[int, int]) -> bodies.Segmentation:
    """A segmentation of one row from (red, alpha) pairs."""
    data = np.zeros((1, len(pixels), 4), np.uint8)
    data[0, :, 0], data[0, :, 3] = zip(*pixels, strict=True)
    return bodies.Segmentation(bodies.Mask(data), str)


def test_person_values() -> None:
    (found,) = people()
    data = found.mask.to_image_data()
    assert data.tolist() == [[[255, 0, 0, 255], [255, 0, 0, 255], [0, 0, 0, 0], [0, 0, 0, 0]]]
    assert found.mask_value_to_label(255) == "person"
    assert found.mask.get_underlying_type() == "imagedata"
    assert found.mask.to_tensor().dtype == np.int32
    np.testing.assert_array_equal(found.mask.to_tensor(), data)
    assert isinstance(found.result, PersonSegmentation)
    with pytest.raises(InvalidArgumentError, match=r"expected 255 \(person\); got 0"):
        found.mask_value_to_label(0)


def test_part_values() -> None:
    (found,) = people(parts=True)
    assert found.mask.to_image_data().tolist() == [
        [[24, 0, 0, 0], [0, 0, 0, 255], [23, 0, 0, 255], [5, 0, 0, 255]]
    ]
    assert [found.mask_value_to_label(part) for part in range(24)] == list(body.PART_NAMES)
    with pytest.raises(InvalidArgumentError, match="from 0 to 23; got 24"):
        found.mask_value_to_label(24)


@pytest.mark.parametrize(
    ("multi", "parts", "call", "count"),
    [
        (False, False, "person", 1),
        (False, True, "parts", 1),
        (True, False, "people", 2),
        (True, True, "people's parts", 1),
    ],
)
def test_which_method_is_called(multi, parts, call, count) -> None:
    model = Recorder()
    found = bodies.BodySegmenter(model).segment_people(
        None,
        multi_segmentation=multi,
        segment_body_parts=parts,
        segmentation_threshold=0.3,
        refine_steps=4,
        min_keypoint_score=0.2,
    )
    ((name, options),) = model.calls
    assert (name, len(found)) == (call, count)
    assert options["segmentation_threshold"] == 0.3
    assert ("refine_steps" in options) == ("min_keypoint_score" in options) == multi


def test_create_segmenter(tmp_path) -> None:
    path = tmp_path / "colours.onnx"
    path.write_bytes(colour_network())
    segmenter = bodies.create_segmenter("BodyPix", name=path)
    image = picture()
    (person,) = segmenter.segment_people(image)
    (parts,) = segmenter.segment_people(image, segment_body_parts=True)
    expected = bodypix.load(path).segment_person(image)
    np.testing.assert_array_equal(person.mask.image_data[..., 3], expected.mask * 255)
    assert set(np.unique(parts.mask.image_data[..., 0])) == {12, 24}


@pytest.mark.parametrize("model", ["MediaPipeSelfieSegmentation", "bodypix", None])
def test_other_models(model) -> None:
    with pytest.raises(InvalidArgumentError, match="model: expected 'BodyPix'; got"):
        bodies.create_segmenter(model)


def test_rainbow() -> None:
    assert bodies.body_pix_mask_value_to_rainbow_color(23) == (99, 81, 195, 255)
    for value in (24, -1, 255):
        with pytest.raises(InvalidArgumentError, match="part id from 0 to 23"):
            bodies.body_pix_mask_value_to_rainbow_color(value)


def test_binary_mask_of_several() -> None:
    white, black = (255, 255, 255, 255), (0, 0, 0, 255)
    drawn = bodies.to_binary_mask(people(multi=True), white, black)
    assert drawn[0, :, 0].tolist() == [255, 255, 255, 0]
    single = bodies.to_binary_mask(people()[0])
    np.testing.assert_array_equal(single, drawing.to_mask(LEFT))


def test_binary_mask_contour() -> None:
    mask = np.zeros((9, 9), np.uint8)
    mask[2:6, 3:7] = 1
    data = np.dstack([mask * 255, mask * 0, mask * 0, mask * 255])
    drawn = bodies.to_binary_mask(bodies.Segmentation(bodies.Mask(data), str), draw_contour=True)
    np.testing.assert_array_equal(drawn, drawing.to_mask(mask, draw_contour=True))


@pytest.mark.parametrize(
    ("threshold", "expected"),
    [(0.5, [0, 0, 1, 1]), (0.499, [0, 1, 1, 1]), (1, [0, 0, 0, 1]), (0, [1, 1, 1, 1])],
)
def test_alpha_threshold_rounds_halves_up(threshold, expected) -> None:
    found = mask_of((7, 0), (7, 127), (7, 128), (7, 255))
    drawn = bodies.to_binary_mask(found, (255,) * 4, (0, 0, 0, 0), False, threshold)
    assert (drawn[0, :, 0] // 255).tolist() == expected


def test_binary_mask_of_some_values() -> None:
    drawn = bodies.to_binary_mask(
        people(parts=True), (255,) * 4, (0, 0, 0, 0), foreground_mask_values=[0, 5, 200]
    )
    assert drawn[0, :, 0].tolist() == [0, 255, 0, 255]


def test_colored_mask() -> None:
    drawn = bodies.to_colored_mask(
        people(parts=True), bodies.body_pix_mask_value_to_rainbow_color, (255, 255, 255, 255)
    )
    np.testing.assert_array_equal(drawn, drawing.to_colored_part_mask(PARTS))


def test_colored_mask_of_several() -> None:
    below, above = mask_of((1, 255), (1, 255), (9, 0)), mask_of((2, 255), (9, 0), (9, 0))
    asked: list[int] = []

    def color(value: int) -> tuple[int, int, int]:
        asked.append(value)
        return value, value, value

    drawn = bodies.to_colored_mask([below, above], color, (0, 0, 0, 0))
    assert drawn[0].tolist() == [[2, 2, 2, 255], [1, 1, 1, 255], [0, 0, 0, 0]]
    assert asked == [1, 2]


def test_threshold_zero_meets_value_24() -> None:
    with pytest.raises(InvalidArgumentError, match="got 24"):
        bodies.to_colored_mask(
            people(parts=True), bodies.body_pix_mask_value_to_rainbow_color, foreground_threshold=0
        )


def test_empty_lists() -> None:
    image = np.full((9, 9, 3), 50, np.uint8)
    assert bodies.to_binary_mask([]) is None
    assert bodies.to_colored_mask([], bodies.body_pix_mask_value_to_rainbow_color) is None
    np.testing.assert_array_equal(bodies.draw_mask(image, None), image)
    np.testing.assert_array_equal(bodies.draw_bokeh_effect(image, []), image)
    np.testing.assert_array_equal(bodies.blur_body_part(image, [], [0]), image)


def scene() -> tuple[np.ndarray, np.ndarray, bodies.Segmentation]:
    image = np.random.default_rng(4).integers(0, 256, (30, 40, 3), np.uint8)
    ids = np.full((30, 40), -1, np.int32)
    ids[5:25, 5:15], ids[5:25, 15:30] = 0, 12
    return image, ids, bodies._segmentation(PartSegmentation(ids))


def test_bokeh_takes_the_threshold_before_the_blurs() -> None:
    image, ids, found = scene()
    np.testing.assert_array_equal(
        bodies.draw_bokeh_effect(image, [found], 0.5, 6, 1, True),
        drawing.draw_bokeh_effect(image, ids >= 0, 6, 1, True),
    )


def test_blur_body_part_names_the_values() -> None:
    image, ids, found = scene()
    np.testing.assert_array_equal(
        bodies.blur_body_part(image, found, [0, 1], 0.5, 6, 1, True),
        drawing.blur_body_part(image, ids, [0, 1], 6, 1, True),
    )
    np.testing.assert_array_equal(
        bodies.blur_body_part(image, found, 1), bodies.blur_body_part(image, found, [1])
    )


def test_segmentations_compare_by_identity() -> None:
    first, second = scene()[2], scene()[2]
    assert first == first
    assert first != second


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda f: bodies.to_binary_mask(f, foreground_threshold=2), "foreground_threshold"),
        (lambda f: bodies.to_binary_mask(f, foreground_mask_values=[256]), "0 to 255; got 256"),
        (lambda f: bodies.to_binary_mask(f, foreground_mask_values=[1.1]), "0 to 255; got 1.1"),
        (lambda f: bodies.to_binary_mask(f, foreground_mask_values=256), "0 to 255; got 256"),
        (lambda f: bodies.to_binary_mask([f, mask_of((1, 1))]), "got 1x1"),
        (lambda f: bodies.to_binary_mask(None), "segment_people returns; got NoneType"),
        (lambda f: bodies.to_binary_mask(f.result), "segment_people returns; got "),
        (
            lambda f: bodies.to_binary_mask([np.zeros((2, 2))]),
            "segment_people returns; got ndarray",
        ),
        (lambda f: bodies.to_colored_mask(f, lambda value: "red"), r"mask_value_to_color\(0\)"),
        (lambda f: bodies.Mask(np.zeros((2, 2), np.uint8)), r"image_data: expected \(H, W, 4\)"),
    ],
)
def test_refusals(call, message) -> None:
    with pytest.raises(InvalidArgumentError, match=message):
        call(scene()[2])
