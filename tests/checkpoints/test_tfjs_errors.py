"""Files that are no BodyPix model: each a CheckpointError that says what is wrong."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from bodypix.checkpoints.tfjs import convert_tfjs
from bodypix.errors import CheckpointError
from helpers.tfjs_models import TfjsModel, mobilenet, square, text, texts


def broken(tmp_path: Path, change: Callable[[TfjsModel], Any]) -> Path:
    model = mobilenet()
    change(model)
    return model.write(tmp_path)


def node(model: TfjsModel, name: str) -> dict[str, Any]:
    return next(node for node in model.nodes if node["name"] == name)


FIRST = "MobilenetV1/Conv2d_0/conv"

BROKEN: list[tuple[str, Callable[[TfjsModel], Any], str]] = [
    (
        "unknown op",
        lambda m: node(m, FIRST).update(op="Conv3D"),
        r"node 'MobilenetV1/Conv2d_0/conv' \(Conv3D\).*unknown operation 'Conv3D'",
    ),
    (
        "missing head",
        lambda m: node(m, "float_segments").update(name="other"),
        "expected BodyPix heads, got none for segments; the graph ends in .*other",
    ),
    (
        "missing weights",
        lambda m: m.weights.pop("Conv2d_0/weights"),
        r"'Conv2d_0/weights' \(Const\): expected its values in the weights manifest",
    ),
    (
        "circle",
        lambda m: node(m, FIRST).update(input=["float_segments", "Conv2d_0/weights"]),
        "a graph without circles",
    ),
    (
        "missing input",
        lambda m: node(m, FIRST).update(input=["nobody", "Conv2d_0/weights"]),
        "the unknown input 'nobody'",
    ),
    (
        "no second input",
        lambda m: node(m, FIRST).update(input=["sub_2"]),
        "expected at least 2 inputs, got 1",
    ),
    (
        "fixed size",
        lambda m: node(m, "sub_2")["attr"]["shape"]["shape"]["dim"][1].update(size="257"),
        r"one input \[1, -1, -1, 3\], both sizes free",
    ),
    (
        "wrong channels",
        lambda m: m.weights.update({"Conv2d_0/weights": np.zeros((3, 3, 4, 16), np.float32)}),
        "a filter for 3 channels, got 4",
    ),
    (
        "wrong head",
        lambda m: m.weights.update(
            {
                "float_segments/weights": np.zeros((1, 1, 24, 2), np.float32),
                "float_segments/bias": np.zeros(2, np.float32),
            }
        ),
        "1 channels of segments, got 2",
    ),
    (
        "channels first",
        lambda m: node(m, FIRST)["attr"].update(data_format=text("NCHW")),
        "data_format NHWC, got NCHW",
    ),
    (
        "odd padding",
        lambda m: node(m, FIRST)["attr"].update(padding=text("MIRROR")),
        "padding SAME, VALID, or EXPLICIT",
    ),
    (
        "huge stride",
        lambda m: node(m, FIRST)["attr"].update(strides=square(1 << 20)),
        "four positive numbers as strides",
    ),
    (
        "broken number",
        lambda m: node(m, FIRST)["attr"].update(strides={"list": {"i": ["two"]}}),
        "a list of integers as strides",
    ),
    (
        "broken text",
        lambda m: node(m, FIRST)["attr"].update(padding={"s": "***"}),
        "a text as padding",
    ),
    (
        "valid first layer",
        lambda m: node(m, FIRST)["attr"].update(padding=text("VALID")),
        "a grid aligned with the corners",
    ),
    (
        "stride 32 in one head",
        lambda m: node(m, "float_segments/conv")["attr"].update(strides=square(2)),
        "one output stride, 8, 16 or 32, for all heads",
    ),
    (
        "second output",
        lambda m: node(m, FIRST).update(input=["sub_2:1", "Conv2d_0/weights"]),
        "inputs from the first output of a node",
    ),
    (
        "activation",
        lambda m: (
            node(m, FIRST).update(op="_FusedConv2D")
            or node(m, FIRST)["attr"].update(fused_ops=texts("BiasAdd", "Elu"))
        ),
        "BiasAdd and Relu or Relu6 fused in, got BiasAdd, Elu",
    ),
]


@pytest.mark.parametrize(
    ("change", "message"), [case[1:] for case in BROKEN], ids=[c[0] for c in BROKEN]
)
def test_a_wrong_graph_is_refused(
    tmp_path: Path, change: Callable[[TfjsModel], Any], message: str
) -> None:
    with pytest.raises(CheckpointError, match=message):
        convert_tfjs(broken(tmp_path, change))


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", "the JSON of a tfjs graph model"),
        (b"\x89PNG\r\n", "the JSON of a tfjs graph model"),
        (b"[" * 100_000, "the JSON of a tfjs graph model"),
        (b"[1, 2]", "got list"),
        (b'{"format": "layers-model"}', "format 'layers-model'"),
        (b'{"a": 1}', "expected modelTopology.node and weightsManifest, got the keys a"),
        (b'{"modelTopology": {"node": [1]}, "weightsManifest": []}', "nodes with a name"),
        (b'{"modelTopology": {"node": []}, "weightsManifest": []}', "a list of weight groups"),
    ],
)
def test_other_files_are_refused(tmp_path: Path, data: bytes, message: str) -> None:
    path = tmp_path / "model.json"
    path.write_bytes(data)
    with pytest.raises(CheckpointError, match=message):
        convert_tfjs(path)


def test_a_missing_json_and_a_missing_shard_are_named(tmp_path: Path) -> None:
    path = mobilenet().write(tmp_path)
    with pytest.raises(CheckpointError, match=r"none\.json: expected a readable file"):
        convert_tfjs(tmp_path / "none.json")
    (tmp_path / "group1-shard1of1.bin").unlink()
    with pytest.raises(CheckpointError, match=r"group1-shard1of1\.bin: expected a readable file"):
        convert_tfjs(path)


@pytest.mark.parametrize("change", [-1, -1000, 1])
def test_a_shard_of_the_wrong_length_is_refused(tmp_path: Path, change: int) -> None:
    path = mobilenet().write(tmp_path)
    shard = tmp_path / "group1-shard1of1.bin"
    data = shard.read_bytes()
    shard.write_bytes(data[:change] if change < 0 else data + b"\0")
    with pytest.raises(
        CheckpointError, match=f"expected {len(data)} bytes, got {len(data) + change}"
    ):
        convert_tfjs(path)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"paths": ["../../etc/passwd"]}, "shard name: expected a plain file name"),
        ({"paths": ["/etc/passwd"]}, "shard name"),
        ({"paths": ["a\\b.bin"]}, "shard name"),
        ({"paths": ["http://else/x.bin"]}, "shard name"),
        ({"paths": ["c:x.bin"]}, "shard name"),
        ({"paths": ["x.bin?y"]}, "shard name"),
        ({"paths": ["%2e%2e/x.bin"]}, "shard name"),
        ({"paths": [""]}, "shard name"),
        ({"paths": [7]}, "shard name"),
        ({"paths": []}, "objects with paths and weights"),
        ({"weights": [{"shape": [1], "dtype": "float32"}]}, "weights with a name"),
        ({"weights": [{"name": "w", "shape": [-1], "dtype": "float32"}]}, "a list of sizes"),
        ({"weights": [{"name": "w", "shape": [1], "dtype": "string"}]}, "float32, int32 or bool"),
        (
            {"weights": [{"name": "w", "shape": [1 << 20, 1 << 20], "dtype": "float32"}]},
            "at most 1073741824 bytes of weights",
        ),
        (
            {
                "weights": [
                    {
                        "name": "w",
                        "shape": [1],
                        "dtype": "float32",
                        "quantization": {"dtype": "uint4"},
                    }
                ]
            },
            "uint8, uint16 or float16",
        ),
        (
            {
                "weights": [
                    {
                        "name": "w",
                        "shape": [1],
                        "dtype": "float32",
                        "quantization": {"dtype": "uint8", "scale": float("nan"), "min": 0},
                    }
                ]
            },
            "finite numbers scale and min",
        ),
    ],
)
def test_a_wrong_manifest_is_refused(tmp_path: Path, change: dict[str, Any], message: str) -> None:
    path = mobilenet().write(tmp_path)
    document = json.loads(path.read_text())
    document["weightsManifest"][0].update(change)
    path.write_text(json.dumps(document))
    with pytest.raises(CheckpointError, match=message):
        convert_tfjs(path)


def test_noise_in_the_json_never_raises_anything_else(tmp_path: Path) -> None:
    """Every value of the JSON replaced by others: a CheckpointError or a model, nothing else."""
    path = mobilenet().write(tmp_path)
    original = path.read_text()
    rng = np.random.default_rng(1)
    junk: list[Any] = [None, -1, 1 << 70, "x", [], {}, [None], {"list": 3}, True, 0.5, "sub_2"]
    for _ in range(400):
        document = json.loads(original)
        part: Any = document
        while isinstance(part, (dict, list)) and part:
            keys = list(part) if isinstance(part, dict) else range(len(part))
            key = keys[rng.integers(len(keys))]
            if rng.random() < 0.25 or not isinstance(part[key], (dict, list)) or not part[key]:
                part[key] = junk[rng.integers(len(junk))]
                break
            part = part[key]
        path.write_text(json.dumps(document))
        with contextlib.suppress(CheckpointError):
            convert_tfjs(path)
