"""`load`, and the methods that give one answer for an image."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import cv2
import numpy as np
import pytest

import bodypix
from bodypix import body
from bodypix.errors import CheckpointError, ImageError, InvalidArgumentError
from bodypix.geometry import Frame
from bodypix.segmenter import BodyPix
from helpers.colours import colour_network, picture
from helpers.sides import LEFT_HAND, RIGHT_HAND, TORSO, sides_network, sides_picture

HANDS = (LEFT_HAND, TORSO, RIGHT_HAND)


@pytest.fixture(scope="module", params=["coarse", "fine", "resnet50"])
def model(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> BodyPix:
    preprocessing = "resnet50" if request.param == "resnet50" else "mobilenet"
    path = tmp_path_factory.mktemp("model") / f"{request.param}.onnx"
    path.write_bytes(sides_network(fine=request.param == "fine", preprocessing=preprocessing))
    return bodypix.load(path, device="cpu", threads=1)


@pytest.fixture(scope="module")
def colours(tmp_path_factory: pytest.TempPathFactory) -> BodyPix:
    path = tmp_path_factory.mktemp("model") / "colours.onnx"
    path.write_bytes(colour_network())
    return bodypix.load(path, device="cpu", threads=1)


def overlap(one: np.ndarray, other: np.ndarray) -> float:
    union = np.logical_or(one, other).sum()
    return float(np.logical_and(one, other).sum() / union)


def test_person(model: BodyPix) -> None:
    image = sides_picture()
    result = model.segment_person(image, internal_resolution="full")
    assert result.mask.shape == image.shape[:2]
    assert result.mask.dtype == np.uint8
    assert (result.width, result.height) == (225, 161)
    assert overlap(result.mask, image.any(axis=2)) > 0.85
    assert result.pose is None


@pytest.mark.parametrize("threshold", [0.0, 0.2, 0.7, 0.99])
def test_mask_and_probability_agree(model: BodyPix, threshold: float) -> None:
    for resolution in ("low", "medium", "full"):
        result = model.segment_person(
            sides_picture(),
            internal_resolution=resolution,  # type: ignore[arg-type]
            segmentation_threshold=threshold,
        )
        assert result.probability is not None
        assert result.probability.dtype == np.float32
        np.testing.assert_array_equal(result.mask, result.probability > np.float32(threshold))


def test_parts(model: BodyPix) -> None:
    image = sides_picture()
    result = model.segment_person_parts(image, internal_resolution="full")
    assert result.part_ids.dtype == np.int32
    assert result.parts == [body.PART_NAMES[part] for part in sorted(HANDS)]
    for channel, part in enumerate(HANDS):
        assert overlap(result.part_ids == part, image[..., channel] > 0) > 0.6
    person = model.segment_person(image, internal_resolution="full")
    np.testing.assert_array_equal(result.mask, person.mask)
    np.testing.assert_array_equal(result.probability, person.probability)


def test_flip_keeps_the_frame_and_the_persons_own_sides(model: BodyPix) -> None:
    """Flipped, the network sees the mirror image, in which left hands look like right hands."""
    image = sides_picture()
    mirrored = np.ascontiguousarray(image[:, ::-1])
    options = {"internal_resolution": "full", "flip_horizontal": True}
    person = model.segment_person(image, **options)  # type: ignore[arg-type]
    seen = model.segment_person(mirrored, internal_resolution="full")
    np.testing.assert_array_equal(person.mask, seen.mask[:, ::-1])
    np.testing.assert_array_equal(person.probability, seen.probability[:, ::-1])
    assert person.mask.flags.c_contiguous

    parts = model.segment_person_parts(image, **options)  # type: ignore[arg-type]
    seen_parts = model.segment_person_parts(mirrored, internal_resolution="full")
    names = np.array([*body.MIRRORED_PARTS, -1])
    np.testing.assert_array_equal(parts.part_ids, names[seen_parts.part_ids[:, ::-1]])
    assert parts.part_ids.dtype == np.int32
    # This network goes by colour, so it calls the red bar a left hand in the mirror image too.
    assert overlap(parts.part("right_hand"), image[..., 0] > 0) > 0.6
    assert overlap(parts.part("torso_front"), image[..., 1] > 0) > 0.6


def test_all_poses_when_read(colours: BodyPix) -> None:
    image = picture(people=1)
    result = colours.segment_person(image, internal_resolution="full")
    kept = image.copy()
    image[:] = 0  # a frame buffer is used again; the answer is still about the old picture
    assert result.all_poses == colours.segment_person(kept, internal_resolution="full").all_poses
    assert len(result.all_poses) == 1
    nose = result.all_poses[0].keypoint("nose")
    assert (nose.x, nose.y) == pytest.approx((64, 80), abs=1.0)
    limited = colours.segment_person(picture(2), internal_resolution="full", max_detections=1)
    assert len(limited.all_poses) == 1


def test_poses_of_a_flipped_call(colours: BodyPix) -> None:
    image = picture(people=1)
    options = {"internal_resolution": "full"}
    plain = colours.segment_person(image, **options).all_poses[0]  # type: ignore[arg-type]
    flipped = colours.segment_person(image, flip_horizontal=True, **options).all_poses[0]  # type: ignore[arg-type]
    mirrored = np.ascontiguousarray(image[:, ::-1])
    seen = colours.segment_person(mirrored, **options).all_poses[0]  # type: ignore[arg-type]
    for index, name in enumerate(body.KEYPOINT_NAMES):
        other = seen.keypoints[body.MIRRORED_KEYPOINTS[index]]
        assert flipped.keypoints[index].name == name
        assert flipped.keypoints[index].x == pytest.approx(239 - other.x)
        assert flipped.keypoints[index].y == pytest.approx(other.y)
    assert flipped.keypoint("nose").x == pytest.approx(plain.keypoint("nose").x, abs=16)


def test_nobody(model: BodyPix) -> None:
    black = np.zeros((90, 120, 3), np.uint8)
    person, parts = model.segment_person(black), model.segment_person_parts(black)
    assert not person.mask.any()
    assert person.box is None
    assert (parts.part_ids == -1).all()
    assert parts.parts == []


@pytest.mark.parametrize("size", [(1, 1), (1, 50), (50, 1), (2, 3), (33, 47), (160, 160)])
@pytest.mark.parametrize("resolution", [0.1, "low", "medium", "full", 2.0])
def test_images_of_any_size_are_covered_to_the_edge(
    model: BodyPix, size: tuple[int, int], resolution: object
) -> None:
    """All colour: the mask reaches every border, and no size crashes."""
    image = np.full((*size, 3), 255, np.uint8)
    result = model.segment_person_parts(image, internal_resolution=resolution)  # type: ignore[arg-type]
    assert result.part_ids.shape == size
    # Padding is black, and where it is much of a tiny input the original's sampling sees it alone.
    if not any(Frame.of(size, resolution, 16).padding):  # type: ignore[arg-type]
        assert result.mask.all()
    person = model.segment_person(image, internal_resolution=resolution)  # type: ignore[arg-type]
    np.testing.assert_array_equal(person.mask, result.mask)


def test_batch_equals_single(model: BodyPix) -> None:
    image = sides_picture(97, 129)
    images = [image, np.ascontiguousarray(image[:, ::-1]), np.zeros_like(image)]
    for flip in (False, True):
        people = model.segment_batch(images, flip_horizontal=flip)
        parts = model.segment_batch(images, parts=True, flip_horizontal=flip)
        assert len(people) == len(parts) == 3
        for index, picture_ in enumerate(images):
            person = model.segment_person(picture_, flip_horizontal=flip)
            part_map = model.segment_person_parts(picture_, flip_horizontal=flip)
            np.testing.assert_array_equal(people[index].mask, person.mask)
            np.testing.assert_array_equal(people[index].probability, person.probability)
            np.testing.assert_array_equal(parts[index].part_ids, part_map.part_ids)
            assert people[index].all_poses == person.all_poses


def test_batches_of_none_and_of_different_sizes(model: BodyPix) -> None:
    assert model.segment_batch([]) == []
    assert model.segment_batch([], parts=True) == []
    with pytest.raises(ImageError, match="image 1 is 20x10"):
        model.segment_batch([np.zeros((8, 20, 3), np.uint8), np.zeros((10, 20, 3), np.uint8)])


@pytest.mark.parametrize(
    ("one", "got"),
    [
        (np.zeros((40, 50, 3), np.uint8), r"an array of shape \(40, 50, 3\)"),
        (np.zeros((40, 50), np.uint8), r"an array of shape \(40, 50\)"),
        (object(), "object"),
        ("photo.jpg", "'photo.jpg'"),
        (Path("photo.jpg"), r"\w+Path\('photo.jpg'\)"),
        (None, "NoneType"),
    ],
)
def test_one_image_is_no_batch(model: BodyPix, one: object, got: str) -> None:
    message = rf"images: expected a list of pictures .* got {got}; for one use segment_person"
    with pytest.raises(InvalidArgumentError, match=message):
        model.segment_batch(one)  # type: ignore[arg-type]


def test_an_array_of_images_is_a_batch(model: BodyPix) -> None:
    images = np.stack([sides_picture(), np.zeros_like(sides_picture())])
    for one, several in zip(images, model.segment_batch(images), strict=True):
        np.testing.assert_array_equal(several.mask, model.segment_person(one).mask)


def test_output_strides_there_and_back() -> None:
    image = picture()
    own = bodypix.load(threads=1)
    changed = own.with_output_stride(8).with_output_stride(32)
    assert (changed.info.output_stride, own.info.output_stride) == (32, 16)
    again = changed.with_output_stride(16)
    assert again.info == own.info
    np.testing.assert_array_equal(
        again.segment_person(image).probability, own.segment_person(image).probability
    )


def test_images_may_be_paths_and_pil_images(model: BodyPix, tmp_path: Path) -> None:
    image = sides_picture()
    expected = model.segment_person(image).mask
    path = tmp_path / "sides.png"
    cv2.imwrite(str(path), image[..., ::-1])
    np.testing.assert_array_equal(model.segment_person(path).mask, expected)
    np.testing.assert_array_equal(model.segment_person(str(path)).mask, expected)
    pil = pytest.importorskip("PIL.Image")
    np.testing.assert_array_equal(model.segment_person(pil.fromarray(image)).mask, expected)


def test_images_are_left_alone(model: BodyPix) -> None:
    image = sides_picture()
    before = image.copy()
    image.setflags(write=False)
    model.segment_person_parts(image, flip_horizontal=True)
    np.testing.assert_array_equal(image, before)


@pytest.mark.parametrize(
    "options",
    [
        {"internal_resolution": 5},
        {"segmentation_threshold": 1.5},
        {"max_detections": 0},
        {"score_threshold": -1},
        {"nms_radius": 0},
    ],
)
def test_options_out_of_range(model: BodyPix, options: dict[str, object]) -> None:
    name = next(iter(options))
    for method in (model.segment_person, model.segment_person_parts):
        with pytest.raises(InvalidArgumentError, match=name):
            method(sides_picture(), **options)  # type: ignore[arg-type]


def test_facts_about_the_model(model: BodyPix) -> None:
    assert model.info.name == "sides"
    assert model.device == "cpu"
    assert model.providers == ("CPUExecutionProvider",)
    assert model.threads == 1


@pytest.mark.parametrize("field", ["name", "model_url", "cache_dir"])
@pytest.mark.parametrize("value", [5, b"model.onnx"])
def test_what_is_no_path_is_named(field: str, value: object) -> None:
    with pytest.raises(
        InvalidArgumentError, match=rf"^{field}: expected text or a path, got {value!r}"
    ):
        bodypix.load(**{field: value})  # type: ignore[arg-type]


def test_load_takes_a_name_or_options() -> None:
    with pytest.raises(InvalidArgumentError, match="expected no name beside"):
        bodypix.load("mobilenet-050-stride16", multiplier=0.5)


def test_load_of_an_unknown_name() -> None:
    with pytest.raises(InvalidArgumentError, match="mobilnet-050"):
        bodypix.load("mobilnet-050-stride16")


def test_load_of_a_missing_file(tmp_path: Path) -> None:
    with pytest.raises(CheckpointError, match="does not exist"):
        bodypix.load(tmp_path / "missing.onnx")


def test_load_checks_options_in_the_originals_order() -> None:
    with pytest.raises(InvalidArgumentError, match="Invalid output_stride 4"):
        bodypix.load(output_stride=4, multiplier=7)


def test_several_threads_at_once(model: BodyPix) -> None:
    images = [sides_picture(60 + 7 * index, 90 + 5 * index) for index in range(6)] * 4
    expected = [model.segment_person_parts(image) for image in images]
    with ThreadPoolExecutor(4) as pool:
        got = list(pool.map(model.segment_person_parts, images))
    for one, other in zip(got, expected, strict=True):
        np.testing.assert_array_equal(one.part_ids, other.part_ids)
        np.testing.assert_array_equal(one.probability, other.probability)
