"""From a name or options to a model file on this machine: built in, cached, fetched or local."""

from __future__ import annotations

import os
import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import unquote, urlsplit

from bodypix.checkpoints.cache_report import Progress
from bodypix.checkpoints.catalogue import (
    BASE_URL,
    PUBLISHED,
    BuiltInModel,
    PublishedModel,
    built_in,
    built_in_models,
    published,
    published_for,
    unknown_name,
)
from bodypix.checkpoints.options import LoadOptions
from bodypix.checkpoints.pins import sha256_of
from bodypix.errors import CheckpointError, ChecksumError, InvalidArgumentError

if TYPE_CHECKING:
    from bodypix.checkpoints.cache import Cache


def resolve(
    options: LoadOptions,
    *,
    cache_dir: str | Path | None = None,
    offline: bool | None = None,
    progress: Progress | None = None,
    base_url: str | None = None,
) -> Path:
    """The canonical ONNX file for `options`: from the cache, or fetched, converted and cached.

    `options.model_url` may be an http(s) address or a path or file URL: a tfjs JSON (its shards
    beside it) or a bodypix `.onnx`; a local `.onnx` is returned as it is. `cache_dir` defaults to
    `cache_folder()`; `offline` to BODYPIX_OFFLINE; `base_url` to BODYPIX_BASE_URL, then the
    published bucket. Several processes may call this at once. Raises CheckpointError or one of
    its kinds OfflineError, DownloadError, ChecksumError.
    """
    # Imported here and below: what is built in starts without the reader of tfjs models.
    from bodypix.checkpoints.cache import Cache

    cache = Cache(
        cache_folder(cache_dir),
        offline=is_offline() if offline is None else offline,
        progress=progress,
    )
    if options.model_url is None:
        model = published_for(options)
        return cache.from_web(_address(model, base_url), model.name)
    return _from_url(cache, options.model_url)


def resolve_name(
    name: str | None = None,
    *,
    cache_dir: str | Path | None = None,
    offline: bool | None = None,
    progress: Progress | None = None,
    base_url: str | None = None,
) -> Path:
    """The ONNX file of a built-in or published model by name; without one the built-in default.

    Raises InvalidArgumentError for an unknown name; else as `resolve`.
    """
    names = [model.name for model in PUBLISHED]
    if name not in names:
        found = {model.name: model for model in built_in_models()}
        if name is not None and name not in found:
            raise unknown_name(name, [*found, *names])
        return verified(built_in(name))
    return resolve(
        published(name).options,
        cache_dir=cache_dir,
        offline=offline,
        progress=progress,
        base_url=base_url,
    )


def verified(model: BuiltInModel) -> Path:
    """The file of a built-in model. Raises ChecksumError when it is not the one released."""
    try:
        digest = sha256_of(model.path)
    except OSError as error:
        raise CheckpointError(
            f"built-in model {model.name}: expected the file {model.path}, got "
            f"{error.strerror or error}; the installation is incomplete: install bodypix again"
        ) from error
    if digest != model.sha256:
        raise ChecksumError(
            f"built-in model {model.name}: expected SHA-256 {model.sha256}, got {digest}; "
            f"the file {model.path} was changed: install bodypix again"
        )
    return model.path


def cached(
    model: PublishedModel, *, cache_dir: str | Path | None = None, base_url: str | None = None
) -> Path | None:
    """The converted file of a published model if it lies in the cache (not verified), or None."""
    from bodypix.checkpoints.cache import Cache

    cache = Cache(cache_folder(cache_dir), offline=True, progress=None)
    target = cache.target(_address(model, base_url))
    return target if target.is_file() else None


def cache_folder(cache_dir: str | Path | None = None) -> Path:
    """The cache folder: the argument, else BODYPIX_CACHE, else the platform's place for caches."""
    chosen = cache_dir or os.environ.get("BODYPIX_CACHE")
    if chosen:
        return Path(chosen).expanduser()
    if sys.platform == "win32":
        return Path(os.environ.get("LOCALAPPDATA") or Path.home() / "AppData/Local") / "bodypix"
    if sys.platform == "darwin":
        return Path.home() / "Library/Caches/bodypix"
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "bodypix"


def is_offline() -> bool:
    """Whether BODYPIX_OFFLINE forbids downloads: set, and not 0, false, no or off."""
    value = os.environ.get("BODYPIX_OFFLINE", "").strip().lower()
    return value not in ("", "0", "false", "no", "off")


def _address(model: PublishedModel, base_url: str | None) -> str:
    base = base_url or os.environ.get("BODYPIX_BASE_URL") or BASE_URL
    return base.rstrip("/") + "/" + model.url_path


def _from_url(cache: Cache, url: str) -> Path:
    if re.match(r"https?://", url, re.IGNORECASE):
        return cache.from_web(url)
    path = Path(url).expanduser()
    if url.startswith("file:"):
        local = unquote(urlsplit(url).path)
        # file:///C:/models/x.json holds the path C:/models/x.json.
        path = Path(local[1:] if re.match(r"/[A-Za-z]:", local) else local)
    elif re.match(r"[A-Za-z][A-Za-z0-9+.-]+:", url):
        raise InvalidArgumentError(
            f"model_url: expected an http(s) address, a file URL or a path, got {url!r}"
        )
    if not path.is_file():
        raise CheckpointError(
            f"model_url: expected a tfjs model.json or a bodypix .onnx file, got {str(path)!r}, "
            + ("a folder" if path.is_dir() else "which does not exist")
        )
    return path if path.suffix.lower() == ".onnx" else cache.from_file(path)
