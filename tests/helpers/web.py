"""A web server on this machine that serves a folder, and can be told to misbehave."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import unquote, urlsplit


@dataclass
class Web:
    """What is served, what went wrong on purpose, and what was asked for."""

    folder: Path
    url: str = ""
    ranges: bool = True
    etag: str = '"one"'
    length: bool = True
    break_after: int | None = None  # bytes of a body, in every answer
    breaks: int = 0  # so many answers break off, then all is well
    statuses: list[int] = field(default_factory=list)  # of the next answers; then 200
    redirect: str | None = None
    requests: list[tuple[str, str | None]] = field(default_factory=list)  # path, Range header


@contextmanager
def serving(folder: Path) -> Iterator[Web]:
    """Serve `folder` on 127.0.0.1."""
    web = Web(folder)

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            wanted = self.headers.get("Range")
            web.requests.append((self.path, wanted))
            status = web.statuses.pop(0) if web.statuses else 200
            path = web.folder / unquote(urlsplit(self.path).path).lstrip("/")
            if web.redirect is not None:
                self.send_response(302)
                self.send_header("Location", web.redirect)
                self.end_headers()
                return
            if status != 200 or not path.is_file():
                self.send_error(404 if status == 200 else status)
                return
            self.answer(path.read_bytes(), wanted)

        def answer(self, data: bytes, wanted: str | None) -> None:
            start = 0
            same = self.headers.get("If-Range", web.etag) == web.etag
            if wanted and web.ranges and same:
                start = int(wanted.removeprefix("bytes=").rstrip("-"))
                if start >= len(data):
                    self.send_error(416)
                    return
                self.send_response(206)
                self.send_header("Content-Range", f"bytes {start}-{len(data) - 1}/{len(data)}")
            else:
                self.send_response(200)
            body = data[start:]
            if web.etag:
                self.send_header("ETag", web.etag)
            if web.length:
                self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            if web.breaks and web.break_after is not None:
                web.breaks -= 1
                body = body[: web.break_after]
            self.wfile.write(body)

        def log_message(self, *args: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    web.url = f"http://127.0.0.1:{server.server_port}"
    try:
        yield web
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
