"""What a cache tells its user: how a download goes, and that a folder cannot be used."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TypeAlias

from bodypix.errors import CheckpointError

#: Called with the file's name, the bytes so far, and all bytes (None: the server does not say).
Progress: TypeAlias = Callable[[str, int, int | None], None]


def unusable(folder: Path, error: OSError) -> CheckpointError:
    """The error for a cache folder that cannot be written."""
    return CheckpointError(
        f"cache folder {folder}: expected a folder to write to, got {error.strerror or error}; "
        "set BODYPIX_CACHE (or cache_dir) to one that is writable and has room"
    )
