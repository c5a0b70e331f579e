"""The API of BodyPix 1."""

from __future__ import annotations

from importlib.resources import files
from pathlib import Path

import numpy as np
import pytest

import bodypix
from bodypix import body, drawing, v1
from bodypix.checkpoints.onnx_format import write_model
from bodypix.checkpoints.tfjs import convert_tfjs
from bodypix.errors import InvalidArgumentError
from bodypix.results import PartSegmentation, PersonSegmentation
from helpers.colours import colour_network, picture
from helpers.tfjs_models import mobilenet

MASK = np.array([[0, 1], [1, 0]], np.uint8)


@pytest.fixture(scope="module")
def colours(tmp_path_factory: pytest.TempPathFactory) -> v1.BodyPix:
    """A network that takes bright pixels for people."""
    path = tmp_path_factory.mktemp("colours") / "colours.onnx"
    path.write_bytes(colour_network())
    return v1.BodyPix(bodypix.load(path))


@pytest.fixture(scope="module")
def random(tmp_path_factory: pytest.TempPathFactory) -> v1.BodyPix:
    """A small MobileNet with random weights, stride 16."""
    folder = tmp_path_factory.mktemp("random")
    path = folder / "random.onnx"
    path.write_bytes(write_model(convert_tfjs(mobilenet(16).write(folder))))
    return v1.BodyPix(bodypix.load(path))


def test_estimates_are_those_of_version_two(colours) -> None:
    image = picture()
    person = colours.estimate_person_segmentation(image)
    parts = colours.estimate_part_segmentation(image)
    again = colours.model.segment_person(image, segmentation_threshold=0.5)
    np.testing.assert_array_equal(person.mask, again.mask)
    np.testing.assert_array_equal(parts.mask, person.mask)
    assert person.mask[80, 60] == 1
    assert parts.parts == ["torso_front"]


def test_the_threshold_counts(colours) -> None:
    strict = colours.estimate_person_segmentation(picture(), 16, 1.0)
    assert not strict.mask.any()


def test_a_stride_for_each_call(random) -> None:
    image = np.random.default_rng(2).integers(0, 256, (129, 193, 3), np.uint8)
    maps = {
        stride: random.estimate_person_segmentation(image, stride, internal_resolution="full")
        for stride in (8, 16, 32)
    }
    sizes = {stride: found.probability.shape for stride, found in maps.items()}
    assert set(sizes.values()) == {(129, 193)}
    # corner-aligned grids of the same network meet at every 32nd pixel
    for stride in (8, 32):
        np.testing.assert_allclose(
            maps[stride].probability[::32, ::32], maps[16].probability[::32, ::32], atol=1e-4
        )
    assert np.abs(maps[8].probability - maps[16].probability).max() > 1e-3


@pytest.mark.parametrize("name", [None, "small"])
@pytest.mark.parametrize("stride", [8, 32])
def test_strides_of_the_built_in_weights(name, stride) -> None:
    """The same people on every grid: masks come from the fine heads."""
    net = v1.BodyPix(bodypix.load(name, threads=1))
    photo = files("bodypix") / "assets" / "astronaut.jpg"
    own = net.estimate_person_segmentation(photo).mask
    other = net.estimate_person_segmentation(photo, stride).mask
    assert (own & other).sum() / (own | other).sum() > 0.9
    assert (own != other).any() == (stride == 8)
    parts = net.estimate_part_segmentation(photo, stride)
    np.testing.assert_array_equal(parts.mask, other)
    assert "torso_front" in parts.parts
    (pose,), (fine,) = (
        [person.pose for person in model.segment_multi_person(photo)]
        for model in (net._at(16), net._at(stride))
    )
    assert np.abs(pose.positions - fine.positions)[pose.scores > 0.5].max() < 40


def test_models_of_a_stride_are_made_once(random) -> None:
    assert random._at(8) is random._at(8)
    assert random._at(16) is random.model


@pytest.mark.parametrize("stride", [4, 0, "16", None, 16.5, 8.0, [16]])
def test_other_strides(random, stride) -> None:
    with pytest.raises(InvalidArgumentError, match="output_stride: expected one of 8, 16, 32"):
        random.estimate_part_segmentation(np.zeros((40, 40, 3), np.uint8), stride)


@pytest.mark.parametrize("multiplier", [0.25, 2, "0.75"])
def test_unknown_multipliers(multiplier) -> None:
    with pytest.raises(InvalidArgumentError, match="Invalid multiplier"):
        v1.load(multiplier)


def test_load_passes_everything_on(monkeypatch: pytest.MonkeyPatch, colours) -> None:
    seen: list[dict[str, object]] = []

    def load(**options: object) -> object:
        seen.append(options)
        return colours.model

    monkeypatch.setattr("bodypix.segmenter.load", load)
    assert v1.load(0.5, threads=1).model is colours.model
    assert v1.load(device="cpu", offline=True).model is colours.model
    first, second = seen
    assert (first["architecture"], first["multiplier"], first["threads"]) == ("MobileNetV1", 0.5, 1)
    assert first["output_stride"] == 16
    assert (second["architecture"], second["multiplier"], second["output_stride"]) == (None,) * 3
    assert (second["device"], second["offline"]) == ("cpu", True)


def test_old_part_ids() -> None:
    ids = np.arange(-1, 24, dtype=np.int32)[None]
    old = v1.v1_part_ids(PartSegmentation(ids))
    assert old.dtype == np.int32
    assert old[0, 0] == -1
    assert sorted(old[0].tolist()) == list(range(-1, 24))
    for new_id, old_id in enumerate(old[0, 1:].tolist()):
        assert body.part_id(v1.PART_CHANNELS[old_id]) == new_id
    np.testing.assert_array_equal(v1.v1_part_ids(ids), old)


@pytest.mark.parametrize("value", [-2, 24])
def test_old_part_ids_of_no_part(value) -> None:
    with pytest.raises(InvalidArgumentError, match="part ids from -1 to 23"):
        v1.v1_part_ids(np.array([[value]], np.int32))


@pytest.mark.parametrize(
    "wrong",
    [
        PersonSegmentation(np.zeros((2, 2), np.uint8)),
        np.zeros((2, 2), np.uint8),
        np.zeros((2, 2), np.float32),
        np.zeros((0, 2), np.int32),
        [[1, 2]],
    ],
)
def test_old_part_ids_of_something_else(wrong) -> None:
    with pytest.raises(InvalidArgumentError, match="segmentation: expected"):
        v1.v1_part_ids(wrong)


@pytest.mark.parametrize("segmentation", [MASK, PersonSegmentation(MASK)])
def test_mask_image_data(segmentation) -> None:
    drawn = v1.to_mask_image_data(segmentation)
    assert not drawn[..., :3].any()
    assert drawn[..., 3].tolist() == [[255, 0], [0, 255]]
    assert v1.to_mask_image_data(segmentation, False)[..., 3].tolist() == [[0, 255], [255, 0]]


def test_colored_part_image_data() -> None:
    ids = np.array([[-1, 1]], np.int32)
    drawn = v1.to_colored_part_image_data(ids, [(1, 2, 3), (4, 5, 6)])
    assert drawn.tolist() == [[[255, 255, 255, 255], [4, 5, 6, 255]]]
    with pytest.raises(InvalidArgumentError, match="No color could be found for part id 1"):
        v1.to_colored_part_image_data(ids, [(1, 2, 3)])


def test_drawing_is_that_of_version_two() -> None:
    image = np.random.default_rng(0).integers(0, 256, (40, 50, 3), np.uint8)
    mask = np.zeros((40, 50), np.uint8)
    mask[10:30, 10:30] = 1
    layer = v1.to_mask_image_data(mask)
    np.testing.assert_array_equal(
        v1.draw_mask(image, layer, 0.5, 3, True), drawing.draw_mask(image, layer, 0.5, 3, True)
    )
    np.testing.assert_array_equal(
        v1.draw_pixelated_mask(image, layer, 0.5, 0, False, 7),
        drawing.draw_pixelated_mask(image, layer, 0.5, 0, False, 7),
    )
    np.testing.assert_array_equal(
        v1.draw_bokeh_effect(image, mask, 4, 2, border="transparent", kernel="boxes"),
        drawing.draw_bokeh_effect(image, mask, 4, 2, border="transparent", kernel="boxes"),
    )


@pytest.mark.parametrize("draw", [v1.draw_mask, v1.draw_pixelated_mask])
def test_a_mask_must_be_given(draw) -> None:
    with pytest.raises(InvalidArgumentError, match=r"mask_image: expected .* got None"):
        draw(np.zeros((2, 2, 3), np.uint8), None)


def test_published_weights_at_stride_8_per_call(shared: Path) -> None:
    """The stride 16 file at stride 8 answers as the published stride 8 file does."""
    folder = shared / "golden" / "tfjs" / "float" / "050"
    per_call = v1.BodyPix(bodypix.load(folder / "model-stride16.json"))
    published = bodypix.load(folder / "model-stride8.json")
    image = shared / "golden" / "inputs" / "hsd_160.png"
    ours = per_call.estimate_part_segmentation(image, 8, 0.7)
    theirs = published.segment_person_parts(image)
    assert (ours.part_ids == theirs.part_ids).mean() > 0.9999
