"""A camera that other programs see, through pyvirtualcam."""

from __future__ import annotations

from fractions import Fraction
from typing import Final

from bodypix.errors import MissingExtraError, OutputError
from bodypix.media.frames import Frame
from bodypix.media.sinks.base import BaseSink

_SET_UP: Final = (
    "Linux: install v4l2loopback and run `sudo modprobe v4l2loopback exclusive_caps=1`. "
    "macOS and Windows: install OBS Studio and start its virtual camera once."
)


class VirtualCameraSink(BaseSink):
    """Frames shown at once; nothing waits for their times.

    Args:
        size: (width, height) of the frames.
        rate: frames a second that the camera states.
        device: such as "/dev/video2" or "OBS Virtual Camera"; None takes the first that is free.

    Raises:
        MissingExtraError: the extra `virtual-camera` is not installed.
        OutputError: there is no virtual camera, or it is in use.
    """

    def __init__(
        self, *, size: tuple[int, int], rate: Fraction = Fraction(30), device: str | None = None
    ) -> None:
        super().__init__(f"virtual camera {device or ''}".rstrip(), size=size)
        try:
            import pyvirtualcam
        except ImportError as error:
            raise MissingExtraError(
                "A virtual camera needs the package pyvirtualcam (GPL 2), which is not installed. "
                'Get it with: pip install "bodypix[virtual-camera]"'
            ) from error
        try:
            self._camera = pyvirtualcam.Camera(
                width=size[0], height=size[1], fps=float(rate), device=device
            )
        except (RuntimeError, OSError) as error:
            raise OutputError(f"sink: no {self.name} can be opened ({error}). {_SET_UP}") from error
        self.device: Final[str] = self._camera.device

    def _put(self, frame: Frame) -> None:
        try:
            self._camera.send(frame.image)
        except (RuntimeError, OSError) as error:
            raise OutputError(f"sink: {self.name} takes no more frames ({error}).") from error

    def _finish(self) -> None:
        self._camera.close()

    def _discard(self) -> None:
        self._camera.close()
