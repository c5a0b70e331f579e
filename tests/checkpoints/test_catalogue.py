"""The list of published and built-in models."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from bodypix.checkpoints import catalogue, store
from bodypix.checkpoints.catalogue import PUBLISHED, built_in, published, published_for
from bodypix.checkpoints.options import LoadOptions
from bodypix.errors import CheckpointError, ChecksumError, InvalidArgumentError


def test_every_published_combination_is_there_once() -> None:
    assert len(PUBLISHED) == 18 + 6
    for key in ("name", "url_path", "options"):
        assert len({getattr(model, key) for model in PUBLISHED}) == 24
    for model in PUBLISHED:
        assert published(model.name) is model
        assert published_for(model.options) is model


@pytest.mark.parametrize(
    ("name", "path", "megabytes"),
    [
        ("mobilenet-050-stride16", "mobilenet/float/050/model-stride16.json", 2),
        ("mobilenet-050-stride8-quant1", "mobilenet/quant1/050/model-stride8.json", 0.6),
        ("mobilenet-075-stride16-quant2", "mobilenet/quant2/075/model-stride16.json", 2),
        ("mobilenet-100-stride8", "mobilenet/float/100/model-stride8.json", 13),
        ("resnet50-stride32", "resnet50/float/model-stride32.json", 90),
        ("resnet50-stride16-quant1", "resnet50/quant1/model-stride16.json", 22),
    ],
)
def test_addresses_and_sizes(name: str, path: str, megabytes: float) -> None:
    model = published(name)
    assert model.url_path == f"savedmodel/bodypix/{path}"
    assert model.megabytes == megabytes


def test_stride_32_of_mobilenet_passes_the_checks_but_was_never_published() -> None:
    with pytest.raises(CheckpointError, match=r"expected 8 or 16, got 32.*never published"):
        published_for(LoadOptions(output_stride=32))


def test_an_unknown_name_gets_a_suggestion() -> None:
    with pytest.raises(InvalidArgumentError, match="did you mean 'resnet50-stride16'"):
        published("resnet50-stride-16")


def entry(**changes: Any) -> dict[str, Any]:
    return {
        "name": "small",
        "file": "small.onnx",
        "sha256": hashlib.sha256(b"weights").hexdigest(),
        "size": 7,
        "architecture": "MobileNetV1",
        "multiplier": 0.5,
        "output_stride": 16,
        "default": True,
        "description": "for tests",
        **changes,
    }


@pytest.fixture
def weights(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A folder of weights with two models in place of the package's."""
    (tmp_path / "small.onnx").write_bytes(b"weights")
    models = [entry(name="other", default=False), entry()]
    (tmp_path / "models.json").write_text(json.dumps(models))
    monkeypatch.setattr(catalogue, "_WEIGHTS", tmp_path)
    catalogue.own_models.cache_clear()
    yield tmp_path
    catalogue.own_models.cache_clear()


def test_built_in_models_are_found_and_verified(weights: Path) -> None:
    assert built_in().name == "small"
    assert built_in("other").default is False
    assert store.resolve_name() == weights / "small.onnx"
    assert store.resolve_name("other") == weights / "small.onnx"
    with pytest.raises(InvalidArgumentError, match="expected one of other, small, got 'smal'"):
        built_in("smal")
    with pytest.raises(InvalidArgumentError, match="expected one of other, small, mobilenet-050"):
        store.resolve_name("nothing")


def test_a_changed_built_in_model_is_refused(weights: Path) -> None:
    (weights / "small.onnx").write_bytes(b"weightS")
    with pytest.raises(ChecksumError, match="built-in model small: expected SHA-256"):
        store.resolve_name()
    (weights / "small.onnx").unlink()
    with pytest.raises(CheckpointError, match="install bodypix again"):
        store.resolve_name()


@pytest.mark.parametrize("text", ["", "{}", "[1]", '[{"name": "x"}]', '{"models": []}'])
def test_a_broken_list_is_an_error(weights: Path, text: str) -> None:
    (weights / "models.json").write_text(text)
    catalogue.own_models.cache_clear()
    with pytest.raises((CheckpointError, InvalidArgumentError)):
        built_in()


def test_a_missing_list_is_an_error(weights: Path) -> None:
    (weights / "models.json").unlink()
    catalogue.own_models.cache_clear()
    with pytest.raises(CheckpointError, match="the installation is incomplete"):
        built_in()
