"""`FrameSegmenter`: the answers of the model's own methods, steadied and numbered over time."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

import bodypix
from bodypix.engine import Engine
from bodypix.media.segmenting import FrameSegmenter
from bodypix.options import InferenceOptions
from bodypix.results import PartSegmentation, PersonSegmentation
from bodypix.temporal.smoothing import SmoothingOptions
from helpers.colours import colour_network, picture

FULL = InferenceOptions(internal_resolution="full")


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> bodypix.BodyPix:
    path = tmp_path_factory.mktemp("model") / "colours.onnx"
    path.write_bytes(colour_network())
    return bodypix.load(path, device="cpu", threads=1)


@pytest.fixture
def runs(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[tuple[str, ...]]]:
    """The heads that were asked of the network, run by run."""
    asked: list[tuple[str, ...]] = []
    original = Engine.run

    def run(self: Engine, images: Any, heads: Any) -> Any:
        asked.append(tuple(heads))
        return original(self, images, heads)

    monkeypatch.setattr(Engine, "run", run)
    return asked


@pytest.mark.parametrize("flip", [False, True])
def test_without_smoothing_as_segment_person(model: bodypix.BodyPix, flip: bool) -> None:
    options = InferenceOptions(internal_resolution="full", flip_horizontal=flip)
    found = FrameSegmenter(model, options=options)(picture())
    expected = model.segment_person(picture(), internal_resolution="full", flip_horizontal=flip)
    assert isinstance(found, PersonSegmentation)
    assert found.mask.any()
    np.testing.assert_array_equal(found.mask, expected.mask)
    np.testing.assert_array_equal(found.probability, expected.probability)
    assert found.all_poses == expected.all_poses != []


@pytest.mark.parametrize("flip", [False, True])
def test_without_smoothing_as_segment_person_parts(model: bodypix.BodyPix, flip: bool) -> None:
    options = InferenceOptions(internal_resolution="full", flip_horizontal=flip)
    found = FrameSegmenter(model, parts=True, poses=True, options=options)(picture())
    expected = model.segment_person_parts(
        picture(), internal_resolution="full", flip_horizontal=flip
    )
    assert isinstance(found, PartSegmentation)
    np.testing.assert_array_equal(found.part_ids, expected.part_ids)
    np.testing.assert_array_equal(found.probability, expected.probability)
    assert found.all_poses == expected.all_poses != []


@pytest.mark.parametrize("parts", [False, True])
@pytest.mark.parametrize("flip", [False, True])
def test_people_as_the_multi_person_methods(
    model: bodypix.BodyPix, parts: bool, flip: bool
) -> None:
    options = InferenceOptions(internal_resolution="full", flip_horizontal=flip)
    found = FrameSegmenter(model, parts=parts, people=True, options=options)(picture(people=2))
    method = model.segment_multi_person_parts if parts else model.segment_multi_person
    expected = method(picture(people=2), internal_resolution="full", flip_horizontal=flip)
    assert isinstance(found, list)
    assert len(found) == len(expected) == 2
    for own, other in zip(found, expected, strict=True):
        assert type(own) is type(other)
        np.testing.assert_array_equal(own.mask, other.mask)
        assert own.pose == other.pose
        assert own.all_poses == other.all_poses
        if isinstance(own, PartSegmentation) and isinstance(other, PartSegmentation):
            np.testing.assert_array_equal(own.part_ids, other.part_ids)


def test_nobody_is_an_empty_list(model: bodypix.BodyPix) -> None:
    segmenter = FrameSegmenter(model, parts=True, people=True, options=FULL)
    assert segmenter(np.zeros((160, 240, 3), np.uint8)) == []


@pytest.mark.parametrize(
    "wanted", [{}, {"parts": True}, {"poses": True}, {"people": True, "parts": True}]
)
def test_one_run_of_the_network_for_a_frame(
    model: bodypix.BodyPix, runs: list[tuple[str, ...]], wanted: dict[str, bool]
) -> None:
    found = FrameSegmenter(model, options=FULL, **wanted)(picture())
    assert len(runs) == 1
    assert ("part_heatmaps" in runs[0]) == wanted.get("parts", False)
    assert ("long_offsets" in runs[0]) == wanted.get("people", False)
    assert ("heatmaps" in runs[0]) == (wanted.get("people", False) or wanted.get("poses", False))
    if "poses" in wanted:
        assert not isinstance(found, list)
        assert found.all_poses
        assert len(runs) == 1


def test_a_flicker_is_smoothed_away_until_reset(model: bodypix.BodyPix) -> None:
    # Greys a little apart, on both sides of the threshold: a picture that stands still.
    sure, unsure = (np.full((160, 240, 3), level, np.uint8) for level in (138, 130))
    assert model.segment_person(sure, internal_resolution="full").mask.all()
    assert not model.segment_person(unsure, internal_resolution="full").mask.any()
    options = SmoothingOptions(still=20, moving=30)
    segmenter = FrameSegmenter(model, smoothing=options, options=FULL)
    for image in (sure, unsure):
        found = segmenter(image)
        assert isinstance(found, PersonSegmentation)
        assert found.mask.all()
        assert found.probability is not None
        np.testing.assert_array_equal(found.mask, found.probability > np.float32(0.7))
    segmenter.reset()
    found = segmenter(unsure)
    assert isinstance(found, PersonSegmentation)
    assert not found.mask.any()


def test_people_keep_their_numbers(model: bodypix.BodyPix) -> None:
    segmenter = FrameSegmenter(model, people=True, options=FULL)
    both = picture(people=2)
    only_right = both.copy()
    only_right[:, :120] = 0

    def numbers(image: Any) -> dict[int | None, int]:
        """Left edge of each person by number."""
        people = segmenter(image)
        assert isinstance(people, list)
        return {person.track: person.box[0] for person in people if person.box}

    begin = numbers(both)
    assert len(begin) == 2
    assert None not in begin
    assert numbers(only_right).items() <= begin.items()
    assert numbers(both) == begin
