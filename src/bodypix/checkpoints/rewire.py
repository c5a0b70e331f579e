"""Another output stride on the same weights: strides become dilations and the other way round."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace

from bodypix.checkpoints.metadata import METADATA_KEY, ModelMetadata, read_metadata
from bodypix.checkpoints.onnx_format import Model, Node, prune
from bodypix.errors import CheckpointError, InvalidArgumentError

OUTPUT_STRIDES = (8, 16, 32)

# What a network may hold beside convolutions without its grid being changed by it.
_POINTWISE = {
    "Add", "Cast", "Clip", "DequantizeLinear", "Div", "Identity", "Mul", "QuantizeLinear", "Relu",
    "Sigmoid", "Sub", "Transpose",
}  # fmt: skip

# Names that training's export gives to what leads through stride 32 and back.
_DETOUR, _DETOUR_END = "surroundings/", "surroundings"
_DETOUR_START, _DETOUR_DOUBLES = "surroundings/shrink/depthwise", "surroundings/double"


def with_output_stride(model: Model, stride: int) -> Model:
    """The same network on a grid of `stride` pixels instead of its own.

    Every filter keeps looking at the same pixels: the distance between its taps, in pixels of the
    image, is what its weights were trained for. So grids agree where they meet: for one input,
    the heads at stride 8 are, at every second cell of every second row, those at stride 16.
    BodyPix 1 did the same to choose a stride per call, and the published stride 8 graphs are this
    of the published stride 16 graphs. The detour of our own networks stays on its grid of 32
    pixels, however fine the features are that it starts from and is added to.

    Args:
        model: a MobileNetV1 of any output stride.
        stride: 8, 16 or 32.

    Returns:
        A model with the coarse heads only: the decoder of the fine heads stands on one stride.
        The model itself, with all its heads, if it has that stride already. Weights are shared.

    Raises:
        InvalidArgumentError: another stride, or a ResNet50.
        CheckpointError: a graph that is no plain chain of convolutions (beside that detour).
    """
    if stride not in OUTPUT_STRIDES:
        raise InvalidArgumentError(
            f"output_stride: expected one of {', '.join(map(str, OUTPUT_STRIDES))}; got {stride!r}."
        )
    metadata = read_metadata(model)
    if stride == metadata.output_stride:
        return model
    if metadata.architecture != "MobileNetV1":
        raise InvalidArgumentError(
            f"output_stride: a {metadata.architecture} keeps the stride it was loaded with, "
            f"{metadata.output_stride}; got {stride}. Load a checkpoint of that stride."
        )
    coarse = _coarse(model, metadata)
    rewired = _rewired(coarse, _spatial_convolutions(coarse, metadata), stride)
    described = replace(
        metadata, output_stride=stride, person_head="segments", parts_head="part_heatmaps"
    )
    return replace(
        coarse,
        nodes=[new for node in coarse.nodes for new in rewired.get(id(node), [node])],
        metadata={**coarse.metadata, METADATA_KEY: described.to_json()},
    )


def _coarse(model: Model, metadata: ModelMetadata) -> Model:
    names = [output.name for output in model.outputs if not output.name.endswith("_fine")]
    if not {"segments", "part_heatmaps"} <= set(names):
        raise _unfit(metadata, "the heads segments and part_heatmaps", ", ".join(names) or "none")
    return prune(model, names)


def _spatial_convolutions(model: Model, metadata: ModelMetadata) -> list[Node]:
    """The convolutions wider than one cell, in order; they must form one chain."""
    found, after = [], 1
    for node in model.nodes:
        if node.name.startswith(_DETOUR):
            continue
        if node.op_type != "Conv":
            if node.op_type not in _POINTWISE:
                raise _unfit(metadata, "convolutions and pointwise operations", node.op_type)
            continue
        kernel, strides, dilations, pads = _window(node)
        margin = dilations[0] * (kernel[0] - 1) // 2
        if len({*kernel}) > 1 or len({*strides}) > 1 or len({*dilations}) > 1:
            raise _unfit(metadata, "square windows", f"{node.name}: {kernel}")
        if kernel[0] % 2 == 0 or set(pads) != {margin}:
            raise _unfit(metadata, "odd windows with pads that centre them", f"{node.name}: {pads}")
        if kernel[0] > 1:
            found.append(node)
        elif node.inputs[0] == _DETOUR_END:
            after = strides[0]
        elif strides[0] != 1:
            raise _unfit(metadata, "stride 1 where the window is one cell", node.name)
    total = math.prod(_window(node)[1][0] for node in found) * after
    if total != metadata.output_stride:
        raise _unfit(metadata, f"one chain down to stride {metadata.output_stride}", total)
    return found


def _rewired(model: Model, chain: Sequence[Node], stride: int) -> dict[int, list[Node]]:
    """New nodes, by the id of the old: the distances between taps stay, the grid changes."""
    start = [node for node in model.nodes if node.name == _DETOUR_START]
    # Distances in pixels: between the taps of each filter, and from cell to cell before it.
    taps, spacing = [], 1
    for node in (*chain, *start):
        _, strides, dilations, _ = _window(node)
        taps.append(spacing * dilations[0])
        spacing *= strides[0]
    rewired = {}
    before = 1
    for index, node in enumerate(chain):
        # As coarse as is asked for, but no coarser than any later filter needs its taps.
        after = min([stride, *taps[index + 1 :]])
        rewired[id(node)] = [_windowed(node, after // before, taps[index] // before)]
        before = after
    if start:
        shrink = spacing // before
        # Cells more below and to the right, or the coarse grid would end before the fine one.
        rewired[id(start[0])] = [_windowed(start[0], shrink, taps[-1] // before, shrink - 1)]
        doubles = [node for node in model.nodes if node.name.startswith(_DETOUR_DOUBLES)]
        rewired.update({id(node): [] for node in doubles})
        rewired[id(doubles[0])] = _doubles(doubles, shrink.bit_length() - 1)
        for node in model.nodes:
            if node.inputs[:1] == [_DETOUR_END] and node.op_type == "Conv":
                # The detour's filters keep the features at 16 pixels: the heads skip cells.
                rewired[id(node)] = [_windowed(node, stride // before, 1)]
    return rewired


def _windowed(node: Node, stride: int, dilation: int, beyond: int = 0) -> Node:
    """The convolution with another stride and dilation; `beyond`: more pads after the last cell."""
    pad = dilation * (_window(node)[0][0] - 1) // 2
    attributes = dict(node.attributes)
    attributes["strides"] = [stride] * 2
    attributes["dilations"] = [dilation] * 2
    attributes["pads"] = [pad] * 2 + [pad + beyond] * 2
    return replace(node, attributes=attributes)


def _doubles(nodes: Sequence[Node], count: int) -> list[Node]:
    """`count` upsamplings by two, each of a Resize and a pool, in place of those in `nodes`."""
    resize, pool = nodes[:2]
    source, target = resize.inputs[0], nodes[-1].outputs[0]
    made = []
    for number in range(count, 0, -1):
        name = target if number == 1 else f"{_DETOUR_DOUBLES}/{number}"
        twice = f"{name}/twice"
        inputs = [source, *resize.inputs[1:]]
        made.append(replace(resize, inputs=inputs, outputs=[twice], name=twice))
        made.append(replace(pool, inputs=[twice], outputs=[name], name=name))
        source = name
    return made


def _window(node: Node) -> tuple[list[int], list[int], list[int], list[int]]:
    """Kernel shape, strides, dilations and pads of a convolution."""

    def ints(name: str, default: list[int]) -> list[int]:
        value = node.attributes.get(name, default)
        return [int(item) for item in value] if isinstance(value, list) else default

    kernel = ints("kernel_shape", [])
    if len(kernel) != 2 or "auto_pad" in node.attributes:
        raise CheckpointError(
            f"convolution {node.name!r}: expected a kernel_shape of two and explicit pads; got "
            f"{sorted(node.attributes)}. Convert the model with `bodypix models convert`."
        )
    return kernel, ints("strides", [1, 1]), ints("dilations", [1, 1]), ints("pads", [0, 0, 0, 0])


def _unfit(metadata: ModelMetadata, expected: str, got: object) -> CheckpointError:
    return CheckpointError(
        f"model {metadata.name!r}: its output stride cannot be changed: expected {expected}; got "
        f"{got}. Use its own stride, {metadata.output_stride}, or another model."
    )
