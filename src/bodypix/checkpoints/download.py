"""Fetching one file over HTTP: resumed where it broke off, bounded in time and size."""

from __future__ import annotations

import http.client
import re
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from bodypix import __version__
from bodypix.checkpoints.cache_report import Progress, unusable
from bodypix.errors import DownloadError

TIMEOUT_SECONDS: Final = 30.0
ATTEMPTS: Final = 4
_PAUSE_SECONDS: Final = 0.5
_BLOCK: Final = 1 << 17


class _BrokenOff(Exception):
    """This attempt failed; the next may not."""


def fetch(url: str, part: Path, *, limit: int, progress: Progress | None = None) -> None:
    """Fetch `url` into the file `part`; when this returns, the file is complete.

    What an earlier call left in `part` is kept and the rest asked for (HTTP Range, If-Range), if
    the server supports that and still has the same file. Broken connections, time-outs and server
    errors are tried again. Raises DownloadError, with the state of `part` kept for the next call,
    when that does not help, when the server refuses, and when more than `limit` bytes come.
    """
    name = urlsplit(url).path.rpartition("/")[2]
    problem = ""
    for attempt in range(ATTEMPTS):
        if attempt:
            time.sleep(_PAUSE_SECONDS * 2 ** (attempt - 1))
        try:
            _attempt(url, part, name, limit, progress)
            return
        except _BrokenOff as error:
            problem = str(error)
    raise DownloadError(
        f"download of {url}: expected the whole file, got {problem} in {ATTEMPTS} attempts; "
        "check the connection and run it again: what has arrived is kept"
    )


def _attempt(url: str, part: Path, name: str, limit: int, progress: Progress | None) -> None:
    tag = part.with_name(part.name + ".tag")
    with _writing(part.parent):
        # Without the server's word for which file it was, begin anew.
        validator = tag.read_text("utf-8") if part.exists() and tag.exists() else ""
        offset = part.stat().st_size if validator else 0
    headers = {"User-Agent": f"bodypix/{__version__}", "Accept-Encoding": "identity"}
    if offset:
        headers |= {"Range": f"bytes={offset}-", "If-Range": validator}
    try:
        with _opener().open(
            urllib.request.Request(url, headers=headers), timeout=TIMEOUT_SECONDS
        ) as response:
            _check_address(url, response.url)
            if response.status == 206:
                if not (response.headers.get("Content-Range") or "").startswith(f"bytes {offset}-"):
                    _forget(part, tag)
                    raise _BrokenOff("another range than asked for")
            else:
                offset = 0
            _save(response, part, tag, offset, limit, url, name, progress)
    except urllib.error.HTTPError as error:
        error.close()
        if error.code == 416:
            _forget(part, tag)
        if error.code in (408, 416, 429) or error.code >= 500:
            raise _BrokenOff(f"status {error.code} {error.reason}") from error
        raise DownloadError(
            f"download of {url}: expected the file, got status {error.code} {error.reason}; "
            "check the address: not every combination of options was published"
        ) from error
    except (OSError, http.client.HTTPException) as error:
        reason = getattr(error, "reason", "") or error
        raise _BrokenOff(str(reason) or type(error).__name__) from error


def _save(
    response: http.client.HTTPResponse,
    part: Path,
    tag: Path,
    offset: int,
    limit: int,
    url: str,
    name: str,
    progress: Progress | None,
) -> None:
    length = response.headers.get("Content-Length")
    total = offset + int(length) if length is not None and length.isdecimal() else None
    done = offset
    with _writing(part.parent):
        tag.write_text(_validator(response), "utf-8")
        file = part.open("ab" if offset else "wb")
    with file:
        while True:
            if max(done, total or 0) > limit:
                file.truncate(0)
                raise DownloadError(
                    f"download of {url}: expected at most {limit} bytes, got {total or done}; "
                    "it is not the file that the model names: check the address"
                )
            if progress is not None:
                progress(name, done, total)
            block = _read(response)
            if not block:
                break
            with _writing(part.parent):
                file.write(block)
            done += len(block)
        with _writing(part.parent):
            file.flush()
    if total is not None and done < total:
        raise _BrokenOff(f"{done} of {total} bytes")
    tag.unlink(missing_ok=True)


def _validator(response: http.client.HTTPResponse) -> str:
    """What If-Range may hold: a strong ETag or the date of the last change."""
    etag = response.headers.get("ETag", "")
    strong = re.fullmatch(r'"[^"]*"', etag) is not None
    return etag if strong else response.headers.get("Last-Modified", "")


@contextmanager
def _writing(folder: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise unusable(folder, error) from error


def _read(response: http.client.HTTPResponse) -> bytes:
    try:
        return response.read(_BLOCK)
    except (http.client.HTTPException, OSError) as error:
        raise _BrokenOff(str(error) or type(error).__name__) from error


def _opener() -> urllib.request.OpenerDirector:
    """An opener for http and https only: a redirect must not lead to a local file or to FTP."""
    opener = urllib.request.OpenerDirector()
    for handler in (
        urllib.request.ProxyHandler,
        urllib.request.HTTPHandler,
        urllib.request.HTTPSHandler,
        urllib.request.HTTPRedirectHandler,
        urllib.request.HTTPDefaultErrorHandler,
        urllib.request.HTTPErrorProcessor,
        urllib.request.UnknownHandler,
    ):
        opener.add_handler(handler())
    return opener


def _check_address(asked: str, got: str) -> None:
    if asked.startswith("https:") and not got.startswith("https:"):
        raise DownloadError(
            f"download of {asked}: expected an https address, got sent on to {got}; "
            "check the address"
        )


def _forget(part: Path, tag: Path) -> None:
    part.unlink(missing_ok=True)
    tag.unlink(missing_ok=True)
