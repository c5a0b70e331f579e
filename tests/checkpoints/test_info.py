"""Facts about model files, conversion to a file, and the metadata inside."""

from __future__ import annotations

import hashlib
import json
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from bodypix.checkpoints.info import convert, model_info
from bodypix.checkpoints.metadata import METADATA_KEY, read_metadata
from bodypix.checkpoints.onnx_format import Model, Node, ValueInfo, read_model, write_model
from bodypix.errors import CheckpointError, OutputError
from helpers.tfjs_models import mobilenet


def test_convert_and_info(tmp_path: Path) -> None:
    model = mobilenet(8)
    json_file = model.write(tmp_path / "tfjs", quantise="uint8")
    out = tmp_path / "small.onnx"
    info = convert(json_file, out)
    assert info == model_info(out)
    assert info.size == out.stat().st_size
    assert info.sha256 == hashlib.sha256(out.read_bytes()).hexdigest()
    assert info.heads["part_heatmaps"] == 24
    assert info.metadata.quant_bytes == 1
    scalars = ("clip/y", "clip/Minimum/y")
    parameters = sum(array.size for key, array in model.weights.items() if key not in scalars)
    assert info.parameters == parameters
    from_json = model_info(json_file)
    assert (from_json.metadata, from_json.parameters) == (info.metadata, info.parameters)


def test_a_folder_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(OutputError, match="cannot write"):
        convert(mobilenet().write(tmp_path), tmp_path / "none" / "out.onnx")


def test_another_onnx_file_is_told_apart(tmp_path: Path) -> None:
    info = ValueInfo("x", np.dtype(np.float32), [1])
    path = tmp_path / "other.onnx"
    path.write_bytes(write_model(Model([Node("Relu", ["x"], ["y"])], [info], [info], [])))
    with pytest.raises(CheckpointError, match="an ONNX file with outputs x; make one from a tfjs"):
        model_info(path)


@pytest.mark.parametrize("name", ["model.onnx", "model.json"])
def test_broken_files_are_named(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    path.write_bytes(b"Dear Sir or Madam")
    with pytest.raises(CheckpointError, match=rf"^model file {re.escape(str(path))}: expected"):
        model_info(path)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"format": 2}, "upgrade the package"),
        ({"output_stride": 4}, "field output_stride: expected one of 8, 16, 32, got 4"),
        ({"output_stride": "16"}, "field output_stride"),
        ({"multiplier": True}, "field multiplier"),
        ({"name": None}, "field name"),
        ({"preprocessing": "imagenet"}, "one of mobilenet, resnet50"),
        ({"person_head": "segments_fine"}, "field person_head: expected an output among"),
    ],
)
def test_wrong_metadata_is_refused(tmp_path: Path, change: dict[str, Any], message: str) -> None:
    convert(mobilenet().write(tmp_path), tmp_path / "m.onnx")
    model = read_model(tmp_path / "m.onnx")
    fields = json.loads(model.metadata[METADATA_KEY])
    model.metadata[METADATA_KEY] = json.dumps({**fields, **change})
    with pytest.raises(CheckpointError, match=message):
        read_metadata(model)


@pytest.mark.parametrize("text", ["", "{", "[]", "3", "null"])
def test_broken_metadata_is_refused(text: str) -> None:
    with pytest.raises(CheckpointError, match="model file"):
        read_metadata(Model([], [], [], [], {METADATA_KEY: text}))
