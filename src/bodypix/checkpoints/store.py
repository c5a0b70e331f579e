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
    OwnModel,
    PublishedModel,
    built_in,
    find_model,
    published_for,
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
    cache = _open_cache(cache_dir, offline, progress)
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
    """The ONNX file of a model by name; without one that of the built-in default.

    A name is one of our own models', in the wheel or fetched once and checked, or a published
    checkpoint's. Raises InvalidArgumentError for an unknown name; else as `resolve`.
    """
    model = built_in() if name is None else find_model(name)
    if isinstance(model, PublishedModel):
        return resolve(
            model.options,
            cache_dir=cache_dir,
            offline=offline,
            progress=progress,
            base_url=base_url,
        )
    if model.url is None:
        return verified(model)
    return _open_cache(cache_dir, offline, progress).from_web(model.url, sha256=model.sha256)


def verified(model: OwnModel) -> Path:
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
    model: PublishedModel | OwnModel,
    *,
    cache_dir: str | Path | None = None,
    base_url: str | None = None,
) -> Path | None:
    """The ONNX file of a fetched model if it lies in the cache (not verified), or None."""
    address = _address(model, base_url) if isinstance(model, PublishedModel) else model.url
    if address is None:
        return None
    target = _open_cache(cache_dir, True, None).target(address)
    return target if os.path.isfile(target) else None


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


def _open_cache(
    cache_dir: str | Path | None, offline: bool | None, progress: Progress | None
) -> Cache:
    # Imported here: what is built in starts without the reader of tfjs models.
    from bodypix.checkpoints.cache import Cache

    return Cache(
        cache_folder(cache_dir),
        offline=is_offline() if offline is None else offline,
        progress=progress,
    )


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
    if not os.path.isfile(path):
        raise CheckpointError(
            f"model_url: expected a tfjs model.json or a bodypix .onnx file, got {str(path)!r}, "
            + ("a folder" if os.path.isdir(path) else "which does not exist")
        )
    return path if path.suffix.lower() == ".onnx" else cache.from_file(path)
