"""Raw RGB frames from a pipe: `ffmpeg -i in.mp4 -f rawvideo -pix_fmt rgb24 - | ...`."""

from __future__ import annotations

from collections.abc import Generator
from fractions import Fraction
from typing import BinaryIO

import numpy as np

from bodypix.media.frames import Frame
from bodypix.media.sources.base import BaseSource
from bodypix.options import frame_size


class RawSource(BaseSource):
    """Frames of 3 * width * height bytes, rows from the top, no headers, until the pipe ends.

    Args:
        stream: binary file to read; left open by `close`, since it is the caller's.
        size: (width, height) in pixels.
        rate: frames a second; the pipe does not tell.
        name: what messages call it.

    Raises:
        InvalidArgumentError: `size` is not of two positive numbers.
    """

    def __init__(
        self,
        stream: BinaryIO,
        *,
        size: tuple[int, int],
        rate: Fraction = Fraction(30),
        name: str = "stdin",
    ) -> None:
        self.name = name
        self.size = frame_size(size)
        self.rate = rate
        self._stream = stream

    def _frames(self) -> Generator[Frame, None, None]:
        assert self.rate is not None
        width, height = self.size
        index = 0
        while not self._closed:
            image = np.empty((height, width, 3), np.uint8)
            filled = self._fill(image.reshape(-1).data)
            if filled < image.size:
                if filled:
                    self.problem = (
                        f"{self.name} ended within frame {index} ({filled} of {image.size} bytes); "
                        f"is {width}x{height} its size, and rgb24 its format?"
                    )
                return
            yield Frame(image, index, index / self.rate, 1 / self.rate)
            index += 1

    def _fill(self, buffer: memoryview) -> int:
        """Read until the buffer is full or the pipe ends; how many bytes were read."""
        filled = 0
        while filled < len(buffer):
            piece = self._stream.read(len(buffer) - filled)
            if not piece:
                break
            buffer[filled : filled + len(piece)] = piece
            filled += len(piece)
        return filled

    def _release(self) -> None:
        pass  # the stream is the caller's
