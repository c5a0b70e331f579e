"""The demo page: built files, with types, caching, and a page that says how to build them."""

from __future__ import annotations

import os
import re
from pathlib import Path, PurePath
from typing import Final

from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.staticfiles import StaticFiles
from starlette.types import Scope

# Not left to the operating system: some give JavaScript and WebAssembly types that browsers refuse.
MEDIA_TYPES: Final = {
    ".css": "text/css; charset=utf-8",
    ".html": "text/html; charset=utf-8",
    ".ico": "image/x-icon",
    ".jpg": "image/jpeg",
    ".js": "text/javascript; charset=utf-8",
    ".json": "application/json",
    ".map": "application/json",
    ".mjs": "text/javascript; charset=utf-8",
    ".onnx": "application/octet-stream",
    ".png": "image/png",
    ".svg": "image/svg+xml",
    ".txt": "text/plain; charset=utf-8",
    ".wasm": "application/wasm",
    ".webmanifest": "application/manifest+json",
    ".webp": "image/webp",
    ".woff2": "font/woff2",
}

# Names that carry a hash of their content, as bundlers write them: `index-BxU2_a9Z.js`. A hash
# without capital or digit is not recognised, so that `page-settings.js` is not taken for one.
_HASHED: Final = re.compile(r".+[-.](?=\w*\d)(?=\w*[A-Z])\w{8}\.\w+")
_FOREVER: Final = "public, max-age=31536000, immutable"
_ASK_AGAIN: Final = "no-cache"  # kept, but asked about with its ETag before each use


class Files(StaticFiles):
    """Files of a folder, with the right types and caching."""

    def lookup_path(self, path: str) -> tuple[str, os.stat_result | None]:
        """The file behind a path of the client's, if there is one."""
        try:
            return super().lookup_path(path)
        except ValueError:  # a null byte; newer releases of Starlette catch it themselves
            return "", None

    def file_response(
        self,
        full_path: str | os.PathLike[str],
        stat_result: os.stat_result,
        scope: Scope,
        status_code: int = 200,
    ) -> Response:
        """The answer with one file, or 304 where the client has it already."""
        response = super().file_response(full_path, stat_result, scope, status_code)
        path = PurePath(full_path)
        if response.status_code != 304:
            kind = MEDIA_TYPES.get(path.suffix.lower(), "application/octet-stream")
            response.headers["Content-Type"] = kind
        forever = _HASHED.fullmatch(path.name) is not None
        response.headers["Cache-Control"] = _FOREVER if forever else _ASK_AGAIN
        return response


def is_built(folder: Path) -> bool:
    """Whether the demo page is there."""
    return (folder / "index.html").is_file()


async def not_built(request: Request) -> Response:
    """The page instead of the demo page where that was not built."""
    return HTMLResponse(_NOT_BUILT, status_code=404, headers={"Cache-Control": "no-store"})


_NOT_BUILT: Final = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>bodypix: the demo page is not built</title>
<link rel="icon" href="data:,">
<link rel="stylesheet" href="/docs/docs.css">
</head>
<body>
<main>
<h1>The demo page is not built</h1>
<p>This is bodypix from a checkout of its sources. The page is in the wheel; here it must be built,
which needs <a href="https://nodejs.org">Node.js</a> 20 or newer:</p>
<pre>make web</pre>
<p>Then start <code>bodypix serve</code> again. The <a href="/docs">HTTP API</a> works without the
page.</p>
</main>
</body>
</html>
"""
