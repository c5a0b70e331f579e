"""What an ONNX file holds, as plain dataclasses, and the code numbers of onnx.proto."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

Array: TypeAlias = npt.NDArray[Any]
Attribute: TypeAlias = int | float | str | list[int] | list[float] | list[str] | Array

# TensorProto.DataType; bfloat16 and the 8-bit floats have no numpy type, so they are left out.
DTYPES: dict[int, np.dtype[Any]] = {
    code: np.dtype(name)
    for code, name in {
        1: "<f4", 2: "u1", 3: "i1", 4: "<u2", 5: "<i2", 6: "<i4",
        7: "<i8", 9: "?", 10: "<f2", 11: "<f8", 12: "<u4", 13: "<u8",
    }.items()
}  # fmt: skip
CODES = {dtype: code for code, dtype in DTYPES.items()}

# AttributeProto.AttributeType
KIND_FLOAT, KIND_INT, KIND_STRING, KIND_TENSOR = 1, 2, 3, 4
KIND_FLOATS, KIND_INTS, KIND_STRINGS = 6, 7, 8


@dataclass
class Tensor:
    """A named constant. `array` read from a file is a read-only view of the file's bytes."""

    name: str
    array: Array


@dataclass
class Node:
    """One operation. An empty input name stands for an optional input that is left out."""

    op_type: str
    inputs: list[str]
    outputs: list[str]
    name: str = ""
    attributes: dict[str, Attribute] = field(default_factory=dict)
    domain: str = ""


@dataclass
class ValueInfo:
    """A graph input or output: dtype, and per dimension a size or the name of a free size."""

    name: str
    dtype: np.dtype[Any]
    shape: list[int | str]


@dataclass
class Model:
    """A whole ONNX file. `opset` is that of the standard operators; `domains` holds the others."""

    nodes: list[Node]
    inputs: list[ValueInfo]
    outputs: list[ValueInfo]
    initializers: list[Tensor]
    metadata: dict[str, str] = field(default_factory=dict)
    opset: int = 17
    ir_version: int = 8
    producer: str = "bodypix"
    domains: dict[str, int] = field(default_factory=dict)
