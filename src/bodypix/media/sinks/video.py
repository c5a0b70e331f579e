"""Video files and animations through PyAV: MP4, MKV, WebM, MOV, GIF and WebP."""

from __future__ import annotations

import contextlib
import math
import os
from collections.abc import Mapping
from fractions import Fraction
from pathlib import Path
from typing import Final

from bodypix.errors import InvalidArgumentError, OutputError
from bodypix.files import temporary_beside
from bodypix.media.ffmpeg import BT601, BT709, LIMITED_RANGE, UNSPECIFIED, av, reason
from bodypix.media.frames import Frame, Source
from bodypix.media.sinks import webp
from bodypix.media.sinks.audio import AudioTracks
from bodypix.media.sinks.base import BaseSink, check_quality
from bodypix.media.sinks.encodings import (
    coded_size,
    container_of,
    pixel_format,
    settings,
)
from bodypix.media.sinks.pixels import PalettePixels, Pixels, YuvPixels
from bodypix.media.sources.video import VideoSource

_FRAME_DURATION: Final = 1 << 8  # AV_CODEC_FLAG_FRAME_DURATION


class VideoSink(BaseSink):
    """Frames into a video file or an animation, each at its own time.

    The file is written under a temporary name beside its own and renamed by `close`. Where an
    encoder needs even sizes (H.264), an odd width or height grows by one: the last column or row
    is repeated, so nothing is lost. Colours are BT.709, limited range, and tagged so.

    Args:
        path: .mp4, .m4v, .mkv (H.264), .webm (VP9), .mov (ProRes 4444), .gif or .webp.
        size: (width, height) of the frames.
        rate: nominal frames a second; frames keep their own times.
        like: a source whose timestamps, pixel shape, colour tags and audio the file takes over,
            where it is a video file.
        alpha: frames are RGBA and stay transparent: .webm, .mov, .gif (on or off only), .webp.
        quality: 1..100; see `encodings.settings`. Without effect on ProRes and GIF.
        codec: FFmpeg's name of another encoder, such as "h264_nvenc".
        options: the encoder's own options, such as {"preset": "slow"}; they win over `quality`.
        audio: take over the audio of `like`. It ends with the last frame where `like` was not
            read to its end.
        keep_partial: on `abort`, leave a playable file of the frames so far.
        threads: threads of the encoder; None leaves it to FFmpeg.

    Raises:
        InvalidArgumentError: an argument is out of range or the encoder refuses it.
        OutputError: the folder is not there or may not be written to.
    """

    def __init__(
        self,
        path: str | os.PathLike[str],
        *,
        size: tuple[int, int],
        rate: Fraction = Fraction(30),
        like: Source | None = None,
        alpha: bool = False,
        quality: int = 80,
        codec: str | None = None,
        options: Mapping[str, str] | None = None,
        audio: bool = True,
        keep_partial: bool = False,
        threads: int | None = None,
    ) -> None:
        super().__init__(os.fspath(path), size=size, alpha=alpha, keep_partial=keep_partial)
        check_quality(quality)
        # Absolute, so that FFmpeg takes no name for a protocol ("a:b.mp4").
        self._path: Final = Path(path).resolve()
        self._kind: Final = container_of(self._path.suffix, alpha=alpha)
        self._like: Final = like if isinstance(like, VideoSource) else None
        self._rate: Final = rate
        self._tick: Final = self._kind.tick or self._natural_tick()
        self._last_tick: int | None = None
        self._shown_at: Fraction | None = None
        self._audio: AudioTracks | None = None
        self._temporary: Final = temporary_beside(self._path)
        try:
            self._temporary.touch(exist_ok=False)
        except OSError as error:
            raise self._failure(error) from error
        try:
            self._container, self._stream = self._open(codec, quality, options or {}, threads)
        except BaseException:
            self._temporary.unlink(missing_ok=True)
            raise
        try:
            if audio and self._like is not None and self._kind.audio_encoder:
                self._audio = AudioTracks(self._container, self._like, self._kind)
        except BaseException:
            self._discard()
            raise
        self._pixels: Final[Pixels] = self._converter()

    def _converter(self) -> Pixels:
        form, size = self._stream.pix_fmt or "", (self._stream.width, self._stream.height)
        if form == "pal8":
            return PalettePixels()
        # WebP knows no other matrix than that of BT.601.
        return YuvPixels(form, size, BT601 if self._kind.muxer == "webp" else BT709)

    def _natural_tick(self) -> Fraction:
        """A unit of time in which the times of the frames to come are whole."""
        if self._like is not None:
            return self._like.time_base
        ticks = math.lcm(self._rate.numerator, 90_000)
        return Fraction(1, ticks if ticks < 2**31 else 90_000)

    def _open(
        self, codec: str | None, quality: int, options: Mapping[str, str], threads: int | None
    ) -> tuple[av.container.OutputContainer, av.VideoStream]:
        """The file and the first encoder that works."""
        refusals = []
        for name in [codec] if codec else self._kind.codecs:
            container = av.open(
                str(self._temporary),
                "w",
                format=self._kind.muxer,
                container_options=dict(self._kind.options),
            )
            try:
                stream = self._add_stream(container, name, quality, options)
                stream.codec_context.thread_count = threads or 0
                stream.codec_context.open()
            except (av.FFmpegError, OSError, ValueError) as error:
                container.close()
                refusals.append(f"{name}: {reason(error)}")
            else:
                return container, stream
        raise InvalidArgumentError(
            f"codec: no encoder works for {self.name!r} at {self.size[0]}x{self.size[1]} "
            f"({'; '.join(refusals)}). Choose another with codec."
        )

    def _add_stream(
        self,
        container: av.container.OutputContainer,
        codec: str,
        quality: int,
        options: Mapping[str, str],
    ) -> av.VideoStream:
        form = pixel_format(codec, alpha=self.alpha)
        own, bit_rate = settings(codec, quality, self.size, self._rate, alpha=self.alpha)
        stream = container.add_stream(codec, rate=self._rate, options={**own, **options})
        assert isinstance(stream, av.VideoStream)
        stream.width, stream.height = coded_size(self.size, codec)
        stream.pix_fmt = form
        context = stream.codec_context
        context.time_base = self._tick
        context.bit_rate = bit_rate
        context.flags |= _FRAME_DURATION  # else the last frame's is lost
        if form.startswith(("yuv", "nv")):
            context.colorspace = BT709
            context.color_range = LIMITED_RANGE
            primaries, transfer = self._like.colour if self._like else (UNSPECIFIED, UNSPECIFIED)
            context.color_primaries = BT709 if primaries == UNSPECIFIED else primaries
            context.color_trc = BT709 if transfer == UNSPECIFIED else transfer
        if self._like is not None and self._like.pixel_aspect != 1:
            context.sample_aspect_ratio = self._like.pixel_aspect
        return stream

    def _put(self, frame: Frame) -> None:
        if self._shown_at is not None and frame.time - self._shown_at < self._kind.shortest:
            return
        tick = round(frame.time / self._tick)
        if self._last_tick is not None:
            tick = max(tick, self._last_tick + 1)  # closer together than the file can tell
        end = frame.time + (frame.duration or 1 / self._rate)
        picture = self._pixels.convert(frame.image)
        picture.pts, picture.time_base = tick, self._tick
        picture.duration = max(1, round(end / self._tick) - tick)
        try:
            if self._audio is not None:
                self._audio.write_until(frame.time)
            self._container.mux(self._stream.encode(picture))
        except (av.FFmpegError, OSError, ValueError) as error:
            raise self._failure(error) from error
        self._shown_at, self._last_tick, self._end = frame.time, tick, end

    def _finish(self) -> None:
        if self._shown_at is None:
            raise OutputError(f"sink: {self.name!r} was not written, since it was given no frame.")
        try:
            self._container.mux(self._stream.encode(None))
            if self._audio is not None:
                complete = self._like is not None and self._like.finished
                self._audio.write_until(None if complete else self._end)
                self._audio.finish()
                self._audio.close()
            self._container.close()
            if self._kind.muxer == "webp":
                webp.complete(self._temporary, self._end - self._shown_at, alpha=self.alpha)
            os.replace(self._temporary, self._path)
        except (av.FFmpegError, OSError, ValueError) as error:
            raise self._failure(error) from error

    def _discard(self) -> None:
        if self._audio is not None:
            self._audio.close()
        # The end of the file cannot be written where the disk is full.
        with contextlib.suppress(av.FFmpegError, OSError, ValueError):
            self._container.close()
        with contextlib.suppress(OSError):
            self._temporary.unlink(missing_ok=True)

    def _failure(self, error: Exception) -> OutputError:
        return OutputError(
            f"sink: cannot write {self.name!r} ({reason(error)}). The folder must exist and be "
            "writable, with room on its disk."
        )
