"""Small video files made at test time, and what is in a video file."""

from __future__ import annotations

import hashlib
import json
import shutil
import struct
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
from numpy.typing import NDArray

CONSTANT = [Fraction(number, 25) for number in range(20)]
NTSC = [Fraction(number * 1001, 30_000) for number in range(20)]
VARIABLE = [
    Fraction(milliseconds, 1000)
    for milliseconds in (0, 33, 67, 70, 200, 233, 240, 400, 401, 433, 700, 733, 767, 800, 1000)
]
"""Seconds of frames, as a phone in the dark takes them."""


def frame_picture(number: int, size: tuple[int, int]) -> NDArray[np.uint8]:
    """(H, W, 3) RGB: red at the top left, green at the right, a bar that tells the number."""
    width, height = size
    image = np.full((height, width, 3), 60, np.uint8)
    image[: height // 2, : width // 2] = (220, 30, 30)
    image[: height // 2, width // 2 :] = (30, 200, 30)
    image[-height // 4 :, : 1 + number * (width - 1) // 32] = (240, 240, 240)
    return image


def make_clip(
    path: Path,
    times: Sequence[Fraction] = CONSTANT,
    *,
    size: tuple[int, int] = (64, 48),
    codec: str = "libx264",
    pixel_format: str = "yuv420p",
    time_base: Fraction | None = None,
    audio: str | None = None,
    audio_seconds: float = 1.0,
    options: dict[str, str] | None = None,
) -> Path:
    """Write a clip whose frames are `frame_picture`s at `times`; with a tone where `audio` is."""
    base = time_base or Fraction(1, 90_000)
    last = Fraction(1, 25)  # seconds that a frame is shown if no other comes
    with av.open(str(path), "w", container_options=options or {}) as container:
        video = container.add_stream(codec, rate=25)
        video.width, video.height = size
        video.pix_fmt = pixel_format
        video.codec_context.time_base = base
        video.codec_context.gop_size = 5
        video.codec_context.max_b_frames = 0
        video.codec_context.flags |= av.codec.context.Flags.frame_duration.value
        tone = container.add_stream(audio, rate=48_000, layout="mono") if audio else None
        for number, time in enumerate(times):
            frame = av.VideoFrame.from_ndarray(frame_picture(number, size), format="rgb24")
            frame.pts, frame.time_base = round(time / base), base
            frame.duration = round(last / base)
            container.mux(video.encode(frame))
        container.mux(video.encode(None))
        if tone is not None:
            phase = np.arange(round(audio_seconds * 48_000)) * (2 * np.pi * 440 / 48_000)
            wave = (8000 * np.sin(phase)).astype(np.int16)
            for start in range(0, len(wave), 1024):
                piece = av.AudioFrame.from_ndarray(
                    wave[None, start : start + 1024], format="s16", layout="mono"
                )
                piece.sample_rate, piece.pts = 48_000, start
                piece.time_base = Fraction(1, 48_000)
                container.mux(tone.encode(piece))
            container.mux(tone.encode(None))
    return path


def set_matrix(path: Path, a: int, b: int, c: int, d: int) -> None:
    """Put a display matrix into an MP4 file, as a phone does (ISO 14496-12, box tkhd)."""
    data = bytearray(path.read_bytes())
    place = data.index(b"tkhd") + 4 + 40
    one = 1 << 16
    matrix = (a * one, b * one, 0, c * one, d * one, 0, 0, 0, 1 << 30)
    data[place : place + 36] = struct.pack(">9i", *matrix)
    path.write_bytes(data)


@dataclass(frozen=True)
class Contents:
    """What a file holds: seconds of the video frames, size, and a digest of each audio packet."""

    times: list[float]
    size: tuple[int, int]
    end: float
    audio: list[tuple[float, str]]


def contents(path: Path, *, decoder: str | None = None) -> Contents:
    """Decode the video and read the audio of a file, with PyAV."""
    with av.open(str(path)) as container:
        stream = container.streams.video[0]
        context = av.CodecContext.create(decoder, "r") if decoder else stream.codec_context
        frames = [frame for packet in container.demux(stream) for frame in context.decode(packet)]
        base = stream.time_base
        times = [float(frame.pts * base) for frame in frames]
        end = times[-1] + float((frames[-1].duration or 0) * base)
        size = (frames[0].width, frames[0].height)
    with av.open(str(path)) as container:
        packets = [
            (float(packet.pts * packet.time_base), hashlib.sha256(bytes(packet)).hexdigest())
            for packet in (container.demux(audio=0) if container.streams.audio else ())
            if packet.size
        ]
    return Contents(times, size, end, packets)


def ffprobe_times(path: Path) -> list[float] | None:
    """Seconds of the frames as the program ffprobe sees them; None where it is not installed."""
    program = shutil.which("ffprobe")
    if program is None:
        return None
    what = ["-select_streams", "v:0", "-show_entries", "frame=pts_time", "-of", "json"]
    answer = subprocess.run(
        [program, "-v", "error", *what, str(path)], capture_output=True, check=True, timeout=60
    )
    return [float(frame["pts_time"]) for frame in json.loads(answer.stdout)["frames"]]
