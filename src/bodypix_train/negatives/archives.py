"""Files within packages of Debian (`.deb`) and npm (`.tgz`), and within the archives they hold."""

from __future__ import annotations

import gzip
import io
import lzma
import struct
import tarfile
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path

AR_MAGIC = b"!<arch>\n"
AR_HEADER = 60
GZIP_MAGIC, XZ_MAGIC = b"\x1f\x8b", b"\xfd7zXZ\0"
ICONS = "PluginFurnitureCatalog.properties"

# What the readers of tar, xz, gzip, zip, zlib and numbers say of bytes that are not theirs.
BROKEN = (
    tarfile.TarError, lzma.LZMAError, gzip.BadGzipFile, zipfile.BadZipFile, zlib.error,
    struct.error, EOFError, ValueError,
)  # fmt: skip


def members(package: Path) -> Iterator[tuple[str, bytes]]:
    """Names, without a leading "./", and contents of all files of a package, and what is in these.

    Files of a Qt resource (`.rcc`) go by their own paths, the icons of a Sweet Home 3D library by
    "LIBRARY: NUMBER". Raises ValueError, naming the package, where it cannot be read.
    """
    try:
        data = package.read_bytes()
        if data.startswith(AR_MAGIC):
            data = _data_of_deb(data)
        with tarfile.open(fileobj=io.BytesIO(_unpacked(data)), mode="r:") as tar:
            for entry in tar:
                file = tar.extractfile(entry) if entry.isfile() else None
                if file is None:
                    continue
                name = entry.name.removeprefix("./")
                content = file.read()
                yield name, content
                if name.endswith(".rcc"):
                    yield from qt_resource(content)
                elif name.endswith(".sh3f"):
                    yield from icons(Path(name).name, content)
    except BROKEN as error:
        raise ValueError(
            f"{package}: expected a whole .deb or .tgz, got {error!r}; fetch it again"
        ) from error


def _unpacked(data: bytes) -> bytes:
    """All of it at once: reading on demand meets no checksum, and takes damage for the end."""
    if data.startswith(GZIP_MAGIC):
        return gzip.decompress(data)
    if data.startswith(XZ_MAGIC):
        return lzma.decompress(data)
    return data


def _data_of_deb(data: bytes) -> bytes:
    """The archive of files, as deb(5) has it: a member "data.tar.*" of an ar archive."""
    place = len(AR_MAGIC)
    while place + AR_HEADER <= len(data):
        name, size = data[place : place + 16].decode("ascii").strip(), data[place + 48 : place + 58]
        place += AR_HEADER
        if name.startswith("data.tar"):
            return data[place : place + int(size)]
        place += int(size) + int(size) % 2
    raise EOFError("no data.tar")


def qt_resource(data: bytes) -> Iterator[tuple[str, bytes]]:
    """Files of a Qt binary resource that are stored as they are or by zlib; others are left out.

    Big-endian: "qres", version, offsets of tree, data and names. A node of the tree is the
    offset of its name, flags (1 zlib, 2 folder, 4 zstd) and, for a folder, count and number of the
    first child, else locale and offset of the content, whose length stands before it.
    """
    if data[:4] != b"qres":
        return
    version, tree, contents, names = struct.unpack(">4I", data[4:20])
    size = 22 if version >= 2 else 14

    def name_at(offset: int) -> str:
        (length,) = struct.unpack_from(">H", data, names + offset)
        start = names + offset + 6  # a hash is between
        return data[start : start + 2 * length].decode("utf-16-be")

    def below(node: int, folder: str) -> Iterator[tuple[str, bytes]]:
        place = tree + node * size
        offset, flags = struct.unpack_from(">IH", data, place)
        path = f"{folder}/{name_at(offset)}".lstrip("/") if node else ""
        if flags & 2:
            count, first = struct.unpack_from(">II", data, place + 6)
            for child in range(first, first + count):
                yield from below(child, path)
        elif not flags & 4:
            (start,) = struct.unpack_from(">I", data, place + 10)
            (length,) = struct.unpack_from(">I", data, contents + start)
            start += contents + 4
            content = data[start : start + length]
            yield path, zlib.decompress(content[4:]) if flags & 1 else content

    yield from below(0, "")


def icons(library: str, data: bytes) -> Iterator[tuple[str, bytes]]:
    """The icons of a Sweet Home 3D furniture library (a zip), by their numbers in its list."""
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        there = set(archive.namelist())
        if ICONS not in there:
            return
        for line in archive.read(ICONS).decode("latin-1").splitlines():
            key, _, path = line.partition("=")
            if key.startswith("icon#") and path.strip().lstrip("/") in there:
                number = key.removeprefix("icon#").strip()
                yield f"{library}: {number}", archive.read(path.strip().lstrip("/"))
