"""Animated WebP, PNG and AVIF through OpenCV, since FFmpeg does not decode animated WebP."""

from __future__ import annotations

import os
from collections.abc import Generator
from fractions import Fraction
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from bodypix.errors import MediaError
from bodypix.image_headers import read_header
from bodypix.images import to_rgb
from bodypix.media.frames import Frame
from bodypix.media.sources.base import BaseSource

# Frames decoded at a time. Each time starts over at the first frame, so few long runs are fast
# and many short ones hold less in memory.
_RUN: Final = 64

# What browsers show a frame for that asks for no time at all, in milliseconds.
_UNTIMED: Final = 100


class AnimationSource(BaseSource):
    """Frames of an animation, transparent pixels over black; a still picture is one frame.

    A file that was cut off ends early; `problem` then says so.

    Args:
        path: a .webp, .png, .apng or .avif file.

    Raises:
        MediaError: the file cannot be read or decoded, or this OpenCV is older than 4.11.
    """

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self.name = os.fspath(path)
        if not hasattr(cv2, "imdecodeanimation"):
            raise MediaError(
                f"source: {self.name!r} is an animation, which needs OpenCV 4.11 or newer "
                f"(this is {cv2.__version__}). Get it with: "
                'pip install -U "opencv-python-headless>=4.11"'
            )
        try:
            self._data = np.fromfile(self.name, np.uint8)
        except OSError as error:
            raise MediaError(
                f"source: cannot read {self.name!r} ({error.strerror or error})."
            ) from error
        first = self._run(0, 1)
        if not first:
            raise MediaError(
                f"source: {self.name!r} is no WebP, PNG or AVIF animation, or is damaged."
            )
        height, width = first[0][0].shape[:2]
        self.size = (width, height)

    def _frames(self) -> Generator[Frame, None, None]:
        index, time = 0, Fraction(0)
        while run := self._run(index, _RUN):
            for image, duration in run:
                if self._closed:
                    return
                yield Frame(to_rgb(image), index, time, duration)
                index, time = index + 1, time + duration
        header = read_header(self._data.tobytes())
        if header is not None and not header.complete:
            self.problem = "the file ends too early"

    def _run(self, start: int, count: int) -> list[tuple[NDArray[np.uint8], Fraction]]:
        """Up to `count` frames from number `start` on, RGB or RGBA, and their seconds."""
        try:
            _, animation = cv2.imdecodeanimation(self._data, start, count)
        except cv2.error:
            return []
        return [
            (
                np.asarray(image[..., [2, 1, 0, 3][: image.shape[2]]], np.uint8),
                Fraction(int(milliseconds) or _UNTIMED, 1000),
            )
            for image, milliseconds in zip(animation.frames, animation.durations, strict=False)
        ]

    def _release(self) -> None:
        pass  # the file was read at once
