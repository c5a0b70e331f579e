"""The operations of published BodyPix graphs, one method each, building ONNX nodes.

Two things stay pending for a while, because they become numbers of a convolution: explicit zero
pads (`Pad`), and the spaces of `SpaceToBatchND`, whose convolutions are dilated ones in disguise.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

import numpy as np

from bodypix.checkpoints.metadata import HEAD_CHANNELS
from bodypix.checkpoints.onnx_types import Array, Node, Tensor
from bodypix.checkpoints.tfjs_extent import Extent, Pads
from bodypix.checkpoints.tfjs_features import (
    NO_PADS,
    Clip,
    Convolution,
    Emitter,
    Feature,
)
from bodypix.checkpoints.tfjs_graph import GraphNode
from bodypix.checkpoints.tfjs_windows import joined, spatial, window

_IDENTITIES = ("Identity", "Snapshot", "StopGradient")


class GraphBuilder:
    """Turns tfjs nodes, sorted, into ONNX nodes and constants.

    `heads` are the tfjs nodes of the outputs by head name. Raises CheckpointError, with the name
    of the node, for unknown operations and for layers that do not fit together.
    """

    def __init__(
        self, order: Sequence[GraphNode], weights: Mapping[str, Array], heads: Mapping[str, str]
    ) -> None:
        self._weights = weights
        self._emitter = Emitter(("image", *HEAD_CHANNELS))
        self._values: dict[str, Feature | Array] = {}
        self._images = 0
        self._aliases: dict[str, str] = {}
        for node in order:
            if node.op in _IDENTITIES and node.inputs:
                self._aliases[node.name] = self._origin(node.inputs[0])
        nodes = [node for node in order if node.name not in self._aliases]
        # A node may change what made its input only where no other node reads that input.
        self._readers = Counter(self._origin(name) for node in nodes for name in node.inputs)
        self._readers.update(self._origin(name) for name in heads.values())
        for node in nodes:
            operation = _OPERATIONS.get(node.op)
            if operation is None:
                raise node.error(
                    "an operation of the published BodyPix graphs",
                    f"the unknown operation {node.op!r}",
                )
            self._values[node.name] = operation(self, node)
        self.output_stride = self._finish(heads)

    def result(self) -> tuple[list[Node], list[Tensor]]:
        """The nodes in order, and the constants."""
        return self._emitter.finish()

    def _finish(self, heads: Mapping[str, str]) -> int:
        strides = set()
        for head, name in heads.items():
            node = GraphNode(name, "output", (name,), {})
            feature = self._plain(node, self._feature(node, 0))
            if feature.channels != HEAD_CHANNELS[head]:
                raise node.error(f"{HEAD_CHANNELS[head]} channels of {head}", feature.channels)
            if feature.rows != feature.columns or feature.rows.extra:
                raise node.error("a grid aligned with the corners", (feature.rows, feature.columns))
            strides.add(feature.rows.stride)
            self._emitter.output(head, feature.tensor)
            if len(strides) > 1 or feature.rows.stride not in (8, 16, 32):
                raise node.error("one output stride, 8, 16 or 32, for all heads", sorted(strides))
        return strides.pop()

    # What a node reads

    def _origin(self, name: str) -> str:
        return self._aliases.get(name, name)

    def _value(self, node: GraphNode, index: int) -> Feature | Array:
        if index >= len(node.inputs):
            raise node.error(f"at least {index + 1} inputs", len(node.inputs))
        return self._values[self._origin(node.inputs[index])]

    def _alone(self, node: GraphNode, index: int = 0) -> bool:
        return self._readers[self._origin(node.inputs[index])] == 1

    def _feature(self, node: GraphNode, index: int) -> Feature:
        value = self._value(node, index)
        if not isinstance(value, Feature):
            raise node.error(f"a feature map as input {index}", "a constant")
        return value if self._alone(node, index) else value.sealed()

    def _constant(self, node: GraphNode, index: int) -> Array:
        value = self._value(node, index)
        if isinstance(value, Feature):
            raise node.error(f"a constant as input {index}", "a value that depends on the image")
        return value

    def _operands(self, node: GraphNode) -> tuple[Feature, int]:
        """The feature map of a commutative operation, and the index of the other input."""
        first = 0 if isinstance(self._value(node, 0), Feature) else 1
        return self._feature(node, first), 1 - first

    def _pairs(self, node: GraphNode, index: int, rows: int) -> list[Pads]:
        array = self._constant(node, index)
        if array.shape != (rows, 2) or array.min() < 0 or array.max() > 64:
            raise node.error(f"{rows} pairs of pads as input {index}", array.tolist())
        return [(int(before), int(after)) for before, after in array]

    def _plain(self, node: GraphNode, feature: Feature) -> Feature:
        """The feature map with nothing pending."""
        if feature.block:
            raise node.error("BatchToSpaceND before it", "values inside SpaceToBatchND")
        if feature.pads == NO_PADS:
            return feature
        return self._emitter.pad(f"{node.name}/Pad", feature, 0.0)

    # Sources

    def _placeholder(self, node: GraphNode) -> Feature:
        shape = node.attributes.get("shape")
        dims = shape.get("shape") if isinstance(shape, dict) else None
        sizes = [str(dim.get("size")) for dim in dims.get("dim", [])] if dims else []
        self._images += 1
        if sizes[1:] != ["-1", "-1", "3"] or self._images > 1:
            raise node.error("one input [1, -1, -1, 3], both sizes free", sizes)
        tensor = self._emitter.node("Transpose", f"{node.name}/nchw", ["image"], perm=[0, 3, 1, 2])
        return Feature(tensor, 3, Extent(), Extent())

    def _const(self, node: GraphNode) -> Array:
        if node.name not in self._weights:
            raise node.error("its values in the weights manifest", "none")
        return self._weights[node.name]

    # Windows

    def _conv2d(self, node: GraphNode) -> Feature:
        return self._convolve(node, self._kernel(node).transpose(3, 2, 0, 1), groups=1)

    def _depthwise(self, node: GraphNode) -> Feature:
        kernel = self._kernel(node)
        height, width, channels, multiplier = kernel.shape
        # Output channel i * multiplier + m is filter m over input channel i.
        kernel = kernel.transpose(2, 3, 0, 1).reshape(channels * multiplier, 1, height, width)
        return self._convolve(node, kernel, groups=channels)

    def _fused(self, node: GraphNode) -> Feature:
        steps = node.texts("fused_ops")
        if steps[:1] != ["BiasAdd"] or len(steps) > 2 or steps[1:] not in ([], ["Relu"], ["Relu6"]):
            raise node.error("BiasAdd and Relu or Relu6 fused in", ", ".join(steps) or "nothing")
        feature = self._depthwise(node) if "Depthwise" in node.op else self._conv2d(node)
        feature = self._affine(node, feature, 1.0, self._per_channel(node, 2, feature))
        return (
            self._activate(f"{node.name}/{steps[1]}", feature, steps[1]) if steps[1:] else feature
        )

    def _kernel(self, node: GraphNode) -> Array:
        kernel = self._constant(node, 1)
        if kernel.ndim != 4 or 0 in kernel.shape or kernel.dtype != np.float32:
            raise node.error("a float filter [height, width, in, out]", f"shape {kernel.shape}")
        return kernel

    def _convolve(self, node: GraphNode, kernel: Array, groups: int) -> Feature:
        source = self._feature(node, 0)
        channels, depth, height, width = kernel.shape
        if depth * groups != source.channels:
            raise node.error(f"a filter for {source.channels} channels", depth * groups)
        strides, dilations = spatial(node, "strides"), spatial(node, "dilations")
        rates = source.block or (1, 1)
        if source.block and strides != (1, 1):
            raise node.error("stride 1 inside SpaceToBatchND", strides)
        pads, rows, columns = window(node, source, (height, width), strides, dilations)
        convolution = Convolution(
            node.name,
            source.tensor,
            kernel,
            np.zeros(channels),
            strides,
            (dilations[0] * rates[0], dilations[1] * rates[1]),
            pads,
            groups,
        )
        self._emitter.later(convolution)
        return Feature(
            convolution.name,
            channels,
            rows,
            columns,
            block=source.block,
            convolution=convolution,
            foldable=True,
        )

    def _max_pool(self, node: GraphNode) -> Feature:
        source = self._feature(node, 0)
        size, strides = spatial(node, "ksize"), spatial(node, "strides")
        if size == strides == (1, 1):
            return source.sealed()
        pads, rows, columns = window(node, source, size, strides, (1, 1))
        narrow = all(sum(pair) < extent for pair, extent in zip(pads, size, strict=True))
        # The pool's own pads never win. Zeros from a Pad may, unless no value lies below them.
        if source.block or (source.pads != NO_PADS and not (source.positive and narrow)):
            source = self._plain(node, source)
            pads, rows, columns = window(node, source, size, strides, (1, 1))
        (top, bottom), (left, right) = pads
        tensor = self._emitter.node(
            "MaxPool",
            node.name,
            [source.tensor],
            kernel_shape=list(size),
            strides=list(strides),
            pads=[top, left, bottom, right],
        )
        return Feature(tensor, source.channels, rows, columns, positive=source.positive)

    # Space

    def _pad(self, node: GraphNode) -> Feature:
        feature = self._feature(node, 0).sealed()
        batch, rows, columns, channels = self._pairs(node, 1, 4)
        if batch != (0, 0) or channels != (0, 0) or feature.block:
            raise node.error("pads of rows and columns only", (batch, rows, columns, channels))
        value = self._scalar(node, 2) if len(node.inputs) > 2 else 0.0
        if value:
            return self._emitter.pad(
                node.name, replace(self._plain(node, feature), pads=(rows, columns)), value
            )
        return replace(feature, pads=joined(feature.pads, (rows, columns)))

    def _space_to_batch(self, node: GraphNode) -> Feature:
        feature = self._plain(node, self._feature(node, 0)).sealed()
        rows, columns = self._pairs(node, 2, 2)
        return replace(feature, pads=(rows, columns), block=self._block(node))

    def _batch_to_space(self, node: GraphNode) -> Feature:
        feature = self._feature(node, 0)
        crops = self._pairs(node, 2, 2)
        convolution = feature.convolution
        if convolution is None or feature.block != self._block(node):
            raise node.error("one convolution since SpaceToBatchND of the same block", "others")
        # Rows cropped off the result are rows not padded onto the input.
        rows, columns = (
            (pair[0] - crop[0], pair[1] - crop[1])
            for pair, crop in zip(convolution.pads, crops, strict=True)
        )
        if min(*rows, *columns) < 0:
            raise node.error(f"crops within the pads {convolution.pads}", crops)
        convolution.pads = (rows, columns)
        return replace(
            feature,
            rows=Extent(feature.rows.stride, feature.rows.extra - sum(crops[0])),
            columns=Extent(feature.columns.stride, feature.columns.extra - sum(crops[1])),
            block=None,
        )

    def _block(self, node: GraphNode) -> tuple[int, int]:
        block = self._constant(node, 1)
        if block.shape != (2,) or block.min() < 1 or block.max() > 64:
            raise node.error("a block of two rates", block.tolist())
        return int(block[0]), int(block[1])

    # Sums, factors and bounds

    def _bias_add(self, node: GraphNode) -> Feature:
        feature = self._feature(node, 0)
        return self._affine(node, feature, 1.0, self._per_channel(node, 1, feature))

    def _batch_norm(self, node: GraphNode) -> Feature:
        feature = self._feature(node, 0)
        if node.flag("is_training", True):
            raise node.error("a batch norm with is_training false", "one in training")
        gamma, beta, mean, variance = (
            self._per_channel(node, index, feature) for index in (1, 2, 3, 4)
        )
        factor = gamma / np.sqrt(variance + node.number("epsilon", 1e-4))
        return self._affine(node, feature, factor, beta - mean * factor)

    def _add(self, node: GraphNode) -> Feature:
        feature, other = self._operands(node)
        if not isinstance(self._value(node, other), Feature):
            return self._affine(node, feature, 1.0, self._per_channel(node, other, feature))
        left, right = self._plain(node, feature), self._plain(node, self._feature(node, 1))
        if (left.channels, left.rows, left.columns) != (right.channels, right.rows, right.columns):
            raise node.error("two feature maps of one size", (left, right))
        tensor = self._emitter.node("Add", node.name, [left.tensor, right.tensor])
        positive = left.positive and right.positive
        return Feature(tensor, left.channels, left.rows, left.columns, positive=positive)

    def _sub(self, node: GraphNode) -> Feature:
        feature = self._feature(node, 0)
        return self._affine(node, feature, 1.0, -self._per_channel(node, 1, feature))

    def _mul(self, node: GraphNode) -> Feature:
        feature, other = self._operands(node)
        return self._affine(node, feature, self._per_channel(node, other, feature), 0.0)

    def _per_channel(self, node: GraphNode, index: int, feature: Feature) -> Array:
        """A constant as [channels] float64, from one number, [channels] or [1, 1, 1, channels]."""
        array = self._constant(node, index).astype(np.float64)
        channels = array.shape[-1] if array.ndim else 1
        if array.size != channels or channels not in (1, feature.channels):
            raise node.error(f"{feature.channels} values as input {index}", f"shape {array.shape}")
        return np.broadcast_to(array.reshape(-1), (feature.channels,))

    def _affine(
        self, node: GraphNode, feature: Feature, factor: Array | float, offset: Array | float
    ) -> Feature:
        """feature * factor + offset per channel; inside of its convolution where that is right."""
        factors = np.broadcast_to(np.asarray(factor, np.float64), (feature.channels,))
        if feature.foldable and feature.convolution is not None:
            convolution = feature.convolution
            convolution.weights = convolution.weights * factors[:, None, None, None]
            convolution.bias = convolution.bias * factors + offset
            return feature
        if feature.pads != NO_PADS:
            feature = self._plain(node, feature)
        tensor = feature.tensor
        for op, values in (("Mul", factors), ("Add", np.broadcast_to(offset, factors.shape))):
            if np.all(values == (1 if op == "Mul" else 0)):
                continue
            shaped = values.astype(np.float32).reshape(1, -1, 1, 1)
            constant = self._emitter.constant(f"{node.name}/{op}/values", shaped)
            tensor = self._emitter.node(op, f"{node.name}/{op}", [tensor, constant])
        return replace(feature, tensor=tensor, positive=False, foldable=False, clip=None)

    def _relu(self, node: GraphNode) -> Feature:
        return self._activate(node.name, self._feature(node, 0), node.op)

    def _activate(self, name: str, feature: Feature, kind: str) -> Feature:
        # A zero stays zero, so pending pads and open spaces pass through.
        if kind == "Relu":
            tensor = self._emitter.node("Relu", name, [feature.tensor])
        else:
            clip = Clip(name, feature.tensor, 0.0, 6.0)
            self._emitter.later(clip)
            tensor = clip.name
        return replace(feature, tensor=tensor, positive=True, foldable=False, clip=None)

    def _bound(self, node: GraphNode) -> Feature:
        feature, other = self._operands(node)
        feature = self._plain(node, feature)
        value = self._scalar(node, other)
        key = "high" if node.op == "Minimum" else "low"
        clip = feature.clip
        # max(min(x, high), low) is one Clip for low <= high, and so is the other order.
        if clip is None or getattr(clip, key) is not None:
            clip = Clip(node.name, feature.tensor)
            self._emitter.later(clip)
        setattr(clip, key, value)
        low, high = clip.low, clip.high
        if low is not None and high is not None and low > high:
            raise node.error("bounds in order", (low, high))
        positive = feature.positive or (low is not None and low >= 0)
        result = replace(feature.sealed(), tensor=clip.name, positive=positive)
        return replace(result, clip=clip)

    def _scalar(self, node: GraphNode, index: int) -> float:
        array = self._constant(node, index)
        if array.size != 1:
            raise node.error(f"a single number as input {index}", f"shape {array.shape}")
        return float(array.reshape(-1)[0])


_OPERATIONS: dict[str, Callable[[GraphBuilder, GraphNode], Feature | Array]] = {
    "Placeholder": GraphBuilder._placeholder,
    "Const": GraphBuilder._const,
    "Conv2D": GraphBuilder._conv2d,
    "DepthwiseConv2dNative": GraphBuilder._depthwise,
    "FusedConv2D": GraphBuilder._fused,
    "_FusedConv2D": GraphBuilder._fused,
    "FusedDepthwiseConv2dNative": GraphBuilder._fused,
    "_FusedDepthwiseConv2dNative": GraphBuilder._fused,
    "MaxPool": GraphBuilder._max_pool,
    "Pad": GraphBuilder._pad,
    "PadV2": GraphBuilder._pad,
    "SpaceToBatchND": GraphBuilder._space_to_batch,
    "BatchToSpaceND": GraphBuilder._batch_to_space,
    "BiasAdd": GraphBuilder._bias_add,
    "FusedBatchNorm": GraphBuilder._batch_norm,
    "FusedBatchNormV2": GraphBuilder._batch_norm,
    "FusedBatchNormV3": GraphBuilder._batch_norm,
    "Add": GraphBuilder._add,
    "AddV2": GraphBuilder._add,
    "Sub": GraphBuilder._sub,
    "Mul": GraphBuilder._mul,
    "Relu": GraphBuilder._relu,
    "Relu6": GraphBuilder._relu,
    "Minimum": GraphBuilder._bound,
    "Maximum": GraphBuilder._bound,
}
