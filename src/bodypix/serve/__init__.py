"""`bodypix serve`: the demo page and an HTTP API that segments pictures. Needs the extra `serve`.

    from bodypix.serve import Settings, create_app

    app = create_app(bodypix.load(threads=1), Settings(workers=2))

The way of a request: `guard` (who may ask) -> `uploads` (bytes within limits) -> `workers` (one
bounded queue) -> `work` (picture in, answer out) -> `answers`. Everything that is refused goes
through `problems`. `connection` looks after clients that are slower than a request.
"""

from __future__ import annotations

from bodypix.errors import MissingExtraError

try:
    import fastapi
    import prometheus_client
    import python_multipart
    import uvicorn
except ImportError as error:
    raise MissingExtraError(
        f"bodypix.serve: needs the package {error.name}, which is not installed; install it with "
        '`pip install "bodypix[serve]"`.'
    ) from error

del fastapi, prometheus_client, python_multipart, uvicorn

from bodypix.serve.app import create_app  # noqa: E402
from bodypix.serve.server import run  # noqa: E402
from bodypix.serve.settings import Settings  # noqa: E402

__all__ = ["Settings", "create_app", "run"]
