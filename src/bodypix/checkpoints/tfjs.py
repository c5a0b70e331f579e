"""A tfjs graph model (JSON and weight shards) becomes the canonical BodyPix ONNX model.

No TensorFlow: the graph is executed as stored, operation by operation. What makes the result fast
in onnxruntime: weights are initializers and no graph inputs, bias and batch norm are folded into
the convolutions, pads are explicit numbers, and everything between the NHWC ends is NCHW.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np

from bodypix.checkpoints.metadata import HEAD_CHANNELS, METADATA_KEY, ModelMetadata
from bodypix.checkpoints.onnx_types import Array, Model, ValueInfo
from bodypix.checkpoints.tfjs_graph import MAX_JSON_BYTES, Graph, GraphNode, parse_graph
from bodypix.checkpoints.tfjs_layers import GraphBuilder
from bodypix.checkpoints.tfjs_weights import MAX_WEIGHT_BYTES, quant_bytes, read_weights
from bodypix.errors import CheckpointError

#: Counts up whenever the converted file changes; part of the name of cached conversions.
CONVERTER_VERSION = 1

# Node names of the published graphs (spec 2.4); displacements carry the name of their backbone.
_HEAD_NODES = {
    "segments": r"float_segments",
    "part_heatmaps": r"float_part_heatmaps",
    "heatmaps": r"float_heatmaps",
    "short_offsets": r"float_short_offsets",
    "long_offsets": r"float_long_offsets",
    "displacement_fwd": r"(.*/)?displacement_fwd_2(/BiasAdd)?",
    "displacement_bwd": r"(.*/)?displacement_bwd_2(/BiasAdd)?",
    "part_offsets": r"float_part_offsets",
}

_LICENCE = "Apache-2.0"


def convert_tfjs(
    json_path: str | Path,
    *,
    read_shard: Callable[[str], bytes] | None = None,
    name: str | None = None,
) -> Model:
    """Read a tfjs BodyPix model and return the canonical ONNX model, with metadata.

    `json_path` is the `model-stride16.json` or the like; shards lie beside it unless `read_shard`
    supplies their bytes by the names in the manifest. `name` goes into the metadata; without it
    the name says what the network is. Raises CheckpointError for files that are missing, cut
    short or no BodyPix graph, and for operations outside of the published graphs, by name.
    """
    path = Path(json_path)
    graph = parse_graph(read_file(path, MAX_JSON_BYTES))

    def beside(shard: str) -> bytes:
        return read_file(path.parent / shard, MAX_WEIGHT_BYTES)

    weights = read_weights(graph.groups, read_shard or beside)
    heads = find_heads(graph)
    order = graph.sorted_for(heads.values())
    builder = GraphBuilder(order, weights, heads)
    nodes, initializers = builder.result()
    float32 = np.dtype(np.float32)
    model = Model(
        nodes=nodes,
        inputs=[ValueInfo("image", float32, ["batch", "height", "width", 3])],
        outputs=[
            ValueInfo(head, float32, ["batch", "grid_height", "grid_width", HEAD_CHANNELS[head]])
            for head in heads
        ],
        initializers=initializers,
    )
    architecture, multiplier = _recognise(order, weights)
    quantised = quant_bytes(graph.groups)
    output_stride = builder.output_stride
    facts = ModelMetadata(
        name=name or _describe(architecture, multiplier, output_stride, quantised),
        version=f"tfjs.{CONVERTER_VERSION}",
        architecture=architecture,
        multiplier=multiplier,
        output_stride=output_stride,
        quant_bytes=quantised,
        preprocessing="resnet50" if architecture == "ResNet50" else "mobilenet",
        person_head="segments",
        parts_head="part_heatmaps",
        licence=_LICENCE,
    )
    model.metadata[METADATA_KEY] = facts.to_json()
    return model


def find_heads(graph: Graph) -> dict[str, str]:
    """Which node computes which head, by name (positions differ between the networks).

    Raises CheckpointError when one is not there; only `part_offsets`, which nothing uses, may
    be missing.
    """
    found = {}
    for head, pattern in _HEAD_NODES.items():
        names = [name for name in graph.nodes if re.fullmatch(pattern, name)]
        # Of `x/displacement_fwd_2` and `x/displacement_fwd_2/BiasAdd` the latter is the head.
        if names:
            found[head] = max(names, key=len)
    missing = [head for head in _HEAD_NODES if head not in found and head != "part_offsets"]
    if missing:
        read = {source for node in graph.nodes.values() for source in node.inputs}
        ends = [name for name in graph.nodes if name not in read]
        raise CheckpointError(
            f"tfjs model: expected BodyPix heads, got none for {', '.join(missing)}; "
            f"the graph ends in {', '.join(ends[:12]) or 'nothing'}: choose a BodyPix 2 model"
        )
    return found


def _recognise(order: list[GraphNode], weights: Mapping[str, Array]) -> tuple[str, float]:
    """Architecture and width multiplier, from the graph: the first convolution tells both."""
    first = next((node for node in order if node.op.lstrip("_") in ("Conv2D", "FusedConv2D")), None)
    kernel: Array | None = weights.get(first.inputs[1]) if first else None
    if first is None or kernel is None or kernel.ndim != 4:
        raise CheckpointError(
            "tfjs model: expected a network that begins with a convolution, got none; "
            "choose a published BodyPix model"
        )
    # ResNet begins 7x7 with 64 channels, MobileNet 3x3 with 32 times its multiplier.
    if kernel.shape[0] == 7:
        return "ResNet50", 1.0
    return "MobileNetV1", kernel.shape[3] / 32


def _describe(architecture: str, multiplier: float, stride: int, quantised: int) -> str:
    network = "resnet50" if architecture == "ResNet50" else f"mobilenet-{multiplier * 100:03.0f}"
    return f"{network}-stride{stride}" + {1: "-quant1", 2: "-quant2", 4: ""}[quantised]


def read_file(path: Path, limit: int) -> bytes:
    """The bytes of a file. Raises CheckpointError when it is missing or above `limit` bytes."""
    try:
        with path.open("rb") as file:
            data = file.read(limit + 1)
    except OSError as error:
        raise CheckpointError(
            f"model file {path}: expected a readable file, got {error.strerror or error}; "
            "check the path, and that all shards lie beside the JSON"
        ) from error
    if len(data) > limit:
        raise CheckpointError(
            f"model file {path}: expected at most {limit} bytes, got more; "
            "the files do not belong together: fetch them again"
        )
    return data
