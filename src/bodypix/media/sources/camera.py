"""Webcams and network cameras through OpenCV: listed, opened, and opened again when unplugged."""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Callable, Generator
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any, Final, Protocol, cast

import cv2
import numpy as np
from numpy.typing import NDArray

from bodypix.errors import InvalidArgumentError, MediaError
from bodypix.media.frames import Frame
from bodypix.media.sources.base import BaseSource
from bodypix.options import frame_size

# Seconds between attempts to open a camera that went away.
_RETRY_AFTER: Final = 0.5

# Cameras that are looked for where the system has no list of them.
_PROBED: Final = 8

_SYSTEM_LIST: Final = Path("/sys/class/video4linux")


class Capture(Protocol):
    """The part of cv2.VideoCapture that is used."""

    def isOpened(self) -> bool:
        """Whether there is a device."""

    def read(self) -> tuple[bool, Any]:
        """(True, (H, W, 3) uint8 BGR) or (False, None)."""

    def get(self, prop: int, /) -> float:
        """A cv2.CAP_PROP_* value."""

    def set(self, prop: int, value: float, /) -> bool:
        """Ask for a cv2.CAP_PROP_* value."""

    def release(self) -> None:
        """Let go of the device."""


def _open_device(device: int | str) -> Capture:
    return cast(Capture, cv2.VideoCapture(device))


@dataclass(frozen=True)
class Camera:
    """A camera of this computer; `device` is what `CameraSource` takes."""

    device: int
    name: str


def list_cameras() -> list[Camera]:
    """The cameras of this computer. Linux has a list; elsewhere the first eight are tried.

    Trying opens each camera for a moment, so its light may flash.
    """
    if _SYSTEM_LIST.is_dir():
        return _listed(_SYSTEM_LIST)
    found = []
    for device in range(_PROBED):
        capture = _open_device(device)
        if capture.isOpened():
            found.append(Camera(device, f"camera {device}"))
        capture.release()
    return found


def _listed(folder: Path) -> list[Camera]:
    """Cameras in Linux's list; entries that carry only a camera's side data are left out."""
    found = []
    for entry in folder.glob("video*"):
        number = entry.name.removeprefix("video")
        try:
            first = (entry / "index").read_text().strip() == "0"
            name = (entry / "name").read_text().strip()
        except OSError:
            continue  # unplugged meanwhile
        if first and number.isdecimal():
            found.append(Camera(int(number), name))
    return sorted(found, key=lambda camera: camera.device)


class CameraSource(BaseSource):
    """Frames as a camera gives them; `time` is seconds since it was opened.

    When the camera gives nothing any more it is opened again, over and over for `reconnect`
    seconds; meanwhile the loop waits. `close` from another thread ends the wait.

    Args:
        device: number as in `list_cameras`, a path such as "/dev/video0", or an address such as
            "rtsp://..." that OpenCV can open.
        size: (width, height) to ask the camera for; it may give another one.
        rate: frames a second to ask for.
        fourcc: pixel format to ask for. Most webcams give large pictures at full rate only as
            "MJPG"; a camera that has no such format ignores it.
        reconnect: seconds to wait for a camera that went away; 0 ends at once.
        opener: what opens the device; default cv2.VideoCapture.
        clock: seconds that only rise.

    Raises:
        InvalidArgumentError: a number below 0.
        MediaError: there is no such camera, it is in use or gives no picture; while looping: it
            went away and did not come back in time.
    """

    live = True

    def __init__(
        self,
        device: int | str = 0,
        *,
        size: tuple[int, int] | None = None,
        rate: Fraction | None = None,
        fourcc: str = "MJPG",
        reconnect: float = 30.0,
        opener: Callable[[int | str], Capture] | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        if isinstance(device, bool) or (isinstance(device, int) and device < 0):
            raise InvalidArgumentError(
                f"source: expected a camera's number from 0, got {device!r}. list_cameras() has "
                "them all."
            )
        if isinstance(device, str) and (match := re.fullmatch(r"(?:/dev/video)?(\d+)", device)):
            device = int(match[1])
        self.name = f"camera {device}"
        self._device: Final = device
        self._asked: Final = (None if size is None else frame_size(size), rate, fourcc)
        self._reconnect: Final = reconnect
        self._opener: Final = opener or _open_device
        self._clock: Final = clock
        self._stop: Final = threading.Event()
        self._lock: Final = threading.Lock()  # OpenCV must not release during a read
        self._start: Final = clock()
        self._capture = self._open()
        first = None if self._capture is None else self._read()
        if self._capture is None or first is None:
            self.close()
            known = ", ".join(f"{camera.device} ({camera.name})" for camera in list_cameras())
            raise MediaError(
                f"source: {self.name} gives no picture: it is not there, is in use by another "
                "program, or may not be used by you. Cameras of this computer: "
                f"{known or 'none found'}."
            )
        self._first: NDArray[np.uint8] | None = first
        self.size = (first.shape[1], first.shape[0])
        stated = self._capture.get(cv2.CAP_PROP_FPS)
        # Drivers that do not know state 0, NaN or nonsense.
        self.rate = Fraction(stated).limit_denominator(1001) if 1 <= stated <= 1000 else rate

    def _frames(self) -> Generator[Frame, None, None]:
        image, self._first = self._first, None
        index = 0
        previous = Fraction(-1)
        while image is not None:
            now = Fraction(round((self._clock() - self._start) * 1e6), 1_000_000)
            previous = max(now, previous + Fraction(1, 1_000_000))
            yield Frame(image, index, previous)
            index += 1
            image = self._read()
            if image is None and not self._stop.is_set():
                image = self._await_return()

    def _await_return(self) -> NDArray[np.uint8] | None:
        """Open the camera again until it gives a picture; None once closed."""
        deadline = self._clock() + self._reconnect
        while self._clock() < deadline and not self._stop.wait(_RETRY_AFTER):
            with self._lock:
                self._let_go()
                self._capture = self._open()
            image = self._read()
            if image is not None:
                return image
        if self._stop.is_set():
            return None
        raise MediaError(
            f"source: {self.name} went away and did not come back within {self._reconnect:g} s. "
            "Plug it in again, or wait longer with reconnect."
        )

    def _open(self) -> Capture | None:
        """The device, set up as asked; None if it is not there."""
        capture = self._opener(self._device)
        if not capture.isOpened():
            capture.release()
            return None
        size, rate, fourcc = self._asked
        if not (isinstance(self._device, str) and "://" in self._device):
            capture.set(cv2.CAP_PROP_FOURCC, cv2.VideoWriter.fourcc(*fourcc))
        if size is not None:
            capture.set(cv2.CAP_PROP_FRAME_WIDTH, size[0])
            capture.set(cv2.CAP_PROP_FRAME_HEIGHT, size[1])
        if rate is not None:
            capture.set(cv2.CAP_PROP_FPS, float(rate))
        capture.set(cv2.CAP_PROP_BUFFERSIZE, 1)  # the newest picture, not one of a queue
        return capture

    def _read(self) -> NDArray[np.uint8] | None:
        """The next picture, (H, W, 3) uint8 RGB of `size`; None if the camera gives none."""
        with self._lock:
            if self._capture is None:
                return None
            good, image = self._capture.read()
        if not good or image is None:
            return None
        rgb = np.asarray(cv2.cvtColor(image, cv2.COLOR_BGR2RGB), np.uint8)
        size = getattr(self, "size", None)  # not yet known at the first picture
        if size is not None and (rgb.shape[1], rgb.shape[0]) != size:
            # Another mode after it was plugged in again.
            rgb = np.asarray(cv2.resize(rgb, size, interpolation=cv2.INTER_AREA), np.uint8)
        return rgb

    def _let_go(self) -> None:
        if self._capture is not None:
            self._capture.release()
            self._capture = None

    def _release(self) -> None:
        self._stop.set()
        with self._lock:
            self._let_go()
