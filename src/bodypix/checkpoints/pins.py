"""Checksums of files, remembered on first use: `checksums.json` in the cache folder.

The bucket publishes no checksums. The first complete, readable download of a URL is trusted; from
then on the same URL must give the same bytes.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path

from bodypix.checkpoints.locks import locked
from bodypix.errors import CheckpointError
from bodypix.files import write_whole


def sha256_of(path: Path) -> str:
    """Hex SHA-256 of a file. Raises OSError when it cannot be read."""
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while block := file.read(1 << 20):
            digest.update(block)
    return digest.hexdigest()


class Pins:
    """The checksums of one cache folder, by URL or by path inside the folder."""

    def __init__(self, folder: Path) -> None:
        self.path = folder / "checksums.json"

    def read(self) -> dict[str, str]:
        """All pins. Raises CheckpointError when the file is there but broken."""
        try:
            pins = json.loads(self.path.read_text("utf-8"))
        except FileNotFoundError:
            return {}
        except (OSError, ValueError) as error:
            raise self._broken(error) from error
        if not isinstance(pins, dict) or not all(isinstance(pin, str) for pin in pins.values()):
            raise self._broken("another kind of JSON")
        return pins

    def add(self, pins: Mapping[str, str]) -> None:
        """Add or replace pins, also while other processes do. Raises OSError, OutputError."""
        with locked(self.path.with_suffix(".lock")):
            merged = {**self.read(), **pins}
            text = json.dumps(merged, indent=1, sort_keys=True) + "\n"
            write_whole(self.path, lambda file: file.write(text.encode()))

    def _broken(self, got: object) -> CheckpointError:
        return CheckpointError(
            f"checksums {self.path}: expected a readable JSON object of checksums, got {got}; "
            "delete the file to pin the files in the cache anew"
        )
