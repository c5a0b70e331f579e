"""Model -> ONNX bytes. Field numbers are those of onnx.proto."""

from __future__ import annotations

from typing import Any

import numpy as np

from bodypix.checkpoints import protobuf as pb
from bodypix.checkpoints.onnx_types import (
    CODES,
    KIND_FLOAT,
    KIND_FLOATS,
    KIND_INT,
    KIND_INTS,
    KIND_STRING,
    KIND_STRINGS,
    KIND_TENSOR,
    Array,
    Attribute,
    Model,
    Node,
    ValueInfo,
)
from bodypix.errors import CheckpointError


def write_model(model: Model) -> bytes:
    """Encode a model. The same model always gives the same bytes.

    Raises CheckpointError for a dtype or attribute that ONNX has no code for.
    """
    graph = b"".join(
        [
            *(pb.field_bytes(1, _write_node(node)) for node in model.nodes),
            pb.field_text(2, "bodypix"),
            *(pb.field_bytes(5, _write_tensor(t.name, t.array)) for t in model.initializers),
            *(pb.field_bytes(11, _write_value_info(info)) for info in model.inputs),
            *(pb.field_bytes(12, _write_value_info(info)) for info in model.outputs),
        ]
    )
    opsets = {"": model.opset, **model.domains}
    return b"".join(
        [
            pb.field_int(1, model.ir_version),
            pb.field_text(2, model.producer),
            pb.field_bytes(7, graph),
            *(
                pb.field_bytes(8, pb.field_text(1, domain) + pb.field_int(2, version))
                for domain, version in opsets.items()
            ),
            *(
                pb.field_bytes(14, pb.field_text(1, key) + pb.field_text(2, text))
                for key, text in model.metadata.items()
            ),
        ]
    )


def _write_node(node: Node) -> bytes:
    return b"".join(
        [
            *(pb.field_text(1, name) for name in node.inputs),
            *(pb.field_text(2, name) for name in node.outputs),
            pb.field_text(3, node.name),
            pb.field_text(4, node.op_type),
            *(pb.field_bytes(5, _write_attribute(*item)) for item in node.attributes.items()),
            pb.field_text(7, node.domain) if node.domain else b"",
        ]
    )


def _write_attribute(name: str, value: Attribute) -> bytes:
    if isinstance(value, (bool, int, np.integer)):
        body, kind = pb.field_int(3, int(value)), KIND_INT
    elif isinstance(value, (float, np.floating)):
        body, kind = pb.field_float(2, float(value)), KIND_FLOAT
    elif isinstance(value, str):
        body, kind = pb.field_text(4, value), KIND_STRING
    elif isinstance(value, np.ndarray):
        body, kind = pb.field_bytes(5, _write_tensor("", value)), KIND_TENSOR
    elif value and all(isinstance(item, str) for item in value):
        body, kind = b"".join(pb.field_text(9, str(item)) for item in value), KIND_STRINGS
    elif any(isinstance(item, float) for item in value):
        body, kind = pb.field_floats(7, [float(item) for item in value]), KIND_FLOATS
    else:
        body, kind = pb.field_ints(8, [int(item) for item in value]), KIND_INTS
    return pb.field_text(1, name) + body + pb.field_int(20, kind)


def _write_tensor(name: str, array: Array) -> bytes:
    return b"".join(
        [
            pb.field_ints(1, list(array.shape)),
            pb.field_int(2, _dtype_code(name, array.dtype)),
            pb.field_text(8, name),
            pb.field_bytes(9, array.astype(array.dtype.newbyteorder("<"), copy=False).tobytes()),
        ]
    )


def _write_value_info(info: ValueInfo) -> bytes:
    dims = b"".join(
        pb.field_bytes(1, pb.field_text(2, dim) if isinstance(dim, str) else pb.field_int(1, dim))
        for dim in info.shape
    )
    code = _dtype_code(info.name, info.dtype)
    tensor = pb.field_int(1, code) + pb.field_bytes(2, dims)
    return pb.field_text(1, info.name) + pb.field_bytes(2, pb.field_bytes(1, tensor))


def _dtype_code(name: str, dtype: np.dtype[Any]) -> int:
    code = CODES.get(np.dtype(dtype).newbyteorder("<"))
    if code is None:
        raise CheckpointError(
            f"tensor {name!r}: expected a dtype that ONNX stores, got {dtype}; convert it first"
        )
    return code
