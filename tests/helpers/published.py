"""Where the helper's small model lies on the test server, and how to fetch it from there."""

from __future__ import annotations

from pathlib import Path

from bodypix.checkpoints import store
from bodypix.checkpoints.options import LoadOptions
from helpers.web import Web

PUBLISHED_PATH = "savedmodel/bodypix/mobilenet/float/050"
OPTIONS = LoadOptions(multiplier=0.5)


def resolve(web: Web, cache: Path, options: LoadOptions = OPTIONS, **more: object) -> Path:
    """`store.resolve` against the test server, online unless told otherwise."""
    settings: dict[str, object] = {"cache_dir": cache, "offline": False, "base_url": web.url}
    return store.resolve(options, **{**settings, **more})  # type: ignore[arg-type]
