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
from typing import TYPE_CHECKING, Any

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
    for path in sorted(folder.glob("shard-*.tar")):
        yield from read_shard(path)


def read_shard(path: Path) -> Iterator[tuple[str, Files]]:
    """(key, files) of one shard."""
    key, files = "", {}
    try:
        with tarfile.open(path) as tar:
            for entry in tar:
                name, _, ending = entry.name.partition(".")
                if name != key and files:
                    yield key, files
                    files = {}
                key = name
                content = tar.extractfile(entry)
                if content is not None:
                    files[ending] = content.read()
    except (tarfile.TarError, OSError, EOFError) as error:
        log.warning("%s: unreadable after picture %s (%s), the rest is left out", path, key, error)
        return
    if files:
        yield key, files


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
