"""Frames as numbered picture files."""

from __future__ import annotations

import contextlib
import os
import re
from pathlib import Path
from typing import Final

import cv2

from bodypix.errors import InvalidArgumentError, OutputError
from bodypix.files import write_whole
from bodypix.image_headers import read_header
from bodypix.media.frames import Frame
from bodypix.media.sinks.base import BaseSink, check_quality

SUFFIXES: Final = (".png", ".jpg", ".jpeg")

_NUMBER_FIELD: Final = re.compile(r"%0?\d*d")


def pattern_of(where: str | os.PathLike[str]) -> Path:
    """The pattern of the files; of a folder that is its `%06d.png`."""
    path = Path(where)
    return path if _NUMBER_FIELD.search(path.name) else path / "%06d.png"


def target_like(where: str | os.PathLike[str], name: str) -> Path | None:
    """The file of that name, but for upper and lower case, that a `PictureSink` could write."""
    pattern = pattern_of(where)
    field = _NUMBER_FIELD.search(pattern.name)
    assert field is not None
    before, after = pattern.name[: field.start()], pattern.name[field.end() :]
    number = re.fullmatch(
        re.escape(before) + r"(\d+)" + re.escape(after), name, re.ASCII | re.IGNORECASE
    )
    target = number and _numbered(pattern, int(number[1]))
    return target if target and target.name.casefold() == name.casefold() else None


def _numbered(pattern: Path, number: int) -> Path:
    return pattern.with_name(_NUMBER_FIELD.sub(lambda field: field[0] % number, pattern.name, 1))


class PictureSink(BaseSink):
    """`frames/000000.png`, `frames/000001.png` and so on, by `Frame.index`.

    Each picture is written whole under its own name; `abort` removes those written so far, and
    the folder if this sink made it. Pictures of the same size that follow without a gap on the last
    one, left by a longer film, are removed by `close`. The times of the frames are not kept.

    Args:
        where: a folder, which is made if it is not there, or a pattern in one, such as
            `frames/photo-%05d.png` or `.jpg`.
        size: (width, height) of the frames.
        alpha: frames are RGBA; PNG only.
        quality: 1..100, of JPEG.
        keep_partial: on `abort`, leave the pictures.

    Raises:
        InvalidArgumentError: the suffix is not .png, .jpg or .jpeg; alpha with JPEG.
        OutputError: the folder cannot be made.
    """

    def __init__(
        self,
        where: str | os.PathLike[str],
        *,
        size: tuple[int, int],
        alpha: bool = False,
        quality: int = 80,
        keep_partial: bool = False,
    ) -> None:
        super().__init__(os.fspath(where), size=size, alpha=alpha, keep_partial=keep_partial)
        check_quality(quality)
        path = pattern_of(where)
        self._pattern: Final = path
        self._quality: Final = quality
        suffix = path.suffix.lower()
        if suffix not in SUFFIXES or (alpha and suffix != ".png"):
            raise InvalidArgumentError(
                f"sink: {'transparent ' if alpha else ''}pictures are written as "
                f"{'.png' if alpha else ', '.join(SUFFIXES)} files, not {suffix!r}."
            )
        self._written: Final[list[Path]] = []
        self._next = 0
        self._made_folder: Final = not os.path.exists(path.parent)
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise OutputError(
                f"sink: cannot make the folder {str(path.parent)!r} ({error.strerror or error})."
            ) from error

    def _put(self, frame: Frame) -> None:
        path = _numbered(self._pattern, frame.index)
        order = cv2.COLOR_RGBA2BGRA if self.alpha else cv2.COLOR_RGB2BGR
        # Fast compression: a video is many pictures, and most are only on their way.
        settings = [cv2.IMWRITE_PNG_COMPRESSION, 1, cv2.IMWRITE_JPEG_QUALITY, self._quality]
        settings = settings[:2] if path.suffix.lower() == ".png" else settings[2:]
        good, data = cv2.imencode(path.suffix, cv2.cvtColor(frame.image, order), settings)
        assert good  # shape and dtype were checked
        write_whole(path, lambda file: file.write(data.tobytes()))
        self._written.append(path)
        self._next = max(self._next, frame.index + 1)

    def _finish(self) -> None:
        # Each picture is whole already. What an earlier, longer film left would pass for the end of
        # this one, perhaps with people in it that this one hides.
        number = self._next
        while number and self._continues(path := _numbered(self._pattern, number)):
            try:
                path.unlink()
            except OSError as error:
                raise OutputError(
                    f"sink: cannot remove {str(path)!r} of an earlier film "
                    f"({error.strerror or error})."
                ) from error
            number += 1

    def _continues(self, path: Path) -> bool:
        """Whether a file would be taken for the next picture: one of another size is not."""
        try:
            header = read_header(path.read_bytes())
        except OSError:
            return False
        return header is not None and (header.width, header.height) == self.size

    def _discard(self) -> None:
        with contextlib.suppress(OSError):
            for path in self._written:
                path.unlink(missing_ok=True)
            if self._made_folder:
                self._pattern.parent.rmdir()  # stays where something else is in it
