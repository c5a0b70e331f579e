"""What is to be written, looked at before any work: it can be, and costs nothing that is read."""

from __future__ import annotations

import errno
import os
import tempfile
from collections.abc import Iterable
from pathlib import Path

from bodypix.errors import OutputError
from bodypix.files import temporary_beside
from bodypix.media.sinks import takes_pictures
from bodypix.media.sinks.pictures import target_like
from bodypix.media.sources import files_of


def identity(path: str | Path) -> object:
    """Equal for two paths of one file, also through links and where case makes no difference."""
    try:
        facts = os.stat(path)
    except OSError:
        return os.path.realpath(path)
    return facts.st_dev, facts.st_ino


def refuse_overwriting(option: str, target: str | Path, read: Iterable[str | Path | None]) -> None:
    """Refuse one file as what is written, if it is among those that are read.

    Raises:
        OutputError: it is.
    """
    wanted = identity(target)
    if any(path is not None and identity(path) == wanted for path in read):
        raise OutputError(f"{option}: {target} is what is read; choose another name.")


def refuse_film(output: str, source: str, *others: str | Path | None) -> None:
    """Refuse the output of a film, if a file that is read could be written over by it.

    Args:
        output: as `open_sink` takes it; a folder or a pattern stands for pictures of any number.
        source: as `open_source` takes it.
        others: what is read beside it; only files count, so a colour does not.

    Raises:
        OutputError: it could.
    """
    if output == "-":
        return
    refuse_overwriting("--output", output, [source])
    files = _files(source, *others)
    if not takes_pictures(output):
        refuse_overwriting("--output", output, files)
        return
    for path in files:
        target = target_like(output, path.name)
        if target is not None and identity(target) == identity(path):
            raise OutputError(
                f"--output: {output} could write over {path}, which is read; choose another "
                "folder or pattern."
            )


def refuse_report(report: Path, output: str, *read: str | Path | None) -> None:
    """Refuse a report that would take the place of the film, or of a file that is read.

    Raises:
        OutputError: it would.
    """
    refuse_overwriting("--report", report, _files(*read))
    written: list[str | Path] = [output]
    if takes_pictures(output) and (frame := target_like(output, report.name)):
        written.append(frame)
    if identity(report) in map(identity, written):
        raise OutputError(f"--report: {report} is what --output writes; choose another name.")


def _files(*read: str | Path | None) -> list[Path]:
    return [file for what in read if what is not None for file in files_of(os.fspath(what))]


def check_folder(folder: Path) -> None:
    """Make the folder of --output, and find out whether it can be written to.

    Raises:
        OutputError: it cannot be made or written to.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        tempfile.TemporaryFile(dir=folder).close()
    except OSError as error:
        raise OutputError(
            f"--output: cannot write to {str(folder)!r} ({error.strerror or error}). "
            "Choose a folder that you may write to."
        ) from error


def check_file(option: str, path: Path) -> None:
    """Find out whether a file can be written, as `files.write_whole` does it.

    Raises:
        OutputError: its folder is not there or may not be written to, or it is a folder itself.
    """
    temporary = temporary_beside(path)
    try:
        if path.is_dir():
            raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR))
        temporary.touch(exist_ok=False)
        temporary.unlink()
    except OSError as error:
        raise OutputError(
            f"{option}: cannot write {str(path)!r} ({error.strerror or error}). "
            "Choose a file in a folder that exists and that you may write to."
        ) from error
