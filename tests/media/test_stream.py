"""`bodypix.stream`: frames with results, and an end of its threads however a loop ends."""

from __future__ import annotations

import gc
import threading
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

import bodypix
from bodypix.errors import InvalidArgumentError, MediaError
from bodypix.media import Frame
from bodypix.results import PartSegmentation, PersonSegmentation
from bodypix.temporal import SmoothingOptions
from helpers.colours import colour_network, picture
from helpers.fake_media import PATIENCE, FakeSource


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> bodypix.BodyPix:
    path = tmp_path_factory.mktemp("model") / "colours.onnx"
    path.write_bytes(colour_network())
    return bodypix.load(path, device="cpu", threads=1)


@pytest.fixture(autouse=True)
def _no_thread_is_left() -> Iterator[None]:
    before = set(threading.enumerate())
    yield
    gc.collect()
    assert set(threading.enumerate()) <= before


def images(count: int) -> Iterator[np.ndarray[Any, np.dtype[np.uint8]]]:
    """The picture of one person, and blank pictures at every third place."""
    for index in range(count):
        yield np.zeros_like(picture()) if index % 3 == 2 else picture()


def test_every_frame_with_its_person(model: bodypix.BodyPix) -> None:
    seen = []
    for frame, person in bodypix.stream(
        images(10), model, smoothing=False, internal_resolution="full"
    ):
        assert isinstance(frame, Frame)
        assert isinstance(person, PersonSegmentation)
        assert person.mask.shape == frame.image.shape[:2]
        seen.append((frame.index, bool(person.mask.any())))
    assert seen == [(index, index % 3 != 2) for index in range(10)]


def test_parts_and_people(model: bodypix.BodyPix) -> None:
    results = [
        result
        for _, result in bodypix.stream(
            images(3), model, parts=True, people=True, internal_resolution="full"
        )
    ]
    assert all(isinstance(result, list) for result in results)
    (person,) = results[0]
    assert isinstance(person, PartSegmentation)
    assert person.track is not None
    assert results[1][0].track == person.track


def test_smoothing_is_on_by_default(model: bodypix.BodyPix) -> None:
    # Greys a little apart, on both sides of the threshold: a picture that stands still.
    film = [np.full((160, 240, 3), level, np.uint8) for level in (136, 131)]
    plain, smooth = (
        [
            bool(person.mask.all())
            for _, person in bodypix.stream(film, model, internal_resolution="full", **options)
        ]
        for options in ({"smoothing": False}, {})
    )
    assert plain == [True, False]
    assert smooth == [True, True]


def test_the_default_model(monkeypatch: pytest.MonkeyPatch, model: bodypix.BodyPix) -> None:
    monkeypatch.setattr("bodypix.media.stream.load", lambda: model)
    frame, person = next(bodypix.stream(images(1)))
    assert frame.index == 0
    assert isinstance(person, PersonSegmentation)


def test_a_loop_may_end_early(model: bodypix.BodyPix) -> None:
    source = FakeSource(10_000)
    for frame, _ in bodypix.stream(source, model):
        if frame.index == 3:
            break
    gc.collect()
    assert source.closed
    assert len(source.given) < 100


def test_close_and_context_manager(model: bodypix.BodyPix) -> None:
    source = FakeSource(10_000)
    with bodypix.stream(source, model) as stream:
        assert stream.source is source
        next(stream)
    assert source.closed == 1
    stream.close()
    assert source.closed == 1
    assert list(stream) == []


def test_an_error_of_the_source_comes_after_its_frames(model: bodypix.BodyPix) -> None:
    def pictures() -> Iterator[Any]:
        yield from images(4)
        raise MediaError("the tape is torn")

    stream = bodypix.stream(pictures(), model)
    assert [next(stream)[0].index for _ in range(4)] == [0, 1, 2, 3]
    with pytest.raises(MediaError, match="the tape is torn"):
        next(stream)


def test_frames_that_cannot_be_segmented(model: bodypix.BodyPix) -> None:
    with pytest.raises(MediaError, match="expected pictures of one size"):
        list(bodypix.stream([picture(), picture()[:50]], model))


def test_options_are_checked_at_once(model: bodypix.BodyPix) -> None:
    source = FakeSource(5)
    with pytest.raises(InvalidArgumentError, match="segmentation_threshold"):
        bodypix.stream(source, model, segmentation_threshold=2)
    with pytest.raises(MediaError, match="no such file"):
        bodypix.stream("nowhere.mp4", model)
    assert source.given == []


@pytest.mark.parametrize("smoothing", ["yes", 5, 1.0, -0.5, float("nan"), [0.9]])
def test_what_is_no_smoothing(model: bodypix.BodyPix, smoothing: Any) -> None:
    with pytest.raises(InvalidArgumentError, match=r"(smoothing|strength): expected"):
        bodypix.stream(images(2), model, smoothing=smoothing)


@pytest.mark.parametrize("steady", [0.9, SmoothingOptions(strength=0.9)])
def test_smoothing_by_its_strength(model: bodypix.BodyPix, steady: Any) -> None:
    film = list(images(3))
    expected, zero, off, found = (
        [person.probability for _, person in bodypix.stream(film, model, smoothing=smoothing)]
        for smoothing in (True, 0, False, steady)
    )
    np.testing.assert_array_equal(found, expected)
    np.testing.assert_array_equal(zero, off)


@pytest.mark.parametrize("wrong", ["small", picture()])
def test_what_is_no_model(wrong: Any) -> None:
    with pytest.raises(InvalidArgumentError, match=r"model: expected a model .*bodypix\.load"):
        bodypix.stream(images(1), wrong)


def test_one_array_is_no_film(model: bodypix.BodyPix) -> None:
    with pytest.raises(InvalidArgumentError, match=r"source: expected .* got an array of shape"):
        bodypix.stream(picture(), model)
    film = np.stack([picture(), picture()])
    assert [frame.index for frame, _ in bodypix.stream(film, model)] == [0, 1]


def test_live_sources_drop_what_is_late(model: bodypix.BodyPix) -> None:
    looking, gave_8 = threading.Event(), threading.Event()

    def before(index: int) -> None:
        if index == 1:
            looking.wait(PATIENCE)
        if index == 9:
            gave_8.set()

    source = FakeSource(10, live=True, before=before)
    seen = []
    with bodypix.stream(source, model) as stream:
        for frame, _ in stream:
            seen.append(frame.index)
            looking.set()
            gave_8.wait(PATIENCE)
    assert seen[0] == 0
    assert seen[-1] == 9
    assert len(seen) + stream.dropped == 10
    assert stream.dropped >= 4
