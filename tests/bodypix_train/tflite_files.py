"""TFLite files made for tests."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from ai_edge_litert import schema_py_generated as schema
from flatbuffers import Builder


def tflite(path: Path, side: int) -> Path:
    """A TFLite file whose answer is the mean of a picture's colours."""

    def tensor(shape: list[int], kind: int, buffer: int, name: str) -> schema.TensorT:
        made = schema.TensorT()
        made.shape, made.type, made.buffer, made.name = shape, kind, buffer, name
        return made

    floats, ids = schema.TensorType.FLOAT32, schema.TensorType.INT32
    graph = schema.SubGraphT()
    graph.tensors = [
        tensor([1, side, side, 3], floats, 0, "picture"),
        tensor([1], ids, 1, "axis"),
        tensor([1, side, side, 1], floats, 0, "person"),
    ]
    mean, reducer = schema.OperatorT(), schema.ReducerOptionsT()
    reducer.keepDims = True
    mean.opcodeIndex, mean.inputs, mean.outputs = 0, [0, 1], [2]
    mean.builtinOptionsType = schema.BuiltinOptions.ReducerOptions
    mean.builtinOptions = reducer
    graph.inputs, graph.outputs, graph.operators = [0], [2], [mean]
    code = schema.OperatorCodeT()
    code.builtinCode = code.deprecatedBuiltinCode = schema.BuiltinOperator.MEAN
    code.version = 1
    empty, axis = schema.BufferT(), schema.BufferT()
    axis.data = np.frombuffer(np.array([3], np.int32).tobytes(), np.uint8)
    model = schema.ModelT()
    model.version, model.subgraphs, model.operatorCodes = 3, [graph], [code]
    model.buffers = [empty, axis]
    builder = Builder(1024)
    builder.Finish(model.Pack(builder), file_identifier=b"TFL3")
    path.write_bytes(bytes(builder.Output()))
    return path
