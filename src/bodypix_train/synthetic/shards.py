"""Pictures in WebDataset tar files: written whole or not at all, read one by one.

A shard ``shard-00012.tar`` holds for every picture, under one key of eight digits:

| ending       | what                                                                             |
| ------------ | -------------------------------------------------------------------------------- |
| jpg          | the picture; its compression is part of the camera                               |
| alpha.png    | 8 bits, 255: person                                                              |
| parts.png    | 8 bits, 0: nobody, else part id + 1                                              |
| people.png   | 8 bits, 0: nobody, else index of the person + 1                                  |
| depth.png    | 16 bits, millimetres along the camera's axis; 65535: unknown                     |
| json         | keypoints (people, 17, [x, y, visibility]), and what was drawn by lot            |
"""

from __future__ import annotations

import io
import json
import logging
import tarfile
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from bodypix.files import write_whole

if TYPE_CHECKING:  # readers of shards need no renderer
    from .picture import Picture

log = logging.getLogger(__name__)

Files = dict[str, bytes]
"""Contents by ending, of one picture."""


def encode(picture: Picture) -> Files:
    """The files of one picture."""
    about = {
        "width": picture.image.shape[1],
        "height": picture.image.shape[0],
        "keypoints": [[[round(float(v), 2) for v in k] for k in p] for p in picture.keypoints],
        **picture.about,
    }
    return {
        "jpg": _image(
            ".jpg", picture.image[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, picture.quality]
        ),
        "alpha.png": _image(".png", picture.alpha),
        "parts.png": _image(".png", picture.parts + np.uint8(1)),  # 255 + 1 is 0: nobody
        "people.png": _image(".png", picture.people + np.uint8(1)),
        "depth.png": _image(".png", picture.depth),
        "json": json.dumps(about).encode(),
    }


def write_shard(path: Path, pictures: list[tuple[int, Files]]) -> None:
    """A tar of (number, files); the name appears once the file is whole."""

    def write(file: Any) -> None:
        with tarfile.open(fileobj=file, mode="w", format=tarfile.USTAR_FORMAT) as tar:
            for number, files in pictures:
                for ending, content in files.items():
                    entry = tarfile.TarInfo(f"{number:08d}.{ending}")
                    entry.size = len(content)
                    tar.addfile(entry, io.BytesIO(content))

    write_whole(path, write)


def read_shards(folder: Path) -> Iterator[tuple[str, Files]]:
    """(key, files) of every whole picture; broken shards are named in the log and left."""
    for place in index_shards(folder):
        yield place.key, read_place(place)


class Place(NamedTuple):
    """Where a picture's group of files lies: a piece of a shard, a tar in itself."""

    shard: Path
    key: str
    start: int
    length: int
    endings: tuple[str, ...]


def index_shards(folder: Path) -> Iterator[Place]:
    """Every whole picture's place; only the names in the shards are read."""
    for path in sorted(folder.glob("shard-*.tar")):
        yield from index_shard(path)


def index_shard(path: Path) -> Iterator[Place]:
    """The places of one shard; what is broken is named in the log and left."""
    key, start, end = "", 0, 0
    endings: tuple[str, ...] = ()
    try:
        with tarfile.open(path, "r:") as tar:
            for entry in tar:
                name, _, ending = entry.name.partition(".")
                if name != key and endings:
                    yield Place(path, key, start, entry.offset - start, endings)
                    endings = ()
                if not endings:
                    key, start = name, entry.offset
                end = entry.offset_data + entry.size
                endings = (*endings, ending)
    except (tarfile.TarError, OSError, EOFError) as error:
        log.warning("%s: unreadable after picture %s (%s), the rest is left out", path, key, error)
        return
    if endings:
        whole = -(-end // tarfile.BLOCKSIZE) * tarfile.BLOCKSIZE  # with the last file's padding
        yield Place(path, key, start, whole - start, endings)


def read_place(place: Place) -> Files:
    """The files of one picture. Raises ValueError, OSError where they have changed meanwhile."""
    with place.shard.open("rb") as file:
        file.seek(place.start)
        piece = file.read(place.length)
    files: Files = {}
    try:
        with tarfile.open(fileobj=io.BytesIO(piece), mode="r:") as tar:
            for entry in tar:
                content = tar.extractfile(entry)
                if content is not None:
                    files[entry.name.partition(".")[2]] = content.read()
    except tarfile.TarError as error:
        raise ValueError(f"{place.shard}: picture {place.key} is unreadable ({error})") from error
    return files


def decode_image(content: bytes) -> NDArray[Any]:
    """An image file's pixels: RGB, or one channel as stored."""
    pixels = cv2.imdecode(np.frombuffer(content, np.uint8), cv2.IMREAD_UNCHANGED)
    if pixels is None:
        raise ValueError("image: expected a JPEG or PNG file, got something else")
    return np.ascontiguousarray(pixels[..., ::-1]) if pixels.ndim == 3 else pixels


def _image(ending: str, pixels: NDArray[Any], options: list[int] | None = None) -> bytes:
    done, buffer = cv2.imencode(ending, pixels, options or [])
    if not done:
        raise ValueError(f"image: cannot write {pixels.dtype} {pixels.shape} as {ending}")
    return buffer.tobytes()
