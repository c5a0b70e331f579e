"""Raw frames into a pipe: `... | ffmpeg -f rawvideo -pix_fmt rgb24 -s 640x480 -i - out.mp4`."""

from __future__ import annotations

from typing import Any, Final, Protocol

from bodypix.errors import OutputError
from bodypix.media.frames import Frame
from bodypix.media.sinks.base import BaseSink


class Writable(Protocol):
    """A binary stream; `write` may take a part only, as pipes do."""

    def write(self, data: memoryview, /) -> int | None:
        """How many bytes were taken."""

    def flush(self) -> Any:
        """Hand on what is held back."""


class RawSink(BaseSink):
    """Frames of 3 * width * height bytes (RGB; 4 * with alpha, RGBA), rows from the top.

    A pipe cannot take back what went into it: `abort` only stops.

    Args:
        stream: binary stream to write; left open by `close`, since it is the caller's.
        size: (width, height) of the frames.
        alpha: frames are RGBA.
        name: what messages call it.
    """

    def __init__(
        self, stream: Writable, *, size: tuple[int, int], alpha: bool = False, name: str = "stdout"
    ) -> None:
        super().__init__(name, size=size, alpha=alpha)
        self._stream: Final = stream

    def _put(self, frame: Frame) -> None:
        data = memoryview(frame.image.tobytes())
        try:
            while data:
                data = data[self._stream.write(data) or 0 :]
        except (OSError, ValueError) as error:  # ValueError: the stream was closed
            raise self._failure(error) from error

    def _finish(self) -> None:
        try:
            self._stream.flush()
        except (OSError, ValueError) as error:
            raise self._failure(error) from error

    def _discard(self) -> None:
        pass

    def _failure(self, error: Exception) -> OutputError:
        text = getattr(error, "strerror", None) or error
        return OutputError(
            f"sink: cannot write to {self.name} ({text}). The program that reads it has ended."
        )
