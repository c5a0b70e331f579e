"""The built library in a page of one's own: the same answers as Python on the same picture."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from typing import Any

import cv2
import numpy as np
import pytest

from bodypix.segmenter import BodyPix
from helpers import moving_photo
from helpers.demo_page import Demo

# A photo of one person, a smaller one of three whose size is no multiple of anything.
PICTURES = {
    "one": moving_photo.photo(),
    "three": cv2.resize(next(moving_photo.moving_photo(people=3)), (517, 389)),
}

SEGMENT = """async ([method, png, options]) => {
    const { load } = await import('./lib/bodypix.js');
    window.net ??= await load({ backend: 'wasm' });
    const blob = await (await fetch(png)).blob();
    const answer = await net[method](await createImageBitmap(blob), options);
    return [answer].flat().map(({ data, width, height, pose, allPoses }) => ({
        data: encoded(Int32Array.from(data)), width, height, poses: allPoses ?? [pose],
    }));
}"""


@pytest.fixture(scope="module")
def library(window: Demo) -> Iterator[Any]:
    """Calls a method of a loaded model in the page, with a picture and options."""

    def segment(method: str, picture: str, **options: Any) -> list[dict[str, Any]]:
        png = cv2.imencode(".png", cv2.cvtColor(PICTURES[picture], cv2.COLOR_RGB2BGR))[1]
        address = "data:image/png;base64," + base64.b64encode(png).decode()
        answers = window.page.evaluate(SEGMENT, [method, address, options])
        for answer in answers:
            data = np.frombuffer(base64.b64decode(answer["data"]), np.int32)
            answer["data"] = data.reshape(answer["height"], answer["width"])
        return answers

    yield segment
    window.page.evaluate("net.dispose()")


@pytest.mark.parametrize("picture", PICTURES)
@pytest.mark.parametrize("resolution", ["low", "medium", "full"])
def test_persons(library: Any, model: BodyPix, picture: str, resolution: str) -> None:
    (answer,) = library("segmentPerson", picture, internalResolution=resolution)
    expected = model.segment_person(PICTURES[picture], internal_resolution=resolution)
    assert (answer["data"] == expected.mask).mean() >= 0.995


@pytest.mark.parametrize("picture", PICTURES)
def test_parts(library: Any, model: BodyPix, picture: str) -> None:
    (answer,) = library("segmentPersonParts", picture)
    expected = model.segment_person_parts(PICTURES[picture])
    assert (answer["data"] == expected.part_ids).mean() >= 0.995
    assert len(np.unique(answer["data"])) > 4


@pytest.mark.parametrize("method", ["segmentMultiPerson", "segmentMultiPersonParts"])
def test_several_people(library: Any, model: BodyPix, method: str) -> None:
    answers = library(method, "three", scoreThreshold=0.2, internalResolution="high")
    options: dict[str, Any] = {"score_threshold": 0.2, "internal_resolution": "high"}
    people: Any
    if method == "segmentMultiPerson":
        people = model.segment_multi_person(PICTURES["three"], **options)
        expected = [one.mask for one in people]
    else:
        people = model.segment_multi_person_parts(PICTURES["three"], **options)
        expected = [one.part_ids for one in people]
    assert len(answers) == len(expected) >= 2
    for answer, one in zip(answers, people, strict=True):  # in order, but for ties
        assert answer["poses"][0]["score"] == pytest.approx(one.pose.score, abs=1e-2)
    found = from_left([answer["data"] for answer in answers])
    for data, other in zip(found, from_left(expected), strict=True):
        assert (data == other).mean() >= 0.995


def from_left(people: list[np.ndarray]) -> list[np.ndarray]:
    """Masks or part maps by where they lie: likenesses of one person are found in any order.

    First comes who has no pixel: a pose that others' pixels are nearer to.
    """

    def place(data: np.ndarray) -> float:
        columns = np.nonzero(data != data.min())[1]
        return float(columns.mean()) if len(columns) else -1.0

    return sorted(people, key=place)


def test_poses(library: Any, model: BodyPix) -> None:
    (answer,) = library("segmentPerson", "one")
    poses = model.segment_person(PICTURES["one"]).all_poses
    assert len(answer["poses"]) == len(poses) >= 1
    sure = 0
    for found, expected in zip(answer["poses"], poses, strict=True):
        for point, other in zip(found["keypoints"], expected.keypoints, strict=True):
            if other.score < 0.5:  # a guess hops to another cell at the slightest difference
                continue
            sure += 1
            assert point["score"] == pytest.approx(other.score, abs=1e-2)
            assert point["position"]["x"] == pytest.approx(other.x, abs=0.5)
            assert point["position"]["y"] == pytest.approx(other.y, abs=0.5)
    assert sure >= 5
