"""Webcams, on a camera made of code."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Iterator
from fractions import Fraction
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from bodypix.errors import InvalidArgumentError, MediaError
from bodypix.media import open_source
from bodypix.media.sources import camera as module
from bodypix.media.sources.camera import Camera, CameraSource

BLUE_SKY = np.full((6, 8, 3), (250, 120, 10), np.uint8)  # OpenCV's order


class Capture:
    """Gives the pictures of `script`; None is a failed read. Not there if `script` is None."""

    def __init__(self, script: Iterable[Any] | None, fps: float = 30.0) -> None:
        self.script: Iterator[Any] | None = None if script is None else iter(script)
        self.fps = fps
        self.asked: dict[int, float] = {}
        self.released = False

    def isOpened(self) -> bool:
        return self.script is not None

    def read(self) -> tuple[bool, Any]:
        assert not self.released
        assert self.script is not None
        image = next(self.script, None)
        return image is not None, image

    def get(self, prop: int, /) -> float:
        return self.fps if prop == cv2.CAP_PROP_FPS else 0.0

    def set(self, prop: int, value: float, /) -> bool:
        self.asked[prop] = value
        return True

    def release(self) -> None:
        self.released = True


class Bench:
    """Captures that are opened one after the other, and a clock that a test turns."""

    def __init__(self, *captures: Capture, step: float = 0.04) -> None:
        self.captures = list(captures)
        self.opened: list[int | str] = []
        self.used: list[Capture] = []
        self.now = 100.0
        self.step = step

    def open(self, device: int | str) -> Capture:
        self.opened.append(device)
        self.used.append(self.captures.pop(0) if self.captures else Capture(None))
        return self.used[-1]

    def clock(self) -> float:
        self.now += self.step
        return self.now

    def source(self, device: int | str = 0, **options: Any) -> CameraSource:
        return CameraSource(device, opener=self.open, clock=self.clock, **options)


@pytest.fixture(autouse=True)
def _no_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_RETRY_AFTER", 0.0)


def test_pictures_come_as_rgb_with_rising_times() -> None:
    with Bench(Capture([BLUE_SKY] * 3)).source(reconnect=0) as source:
        assert (source.live, source.size, source.rate) == (True, (8, 6), Fraction(30))
        frames = iter(source)
        first, second, third = next(frames), next(frames), next(frames)
    np.testing.assert_array_equal(first.image[0, 0], (10, 120, 250))
    assert 0 <= first.time < second.time < third.time < 1
    assert [first.index, second.index, third.index] == [0, 1, 2]


def test_times_rise_even_where_the_clock_stands() -> None:
    with Bench(Capture([BLUE_SKY] * 3), step=0).source(reconnect=0) as source:
        frames = iter(source)
        assert next(frames).time < next(frames).time < next(frames).time


def test_the_camera_is_asked_for_size_rate_and_format() -> None:
    capture = Capture([BLUE_SKY])
    with Bench(capture).source(size=(1280, 720), rate=Fraction(60)):
        assert capture.asked == {
            cv2.CAP_PROP_FOURCC: cv2.VideoWriter.fourcc(*"MJPG"),
            cv2.CAP_PROP_FRAME_WIDTH: 1280,
            cv2.CAP_PROP_FRAME_HEIGHT: 720,
            cv2.CAP_PROP_FPS: 60.0,
            cv2.CAP_PROP_BUFFERSIZE: 1,
        }
    assert capture.released


@pytest.mark.parametrize(("stated", "rate"), [(29.97, Fraction(2997, 100)), (0.0, None)])
def test_a_rate_that_the_driver_does_not_know(stated: float, rate: Fraction | None) -> None:
    with Bench(Capture([BLUE_SKY], fps=stated)).source() as source:
        assert source.rate == rate


def test_a_camera_that_is_unplugged_is_opened_again() -> None:
    larger = np.full((12, 16, 3), (0, 0, 200), np.uint8)  # it comes back in another mode
    bench = Bench(
        Capture([BLUE_SKY, BLUE_SKY]),
        Capture(None),
        Capture([None]),
        Capture([larger, larger]),
    )
    with bench.source(size=(8, 6)) as source:
        frames = iter(source)
        images = [next(frames) for _ in range(4)]
    assert bench.opened == [0, 0, 0, 0]
    assert [frame.index for frame in images] == [0, 1, 2, 3]
    assert all(frame.image.shape == (6, 8, 3) for frame in images)
    np.testing.assert_array_equal(images[3].image[0, 0], (200, 0, 0))
    assert bench.used[-1].asked[cv2.CAP_PROP_FRAME_WIDTH] == 8
    assert all(capture.released for capture in bench.used)


def test_a_camera_that_stays_away_ends_with_an_error() -> None:
    bench = Bench(Capture([BLUE_SKY]), step=0.5)
    with bench.source(3, reconnect=5) as source:
        frames = iter(source)
        next(frames)
        with pytest.raises(MediaError, match="camera 3 went away and did not come back within 5 s"):
            next(frames)
    assert 5 < len(bench.opened) < 20


def test_closing_ends_the_wait_for_a_camera(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_RETRY_AFTER", 60.0)
    bench = Bench(Capture([BLUE_SKY]), step=0)
    source = bench.source(reconnect=1e9)
    frames = iter(source)
    next(frames)
    rest: list[object] = []
    reader = threading.Thread(target=lambda: rest.extend(frames), daemon=True)
    reader.start()
    source.close()
    reader.join(20)
    assert not reader.is_alive()
    assert rest == []


@pytest.mark.parametrize("capture", [Capture(None), Capture([None])])
def test_a_camera_that_is_not_there(capture: Capture, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "list_cameras", lambda: [Camera(2, "Desk cam")])
    with pytest.raises(MediaError, match=r"camera 0 gives no picture.*: 2 \(Desk cam\)\.$"):
        Bench(capture).source()
    assert capture.released


@pytest.mark.parametrize(
    ("what", "device"),
    [
        (1, 1),
        ("camera:2", 2),
        ("/dev/video3", 3),
        ("camera:/dev/v4l/by-id/usb-cam", "/dev/v4l/by-id/usb-cam"),
        ("rtsp://door/live", "rtsp://door/live"),
    ],
)
def test_names_of_cameras(what: int | str, device: int | str) -> None:
    bench = Bench(Capture([BLUE_SKY]))
    with open_source(what, opener=bench.open, clock=bench.clock):
        assert bench.opened == [device]
    # An address is no device: it has no pixel format to ask for.
    assert (cv2.CAP_PROP_FOURCC in bench.used[0].asked) == ("://" not in str(device))


def test_cameras_are_listed_from_linuxs_list(tmp_path: Path) -> None:
    for number, index, name in ((2, 0, "Desk cam"), (0, 0, "Lid cam"), (1, 1, "Lid cam data")):
        folder = tmp_path / f"video{number}"
        folder.mkdir()
        (folder / "index").write_text(f"{index}\n")
        (folder / "name").write_text(f"{name}\n")
    (tmp_path / "video9").mkdir()  # just unplugged
    assert module._listed(tmp_path) == [Camera(0, "Lid cam"), Camera(2, "Desk cam")]


def test_cameras_are_tried_where_there_is_no_list(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "_SYSTEM_LIST", tmp_path / "none")
    monkeypatch.setattr(
        module, "_open_device", lambda device: Capture([] if device in (0, 4) else None)
    )
    assert module.list_cameras() == [Camera(0, "camera 0"), Camera(4, "camera 4")]


@pytest.mark.parametrize("number", [-1, True])
def test_numbers_that_no_camera_has(number: int) -> None:
    with pytest.raises(InvalidArgumentError, match=f"camera's number from 0, got {number}"):
        open_source(number)
