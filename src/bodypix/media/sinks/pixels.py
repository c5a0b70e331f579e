"""From RGB arrays to the frames that encoders take."""

from __future__ import annotations

from fractions import Fraction
from typing import Final, Protocol

import cv2
import numpy as np
from numpy.typing import NDArray

from bodypix.media.ffmpeg import ACCURATE, BT709, LIMITED_RANGE, VideoReformatter, av

# Filters want a unit of time; a picture by itself has no time.
_ANY_TIME: Final = Fraction(1, 100)


class Pixels(Protocol):
    """Converts one picture at a time."""

    def convert(self, image: NDArray[np.uint8]) -> av.VideoFrame:
        """(H, W, 3) RGB or (H, W, 4) RGBA, uint8 -> a frame in the encoder's pixel format."""


class YuvPixels:
    """YUV in limited range, or RGB for encoders that want RGB.

    Args:
        pixel_format: FFmpeg's name.
        size: (width, height) that the encoder is given; a picture that is smaller gets its last
            row and column repeated.
        matrix: FFmpeg's number of the matrix between RGB and YUV.
    """

    def __init__(self, pixel_format: str, size: tuple[int, int], matrix: int = BT709) -> None:
        self._format = pixel_format
        self._size = size
        self._matrix = matrix
        self._reformatter = VideoReformatter()

    def convert(self, image: NDArray[np.uint8]) -> av.VideoFrame:
        """See `Pixels`."""
        right, below = self._size[0] - image.shape[1], self._size[1] - image.shape[0]
        if right or below:
            image = np.asarray(
                cv2.copyMakeBorder(image, 0, below, 0, right, cv2.BORDER_REPLICATE), np.uint8
            )
        return self._reformatter.reformat(
            _frame(image),
            format=self._format,
            dst_colorspace=self._matrix,
            dst_color_range=LIMITED_RANGE,
            interpolation=ACCURATE,
            threads=1,
        )


class PalettePixels:
    """The 256 colours that suit each picture best, dithered; alpha of 128 and more is solid."""

    def convert(self, image: NDArray[np.uint8]) -> av.VideoFrame:
        """See `Pixels`."""
        frame = _frame(image)
        alpha = image.shape[2] == 4
        graph = av.filter.Graph()
        source = graph.add_buffer(
            width=frame.width, height=frame.height, format=frame.format, time_base=_ANY_TIME
        )
        split = graph.add("split")
        generate = graph.add("palettegen", f"reserve_transparent={int(alpha)}")
        use = graph.add("paletteuse", "alpha_threshold=128")
        sink = graph.add("buffersink")
        source.link_to(split)
        split.link_to(generate, 0, 0)
        split.link_to(use, 1, 0)
        generate.link_to(use, 0, 1)
        use.link_to(sink)
        graph.configure()
        frame.pts = 0
        graph.vpush(frame)
        graph.vpush(None)
        return graph.vpull()


def _frame(image: NDArray[np.uint8]) -> av.VideoFrame:
    """The array itself, not a copy, as a frame: it must not change while the frame is used."""
    form = "rgba" if image.shape[2] == 4 else "rgb24"
    return av.VideoFrame.from_numpy_buffer(np.ascontiguousarray(image), format=form)
