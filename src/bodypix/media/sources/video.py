"""Video files, and animations that FFmpeg decodes (GIF), through PyAV."""

from __future__ import annotations

import os
import re
from collections.abc import Generator, Iterator
from fractions import Fraction
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from bodypix.errors import MediaError
from bodypix.image_headers import read_header
from bodypix.images import to_rgb
from bodypix.media.ffmpeg import (
    ACCURATE,
    BT601,
    BT709,
    UNSPECIFIED,
    SideData,
    VideoReformatter,
    av,
    reason,
)
from bodypix.media.frames import Frame
from bodypix.media.sources.base import BaseSource
from bodypix.media.sources.rotation import Turn

# Timestamps are those of a clock that was running before (libavformat, AVFMT_TS_DISCONT).
_CLOCK_RUNS: Final = 0x0200

_MICROSECOND: Final = Fraction(1, 1_000_000)

# Seconds by which a whole file may end before the length that it states.
_TOLERANCE: Final = Fraction(1, 2)

# How Matroska and WebM tell the length of a track: "00:01:02.500000000".
_DURATION_TAG: Final = re.compile(r"(\d+):(\d+):(\d+(?:\.\d+)?)")

# Untagged video of this height and more is BT.709 by custom, smaller is BT.601.
_HD_HEIGHT: Final = 720


class VideoSource(BaseSource):
    """Every frame of a video file, in the order in which they are shown, with their own times.

    Decoding is FFmpeg's, on the CPU, on every platform alike. Frames come upright (the display
    matrix of phones is applied), transparent pixels over black. A damaged frame that cannot be
    decoded is left out, a file that was cut off ends early; `problem` then says so.

    Args:
        path: file of any format that FFmpeg reads.
        threads: threads of the decoder; None leaves it to FFmpeg.

    Attributes:
        path: absolute path of the file.
        time_base: the unit of the file's timestamps, in seconds.
        start: seconds on the file's clock that `Frame.time` counts from: 0, or the file's first
            moment in formats such as MPEG-TS whose clock starts anywhere.
        pixel_aspect: width over height of one pixel as it is to be shown, after rotation.
        colour: FFmpeg's numbers of the colour primaries and of the transfer curve.
        finished: true when the last frame was given out.

    Raises:
        MediaError: it is no video, has no video track, or no frame of it can be decoded.
    """

    def __init__(self, path: str | os.PathLike[str], *, threads: int | None = None) -> None:
        self.name = os.fspath(path)
        # Absolute, so that FFmpeg takes no name for a protocol ("a:b.mp4").
        self.path: Final = str(Path(path).resolve())
        try:
            self._container: Final = av.open(self.path, "r", metadata_errors="replace")
        except (av.FFmpegError, OSError, ValueError) as error:
            raise MediaError(
                f"source: cannot open {self.name!r} as a video ({reason(error)}). Expected a video "
                "file that FFmpeg reads. A recording that was cut off before its end often lacks "
                "the index without which it cannot be played."
            ) from error
        try:
            self._open(threads)
        except BaseException:
            self.close()
            raise

    def _open(self, threads: int | None) -> None:
        container = self._container
        streams = [
            stream
            for stream in container.streams.video
            # the cover of an audio file is no video
            if not stream.disposition & av.stream.Disposition.attached_pic
        ]
        if not streams:
            kinds = ", ".join(sorted({stream.type for stream in container.streams})) or "nothing"
            raise MediaError(f"source: {self.name!r} has no video track (found: {kinds}).")
        self._stream = streams[0]
        self._stream.thread_type = "AUTO"
        self._stream.thread_count = threads or 0
        self.time_base = self._stream.time_base or Fraction(1, 90_000)
        self.rate = self._stream.average_rate or self._stream.guessed_rate
        self.start = Fraction(0)
        if container.format.flags & _CLOCK_RUNS:
            self.start = (container.start_time or 0) * _MICROSECOND
        self._turn = Turn()
        self._reformatter = VideoReformatter()
        self.finished = False

        self._decoded: Iterator[av.VideoFrame] = self._decode()
        self._first = next(self._decoded, None)
        if self._first is None:
            raise MediaError(
                f"source: no frame of {self.name!r} can be decoded"
                + (f" ({self.problem})." if self.problem else "; it has a video track of none.")
            )
        side_data = self._first.side_data.get("DISPLAYMATRIX")
        if isinstance(side_data, SideData):
            self._turn = Turn.of_matrix(bytes(side_data))
        self._coded_size = (self._first.width, self._first.height)
        self.size = self._turn.size(*self._coded_size)
        self.colour = (self._first.color_primaries, self._first.color_trc)
        aspect = self._stream.sample_aspect_ratio or Fraction(1)
        self.pixel_aspect = 1 / aspect if self._turn.transpose else aspect
        self.count = self._count(self._times(self._first, None)[0])

    def _frames(self) -> Generator[Frame, None, None]:
        frame, index, previous = self._first, 0, None
        while frame is not None and not self._closed:
            time, duration = self._times(frame, previous)
            yield Frame(self._image(frame), index, time, duration)
            previous, index = (time, duration), index + 1
            frame = None if self._closed else next(self._decoded, None)
        if self._closed:
            return
        self.finished = True
        if not self.problem:
            self.problem = self._missing(index, previous)

    def _missing(self, frames: int, last: tuple[Fraction, Fraction | None] | None) -> str | None:
        """What a file lacks after so many frames, the last of that time and duration."""
        missing = self._stated_end() - sum(t or Fraction(0) for t in last or ())
        if missing > _TOLERANCE:
            return f"it ends {float(missing):.1f} s before the length that it states"
        # Frames that an edit list hides are counted too, but do not shorten the track's length.
        usual = (last and last[1]) or (1 / self.rate if self.rate else Fraction(0))
        if frames < self._stream.frames and missing > usual / 2:
            return f"{frames} of the {self._stream.frames} frames that it states can be decoded"
        if self._container.format.name == "gif":
            header = read_header(Path(self.path).read_bytes())
            if header is not None and not header.complete:
                return "the file ends too early"
        return None

    def _decode(self) -> Iterator[av.VideoFrame]:
        packets = self._container.demux(self._stream)
        while True:
            try:
                packet = next(packets, None)
            except (av.FFmpegError, OSError) as error:
                self.problem = f"it cannot be read to its end ({reason(error)})"
                packet = None
            try:
                if packet is None:  # only after damage: a whole file ends with an empty packet
                    yield from self._stream.decode(None)
                    return
                yield from packet.decode()
            except av.error.EOFError:
                return  # the decoder has been emptied already
            except (av.FFmpegError, ValueError) as error:
                self.problem = f"a part of it is damaged ({reason(error)})"

    def _times(
        self, frame: av.VideoFrame, previous: tuple[Fraction, Fraction | None] | None
    ) -> tuple[Fraction, Fraction | None]:
        """Time and duration in seconds; times that lack or do not rise are mended."""
        duration = frame.duration * self.time_base if frame.duration else None
        usual = duration or (1 / self.rate if self.rate else None)
        after = (
            None if previous is None else previous[0] + (previous[1] or usual or Fraction(1, 30))
        )
        if frame.pts is None:
            return after or Fraction(0), duration
        time = frame.pts * self.time_base - self.start
        if previous is not None and time <= previous[0]:
            return previous[0] + self.time_base, duration
        return time, duration

    def _image(self, frame: av.VideoFrame) -> NDArray[np.uint8]:
        components = frame.format.components
        transparent = frame.format.has_palette or any(part.is_alpha for part in components)
        matrix = frame.colorspace
        if matrix == UNSPECIFIED:
            matrix = BT709 if frame.height >= _HD_HEIGHT else BT601
        width, height = self._coded_size  # some streams change their size on the way
        rgb = self._reformatter.reformat(
            frame,
            width,
            height,
            "rgba" if transparent else "rgb24",
            src_colorspace=matrix,
            interpolation=ACCURATE,
            threads=1,
        ).to_ndarray()
        return self._turn.apply(to_rgb(rgb))

    def _stated_end(self) -> Fraction:
        """When the last frame ends by what the file says of itself; 0 where it says nothing."""
        if self._stream.duration:
            ticks = (self._stream.start_time or 0) + self._stream.duration
            return ticks * self.time_base - self.start
        if match := _DURATION_TAG.fullmatch(self._stream.metadata.get("DURATION", "")):
            hours, minutes, seconds = map(Fraction, match.groups())
            return hours * 3600 + minutes * 60 + seconds
        return Fraction(0)

    def _count(self, start: Fraction) -> int | None:
        """About how many frames there are from `start` seconds on."""
        if self._stream.frames:
            return self._stream.frames
        end = self._stated_end() or (self._container.duration or 0) * _MICROSECOND
        return round((end - start) * self.rate) if self.rate and end > start else None

    def _release(self) -> None:
        self._container.close()
