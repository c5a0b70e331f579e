"""Small tfjs graph models with random weights, and a plain numpy evaluation of any of them.

The evaluation shares no code with the reader: it walks the JSON's nodes, works out SAME pads from
the sizes that it meets, and runs SpaceToBatchND as what it says.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

HEADS = {
    "float_short_offsets": 34,
    "float_segments": 1,
    "float_part_heatmaps": 24,
    "float_long_offsets": 34,
    "float_heatmaps": 17,
    "displacement_fwd_2/BiasAdd": 32,
    "displacement_bwd_2/BiasAdd": 32,
}


def text(value: str) -> dict[str, Any]:
    return {"s": base64.b64encode(value.encode()).decode()}


def texts(*values: str) -> dict[str, Any]:
    return {"list": {"s": [text(value)["s"] for value in values]}}


def ints(*values: int) -> dict[str, Any]:
    return {"list": {"i": [str(value) for value in values]}}


def square(value: int) -> dict[str, Any]:
    return ints(1, value, value, 1)


class TfjsModel:
    """A graph under construction. Methods return the name of the node they add."""

    def __init__(self, seed: int = 0) -> None:
        self.rng = np.random.default_rng(seed)
        self.nodes: list[dict[str, Any]] = []
        self.weights: dict[str, np.ndarray] = {}
        size = [{"size": "1"}, {"size": "-1"}, {"size": "-1"}, {"size": "3"}]
        self.image = self.op("sub_2", "Placeholder", shape={"shape": {"dim": size}})

    def op(self, name: str, kind: str, *inputs: str, **attributes: Any) -> str:
        node: dict[str, Any] = {"name": name, "op": kind, "attr": attributes}
        if inputs:
            node["input"] = list(inputs)
        self.nodes.append(node)
        return name

    def const(self, name: str, array: Any) -> str:
        array = np.asarray(array)
        self.weights[name] = array.astype(np.int32 if array.dtype.kind == "i" else np.float32)
        return self.op(name, "Const")

    def normal(self, name: str, *shape: int, scale: float = 1.0) -> str:
        return self.const(name, self.rng.normal(0, scale, shape))

    def kernel(self, name: str, *shape: int, depthwise: bool = False, gain: float = 1.4) -> str:
        """A filter that keeps the size of the values about as it was."""
        fan = shape[0] * shape[1] * (1 if depthwise else shape[2])
        return self.normal(f"{name}/weights", *shape, scale=gain / np.sqrt(fan))

    def conv(
        self, source: str, name: str, kernel: str, activation: str | None = None, **attributes: Any
    ) -> str:
        """Convolution, bias and activation as three nodes, as the published graphs have them."""
        depthwise = "depthwise" in name
        channels = int(np.prod(self.weights[kernel].shape[2 if depthwise else 3 :]))
        settings = {
            "strides": square(1),
            "dilations": square(1),
            "padding": text("SAME"),
            "data_format": text("NHWC"),
            **attributes,
        }
        kind = "DepthwiseConv2dNative" if depthwise else "Conv2D"
        sums = self.op(f"{name}/conv", kind, source, kernel, **settings)
        bias = self.normal(f"{name}/bias", channels, scale=0.3)
        result = self.op(name, "BiasAdd", sums, bias)
        return self.op(f"{name}/{activation}", activation, result) if activation else result

    def heads(self, source: str, channels: int, scope: str) -> None:
        """All eight heads, the part offsets clipped to [0, 1]."""
        for name, size in HEADS.items():
            name = f"{scope}/{name}" if "displacement" in name else name
            self.conv(source, name, self.kernel(name, 1, 1, channels, size))
        raw = self.conv(source, "add_1", self.kernel("part_offset_2", 1, 1, channels, 48))
        low = self.op("clip/Minimum", "Minimum", raw, self.const("clip/Minimum/y", 1.0))
        self.op("float_part_offsets", "Maximum", low, self.const("clip/y", 0.0))

    def write(self, folder: Path, name: str = "model.json", **options: Any) -> Path:
        """Write the JSON and its shards; `options` as `manifest` takes them."""
        folder.mkdir(parents=True, exist_ok=True)
        manifest, shards = self.manifest(**options)
        for shard, data in shards.items():
            (folder / shard).write_bytes(data)
        document = {
            "format": "graph-model",
            "modelTopology": {"node": self.nodes, "library": {}, "versions": {}},
            "weightsManifest": manifest,
        }
        path = folder / name
        path.write_text(json.dumps(document))
        return path

    def manifest(
        self, quantise: str | None = None, shard_bytes: int = 1 << 22
    ) -> tuple[list[dict[str, Any]], dict[str, bytes]]:
        """The weights as the converter of tfjs stores them. The weights become what is stored."""
        entries, data = [], b""
        for name, array in self.weights.items():
            entry = {"name": name, "shape": list(array.shape), "dtype": array.dtype.name}
            stored = array
            if quantise == "float16" and array.dtype == np.float32:
                entry["quantization"] = {"dtype": "float16"}
                stored = array.astype(np.float16)
                self.weights[name] = stored.astype(np.float32)
            elif quantise in ("uint8", "uint16"):
                top = np.iinfo(quantise).max
                low = float(array.min())
                scale = (float(array.max()) - low) / top or 1.0
                entry["quantization"] = {"min": low, "scale": scale, "dtype": quantise}
                stored = np.round((array - low) / scale).astype(quantise)
                restored = stored.astype(np.float64) * scale + low
                whole = array.dtype == np.int32
                self.weights[name] = (np.rint(restored) if whole else restored).astype(array.dtype)
            entries.append(entry)
            data += stored.tobytes()
        count = max(-(-len(data) // shard_bytes), 1)
        names = [f"group1-shard{i + 1}of{count}.bin" for i in range(count)]
        pieces = [data[i * shard_bytes : (i + 1) * shard_bytes] for i in range(count)]
        return [{"paths": names, "weights": entries}], dict(zip(names, pieces, strict=True))


def mobilenet(stride: int = 16, seed: int = 0) -> TfjsModel:
    """MobileNetV1 0.5 in small: stride 2 four times (or three), then heads; 16 to 24 channels."""
    model = TfjsModel(seed)
    first = model.kernel("Conv2d_0", 3, 3, 3, 16)
    x = model.conv(model.image, "MobilenetV1/Conv2d_0", first, "Relu6", strides=square(2))
    rates = {16: (2, 2, 2, 1), 8: (2, 2, 1, 1)}[stride]
    dilations = {16: (1, 1, 1, 1), 8: (1, 1, 1, 2)}[stride]
    channels = 16
    for index, (step, rate) in enumerate(zip(rates, dilations, strict=True), start=1):
        name = f"MobilenetV1/Conv2d_{index}_depthwise"
        kernel = model.kernel(name, 3, 3, channels, 1, depthwise=True)
        x = model.conv(x, name, kernel, "Relu6", strides=square(step), dilations=square(rate))
        name = f"MobilenetV1/Conv2d_{index}_pointwise"
        x = model.conv(x, name, model.kernel(name, 1, 1, channels, 24), "Relu6")
        channels = 24
    model.heads(x, channels, "MobilenetV1")
    return model


def resnet50(stride: int = 16, thin: int = 16, seed: int = 0) -> TfjsModel:
    """ResNet50 v1 as published, layer for layer, with 1/thin of the channels.

    Explicit zero pads, shared int32 constants, the stride in the last unit of a block, MaxPool as
    shortcut, and at stride 16 a last block whose dilations are stored as [2, 2, 1, 1].
    """
    model = TfjsModel(seed)
    model.const("resnet_v1_50/Pad/paddings", [[0, 0], [3, 3], [3, 3], [0, 0]])
    model.const("resnet_v1_50/Pad_1/paddings", [[0, 0], [1, 1], [1, 1], [0, 0]])
    valid, two = text("VALID"), square(2)
    x = model.op("resnet_v1_50/Pad", "Pad", model.image, "resnet_v1_50/Pad/paddings")
    width = 64 // thin
    first = model.kernel("resnet_v1_50/conv1", 7, 7, 3, width)
    x = model.conv(x, "resnet_v1_50/conv1", first, "Relu", strides=two, padding=valid)
    x = model.op("resnet_v1_50/Pad_1", "Pad", x, "resnet_v1_50/Pad_1/paddings")
    x = model.op("pool1", "MaxPool", x, ksize=square(3), strides=two, padding=valid)
    channels = width
    for block, (units, step) in enumerate(((3, 2), (4, 2), (6, 1 if stride == 16 else 2), (3, 1))):
        inner = width << block
        for unit in range(units):
            scope = f"resnet_v1_50/block{block + 1}/unit_{unit + 1}/bottleneck_v1"
            x, channels = _unit(model, x, scope, channels, inner, unit, units, step, stride)
    model.heads(x, channels, "resnet_v1_50")
    return model


def _unit(
    model: TfjsModel,
    x: str,
    scope: str,
    channels: int,
    inner: int,
    unit: int,
    units: int,
    step: int,
    stride: int,
) -> tuple[str, int]:
    last = unit == units - 1 and "block4" not in scope
    same = text("SAME")
    shortcut = x
    if unit == 0:
        kernel = model.kernel(f"{scope}/shortcut", 1, 1, channels, 4 * inner)
        shortcut = model.conv(x, f"{scope}/shortcut", kernel)
    elif last:
        shortcut = model.op(
            f"{scope}/shortcut/MaxPool",
            "MaxPool",
            x,
            ksize=square(1),
            strides=square(step),
            padding=same,
        )
    kernel = model.kernel(f"{scope}/conv1", 1, 1, channels, inner)
    y = model.conv(x, f"{scope}/conv1", kernel, "Relu")
    kernel = model.kernel(f"{scope}/conv2", 3, 3, inner, inner)
    settings: dict[str, Any] = {}
    if last:
        y = model.op(f"{scope}/Pad", "Pad", y, "resnet_v1_50/Pad_1/paddings")
        settings = {"padding": text("VALID"), "strides": square(step)}
    elif "block4" in scope and stride == 16:
        settings = {"dilations": ints(2, 2, 1, 1)}
    y = model.conv(y, f"{scope}/conv2", kernel, "Relu", **settings)
    # A small gain, or the sums of 16 units would outgrow float32's digits.
    kernel = model.kernel(f"{scope}/conv3", 1, 1, inner, 4 * inner, gain=0.3)
    y = model.conv(y, f"{scope}/conv3", kernel)
    total = model.op(f"{scope}/add", "Add", y, shortcut)
    return model.op(f"{scope}/Relu", "Relu", total), 4 * inner


# Evaluation


def evaluate(model: TfjsModel, image: np.ndarray, name: str) -> np.ndarray:
    """The value of node `name` for an image [N, h, w, 3], in float64."""
    nodes = {node["name"]: node for node in model.nodes}
    values: dict[str, np.ndarray] = {
        key: array.astype(np.float64 if array.dtype == np.float32 else array.dtype)
        for key, array in model.weights.items()
    }
    values[model.image] = image.astype(np.float64)

    def value(key: str) -> np.ndarray:
        if key not in values:
            node = nodes[key]
            values[key] = _OPERATIONS[node["op"]](node, *map(value, node["input"]))
        return values[key]

    return value(name)


def _pair(node: dict[str, Any], key: str) -> tuple[int, int]:
    numbers = node["attr"].get(key, square(1))["list"]["i"]
    return int(numbers[1]), int(numbers[2])


def _padded(
    node: dict[str, Any], x: np.ndarray, size: tuple[int, int], rate: tuple[int, int], fill: float
) -> np.ndarray:
    padding = base64.b64decode(node["attr"]["padding"]["s"]).decode()
    pads = [(0, 0)] * 4
    if padding == "EXPLICIT":
        numbers = [int(number) for number in node["attr"]["explicit_paddings"]["list"]["i"]]
        pads = list(zip(numbers[::2], numbers[1::2], strict=True))
    elif padding == "SAME":
        for axis, (kernel, step, dilation) in enumerate(
            zip(size, _pair(node, "strides"), rate, strict=True), start=1
        ):
            rows = x.shape[axis]
            total = (-(-rows // step) - 1) * step + (kernel - 1) * dilation + 1 - rows
            pads[axis] = (max(total, 0) // 2, max(total, 0) - max(total, 0) // 2)
    return np.pad(x, pads, constant_values=fill)


def _windows(
    node: dict[str, Any], x: np.ndarray, size: tuple[int, int], fill: float
) -> list[tuple[int, int, np.ndarray]]:
    """(row, column, values under that cell of the window) for every cell of the window."""
    rate = _pair(node, "dilations")
    x = _padded(node, x, size, rate, fill)
    steps = _pair(node, "strides")
    out = [(x.shape[a + 1] - (size[a] - 1) * rate[a] - 1) // steps[a] + 1 for a in (0, 1)]
    cells = []
    for i in range(size[0]):
        for j in range(size[1]):
            top, left = i * rate[0], j * rate[1]
            rows = slice(top, top + (out[0] - 1) * steps[0] + 1, steps[0])
            columns = slice(left, left + (out[1] - 1) * steps[1] + 1, steps[1])
            cells.append((i, j, x[:, rows, columns]))
    return cells


def _conv2d(node: dict[str, Any], x: np.ndarray, kernel: np.ndarray) -> np.ndarray:
    size = (kernel.shape[0], kernel.shape[1])
    return sum(cell @ kernel[i, j] for i, j, cell in _windows(node, x, size, 0.0))


def _depthwise(node: dict[str, Any], x: np.ndarray, kernel: np.ndarray) -> np.ndarray:
    size = (kernel.shape[0], kernel.shape[1])
    cells = _windows(node, x, size, 0.0)
    total = sum(cell[..., None] * kernel[i, j] for i, j, cell in cells)
    return total.reshape(*total.shape[:3], -1)


def _max_pool(node: dict[str, Any], x: np.ndarray) -> np.ndarray:
    cells = _windows(node, x, _pair(node, "ksize"), -np.inf)
    return np.max([cell for *_, cell in cells], axis=0)


def _fused(node: dict[str, Any], x: np.ndarray, kernel: np.ndarray, bias: np.ndarray) -> np.ndarray:
    total = (_depthwise if "Depthwise" in node["op"] else _conv2d)(node, x, kernel) + bias
    steps = [base64.b64decode(step).decode() for step in node["attr"]["fused_ops"]["list"]["s"]]
    return _OPERATIONS[steps[1]](node, total) if len(steps) > 1 else total


def _space_to_batch(
    node: dict[str, Any], x: np.ndarray, block: np.ndarray, pads: np.ndarray
) -> np.ndarray:
    x = np.pad(x, [(0, 0), *map(tuple, pads), (0, 0)])
    phases = [x[:, i :: block[0], j :: block[1]] for i in range(block[0]) for j in range(block[1])]
    return np.concatenate(phases)


def _batch_to_space(
    node: dict[str, Any], x: np.ndarray, block: np.ndarray, crops: np.ndarray
) -> np.ndarray:
    down, across = block
    batch, rows, columns, channels = x.shape
    x = x.reshape(down, across, batch // (down * across), rows, columns, channels)
    x = x.transpose(2, 3, 0, 4, 1, 5).reshape(-1, rows * down, columns * across, channels)
    (top, bottom), (left, right) = crops
    return x[:, top : x.shape[1] - bottom, left : x.shape[2] - right]


def _batch_norm(
    node: dict[str, Any],
    x: np.ndarray,
    gamma: np.ndarray,
    beta: np.ndarray,
    mean: np.ndarray,
    variance: np.ndarray,
) -> np.ndarray:
    return (x - mean) / np.sqrt(variance + node["attr"]["epsilon"]["f"]) * gamma + beta


_OPERATIONS: dict[str, Callable[..., np.ndarray]] = {
    "Conv2D": _conv2d,
    "DepthwiseConv2dNative": _depthwise,
    "_FusedConv2D": _fused,
    "FusedConv2D": _fused,
    "FusedDepthwiseConv2dNative": _fused,
    "MaxPool": _max_pool,
    "Pad": lambda node, x, pads: np.pad(x, pads),
    "PadV2": lambda node, x, pads, value: np.pad(x, pads, constant_values=float(value)),
    "SpaceToBatchND": _space_to_batch,
    "BatchToSpaceND": _batch_to_space,
    "FusedBatchNormV3": _batch_norm,
    "BiasAdd": lambda node, x, bias: x + bias,
    "Add": lambda node, x, y: x + y,
    "AddV2": lambda node, x, y: x + y,
    "Sub": lambda node, x, y: x - y,
    "Mul": lambda node, x, y: x * y,
    "Relu": lambda node, x: np.maximum(x, 0),
    "Relu6": lambda node, x: np.clip(x, 0, 6),
    "Minimum": lambda node, x, y: np.minimum(x, y),
    "Maximum": lambda node, x, y: np.maximum(x, y),
    "Identity": lambda node, x: x,
}
