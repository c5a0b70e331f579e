"""A lock between processes, so that two of them never fetch the same model at once."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from bodypix.errors import CheckpointError

_POLL_SECONDS = 0.1

if sys.platform == "win32":
    import msvcrt

    def _try_lock(file: IO[bytes]) -> None:
        msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)

    def _unlock(file: IO[bytes]) -> None:
        file.seek(0)
        msvcrt.locking(file.fileno(), msvcrt.LK_UNLCK, 1)
else:
    import fcntl

    def _try_lock(file: IO[bytes]) -> None:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)

    def _unlock(file: IO[bytes]) -> None:
        fcntl.flock(file, fcntl.LOCK_UN)


@contextmanager
def locked(path: Path, timeout: float = 900.0) -> Iterator[None]:
    """Hold the lock file `path`; the system lets go of it when the process ends, however it does.

    Raises CheckpointError when another process holds it for longer than `timeout` seconds, and
    OSError when the file cannot be opened.
    """
    with path.open("ab") as file:
        deadline = time.monotonic() + timeout
        while True:
            try:
                _try_lock(file)
                break
            except (BlockingIOError, PermissionError) as error:
                if time.monotonic() > deadline:
                    raise CheckpointError(
                        f"cache lock {path}: expected another process to finish within "
                        f"{timeout:.0f} s, got none that did; end it or delete the lock file"
                    ) from error
                time.sleep(_POLL_SECONDS)
        try:
            yield
        finally:
            _unlock(file)
