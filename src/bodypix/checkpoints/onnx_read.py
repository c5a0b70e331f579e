"""ONNX bytes -> Model. Field numbers are those of onnx.proto."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from bodypix.checkpoints import protobuf as pb
from bodypix.checkpoints.onnx_types import (
    DTYPES,
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
    Tensor,
    ValueInfo,
)
from bodypix.errors import CheckpointError


def read_model(source: bytes | Path) -> Model:
    """Read an ONNX file from its path or its bytes.

    Raises CheckpointError when the file is missing, truncated, corrupt, no ONNX model, or uses
    what this subset leaves out.
    """
    data = source if isinstance(source, bytes) else _read_file(source)
    model = Model([], [], [], [])
    graph: memoryview | None = None
    for number, _, value in pb.fields(memoryview(data)):
        if number == 1:
            model.ir_version = pb.as_int(value)
        elif number == 2:
            model.producer = pb.as_text(value)
        elif number == 7:
            graph = pb.as_bytes(value)
        elif number == 8:
            domain, version = _read_opset(pb.as_bytes(value))
            if domain in ("", "ai.onnx"):
                model.opset = version
            else:
                model.domains[domain] = version
        elif number == 14:
            key, text = _read_text_pair(pb.as_bytes(value))
            model.metadata[key] = text
    if graph is None:
        raise CheckpointError(
            "model file: expected an ONNX model, got a file without a graph; "
            "it is empty, cut short or of another kind"
        )
    _read_graph(graph, model)
    return model


def _read_file(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise CheckpointError(
            f"model file {path}: expected a readable file, got {error.strerror}; check the path"
        ) from error


def _read_graph(data: memoryview, model: Model) -> None:
    for number, _, value in pb.fields(data):
        if number == 1:
            model.nodes.append(_read_node(pb.as_bytes(value)))
        elif number == 5:
            model.initializers.append(Tensor(*_read_tensor(pb.as_bytes(value))))
        elif number == 11:
            model.inputs.append(_read_value_info(pb.as_bytes(value)))
        elif number == 12:
            model.outputs.append(_read_value_info(pb.as_bytes(value)))
        elif number == 15:
            raise _unsupported("a sparse initializer")


def _unsupported(what: str) -> CheckpointError:
    return CheckpointError(
        f"model file: expected a plain feed-forward ONNX graph, got {what}, which bodypix does "
        "not read; export the model without it"
    )


def _read_opset(data: memoryview) -> tuple[str, int]:
    domain, version = "", 0
    for number, _, value in pb.fields(data):
        if number == 1:
            domain = pb.as_text(value)
        elif number == 2:
            version = pb.as_int(value)
    return domain, version


def _read_text_pair(data: memoryview) -> tuple[str, str]:
    texts = {number: pb.as_text(value) for number, _, value in pb.fields(data) if number in (1, 2)}
    return texts.get(1, ""), texts.get(2, "")


def _read_node(data: memoryview) -> Node:
    node = Node("", [], [])
    for number, _, value in pb.fields(data):
        if number == 1:
            node.inputs.append(pb.as_text(value))
        elif number == 2:
            node.outputs.append(pb.as_text(value))
        elif number == 3:
            node.name = pb.as_text(value)
        elif number == 4:
            node.op_type = pb.as_text(value)
        elif number == 5:
            name, attribute = _read_attribute(pb.as_bytes(value))
            node.attributes[name] = attribute
        elif number == 7:
            node.domain = pb.as_text(value)
    return node


def _read_attribute(data: memoryview) -> tuple[str, Attribute]:
    name, kind = "", 0
    # An unset scalar is zero: protobuf does not write default values.
    scalars: dict[int, Attribute] = {KIND_FLOAT: 0.0, KIND_INT: 0, KIND_STRING: ""}
    tensor: Array | None = None
    floats: list[float] = []
    ints: list[int] = []
    strings: list[str] = []
    for number, _, value in pb.fields(data):
        if number == 1:
            name = pb.as_text(value)
        elif number == 2:
            scalars[KIND_FLOAT] = pb.as_float(value)
        elif number == 3:
            scalars[KIND_INT] = pb.as_int(value)
        elif number == 4:
            scalars[KIND_STRING] = pb.as_text(value)
        elif number == 5:
            tensor = _read_tensor(pb.as_bytes(value))[1]
        elif number == 7:
            floats += pb.as_floats(value)
        elif number == 8:
            ints += pb.as_ints(value)
        elif number == 9:
            strings.append(pb.as_text(value))
        elif number == 20:
            kind = pb.as_int(value)
    lists: dict[int, Attribute] = {KIND_FLOATS: floats, KIND_INTS: ints, KIND_STRINGS: strings}
    if kind in scalars:
        return name, scalars[kind]
    if kind in lists:
        return name, lists[kind]
    if kind == KIND_TENSOR and tensor is not None:
        return name, tensor
    raise _unsupported(f"attribute {name!r} of type {kind}")


def _read_tensor(data: memoryview) -> tuple[str, Array]:
    name, code = "", 0
    dims: list[int] = []
    raw: memoryview | None = None
    floats: list[float] = []
    ints: list[int] = []
    packed64: list[memoryview] = []
    for number, _, value in pb.fields(data):
        if number == 1:
            dims += pb.as_ints(value)
        elif number == 2:
            code = pb.as_int(value)
        elif number == 4:
            floats += pb.as_floats(value)
        elif number in (5, 7, 11):
            ints += pb.as_ints(value)
        elif number == 8:
            name = pb.as_text(value)
        elif number == 9:
            raw = pb.as_bytes(value)
        elif number == 10:
            packed64.append(pb.as_bytes(value))
        elif number == 13 or (number == 14 and value == 1):
            raise _unsupported(f"tensor {name!r} with weights in another file")
    if code not in DTYPES:
        raise _unsupported(f"tensor {name!r} of data type {code}")
    dtype = DTYPES[code]
    if raw is not None or packed64:
        buffer = raw if raw is not None else memoryview(b"".join(packed64))
        if len(buffer) % dtype.itemsize:
            raise _wrong_size(name, dims, f"{len(buffer)} bytes of {dtype.name}")
        array = np.frombuffer(buffer, dtype)
    elif dtype == np.float16:
        # float16 outside raw_data lies bit for bit in int32_data.
        array = np.array(ints, np.int64).astype(np.uint16).view(np.float16)
    else:
        array = np.array(floats or ints, np.float64 if floats else np.int64).astype(dtype)
    if any(dim < 0 for dim in dims) or array.size != _product(dims):
        raise _wrong_size(name, dims, f"{array.size} values")
    return name, array.reshape(dims)


def _product(dims: Sequence[int]) -> int:
    size = 1
    for dim in dims:
        size *= dim
    return size


def _wrong_size(name: str, dims: list[int], got: str) -> CheckpointError:
    return CheckpointError(
        f"tensor {name!r}: expected data for shape {dims}, got {got}; "
        "the model file is corrupt: fetch or convert it again"
    )


def _read_value_info(data: memoryview) -> ValueInfo:
    name, code = "", 0
    shape: list[int | str] = []
    for number, _, value in pb.fields(data):
        if number == 1:
            name = pb.as_text(value)
        elif number == 2:
            for kind, _, tensor in pb.fields(pb.as_bytes(value)):
                if kind != 1:
                    raise _unsupported(f"value {name!r} that is no tensor")
                for part, _, inner in pb.fields(pb.as_bytes(tensor)):
                    if part == 1:
                        code = pb.as_int(inner)
                    elif part == 2:
                        shape = [
                            _read_dim(pb.as_bytes(dim))
                            for key, _, dim in pb.fields(pb.as_bytes(inner))
                            if key == 1
                        ]
    if code not in DTYPES:
        raise _unsupported(f"value {name!r} of data type {code}")
    return ValueInfo(name, DTYPES[code], shape)


def _read_dim(data: memoryview) -> int | str:
    for number, _, value in pb.fields(data):
        if number == 1:
            return pb.as_int(value)
        if number == 2:
            return pb.as_text(value)
    return "?"
