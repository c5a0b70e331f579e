"""A folder or a pattern of picture files as one moving picture."""

from __future__ import annotations

import glob
import os
import re
from collections.abc import Generator
from fractions import Fraction
from pathlib import Path
from typing import Final

from bodypix.errors import MediaError
from bodypix.images import read_image
from bodypix.media.frames import Frame
from bodypix.media.sources.base import BaseSource

SUFFIXES: Final = (".bmp", ".jpeg", ".jpg", ".png", ".tif", ".tiff", ".webp")
"""What counts as a picture in a folder."""

_NUMBER_FIELD: Final = re.compile(r"%(0\d+)?d")


def is_pattern(text: str) -> bool:
    """Whether a path names several files: `frame_%05d.png`, or with the marks of a shell."""
    return bool(_NUMBER_FIELD.search(Path(text).name)) or glob.has_magic(text)


class PictureSource(BaseSource):
    """Picture files in the order of the numbers in their names: `2.png` comes before `10.png`.

    Args:
        where: a folder (its pictures, not those of sub-folders or hidden ones), a numbered
            pattern (`frames/%05d.png`; numbers may be missing) or a shell pattern
            (`frames/*.jpg`).
        rate: frames a second; files do not tell.

    Raises:
        MediaError: there is no picture, or (while looping) one differs in size from the first.
        ImageError: a file is no picture, or is damaged.
    """

    def __init__(self, where: str | os.PathLike[str], *, rate: Fraction = Fraction(30)) -> None:
        self.name = os.fspath(where)
        self.rate = rate
        self._paths = find_pictures(self.name)
        if not self._paths:
            looked = ", ".join(SUFFIXES) if os.path.isdir(self.name) else "files of that pattern"
            raise MediaError(f"source: no pictures at {self.name!r} (looked for {looked}).")
        self.count = len(self._paths)
        height, width = read_image(self._paths[0]).shape[:2]
        self.size = (width, height)

    def _frames(self) -> Generator[Frame, None, None]:
        assert self.rate is not None
        for index, path in enumerate(self._paths):
            if self._closed:
                return
            image = read_image(path)
            if image.shape[1::-1] != self.size:
                raise MediaError(
                    f"source: expected pictures of one size, {self.size[0]}x{self.size[1]} as "
                    f"{self._paths[0].name!r}; {path.name!r} is "
                    f"{image.shape[1]}x{image.shape[0]}. Resize it."
                )
            yield Frame(image, index, index / self.rate, 1 / self.rate)

    def _release(self) -> None:
        pass  # files are opened one at a time


def find_pictures(where: str) -> list[Path]:
    """The files of a folder or a pattern, as `PictureSource` reads them; none is no error."""
    path = Path(where)
    if os.path.isdir(path):
        found = [entry for entry in path.iterdir() if entry.suffix.lower() in SUFFIXES]
    elif field := _NUMBER_FIELD.search(path.name):
        before, after = path.name[: field.start()], path.name[field.end() :]
        numbered = re.compile(re.escape(before) + r"\d+" + re.escape(after))
        folder = path.parent
        entries = folder.iterdir() if os.path.isdir(folder) else ()
        found = [entry for entry in entries if numbered.fullmatch(entry.name)]
    else:
        found = [Path(name) for name in glob.glob(where)]
    return sorted(
        (entry for entry in found if entry.is_file() and not entry.name.startswith(".")),
        key=_natural,
    )


def _natural(path: Path) -> tuple[list[tuple[str, int]], str]:
    """Sort key: letters as letters, runs of digits as numbers."""
    pieces = re.findall(r"(\D*)(\d*)", path.name.casefold())
    return [(text, int(digits or -1)) for text, digits in pieces], path.name
