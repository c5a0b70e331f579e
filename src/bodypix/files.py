"""Writing files so that a reader never meets half of one."""

from __future__ import annotations

import os
import secrets
from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO

from bodypix.errors import OutputError


def temporary_beside(target: Path) -> Path:
    """A new, hidden name in the folder of `target`, to write under before `os.replace`."""
    return target.with_name(f".{target.name}.{secrets.token_hex(4)}.part")


def write_whole(
    path: str | os.PathLike[str], write: Callable[[BinaryIO], object], *, field: str = "path"
) -> None:
    """Write a file under a temporary name in its folder, then rename it.

    `field` is what errors call the path.

    Raises:
        OutputError: the folder is not there or may not be written to, or the disk is full.
    """
    target = Path(path)
    temporary = temporary_beside(target)
    try:
        try:
            with temporary.open("xb") as file:
                write(file)
            os.replace(temporary, target)
        finally:
            temporary.unlink(missing_ok=True)
    except OSError as error:
        raise OutputError(
            f"{field}: cannot write {str(target)!r} ({error.strerror or error}). "
            "Choose a folder that exists and that you may write to."
        ) from error
