"""The camera: it starts, its mask is Python's, and what is said where it does not start."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from bodypix.segmenter import BodyPix
from helpers.demo_page import Demo


def _iou(first: Any, second: Any) -> float:
    return (first & second).sum() / (first | second).sum()


def test_the_mask_covers_the_person_as_python_says(demo: Demo, model: BodyPix) -> None:
    demo.set("smoothing", False)
    demo.start_camera()
    demo.choose("mask")
    for painted in demo.painted(3):
        (found,) = painted.found
        expected = model.segment_person(painted.frame).mask
        assert painted.frame.shape == (480, 640, 3)
        assert expected.mean() > 0.15
        assert _iou(found, expected) >= 0.98
        assert (found == expected).mean() >= 0.995


def test_parts_of_the_camera_are_those_of_python(demo: Demo, model: BodyPix) -> None:
    demo.set("smoothing", False)
    demo.start_camera()
    for painted in demo.painted(2):
        (found,) = painted.found
        expected = model.segment_person_parts(painted.frame).part_ids
        # Page and test turn the video's colours to RGB each for itself, which rounds differently.
        assert (found == expected).mean() >= 0.99


def test_smoothing_stays_near_the_single_frame(demo: Demo, model: BodyPix) -> None:
    demo.start_camera()
    painted = demo.choose("mask", smoothing=True)
    (found,) = painted.found
    assert _iou(found, model.segment_person(painted.frame).mask) >= 0.9


def test_the_picture_moves_and_is_mirrored(demo: Demo) -> None:
    demo.start_camera()
    if demo.page.get_attribute("#mirror", "aria-pressed") == "false":
        demo.page.click("#mirror")
    demo.page.click("#compare")
    _, first, *_, last = demo.painted(6)
    assert (first.frame != last.frame).mean() > 0.1
    assert abs(last.drawn[:, ::-1, :3].astype(int) - last.frame).max() <= 1


def test_fps_and_milliseconds_are_shown(demo: Demo) -> None:
    demo.start_camera()
    demo.painted(4)
    page = demo.page
    # Less than one in two seconds, on a machine busy with something else, is shown as 0.
    page.wait_for_function("parseInt(document.getElementById('fps').textContent) > 0")
    assert page.inner_text("#fps").endswith(" fps")
    assert int(page.inner_text("#ms").removesuffix(" ms")) > 0
    assert page.inner_text("#engine").startswith("Processor")


def test_the_camera_is_switched_on_and_off(demo: Demo) -> None:
    demo.start_camera()
    demo.page.keyboard.press("c")
    demo.page.wait_for_selector("#welcome", state="visible")
    assert demo.page.get_attribute("#camera", "aria-pressed") == "false"
    demo.page.click("#welcome-camera")
    demo.page.wait_for_selector("#camera[aria-pressed=true]")
    assert demo.page.get_attribute("#mirror", "aria-pressed") == "true"


def test_a_blocked_camera_is_explained(open_demo: Callable[..., Demo]) -> None:
    demo = open_demo(permissions=[])
    page = demo.page
    page.click("#welcome-camera")
    notice = page.wait_for_selector("#notice", state="visible")
    assert "camera is blocked" in notice.inner_text()
    assert "Allow it" in notice.inner_text()
    assert page.evaluate("document.activeElement.id") == "notice-retry"
    page.context.grant_permissions(["camera"])
    page.click("#notice-retry")
    page.wait_for_selector("#camera[aria-pressed=true]")
    assert demo.wrong == []
    page.close()


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("NotFoundError", "No camera found"),
        ("NotReadableError", "The camera is busy"),
        ("SecurityError", "No camera on this address"),
        ("WeirdError", "The camera does not start"),
    ],
)
def test_other_reasons_are_explained(demo: Demo, name: str, words: str) -> None:
    page = demo.page
    if page.get_attribute("#camera", "aria-pressed") == "true":
        page.click("#camera")
        page.wait_for_selector("#camera[aria-pressed=false]")  # else the next click does the same
    page.evaluate(
        """name => {
            navigator.mediaDevices.getUserMedia = () => {
                delete navigator.mediaDevices.getUserMedia; // the browser's own again
                return Promise.reject(new DOMException('made up', name));
            };
        }""",
        name,
    )
    page.click("#camera")
    assert words in page.wait_for_selector("#notice", state="visible").inner_text()
    page.click("#notice-close")
    page.wait_for_selector("#welcome", state="visible")
