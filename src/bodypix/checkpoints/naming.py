"""Errors about a model file that say which file."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from bodypix.errors import CheckpointError

_NAMELESS = ("model file: ", "tfjs model: ")


@contextmanager
def naming(file: object) -> Iterator[None]:
    """While reading `file`, a path or address: errors about what it holds say "model file FILE: ".

    What reads bytes, graphs and weights does not know where they come from. Errors of downloads
    and checksums, and those that name a file already, stay as they are.
    """
    try:
        yield
    except CheckpointError as error:
        text = str(error)
        if type(error) is not CheckpointError or text.startswith("model file "):
            raise
        for prefix in _NAMELESS:
            text = text.removeprefix(prefix)
        raise CheckpointError(f"model file {file}: {text}") from error
