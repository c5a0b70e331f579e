"""ONNX files in and out without the `onnx` package: the subset that BodyPix networks use.

The format is onnx.proto (https://github.com/onnx/onnx/blob/main/onnx/onnx.proto). Out of the
subset, and refused by name: control flow (graphs as attributes), sparse tensors, external weight
files, sequences and maps.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from bodypix.checkpoints.onnx_read import read_model
from bodypix.checkpoints.onnx_types import Array, Attribute, Model, Node, Tensor, ValueInfo
from bodypix.checkpoints.onnx_write import write_model
from bodypix.errors import CheckpointError

__all__ = [
    "Array", "Attribute", "Model", "Node", "Tensor", "ValueInfo",
    "prune", "read_model", "write_model",
]  # fmt: skip


def prune(model: Model, outputs: Sequence[str]) -> Model:
    """The part of `model` that computes `outputs` (names of graph outputs), in that order.

    onnxruntime runs every node of a graph, also those whose result nobody fetches, so a call that
    needs one head wants a graph of that head. Arrays are shared with `model`, which is unchanged.
    Raises CheckpointError when `outputs` names no output of the model.
    """
    known = {info.name: info for info in model.outputs}
    missing = [name for name in outputs if name not in known]
    if missing or not outputs:
        raise CheckpointError(
            f"outputs: expected names among {', '.join(known)}, got {', '.join(missing) or 'none'}"
            "; this model file does not hold them: choose another model"
        )
    needed = set(outputs)
    kept: list[Node] = []
    # Nodes of an ONNX graph are sorted: each comes after those that it reads from.
    for node in reversed(model.nodes):
        if needed.intersection(node.outputs):
            needed.update(node.inputs)
            kept.append(node)
    return replace(
        model,
        nodes=kept[::-1],
        inputs=[info for info in model.inputs if info.name in needed],
        outputs=[known[name] for name in outputs],
        initializers=[tensor for tensor in model.initializers if tensor.name in needed],
    )
