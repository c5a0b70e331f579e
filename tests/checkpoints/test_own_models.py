"""Several models of our own: in the wheel, by a second name, or fetched and checked."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

import bodypix
from bodypix.checkpoints import catalogue, store
from bodypix.cli.app import app
from bodypix.errors import ChecksumError, InvalidArgumentError, OfflineError
from helpers.colours import colour_network
from helpers.web import Web

MODEL = colour_network()


def entry(name: str, **changes: Any) -> dict[str, Any]:
    return {
        "name": name,
        "file": f"{name}.onnx",
        "sha256": hashlib.sha256(MODEL).hexdigest(),
        "size": len(MODEL),
        "architecture": "MobileNetV1",
        "multiplier": 0.5,
        "output_stride": 16,
        "default": False,
        "description": "for tests",
        **changes,
    }


@pytest.fixture(autouse=True)
def weights(
    web: Web, cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Path]:
    """Two models in the package and one on a server."""
    folder = tmp_path / "weights"
    folder.mkdir()
    (folder / "middle.onnx").write_bytes(MODEL)
    (folder / "own-025.onnx").write_bytes(MODEL)
    web.folder.mkdir(exist_ok=True)
    (web.folder / "large.onnx").write_bytes(MODEL)
    models = [
        entry("middle", default=True),
        entry("own-025", alias="small", multiplier=0.25),
        entry("large", multiplier=1.0, url=f"{web.url}/large.onnx"),
    ]
    (folder / "models.json").write_text(json.dumps(models))
    monkeypatch.setattr(catalogue, "_WEIGHTS", folder)
    monkeypatch.setenv("BODYPIX_CACHE", str(cache))
    monkeypatch.setenv("BODYPIX_OFFLINE", "0")
    catalogue.own_models.cache_clear()
    yield folder
    catalogue.own_models.cache_clear()


def run(*arguments: str) -> tuple[int, str]:
    result = CliRunner().invoke(app, ["models", *arguments], env={"COLUMNS": "200"})
    return result.exit_code, " ".join(result.output.split())


def test_a_second_name_loads_the_model(weights: Path, web: Web) -> None:
    assert bodypix.load("small", threads=1).info.name == "colours"
    assert store.resolve_name("small") == store.resolve_name("own-025") == weights / "own-025.onnx"
    assert store.resolve_name() == weights / "middle.onnx"
    assert catalogue.built_in("small").name == "own-025"
    assert not web.requests


def test_a_model_outside_the_wheel_is_fetched_once(cache: Path, web: Web) -> None:
    path = store.resolve_name("large")
    assert path.is_relative_to(cache)
    assert path.read_bytes() == MODEL
    assert store.resolve_name("large", offline=True) == path
    assert len(web.requests) == 1
    assert bodypix.load("large", threads=1, offline=True).info.name == "colours"
    assert [model.name for model in catalogue.built_in_models()] == ["middle", "own-025"]


def test_offline_it_is_missed(web: Web) -> None:
    with pytest.raises(OfflineError, match=r"large\.onnx in the cache"):
        store.resolve_name("large", offline=True)
    assert not web.requests


def test_another_file_on_the_server_is_refused(cache: Path, web: Web) -> None:
    (web.folder / "large.onnx").write_bytes(MODEL + b" ")
    with pytest.raises(ChecksumError, match=r"large\.onnx: expected SHA-256 .* as released"):
        store.resolve_name("large")
    assert not list(cache.rglob("large.onnx*"))


def test_another_file_in_the_cache_makes_way(web: Web) -> None:
    path = store.resolve_name("large")
    path.write_bytes(b"an older version")
    with pytest.raises(ChecksumError, match=r"changed: delete .*large\.onnx"):
        store.resolve_name("large", offline=True)
    assert store.resolve_name("large") == path
    assert path.read_bytes() == MODEL
    assert len(web.requests) == 2


def test_the_command_lists_fetches_and_describes_them() -> None:
    _, out = run("list")
    assert "middle MobileNetV1 0.5 16 0.0 MB built in, the default" in out
    assert "own-025 MobileNetV1 0.25 16 0.0 MB built in, also named small" in out
    assert "large MobileNetV1 1 16 0.0 MB to download" in out
    code, out = run("download", "large", "small")
    assert code == 0, out
    assert "large.onnx" in out
    _, out = run("list")
    assert "large MobileNetV1 1 16 0.0 MB downloaded" in out
    code, out = run("info", "small")
    assert code == 0
    assert hashlib.sha256(MODEL).hexdigest() in out


def test_a_wrong_name_gets_a_suggestion() -> None:
    with pytest.raises(InvalidArgumentError, match="did you mean 'small'"):
        bodypix.load("smal")
    assert run("download", "smal")[0] == 2
