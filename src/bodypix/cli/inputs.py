"""From the files and folders that the user names to pictures, and names for what is written."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

PICTURE_SUFFIXES = (".bmp", ".gif", ".jpeg", ".jpg", ".png", ".tif", ".tiff", ".webp")


@dataclass(frozen=True)
class Job:
    """One picture to read and the start of the path of everything written for it."""

    source: Path
    target: Path
    """`OUT/sub/photo`, to which `.mask.png` and the like are added."""

    def path(self, ending: str) -> Path:
        """The file for one picture, such as `OUT/photo.mask.png` for the ending `.mask.png`."""
        return self.target.with_name(self.target.name + ending)


@dataclass(frozen=True)
class Failure:
    """An input that gave no result, and why."""

    source: Path
    reason: str


def collect(
    inputs: Sequence[Path], out: Path | None, *, recursive: bool, endings: Iterable[str]
) -> tuple[list[Job], list[Failure]]:
    """Find the pictures named by `inputs`, in the order given, folders in the order of names.

    A file is taken whatever its suffix; in folders only PICTURE_SUFFIXES count. A picture named
    twice is taken once. Results of an earlier run are left out: pictures in an `out` below the
    folder, and pictures beside their source that end like something written by this command
    (`endings`, such as `.mask.png`). A missing path or a folder without pictures is a Failure, so
    that the rest of a batch goes on. Without `out` nothing is written, and targets mean nothing.
    """
    found: list[tuple[Path, Path]] = []  # the picture and its folder below `out`
    failures: list[Failure] = []
    own = tuple(ending.casefold() for ending in endings)
    out = out and out.resolve()
    for path in inputs:
        if os.path.isdir(path):  # which, unlike Path.is_dir, takes names that are too long
            pictures = [
                picture
                for picture in _walk(path, recursive)
                if not (out and _is_result(picture, path.resolve(), out, own))
            ]
            if not pictures:
                failures.append(Failure(path, _no_pictures(path, recursive)))
            found += [(picture, picture.parent.relative_to(path)) for picture in pictures]
        elif os.path.exists(path):
            found.append((path, Path()))
        else:
            failures.append(Failure(path, "no such file or folder"))
    unique: dict[Path, tuple[Path, Path]] = {}
    for picture, below in found:
        unique.setdefault(picture.resolve(), (picture, below))
    return list(_name(list(unique.values()), out or Path())), failures


def _walk(folder: Path, recursive: bool) -> Iterator[Path]:
    """Pictures of a folder sorted by name, sub-folders after.

    Hidden entries (such as the `._photo.jpg` that macOS leaves) and links to folders are left out.
    """
    try:
        entries = sorted(path for path in folder.iterdir() if not path.name.startswith("."))
    except OSError:
        return  # no permission to list: reported as a folder without pictures
    for entry in entries:
        if entry.suffix.lower() in PICTURE_SUFFIXES and entry.is_file():
            yield entry
    if recursive:
        for entry in entries:
            if entry.is_dir() and not entry.is_symlink():
                yield from _walk(entry, recursive)


def _is_result(picture: Path, folder: Path, out: Path, endings: tuple[str, ...]) -> bool:
    """Whether a picture found in `folder` was written there by an earlier run into `out`."""
    place = picture.parent.resolve()
    if folder in out.parents and (place == out or out in place.parents):
        return True
    return out == folder and picture.name.casefold().endswith(endings)


def _no_pictures(folder: Path, recursive: bool) -> str:
    if not os.access(folder, os.R_OK | os.X_OK):
        return "no permission to read this folder"
    hint = "" if recursive else "; --recursive looks into sub-folders too"
    return f"no pictures here (looked for {', '.join(PICTURE_SUFFIXES)}{hint})"


def _name(pictures: list[tuple[Path, Path]], out: Path) -> Iterator[Job]:
    """A target for each picture: its stem; with the suffix where stems clash; numbered if need be.

    Names are compared without case, since some file systems do.
    """

    def key(target: Path) -> str:
        return str(target).casefold()

    stems = Counter(key(below / picture.stem) for picture, below in pictures)
    taken: set[str] = set()
    for picture, below in pictures:
        stem = picture.stem if stems[key(below / picture.stem)] == 1 else picture.name
        name, number = stem, 1
        while key(below / name) in taken:
            number += 1
            name = f"{stem}-{number}"
        taken.add(key(below / name))
        yield Job(picture, out / below / name)
