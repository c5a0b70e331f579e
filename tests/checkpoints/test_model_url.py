"""`model_url`: own models, on a server or on this machine."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from bodypix.checkpoints import store
from bodypix.checkpoints.metadata import read_metadata
from bodypix.checkpoints.onnx_format import read_model
from bodypix.checkpoints.options import LoadOptions
from bodypix.errors import CheckpointError, InvalidArgumentError
from helpers.published import PUBLISHED_PATH, resolve
from helpers.tfjs_models import mobilenet
from helpers.web import Web, serving


def test_own_url(web: Web, cache: Path) -> None:
    url = f"{web.url}/{PUBLISHED_PATH}/model-stride8.json?token=secret"
    path = resolve(web, cache, LoadOptions(model_url=url))
    assert read_metadata(read_model(path)).output_stride == 8
    # tfjs hands the query on to the shards; nothing of it stays on disk.
    assert all(asked.endswith("?token=secret") for asked, _ in web.requests)
    assert "secret" not in (cache / "checksums.json").read_text()
    assert not any("secret" in str(file) for file in cache.rglob("*"))
    again = LoadOptions(model_url=url.replace("secret", "other"))
    assert resolve(web, cache, again, offline=True) == path


def test_own_url_of_an_onnx_file(web: Web, cache: Path) -> None:
    made = resolve(web, cache)
    (web.folder / "my model.onnx").write_bytes(made.read_bytes())
    options = LoadOptions(model_url=f"{web.url}/my%20model.onnx")
    path = resolve(web, cache, options)
    assert path.read_bytes() == made.read_bytes()
    assert resolve(web, cache, options, offline=True) == path
    (web.folder / "bad.onnx").write_bytes(b"nothing")
    with pytest.raises(CheckpointError, match="model file"):
        resolve(web, cache, LoadOptions(model_url=f"{web.url}/bad.onnx"))
    assert not list(cache.rglob("bad.onnx"))


def test_a_local_json(web: Web, cache: Path) -> None:
    json_file = web.folder / PUBLISHED_PATH / "model-stride16.json"
    for url in (str(json_file), json_file.as_uri()):
        path = resolve(web, cache, LoadOptions(model_url=url), offline=True)
        assert read_metadata(read_model(path)).output_stride == 16
    assert not web.requests
    # A changed model on this machine is another model, not an error.
    mobilenet(16, seed=1).write(json_file.parent, json_file.name)
    assert resolve(web, cache, LoadOptions(model_url=str(json_file))) != path


def test_a_broken_local_json_is_named(cache: Path, tmp_path: Path) -> None:
    path = mobilenet(16).write(tmp_path)
    graph = json.loads(path.read_text())
    graph["modelTopology"]["node"] = []
    for text in ("nothing", json.dumps(graph)):
        path.write_text(text)
        with pytest.raises(CheckpointError, match=rf"^model file {re.escape(str(path))}: expected"):
            store.resolve(LoadOptions(model_url=str(path)), cache_dir=cache)


def test_a_local_onnx_is_used_where_it_lies(web: Web, cache: Path, tmp_path: Path) -> None:
    path = tmp_path / "mine.onnx"
    path.write_bytes(resolve(web, cache).read_bytes())
    assert resolve(web, cache, LoadOptions(model_url=str(path)), offline=True) == path


@pytest.mark.parametrize(
    ("url", "error", "message"),
    [
        ("nowhere/model.json", CheckpointError, "which does not exist"),
        (".", CheckpointError, "a folder"),
        ("s3://bucket/model.json", InvalidArgumentError, "expected an http"),
        ("ftp://host/model.json", InvalidArgumentError, "expected an http"),
    ],
)
def test_wrong_model_urls(cache: Path, url: str, error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        store.resolve(LoadOptions(model_url=url), cache_dir=cache)


def test_the_published_checkpoint_from_a_mirror(shared: Path, cache: Path) -> None:
    """The golden folder's tfjs models, laid out as in the bucket."""
    with serving(shared / "golden" / "tfjs") as web:
        url = f"{web.url}/quant2/050/model-stride16.json"
        path = resolve(web, cache, LoadOptions(model_url=url))
    facts = read_metadata(read_model(path))
    assert (facts.architecture, facts.multiplier, facts.quant_bytes) == ("MobileNetV1", 0.5, 2)
    assert json.loads((cache / "checksums.json").read_text()).keys() >= {url}
