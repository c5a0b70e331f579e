"""What our own networks have beside a chain of convolutions, on other output strides.

That is a detour of the features through stride 32, a second look at the picture at a quarter of its
size, and a decoder of the fine heads, which needs features of 16 pixels or finer. All are known by
the names that bodypix_train.export gives.
"""

from __future__ import annotations

from dataclasses import replace

from bodypix.checkpoints.onnx_format import Model, Node

DETOURS = ("surroundings/", "overview/")
"""What the names of nodes begin with that keep their own grids."""

OWN_STRIDE = 16
"""The only output stride they are made with."""

_DECODER = "up8"
_SHRINK = "surroundings/shrink/depthwise"
# Upsamplings to 16 pixels, by which detours end.
_DOUBLES = tuple(f"{detour}double" for detour in DETOURS)
# Upsamplings from 16 to 8 pixels, and what the decoder compares with masks on cells of 16 pixels.
_TO_8, _AT_16 = (_DECODER, "parts8", "coarse8"), "evidence/likeliest"


def is_own(model: Model) -> bool:
    """Whether a network has such a detour or that decoder."""
    return any(node.name == _DECODER or node.name.startswith(DETOURS) for node in model.nodes)


def on_finer_features(model: Model) -> dict[int, list[Node]]:
    """New nodes, by the id of the old, where features come on a grid of 8 pixels instead of 16.

    The detour samples them and stays on its grid of 32 pixels, as the second look does on its own;
    both are enlarged once more. The decoder takes features as they are instead of enlarging them.
    """
    named = {node.name: node for node in model.nodes}
    new = {}
    for node in model.nodes:
        if node.name == _SHRINK:
            # 16 pixels apart as before; past the last cell by one less than the stride, or the
            # coarse grid would end before the fine one.
            window = {"strides": [4, 4], "dilations": [2, 2], "pads": [2, 2, 5, 5]}
            new[id(node)] = [replace(node, attributes={**node.attributes, **window})]
        elif node.name in _DOUBLES:
            new[id(node)] = _twice(named[f"{node.name}/twice"], node)
        elif node.name in _TO_8:
            source = named.get(f"{node.name}/twice", node).inputs[0]
            new[id(node)] = [Node("Identity", [source], node.outputs, node.name)]
        elif node.name == _AT_16:
            finer = f"{_AT_16}/8"
            new[id(node)] = [
                replace(node, outputs=[finer], name=finer), _every_second(finer, _AT_16),
            ]  # fmt: skip
    return new


def with_coarser_answers(model: Model) -> dict[int, list[Node]]:
    """New nodes, by the id of the old, that give the coarse heads on a grid twice as coarse."""
    heads = {info.name for info in model.outputs if not info.name.endswith("_fine")}
    new = {}
    for node in model.nodes:
        if heads.intersection(node.outputs):
            sampled = f"{node.name}/sampled"
            new[id(node)] = [
                _every_second(node.inputs[0], sampled), replace(node, inputs=[sampled]),
            ]  # fmt: skip
    return new


def _twice(resize: Node, pool: Node) -> list[Node]:
    """In place of `pool`, the end of an upsampling by two: that, and the same once more."""
    once, again = f"{pool.name}/once", f"{pool.name}/again"
    return [
        replace(pool, outputs=[once], name=once),
        replace(resize, inputs=[once, *resize.inputs[1:]], outputs=[again], name=again),
        replace(pool, inputs=[again]),
    ]


def _every_second(source: str, target: str) -> Node:
    window = {"kernel_shape": [1, 1], "strides": [2, 2]}
    return Node("MaxPool", [source], [target], target, {**window})
