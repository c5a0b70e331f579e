"""Another output stride on the same weights: strides become dilations and the other way round."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace

from bodypix.checkpoints.metadata import METADATA_KEY, ModelMetadata, read_metadata
from bodypix.checkpoints.onnx_format import Model, Node, prune
from bodypix.checkpoints.own_network import (
    DETOURS,
    OWN_STRIDE,
    is_own,
    on_finer_features,
    with_coarser_answers,
)
from bodypix.errors import CheckpointError, InvalidArgumentError
from bodypix.options import is_whole

OUTPUT_STRIDES = (8, 16, 32)

# What a network may hold beside convolutions without its grid being changed by it.
_POINTWISE = {
    "Add", "Cast", "Clip", "DequantizeLinear", "Div", "Identity", "Mul", "QuantizeLinear", "Relu",
    "Sigmoid", "Sub", "Transpose",
}  # fmt: skip


def with_output_stride(model: Model, stride: int) -> Model:
    """The same network on a grid of `stride` pixels instead of its own.

    Every filter keeps looking at the same pixels: the distance between its taps, in pixels of the
    image, is what its weights were trained for. So grids agree where they meet: for one input,
    the heads at stride 8 are, at every second cell of every second row, those at stride 16.
    BodyPix 1 did the same to choose a stride per call, and the published stride 8 graphs are this
    of the published stride 16 graphs.

    Our own networks keep their fine heads: at 8 they are made of the finer features. At 32 only
    the coarse heads change, as every second cell of those at 16.

    Args:
        model: a MobileNetV1 of any output stride, as it was loaded.
        stride: 8, 16 or 32.

    Returns:
        A model with the same weights; the model itself if it has that stride already. Fine heads
        of networks that are not of our training stay behind.

    Raises:
        InvalidArgumentError: another stride, or a ResNet50.
        CheckpointError: a graph that is no plain chain of convolutions, nor one of our own.
    """
    if not is_whole(stride) or stride not in OUTPUT_STRIDES:
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
    own = is_own(model)
    if own and metadata.output_stride != OWN_STRIDE:
        raise _unfit(metadata, "an own network as it was loaded", "one that was changed before")
    coarse = _coarse(model, metadata)
    chain = _spatial_convolutions(coarse, metadata)
    rewired: dict[int, list[Node]]
    if own:
        kept, described = model, replace(metadata, output_stride=stride)
        if stride > OWN_STRIDE:
            rewired = with_coarser_answers(model)
        else:
            rewired = {**_rewired(chain, stride), **on_finer_features(model)}
    else:
        kept, rewired = coarse, _rewired(chain, stride)
        described = replace(
            metadata, output_stride=stride, person_head="segments", parts_head="part_heatmaps"
        )
    whole = replace(
        kept,
        nodes=[new for node in kept.nodes for new in rewired.get(id(node), [node])],
        metadata={**kept.metadata, METADATA_KEY: described.to_json()},
    )
    return prune(whole, [output.name for output in kept.outputs])


def _coarse(model: Model, metadata: ModelMetadata) -> Model:
    names = [output.name for output in model.outputs if not output.name.endswith("_fine")]
    if not {"segments", "part_heatmaps"} <= set(names):
        raise _unfit(metadata, "the heads segments and part_heatmaps", ", ".join(names) or "none")
    return prune(model, names)


def _spatial_convolutions(model: Model, metadata: ModelMetadata) -> list[Node]:
    """The convolutions wider than one cell, in order; they must form one chain."""
    found = []
    for node in model.nodes:
        if node.name.startswith(DETOURS):
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
        elif strides[0] != 1:
            raise _unfit(metadata, "stride 1 where the window is one cell", node.name)
    total = math.prod(_window(node)[1][0] for node in found)
    if total != metadata.output_stride:
        raise _unfit(metadata, f"one chain down to stride {metadata.output_stride}", total)
    return found


def _rewired(chain: Sequence[Node], stride: int) -> dict[int, list[Node]]:
    """New nodes, by the id of the old: the distances between taps stay, the grid changes."""
    # Distances in pixels: between the taps of each filter, and from cell to cell before it.
    taps, spacing = [], 1
    for node in chain:
        _, strides, dilations, _ = _window(node)
        taps.append(spacing * dilations[0])
        spacing *= strides[0]
    rewired = {}
    before = 1
    for index, node in enumerate(chain):
        # As coarse as is asked for, but no coarser than any later filter needs its taps.
        after = min([stride, *taps[index + 1 :]])
        kernel = _window(node)[0][0]
        dilation = taps[index] // before
        attributes = dict(node.attributes)
        attributes["strides"] = [after // before] * 2
        attributes["dilations"] = [dilation] * 2
        attributes["pads"] = [dilation * (kernel - 1) // 2] * 4
        rewired[id(node)] = [replace(node, attributes=attributes)]
        before = after
    return rewired


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
