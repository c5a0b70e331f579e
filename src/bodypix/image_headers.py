"""What a picture file says about itself, read without decoding it.

The size is wanted before a decoder allocates memory for it, the orientation because OpenCV applies
it only for some formats and flags, and the end because decoders fill up a cut-off file in silence.
Formats: JPEG, PNG, WebP, GIF, BMP, TIFF.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import Final

_PNG: Final = b"\x89PNG\r\n\x1a\n"
_EXIF: Final = b"Exif\x00\x00"
_TIFF_WIDTH, _TIFF_HEIGHT, _TIFF_ORIENTATION = 256, 257, 274
# Start-of-frame markers of JPEG: C0..CF without DHT (C4), JPG (C8) and DAC (CC).
_JPEG_FRAMES: Final = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}


@dataclass(frozen=True)
class Header:
    """Facts from a file's header.

    Attributes:
        format: "JPEG", "PNG", "WebP", "GIF", "BMP" or "TIFF".
        width, height: of the stored pixels, before turning.
        orientation: EXIF orientation 1..8 that is still to be applied to the decoded pixels.
        complete: False where the file ends too early.
    """

    format: str
    width: int
    height: int
    orientation: int = 1
    complete: bool = True


def read_header(data: bytes) -> Header | None:
    """The header of a picture file; None where the bytes are of no known format, or broken."""
    try:
        if data[:3] == b"\xff\xd8\xff":
            return _jpeg(data)
        if data[:8] == _PNG:
            return _png(data)
        if data[:4] == b"RIFF" and data[8:12] == b"WEBP":
            return _webp(data)
        if data[:6] in (b"GIF87a", b"GIF89a"):
            return Header("GIF", *struct.unpack_from("<HH", data, 6))
        if data[:2] == b"BM":
            return _bmp(data)
        if data[:4] in (b"II*\x00", b"MM\x00*"):
            return _tiff(data)
    except (struct.error, KeyError, IndexError):
        return None
    return None


def _jpeg(data: bytes) -> Header | None:
    size: tuple[int, int] | None = None
    orientation = 1
    position = 2
    while position + 4 <= len(data):
        if data[position] != 0xFF:
            return None
        marker = data[position + 1]
        if marker == 0xFF:  # fill byte
            position += 1
            continue
        if marker == 0x01 or 0xD0 <= marker <= 0xD8:  # markers without content
            position += 2
            continue
        (length,) = struct.unpack_from(">H", data, position + 2)
        content = position + 4
        if marker in _JPEG_FRAMES:
            height, width = struct.unpack_from(">HH", data, content + 1)
            size = (width, height)
        elif marker == 0xE1 and data[content : content + 6] == _EXIF:
            orientation = _exif_orientation(data[content + 6 : position + 2 + length])
        elif marker == 0xDA:  # from here on pixels; an end marker in them is always the end
            if size is None:
                return None
            complete = data.rfind(b"\xff\xd9", position) >= 0
            return Header("JPEG", *size, orientation, complete)
        position += 2 + length
    return None if size is None else Header("JPEG", *size, orientation, complete=False)


def _png(data: bytes) -> Header:
    width, height = struct.unpack_from(">II", data, 16)
    orientation = 1
    position = 8
    while position + 12 <= len(data):
        (length,) = struct.unpack_from(">I", data, position)
        kind = data[position + 4 : position + 8]
        if kind == b"IEND":
            return Header("PNG", width, height, orientation)
        if kind == b"eXIf":
            orientation = _exif_orientation(data[position + 8 : position + 8 + length])
        position += 12 + length
    return Header("PNG", width, height, orientation, complete=False)


def _webp(data: bytes) -> Header | None:
    (riff_length,) = struct.unpack_from("<I", data, 4)
    kind = data[12:16]
    orientation = 1
    if kind == b"VP8X":
        width = int.from_bytes(data[24:27], "little") + 1
        height = int.from_bytes(data[27:30], "little") + 1
        orientation = _webp_orientation(data)
    elif kind == b"VP8L":
        (bits,) = struct.unpack_from("<I", data, 21)
        width, height = (bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1
    elif kind == b"VP8 ":
        width, height = (value & 0x3FFF for value in struct.unpack_from("<HH", data, 26))
    else:
        return None
    return Header("WebP", width, height, orientation, complete=riff_length + 8 <= len(data))


def _webp_orientation(data: bytes) -> int:
    position = 12
    while position + 8 <= len(data):
        kind, length = struct.unpack_from("<4sI", data, position)
        if kind == b"EXIF":
            return _exif_orientation(data[position + 8 : position + 8 + length])
        position += 8 + length + length % 2
    return 1


def _bmp(data: bytes) -> Header:
    (header_length,) = struct.unpack_from("<I", data, 14)
    width, height = struct.unpack_from("<HH" if header_length == 12 else "<ii", data, 18)
    return Header("BMP", abs(width), abs(height))


def _tiff(data: bytes) -> Header:
    tags = _first_directory(data)
    # OpenCV's TIFF reader turns the picture by itself, so no orientation is left to apply.
    return Header("TIFF", tags[_TIFF_WIDTH], tags[_TIFF_HEIGHT])


def _exif_orientation(exif: bytes) -> int:
    """Orientation in an EXIF block (a small TIFF file); 1 where it is missing or nonsense."""
    try:
        orientation = _first_directory(exif.removeprefix(_EXIF)).get(_TIFF_ORIENTATION, 1)
    except struct.error:
        return 1
    return orientation if 1 <= orientation <= 8 else 1


def _first_directory(data: bytes) -> dict[int, int]:
    """Tags of the first directory of a TIFF file that hold one short or long number."""
    order = "<" if data[:2] == b"II" else ">"
    (start,) = struct.unpack_from(order + "I", data, 4)
    (count,) = struct.unpack_from(order + "H", data, start)
    tags: dict[int, int] = {}
    for entry in range(start + 2, start + 2 + 12 * count, 12):
        tag, kind, number = struct.unpack_from(order + "HHI", data, entry)
        if number == 1 and kind in (3, 4):
            (tags[tag],) = struct.unpack_from(order + ("H" if kind == 3 else "I"), data, entry + 8)
    return tags
