"""The protocol buffer wire format: just enough to read and write ONNX files.

A message is a row of fields; each starts with a key `(number << 3) | wire type`. Four wire types
are in use: 0 varint, 1 eight bytes, 2 length-delimited, 5 four bytes
(https://protobuf.dev/programming-guides/encoding/). Nothing here knows about ONNX.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator

from bodypix.errors import CheckpointError

VARINT, FIXED64, BYTES, FIXED32 = 0, 1, 2, 5

#: What a field holds: an unsigned integer for varint and fixed fields, the bytes for the others.
FieldValue = int | memoryview


def _corrupt(what: str) -> CheckpointError:
    return CheckpointError(
        f"model file: expected a complete ONNX (protobuf) file, got {what}; "
        "the file is truncated, corrupt or of another kind: fetch or convert it again"
    )


def read_varint(data: memoryview, position: int) -> tuple[int, int]:
    """Read one unsigned varint; return it with the position after it.

    Raises CheckpointError where the bytes end early or the number is longer than 64 bits.
    """
    value = 0
    for shift in range(0, 70, 7):
        if position >= len(data):
            raise _corrupt("an end of data inside a number")
        byte = data[position]
        position += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value & 0xFFFFFFFFFFFFFFFF, position
    raise _corrupt("a number of more than 64 bits")


def fields(data: memoryview) -> Iterator[tuple[int, int, FieldValue]]:
    """Yield (field number, wire type, value) for every field of one message, in file order.

    Length-delimited values are views, not copies. Raises CheckpointError where the bytes are no
    message: a length past the end, field number 0, an unknown wire type.
    """
    position = 0
    while position < len(data):
        key, position = read_varint(data, position)
        number, wire = key >> 3, key & 7
        if number == 0:
            raise _corrupt("a field numbered 0")
        if wire == VARINT:
            value, position = read_varint(data, position)
            yield number, wire, value
            continue
        if wire == BYTES:
            size, position = read_varint(data, position)
        elif wire in (FIXED32, FIXED64):
            size = 4 if wire == FIXED32 else 8
        else:
            raise _corrupt(f"a field of wire type {wire}")
        if size > len(data) - position:
            raise _corrupt(f"a field of {size} bytes where {len(data) - position} are left")
        piece = data[position : position + size]
        position += size
        yield number, wire, piece if wire == BYTES else int.from_bytes(piece, "little")


def as_int(value: FieldValue) -> int:
    """The value as a signed 64-bit integer. Raises CheckpointError for a wrong wire type."""
    if not isinstance(value, int):
        raise _corrupt("bytes in place of a number")
    return value - (1 << 64) if value >= 1 << 63 else value


def as_bytes(value: FieldValue) -> memoryview:
    """The value as bytes. Raises CheckpointError for a wrong wire type."""
    if isinstance(value, int):
        raise _corrupt("a number in place of bytes")
    return value


def as_text(value: FieldValue) -> str:
    """The value as UTF-8 text. Raises CheckpointError when it is none."""
    try:
        return bytes(as_bytes(value)).decode("utf-8")
    except UnicodeDecodeError as error:
        raise _corrupt("text that is not UTF-8") from error


def as_float(value: FieldValue) -> float:
    """The value of a four-byte field as a float. Raises CheckpointError for a wrong wire type."""
    if not isinstance(value, int) or value > 0xFFFFFFFF:
        raise _corrupt("no four-byte float where one belongs")
    number: float = struct.unpack("<f", struct.pack("<I", value))[0]
    return number


def as_ints(value: FieldValue) -> list[int]:
    """One element of a repeated integer field: packed (many) or plain (one), signed."""
    if isinstance(value, int):
        return [as_int(value)]
    numbers, position = [], 0
    while position < len(value):
        number, position = read_varint(value, position)
        numbers.append(as_int(number))
    return numbers


def as_floats(value: FieldValue) -> list[float]:
    """One element of a repeated float field: packed (many) or plain (one)."""
    if isinstance(value, int):
        return [as_float(value)]
    if len(value) % 4:
        raise _corrupt(f"{len(value)} bytes of packed floats, no multiple of 4")
    return list(struct.unpack(f"<{len(value) // 4}f", value))


def write_varint(value: int) -> bytes:
    """Encode an integer; negative ones as 64-bit two's complement, ten bytes."""
    value &= 0xFFFFFFFFFFFFFFFF
    out = bytearray()
    while value > 0x7F:
        out.append((value & 0x7F) | 0x80)
        value >>= 7
    out.append(value)
    return bytes(out)


def field_int(number: int, value: int) -> bytes:
    """A varint field."""
    return write_varint(number << 3 | VARINT) + write_varint(value)


def field_bytes(number: int, value: bytes) -> bytes:
    """A length-delimited field: bytes or an encoded message."""
    return write_varint(number << 3 | BYTES) + write_varint(len(value)) + value


def field_text(number: int, value: str) -> bytes:
    """A text field, UTF-8."""
    return field_bytes(number, value.encode("utf-8"))


def field_float(number: int, value: float) -> bytes:
    """A four-byte float field."""
    return write_varint(number << 3 | FIXED32) + struct.pack("<f", value)


def field_ints(number: int, values: list[int]) -> bytes:
    """A packed repeated integer field; nothing at all for an empty list."""
    packed = b"".join(map(write_varint, values))
    return field_bytes(number, packed) if values else b""


def field_floats(number: int, values: list[float]) -> bytes:
    """A packed repeated float field; nothing at all for an empty list."""
    return field_bytes(number, struct.pack(f"<{len(values)}f", *values)) if values else b""
