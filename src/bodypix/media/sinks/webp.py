"""What FFmpeg leaves out of an animated WebP."""

from __future__ import annotations

import struct
from fractions import Fraction
from pathlib import Path
from typing import Final

_ALPHA_FLAG: Final = 0x10


def complete(path: Path, last_duration: Fraction, *, alpha: bool) -> None:
    """Put in how long the last frame is shown, in seconds, and that the picture is transparent.

    FFmpeg gives the last frame the mean duration of the others. libwebp cuts clear borders off and
    then forgets that there was something clear. A still picture (no `ANMF`) keeps its duration.

    Layout: RFC 9649, sections 2.7.1 (`VP8X`: flags are its first byte) and 2.7.1.1 (`ANMF`: the
    duration is the 24-bit number of milliseconds at byte 12); chunks have even length.
    """
    with path.open("r+b") as file:
        end = file.seek(0, 2)
        place, last = 12, None
        while place + 8 <= end:
            file.seek(place)
            kind, length = struct.unpack("<4sI", file.read(8))
            if kind == b"VP8X" and alpha:
                flags = file.read(1)[0]
                file.seek(place + 8)
                file.write(bytes([flags | _ALPHA_FLAG]))
            if kind == b"ANMF":
                last = place + 8
            place += 8 + length + length % 2
        if last is not None:
            file.seek(last + 12)
            file.write(min(round(last_duration * 1000), 0xFFFFFF).to_bytes(3, "little"))
