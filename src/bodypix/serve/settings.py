"""What a server allows: how much, how large, how long, and from whom."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from bodypix.errors import InvalidArgumentError

PAGE: Final = Path(__file__).parent / "page"
"""Where the built demo page lies; it is in the wheel, and not in a fresh checkout."""

_DEFAULT_WORKERS: Final = 8  # at most, unless more are asked for

_MOST_WORKERS: Final = 256  # each is a thread that begins with the server


def default_workers() -> int:
    """One for each core this process may use, at most 8."""
    usable = getattr(os, "sched_getaffinity", None)
    cores = len(usable(0)) if usable else os.cpu_count() or 1
    return min(cores, _DEFAULT_WORKERS)


@dataclass(frozen=True)
class Settings:
    """Limits of a server. Times are in seconds.

    Attributes:
        workers: 1 to 256; pictures worked on at the same time.
        queue: at least 0; requests that may wait for a worker. Further ones get 429.
        uploads: at least 1; requests whose body is being read at the same time. Further ones get
            429, so that memory is bounded: `uploads + queue + workers` bodies at most.
        max_bytes: at least 1; size of a request's body. Larger ones get 413.
        max_pixels: at least 1; width times height of a picture, read from its header before it is
            decoded. Larger ones get 413.
        timeout: above 0; from the end of the upload to the answer. Then 503 if the request still
            waits, 504 if it is being worked on.
        body_timeout: above 0; for a whole upload. Slower ones get 408.
        stall_timeout: above 0; for the head of a request, for the next bytes of a body, and for a
            client to take the next bytes of an answer.
        shutdown_timeout: above 0; how long requests may still run after SIGTERM.
        max_connections: at least 1; open connections. Further ones get 503.
        allowed_hosts: names by which clients may call this server, besides `localhost`, addresses
            in numbers and this machine's own name; "*" allows every name (see `guard`).
        allowed_origins: web pages of other servers that may use this one, such as
            "https://example.org"; "*" allows all of them.
        page: folder of the demo page.

    Raises:
        InvalidArgumentError: a value out of range.
    """

    workers: int = field(default_factory=default_workers)
    queue: int = 32
    uploads: int = 32
    max_bytes: int = 20 << 20
    max_pixels: int = 25_000_000
    timeout: float = 30.0
    body_timeout: float = 60.0
    stall_timeout: float = 10.0
    shutdown_timeout: float = 10.0
    max_connections: int = 256
    allowed_hosts: tuple[str, ...] = ()
    allowed_origins: tuple[str, ...] = ()
    page: Path = PAGE

    def __post_init__(self) -> None:
        for name in ("workers", "uploads", "max_bytes", "max_pixels", "max_connections"):
            self._require(name, getattr(self, name) >= 1, "at least 1")
        self._require("workers", self.workers <= _MOST_WORKERS, f"at most {_MOST_WORKERS}")
        self._require("queue", self.queue >= 0, "at least 0")
        for name in ("timeout", "body_timeout", "stall_timeout", "shutdown_timeout"):
            self._require(name, getattr(self, name) > 0, "above 0")
        for name in self.allowed_hosts:
            self._require("allowed_hosts", _is_host(name), "names without port or path", name)
        for origin in self.allowed_origins:
            self._require(
                "allowed_origins", _is_origin(origin), 'such as "https://example.org"', origin
            )

    @property
    def max_network_pixels(self) -> int:
        """Largest input of the network: what "medium" makes of the largest picture."""
        return max(self.max_pixels // 4, 1)

    def _require(self, name: str, holds: bool, expected: str, got: object = None) -> None:
        if not holds:
            got = getattr(self, name) if got is None else got
            raise InvalidArgumentError(f"{name}: expected {expected}, got {got!r}.")


def _is_host(name: str) -> bool:
    return bool(name) and not set(name) & set(":/@ ")


def _is_origin(origin: str) -> bool:
    parts = urlsplit(origin)
    return origin == "*" or (
        parts.scheme in ("http", "https") and origin == f"{parts.scheme}://{parts.netloc}"
    )
