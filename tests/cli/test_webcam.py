"""`bodypix webcam` with a camera, a window and a virtual camera that are played."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from typer.testing import CliRunner

from bodypix.cli.app import app
from bodypix.cli.controls import HELP, Controls
from bodypix.media import Frame, open_source
from bodypix.media.effects import EFFECTS, Look
from bodypix.media.filming import Film
from bodypix.media.sources import camera as camera_module
from bodypix.media.sources.camera import Camera
from bodypix.temporal.smoothing import SmoothingOptions
from helpers.colours import picture
from helpers.fake_media import PATIENCE, FakeSink, FakeSource

Run = Callable[..., Any]


class Webcam(FakeSource):
    """The picture of one person, as often as the window wants it; numbers in a corner."""

    name = "camera 0"
    size = (240, 160)

    def __init__(self, desk: Desk) -> None:
        super().__init__(1000, live=True, before=self._wait)
        self._desk = desk

    def close(self) -> None:
        """As with real cameras, whoever waits for a frame waits no longer."""
        super().close()
        self._desk.shown.release()

    def _wait(self, index: int) -> None:
        """One frame after the other: the next when the one before has been shown."""
        if index:
            self._desk.shown.acquire(timeout=PATIENCE)

    def __iter__(self) -> Any:
        for frame in super().__iter__():
            if self.closed:
                return
            image = picture()
            image[:8, :8] = 8 * frame.index % 256
            yield Frame(image, frame.index, Fraction(frame.index, 10))


class Window(FakeSink):
    """Keeps what is shown; the user presses the keys of a script, one list for each frame."""

    name = "window"

    def __init__(self, desk: Desk, keys: list[list[str]], close_at: int) -> None:
        super().__init__()
        self.images: list[Any] = []
        self.closed_by_user = False
        self._desk, self._keys, self._close_at = desk, keys, close_at

    def write(self, frame: Frame) -> None:
        super().write(frame)
        self.images.append(frame.image)

    def pressed_keys(self) -> list[str]:
        place = len(self.images) - 1
        self.closed_by_user = place == self._close_at
        self._desk.shown.release()
        return self._keys[place] if place < len(self._keys) else []


class Desk:
    """Camera, window and virtual camera of one test."""

    def __init__(self) -> None:
        import threading

        self.shown = threading.Semaphore(0)
        self.keys: list[list[str]] = []
        self.close_at = 40
        self.camera = Webcam(self)
        self.window: Window | None = None
        self.virtual = FakeSink()
        self.virtual_target = ""


@pytest.fixture
def desk(monkeypatch: pytest.MonkeyPatch) -> Desk:
    from bodypix.media import sinks, sources
    from bodypix.media.sinks import window

    desk = Desk()
    real_sink = sinks.open_sink

    def open_sink(what: str, **options: Any) -> Any:
        if what.startswith("virtual-camera:"):
            desk.virtual_target = what
            return desk.virtual
        return real_sink(what, **options)

    def make_window(**_: Any) -> Window:
        desk.window = Window(desk, desk.keys, desk.close_at)
        return desk.window

    monkeypatch.setattr(sources, "open_source", lambda what, **_: desk.camera)
    monkeypatch.setattr(sinks, "open_sink", open_sink)
    monkeypatch.setattr(window, "WindowSink", make_window)
    return desk


@pytest.fixture
def run(model_file: Path) -> Run:
    def invoke(*arguments: object) -> Any:
        common = ["--model", model_file, "--internal-resolution", "full", "--threads", "1"]
        look = ["-e", "replace", "--background", "#0000ff"]
        return CliRunner().invoke(app, ["webcam", *map(str, [*arguments, *look, *common])])

    return invoke


def test_a_preview_that_is_closed(run: Run, desk: Desk) -> None:
    desk.close_at = 5
    result = run()
    assert result.exit_code == 0, result.output
    assert desk.window is not None
    assert len(desk.window.images) == 6
    assert desk.window.end == "closed"
    assert desk.camera.closed
    assert HELP in " ".join(result.stderr.split())
    image = desk.window.images[0]
    assert tuple(image[150, 120]) == (0, 0, 255)
    assert tuple(image[50, 239 - 64]) == (255, 255, 255)  # mirrored
    assert tuple(image[50, 64]) == (0, 0, 255)


def test_quit_by_key_and_others_see_no_mirror(run: Run, desk: Desk) -> None:
    desk.keys[:] = [[], [], [], ["x", "q"]]
    seen: list[Any] = []
    desk.virtual.write = lambda frame: seen.append(frame.image)  # type: ignore[method-assign]
    result = run("--virtual-camera", "--virtual-device", "/dev/video7", "--quiet")
    assert (result.exit_code, result.output) == (0, "")
    assert desk.window is not None
    assert len(desk.window.images) == len(seen) == 4
    assert desk.virtual_target == "virtual-camera:/dev/video7"
    assert desk.virtual.end == "closed"
    for own, others in zip(desk.window.images, seen, strict=True):
        np.testing.assert_array_equal(own[:, ::-1], others)


def test_keys_change_the_picture(run: Run, desk: Desk) -> None:
    desk.keys[:] = [[], ["m"], *[[]] * 5, ["e"], *[[]] * 5, [" "], *[[]] * 5, [" "], *[[]] * 5]
    desk.keys.append(["q"])
    result = run()
    assert result.exit_code == 0, result.output
    assert desk.window is not None
    images = desk.window.images
    assert tuple(images[0][50, 64]) == (0, 0, 255)
    assert tuple(images[2][50, 64]) == (255, 255, 255)  # no mirror any more
    # A few frames later, when those on the way are through: the next effect is bokeh.
    assert "effect: bokeh" in result.stderr
    assert tuple(images[12][150, 120]) == (0, 0, 0)
    numbers = [int(image[2, 2, 0]) for image in images]
    assert numbers[17] == numbers[18]
    assert numbers[23] < numbers[24] < numbers[25]


def test_a_recording_without_preview_ends_with_ctrl_c(run: Run, desk: Desk, tmp_path: Path) -> None:
    def interrupt(index: int) -> None:
        desk.shown.release()
        if index == 4:
            raise KeyboardInterrupt

    desk.virtual = FakeSink(before=interrupt)
    out = tmp_path / "me.mp4"
    result = run("--no-preview", "--virtual-camera", "-o", out)
    assert result.exit_code == 0, result.output
    assert "Ctrl-C ends it" in result.stderr
    with open_source(out) as source:
        assert [frame.time for frame in source] == [Fraction(place, 10) for place in range(4)]
    assert desk.camera.closed


def test_the_background_is_not_recorded_over(desk: Desk, tmp_path: Path) -> None:
    (tmp_path / "0.png").touch()
    arguments = ["-o", tmp_path / "%d.png", "--background", tmp_path / "0.png"]
    result = CliRunner().invoke(app, ["webcam", "--no-preview", *map(str, arguments)])
    assert result.exit_code == 2
    assert "could write over" in result.stderr


def test_nothing_to_see(run: Run, desk: Desk) -> None:
    result = run("--no-preview")
    assert result.exit_code == 2
    assert "--virtual-camera" in result.stderr


def test_a_cutout_has_nothing_to_show(model_file: Path, desk: Desk) -> None:
    arguments = ["webcam", "-e", "cutout", "--model", str(model_file), "-o", "me.webm"]
    result = CliRunner().invoke(app, arguments)
    assert result.exit_code == 2
    assert "--no-preview" in result.stderr
    assert desk.window is None


def test_a_file_is_no_camera(run: Run, desk: Desk) -> None:
    desk.camera.live = False
    result = run("clip.mp4")
    assert result.exit_code == 2
    assert "bodypix video" in result.stderr


@pytest.mark.parametrize("cameras", [[], [Camera(0, "Front"), Camera(2, "USB [HD]")]])
def test_list(monkeypatch: pytest.MonkeyPatch, cameras: list[Camera]) -> None:
    monkeypatch.setattr(camera_module, "list_cameras", lambda: cameras)
    result = CliRunner().invoke(app, ["webcam", "--list"])
    assert result.exit_code == 0
    lines = result.stdout.splitlines()
    if cameras:
        assert lines == ["camera:0  Front", "camera:2  USB [HD]"]
    else:
        assert lines == ["No camera was found."]


def controls(**film: Any) -> Controls:
    return Controls(Film(**{"effects": ("bokeh",), **film}), mirror=True, blur=8.0)


def test_every_opaque_effect_comes_round() -> None:
    keys = controls(effects=("bokeh", "skeleton"))
    seen = [keys.film.effects]
    for _ in range(len(EFFECTS) + 1):
        keys.press("e")
        seen.append(keys.film.effects)
    assert seen[0] == seen[-1] == ("bokeh", "skeleton")
    assert set(seen) == {(name,) for name in EFFECTS if name != "cutout"} | {
        ("bokeh", "skeleton"),
        (),
    }


def test_numbers_stay_in_their_ranges() -> None:
    keys = controls()
    for key, last in (("+", "threshold: 1"), ("-", "threshold: 0")):
        for _ in range(30):
            answer = keys.press(key)
        assert answer == last
    assert keys.film.options.segmentation_threshold == 0
    keys = controls()
    assert keys.press("]") == "blur: 10.0 pixels"
    assert keys.film.look.blur == 10
    for _ in range(30):
        keys.press("[")
    assert keys.film.look.blur == 1
    assert controls(look=Look(blur=4.0)).press("]") == "blur: 5.0 pixels"


def test_smoothing_comes_back_as_it_was() -> None:
    keys = controls(smoothing=SmoothingOptions(strength=0.5))
    assert keys.press("s") == "smoothing off"
    assert keys.film.smoothing is None
    assert keys.press("S") == "smoothing on"
    assert keys.film.smoothing == SmoothingOptions(strength=0.5)
    without = controls(smoothing=None)
    without.press("s")
    assert without.film.smoothing == SmoothingOptions()


def test_other_keys_mean_nothing() -> None:
    keys = controls()
    assert keys.press("x") is None
    assert keys.press("F5") is None
    assert not keys.quit
    assert keys.press("h") == HELP
    keys.press("Escape")
    assert keys.quit
