"""What shows frames: the preview window and the virtual camera."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from fractions import Fraction
from types import ModuleType
from typing import Any

import numpy as np
import pytest

from bodypix.errors import InvalidArgumentError, MissingExtraError, OutputError
from bodypix.media import Frame, open_sink
from bodypix.media.sinks.window import WindowSink
from helpers.clips import frame_picture

SIZE = (64, 48)


def frame(number: int = 0, size: tuple[int, int] = SIZE) -> Frame:
    return Frame(frame_picture(number, size), number, Fraction(number, 30))


@pytest.fixture(scope="module")
def screen() -> Iterator[None]:
    """A screen of 640x480: a virtual one where Xvfb is installed; else the test is skipped."""
    pytest.importorskip("tkinter")
    program = shutil.which("Xvfb")
    if program is None:
        pytest.skip("no virtual screen: Xvfb is not installed")
    reader, writer = os.pipe()
    server = subprocess.Popen(
        [program, "-displayfd", str(writer), "-screen", "0", "640x480x24", "-nolisten", "tcp"],
        pass_fds=[writer],
        stderr=subprocess.DEVNULL,
    )
    os.close(writer)
    with os.fdopen(reader) as numbers:
        number = numbers.readline().strip()
    before = os.environ.get("DISPLAY")
    os.environ["DISPLAY"] = f":{number}"
    yield
    os.environ.pop("DISPLAY")
    if before is not None:
        os.environ["DISPLAY"] = before
    server.terminate()
    server.wait(20)


def shown_pixel(sink: WindowSink, x: int, y: int) -> tuple[int, int, int]:
    red, green, blue = sink._image.get(x, y)
    return red, green, blue


@pytest.mark.usefixtures("screen")
def test_the_window_shows_the_newest_frame() -> None:
    with open_sink("window:Test", size=SIZE) as sink:
        assert isinstance(sink, WindowSink)
        assert not sink.alpha
        for number in range(3):
            sink.write(frame(number))
        assert shown_pixel(sink, 5, 5) == (220, 30, 30)
        assert shown_pixel(sink, 60, 5) == (30, 200, 30)
        assert sink._root.title() == "Test"


@pytest.mark.usefixtures("screen")
def test_frames_larger_than_the_screen_are_shown_smaller() -> None:
    with open_sink("window:", size=(1280, 480)) as sink:
        assert isinstance(sink, WindowSink)
        sink.write(frame(0, (1280, 480)))
        assert (sink._image.width(), sink._image.height()) == (576, 216)  # 0.9 of 640
        assert shown_pixel(sink, 5, 5) == (220, 30, 30)


@pytest.mark.usefixtures("screen")
def test_keys_are_told_once() -> None:
    with open_sink("window:", size=SIZE) as sink:
        assert isinstance(sink, WindowSink)
        sink.write(frame())
        sink._root.focus_force()
        for key in ("q", "Escape", "space"):
            sink._root.event_generate("<KeyPress>", keysym=key)
        assert sink.pressed_keys() == ["q", "Escape", " "]
        assert sink.pressed_keys() == []


@pytest.mark.usefixtures("screen")
def test_a_window_that_the_user_closes_takes_frames_and_shows_none() -> None:
    with open_sink("window:", size=SIZE) as sink:
        assert isinstance(sink, WindowSink)
        sink.write(frame(0))
        sink._on_close()
        assert sink.closed_by_user
        sink.write(frame(1))
        assert sink.pressed_keys() == []


def test_without_tkinter(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "tkinter", None)
    with pytest.raises(MissingExtraError, match=r"needs tkinter.*python3-tk"):
        open_sink("window:", size=SIZE)


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="screens are named so on X11")
def test_without_a_screen(monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("tkinter")
    monkeypatch.setenv("DISPLAY", ":99999")
    with pytest.raises(OutputError, match=r"no window can be opened.*Is there a screen\?"):
        open_sink("window:", size=SIZE)


class FakeVirtualCamera:
    """What pyvirtualcam.Camera does, without a device."""

    made: list[FakeVirtualCamera]

    def __init__(self, **options: Any) -> None:
        if options["device"] == "nowhere":
            raise RuntimeError("no such device")
        self.options = options
        self.device = options["device"] or "/dev/video9"
        self.sent: list[Any] = []
        self.closed = False
        self.made.append(self)

    def send(self, image: Any) -> None:
        if len(self.sent) == 2:
            raise RuntimeError("device is gone")
        self.sent.append(image)

    def close(self) -> None:
        self.closed = True


@pytest.fixture
def cameras(monkeypatch: pytest.MonkeyPatch) -> list[FakeVirtualCamera]:
    """The virtual cameras that are made."""
    made: list[FakeVirtualCamera] = []
    monkeypatch.setattr(FakeVirtualCamera, "made", made, raising=False)
    module = ModuleType("pyvirtualcam")
    module.Camera = FakeVirtualCamera  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "pyvirtualcam", module)
    return made


def test_frames_go_to_the_virtual_camera(cameras: list[FakeVirtualCamera]) -> None:
    with open_sink("virtual-camera:/dev/video7", size=SIZE, rate=29.97) as sink:
        sink.write(frame())
    (camera,) = cameras
    assert camera.options == {
        "width": 64,
        "height": 48,
        "fps": pytest.approx(29.97, abs=1e-4),
        "device": "/dev/video7",
    }
    np.testing.assert_array_equal(camera.sent[0], frame_picture(0, SIZE))
    assert camera.closed


def test_a_virtual_camera_that_fails_is_closed(cameras: list[FakeVirtualCamera]) -> None:
    sink = open_sink("virtual-camera:", size=SIZE)
    assert cameras[0].options["device"] is None
    for number in range(2):
        sink.write(frame(number))
    with pytest.raises(OutputError, match=r"takes no more frames.*device is gone"):
        sink.write(frame(2))
    sink.abort()
    assert cameras[0].closed


def test_no_virtual_camera(cameras: list[FakeVirtualCamera]) -> None:
    with pytest.raises(OutputError, match=r"no such device.*v4l2loopback.*OBS"):
        open_sink("virtual-camera:nowhere", size=SIZE)
    assert cameras == []


def test_without_pyvirtualcam(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pyvirtualcam", None)
    with pytest.raises(MissingExtraError, match=r'pip install "bodypix\[virtual-camera\]"'):
        open_sink("virtual-camera:", size=SIZE)


@pytest.mark.parametrize("what", ["window:", "virtual-camera:"])
def test_nothing_transparent_is_shown(what: str) -> None:
    with pytest.raises(InvalidArgumentError, match="shows no transparency"):
        open_sink(what, size=SIZE, alpha=True)


def test_without_pyav() -> None:
    """In a fresh interpreter, since this one has PyAV loaded."""
    program = (
        "import sys; sys.modules['av'] = None\n"
        "from bodypix.errors import MissingExtraError\n"
        "from bodypix.media import open_sink\n"
        "try: open_sink('out.mp4', size=(4, 4))\n"
        "except MissingExtraError as error: print(error)\n"
    )
    answer = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True, timeout=60
    )
    assert 'pip install "bodypix[video]"' in answer.stdout
