"""A small published model on a web server of this machine, and an empty cache folder."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from bodypix.checkpoints import download
from helpers.published import PUBLISHED_PATH
from helpers.tfjs_models import mobilenet
from helpers.web import Web, serving


@pytest.fixture
def web(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Web]:
    """A small model of both strides where the published ones lie, in two shards."""
    folder = tmp_path / "www"
    model = mobilenet(16)
    half = sum(array.nbytes for array in model.weights.values()) // 2 + 1
    model.write(folder / PUBLISHED_PATH, "model-stride16.json", shard_bytes=half)
    mobilenet(8).write(folder / PUBLISHED_PATH, "model-stride8.json", shard_bytes=half)
    monkeypatch.setattr(download, "_PAUSE_SECONDS", 0.001)
    monkeypatch.setattr(download, "TIMEOUT_SECONDS", 5.0)
    with serving(folder) as web:
        yield web


@pytest.fixture
def cache(tmp_path: Path) -> Path:
    return tmp_path / "cache"
