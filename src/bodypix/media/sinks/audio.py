"""The audio of a source, brought over while the pictures are written."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from typing import Any, Final

from bodypix.media.ffmpeg import av
from bodypix.media.sinks.encodings import Container
from bodypix.media.sources.video import VideoSource

# Audio that has to be encoded anew gets this many bits a second and channel.
_BITS_PER_CHANNEL: Final = 80_000


# Seconds that are missing in a source before later audio is moved to where it belongs.
_GAP: Final = Fraction(1, 10)


@dataclass
class _Track:
    """One track of the output; `end` is where its audio ends so far, if it is encoded anew."""

    stream: av.AudioStream
    copied: bool
    end: Fraction | None = None


class AudioTracks:
    """All audio of a video file: copied bit by bit where the container can hold it, else encoded.

    What is encoded has one or two channels.

    The file is opened a second time, so that the frames' reader is not disturbed.

    Args:
        output: the container that is written; its header must not be written yet.
        source: where the audio is.
        container: what `output` can hold.
    """

    def __init__(
        self, output: av.container.OutputContainer, source: VideoSource, container: Container
    ) -> None:
        self._output: Final = output
        self._start: Final = source.start
        self._input: Final = av.open(source.path, "r", metadata_errors="replace")
        self._tracks: Final = {
            stream.index: self._add(stream, container) for stream in self._input.streams.audio
        }
        self._packets: Iterator[av.Packet[Any]] = (
            self._input.demux(*self._input.streams.audio) if self._tracks else iter(())
        )
        self._waiting: av.Packet[Any] | None = None

    def _add(self, stream: av.AudioStream, container: Container) -> _Track:
        """The track of the output for one of the source."""
        if stream.codec_context.codec.canonical_name in container.audio_copied:
            return _Track(self._output.add_stream_from_template(stream), copied=True)
        encoder = container.audio_encoder
        assert encoder is not None
        context = stream.codec_context
        rates = av.Codec(encoder, "w").audio_rates or []
        rate = context.sample_rate if context.sample_rate in rates else 48_000
        track = self._output.add_stream(encoder, rate=rate)
        assert isinstance(track, av.AudioStream)
        channels = min(context.layout.nb_channels, 2)
        track.layout = "mono" if channels == 1 else "stereo"
        track.bit_rate = _BITS_PER_CHANNEL * channels
        if "language" in stream.metadata:
            track.metadata["language"] = stream.metadata["language"]
        return _Track(track, copied=False)

    def write_until(self, time: Fraction | None) -> None:
        """Write the audio that begins before `time` (seconds as in `Frame.time`); None: all."""
        while (packet := self._next()) is not None:
            begin = None if packet.pts is None else packet.pts * packet.time_base - self._start
            if time is not None and begin is not None and begin >= time:
                self._waiting = packet
                return
            self._write(packet)

    def finish(self) -> None:
        """Write what the encoders still hold."""
        for track in self._tracks.values():
            if not track.copied:
                self._output.mux(track.stream.encode(None))

    def close(self) -> None:
        """Close the source's file; may be called twice."""
        self._input.close()

    def _next(self) -> av.Packet[Any] | None:
        if self._waiting is not None:
            packet, self._waiting = self._waiting, None
            return packet
        try:
            return next(self._packets, None)
        except (av.FFmpegError, OSError):
            self._packets = iter(())  # a file that was cut off
            return None

    def _write(self, packet: av.Packet[Any]) -> None:
        track = self._tracks[packet.stream.index]
        if track.copied:
            if packet.dts is None:
                return  # the empty packet at the end
            shift = round(self._start / packet.time_base)
            packet.pts = (packet.dts if packet.pts is None else packet.pts) - shift
            packet.dts -= shift
            packet.stream = track.stream
            self._output.mux(packet)
            return
        try:
            frames: list[Any] = packet.decode()
        except (av.FFmpegError, ValueError):
            return  # a damaged piece is left out
        for frame in frames:
            self._encode(frame, track)

    def _encode(self, frame: av.AudioFrame, track: _Track) -> None:
        """Encode a piece of audio after the one before it, or later where a gap is between them.

        Timestamps alone will not do: many files round them so that pieces overlap a little.
        """
        begin = track.end or Fraction(0)
        if frame.pts is not None and frame.time_base is not None:
            stated = frame.pts * frame.time_base - self._start
            if track.end is None or stated - begin > _GAP:
                begin = stated
        frame.time_base = Fraction(1, frame.sample_rate)
        frame.pts = round(begin * frame.sample_rate)
        track.end = begin + Fraction(frame.samples, frame.sample_rate)
        self._output.mux(track.stream.encode(frame))
