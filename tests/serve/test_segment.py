"""`POST /v1/segment`: every output is what the Python methods answer."""

from __future__ import annotations

import io
from typing import Any

import cv2
import numpy as np
import pytest
from PIL import Image
from starlette.testclient import TestClient

from bodypix import drawing
from bodypix.exports import encode_rle
from bodypix.segmenter import BodyPix
from helpers.colours import picture
from helpers.png import decoded, png

FULL = {"internal_resolution": "full"}


def segment(client: TestClient, content: bytes, **query: Any) -> Any:
    answer = client.post("/v1/segment", params={**FULL, **query}, content=content)
    assert answer.status_code == 200, answer.text
    return answer


def test_mask(client: TestClient, model: BodyPix, photo: bytes) -> None:
    answer = segment(client, photo)
    assert answer.headers["content-type"] == "image/png"
    mask = model.segment_person(picture(people=2), **FULL).mask
    assert 0 < mask.mean() < 1
    assert np.array_equal(decoded(answer.content), mask * 255)


def test_probability(client: TestClient, model: BodyPix, photo: bytes) -> None:
    probability = model.segment_person(picture(people=2), **FULL).probability
    assert probability is not None
    found = decoded(segment(client, photo, output="probability").content)
    assert np.array_equal(found, np.rint(probability * 255))


def test_parts(client: TestClient, model: BodyPix, photo: bytes) -> None:
    parts = model.segment_person_parts(picture(people=2), **FULL)
    ids = decoded(segment(client, photo, output="part-ids").content)
    assert np.array_equal(ids, parts.part_ids + 1)
    warm = drawing.to_colored_part_mask(parts, "warm")
    assert warm is not None
    found = decoded(segment(client, photo, output="parts", colors="warm").content)
    assert np.array_equal(found, warm[..., :3])


def test_people_are_numbered(client: TestClient, model: BodyPix, photo: bytes) -> None:
    numbers = decoded(segment(client, photo, output="people").content)
    people = model.segment_multi_person(picture(people=2), **FULL)
    assert len(people) == 2
    for number, person in enumerate(people, start=1):
        assert np.array_equal(numbers == number, person.mask != 0)


@pytest.mark.parametrize("soft", [False, True])
def test_cutout_hides_the_background(
    client: TestClient, model: BodyPix, photo: bytes, soft: bool
) -> None:
    cutout = decoded(segment(client, photo, output="cutout", soft=soft).content)
    person = model.segment_person(picture(people=2), **FULL)
    expected = drawing.cutout(picture(people=2), person, soft=soft)
    assert np.array_equal(cutout[..., 3], expected[..., 3])
    shown = cutout[..., 3] > 0
    assert np.array_equal(cutout[shown], expected[shown])
    assert not cutout[~shown].any()


def test_json_of_everybody(client: TestClient, model: BodyPix, photo: bytes) -> None:
    answer = segment(client, photo, output="json", parts=True, poses=True)
    assert answer.headers["content-type"] == "application/json"
    found = answer.json()
    expected = model.segment_person_parts(picture(people=2), **FULL)
    assert found["image"] == {"width": 240, "height": 160}
    assert found["model"] == {"name": "colours", "version": "1"}
    (everybody,) = found["segmentations"]
    assert everybody["mask"] == expected.to_rle()
    assert everybody["box"] == list(expected.box or ())
    assert everybody["parts"] == {"torso_front": expected.to_rle("torso_front")}
    assert 0.7 < everybody["score"] <= 1
    assert "pose" not in everybody
    assert len(found["poses"]) == 2
    nose = found["poses"][0]["keypoints"][0]
    assert nose["name"] == "nose"
    assert nose["x"] == pytest.approx(expected.all_poses[0].keypoint("nose").x, abs=0.01)


def test_json_of_each_person(client: TestClient, model: BodyPix, photo: bytes) -> None:
    found = segment(client, photo, output="json", people=True).json()
    people = model.segment_multi_person(picture(people=2), **FULL)
    assert [one["mask"] for one in found["segmentations"]] == [one.to_rle() for one in people]
    for one, person in zip(found["segmentations"], people, strict=True):
        assert person.pose is not None
        assert one["score"] == round(person.pose.score, 4)
        assert len(one["pose"]["keypoints"]) == 17
    assert "poses" not in found


@pytest.mark.parametrize("query", [{}, {"people": True, "poses": True}])
def test_json_of_nobody(client: TestClient, query: dict[str, Any]) -> None:
    content = png(np.zeros((48, 64, 3), np.uint8))
    found = segment(client, content, output="json", **query).json()
    assert found["segmentations"] == []
    assert found.get("poses", []) == []


def test_options_reach_the_model(client: TestClient, photo: bytes) -> None:
    def people(**query: Any) -> int:
        answer = segment(client, photo, output="json", people=True, **query)
        return len(answer.json()["segmentations"])

    assert people() == 2
    assert people(max_detections=1) == 1
    assert people(nms_radius=300) == 1
    assert (
        segment(client, photo, output="json", segmentation_threshold=1).json()["segmentations"]
        == []
    )


def test_flipped_picture(client: TestClient, model: BodyPix) -> None:
    content = png(picture(people=1))
    found = segment(client, content, output="json", flip_horizontal=True).json()
    expected = model.segment_person(picture(people=1), flip_horizontal=True, **FULL)
    assert found["segmentations"][0]["mask"] == encode_rle(expected.mask)


@pytest.mark.parametrize("name", ["image", "file", "x"])
def test_a_form_is_as_good_as_a_body(client: TestClient, photo: bytes, name: str) -> None:
    files = {name: ("../../etc/passwd", photo, "text/plain")}
    answer = client.post("/v1/segment", params=FULL, files=files)
    assert answer.content == segment(client, photo).content


@pytest.mark.parametrize(
    "content_type", ["image/png", "image/jpeg", "application/x-www-form-urlencoded", ""]
)
def test_the_content_counts_not_its_type(
    client: TestClient, photo: bytes, content_type: str
) -> None:
    headers = {"Content-Type": content_type}
    answer = client.post("/v1/segment", params=FULL, content=photo, headers=headers)
    assert answer.content == segment(client, photo).content


@pytest.mark.parametrize("suffix", ["jpg", "png", "webp", "gif", "bmp"])
def test_formats(client: TestClient, suffix: str) -> None:
    file = io.BytesIO()
    kind = {"jpg": "JPEG"}.get(suffix, suffix.upper())
    Image.fromarray(picture()).save(file, kind)
    mask = decoded(segment(client, file.getvalue()).content)
    assert mask.shape == (160, 240)
    assert 0.1 < mask.mean() / 255 < 0.6


def test_turned_photo_comes_back_upright(client: TestClient) -> None:
    file = io.BytesIO()
    exif = Image.Exif()
    exif[274] = 6
    Image.fromarray(picture()).save(file, "JPEG", exif=exif)
    assert decoded(segment(client, file.getvalue()).content).shape == (240, 160)


def test_16_bits_and_alpha(client: TestClient, photo: bytes) -> None:
    rgba = np.dstack((picture(people=2), np.full((160, 240), 255, np.uint8)))
    done, data = cv2.imencode(".png", rgba[..., [2, 1, 0, 3]].astype(np.uint16) * 257)
    assert done
    assert segment(client, data.tobytes()).content == segment(client, photo).content


def test_times_of_the_steps(client: TestClient, photo: bytes) -> None:
    timing = segment(client, photo).headers["server-timing"]
    steps = [entry.split(";dur=") for entry in timing.split(", ")]
    assert [step for step, _ in steps] == ["upload", "wait", "decode", "segment", "encode"]
    assert all(float(milliseconds) >= 0 for _, milliseconds in steps)
