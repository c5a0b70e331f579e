"""The ONNX reader and writer, held against the `onnx` package and onnxruntime."""

from __future__ import annotations

import contextlib
from pathlib import Path

import numpy as np
import onnxruntime as ort
import pytest

from bodypix.checkpoints import protobuf
from bodypix.checkpoints.onnx_format import (
    Model,
    Node,
    Tensor,
    ValueInfo,
    prune,
    read_model,
    write_model,
)
from bodypix.errors import CheckpointError

FLOAT = np.dtype(np.float32)


def small_model() -> Model:
    """Two heads over a shared trunk: `double` = 2(x+1), `clipped` = clip(x+1, 0, 6)."""
    return Model(
        nodes=[
            Node("Add", ["x", "one"], ["trunk"], "add"),
            Node("Mul", ["trunk", "two"], ["double"], "mul"),
            Node("Clip", ["trunk", "", "six"], ["clipped"], "clip"),
        ],
        inputs=[ValueInfo("x", FLOAT, ["n", 3])],
        outputs=[ValueInfo("double", FLOAT, ["n", 3]), ValueInfo("clipped", FLOAT, ["n", 3])],
        initializers=[
            Tensor("one", np.array(1, np.float32)),
            Tensor("two", np.array([2], np.float32)),
            Tensor("six", np.array(6, np.float32)),
        ],
        metadata={"bodypix": '{"format": 1}', "empty": ""},
    )


def assert_same(left: Model, right: Model) -> None:
    assert [vars(node) for node in left.nodes] == [vars(node) for node in right.nodes]
    assert left.inputs == right.inputs
    assert left.outputs == right.outputs
    assert [tensor.name for tensor in left.initializers] == [t.name for t in right.initializers]
    for ours, theirs in zip(left.initializers, right.initializers, strict=True):
        np.testing.assert_array_equal(ours.array, theirs.array)
        assert ours.array.dtype == theirs.array.dtype
    for key in ("metadata", "opset", "ir_version", "producer", "domains"):
        assert getattr(left, key) == getattr(right, key)


def run(data: bytes, x: np.ndarray) -> dict[str, np.ndarray]:
    session = ort.InferenceSession(data, providers=["CPUExecutionProvider"])
    names = [output.name for output in session.get_outputs()]
    return dict(zip(names, session.run(names, {"x": x}), strict=True))


def test_round_trip_keeps_everything() -> None:
    data = write_model(small_model())
    assert_same(read_model(data), small_model())
    assert write_model(read_model(data)) == data


def test_onnxruntime_runs_what_we_write() -> None:
    x = np.array([[-9, 0, 9]], np.float32)
    heads = run(write_model(small_model()), x)
    np.testing.assert_array_equal(heads["double"], 2 * (x + 1))
    np.testing.assert_array_equal(heads["clipped"], np.minimum(x + 1, 6))


def test_the_checker_of_onnx_accepts_what_we_write() -> None:
    onnx = pytest.importorskip("onnx")
    model = onnx.load_from_string(write_model(small_model()))
    onnx.checker.check_model(model, full_check=True)
    assert {entry.key: entry.value for entry in model.metadata_props} == small_model().metadata


def test_reads_every_spelling_that_onnx_writes() -> None:
    """Typed data fields, raw data, every attribute kind, named and unnamed dimensions."""
    onnx = pytest.importorskip("onnx")
    helper, proto = onnx.helper, onnx.TensorProto
    arrays = {
        "f32": (proto.FLOAT, np.array([1.5, -2], np.float32)),
        "f16": (proto.FLOAT16, np.array([0.5, -65504], np.float16)),
        "f64": (proto.DOUBLE, np.array([1e300], np.float64)),
        "i64": (proto.INT64, np.array([-1, 2**40], np.int64)),
        "i32": (proto.INT32, np.array([-5, 7], np.int32)),
        "u8": (proto.UINT8, np.array([0, 255], np.uint8)),
        "i8": (proto.INT8, np.array([-128, 127], np.int8)),
        "flag": (proto.BOOL, np.array([True, False])),
        "u64": (proto.UINT64, np.array([2**64 - 1], np.uint64)),
        "none": (proto.FLOAT, np.zeros((0, 3), np.float32)),
    }
    tensors = []
    for name, (code, array) in arrays.items():
        tensors.append(helper.make_tensor(name, code, array.shape, array.ravel()))
        tensors.append(onnx.numpy_helper.from_array(array, name + "_raw"))
    attributes = {"f": 0.5, "i": -3, "s": "text", "fs": [1.0, 2.5], "is": [1, -2], "ss": ["a", "b"]}
    node = helper.make_node("Thing", ["x"], ["y"], "thing", domain="my.domain", **attributes)
    node.attribute.append(helper.make_attribute("t", tensors[0]))
    node.attribute.append(helper.make_attribute("zero", 0))
    graph = helper.make_graph(
        [node],
        "g",
        [helper.make_tensor_value_info("x", proto.FLOAT, ["n", None, 3])],
        [helper.make_tensor_value_info("y", proto.FLOAT16, [])],
        tensors,
    )
    opsets = [helper.make_opsetid("", 13), helper.make_opsetid("my.domain", 2)]
    model = read_model(helper.make_model(graph, opset_imports=opsets).SerializeToString())

    assert (model.opset, model.domains) == (13, {"my.domain": 2})
    assert model.inputs == [ValueInfo("x", FLOAT, ["n", "?", 3])]
    assert model.outputs == [ValueInfo("y", np.dtype(np.float16), [])]
    found = {tensor.name: tensor.array for tensor in model.initializers}
    for name, (_, array) in arrays.items():
        for key in (name, name + "_raw"):
            np.testing.assert_array_equal(found[key], array)
            assert (found[key].dtype, found[key].shape) == (array.dtype, array.shape)
    read = model.nodes[0].attributes
    np.testing.assert_array_equal(read.pop("t"), arrays["f32"][1])
    assert read == {**attributes, "zero": 0}
    assert model.nodes[0].domain == "my.domain"


def test_unpacked_repeated_fields_are_read() -> None:
    dims = protobuf.field_int(1, 2) + protobuf.field_int(1, 1)
    values = protobuf.field_float(4, 1.0) + protobuf.field_float(4, 2.0)
    tensor = dims + protobuf.field_int(2, 1) + values + protobuf.field_text(8, "w")
    model = read_model(protobuf.field_bytes(7, protobuf.field_bytes(5, tensor)))
    np.testing.assert_array_equal(model.initializers[0].array, [[1], [2]])


@pytest.mark.parametrize(
    ("outputs", "nodes", "initializers"),
    [
        (["double"], ["add", "mul"], ["one", "two"]),
        (["clipped"], ["add", "clip"], ["one", "six"]),
        (["clipped", "double"], ["add", "mul", "clip"], ["one", "two", "six"]),
    ],
)
def test_prune_keeps_what_the_outputs_need(
    outputs: list[str], nodes: list[str], initializers: list[str]
) -> None:
    model = small_model()
    pruned = prune(model, outputs)
    assert [node.name for node in pruned.nodes] == nodes
    assert [tensor.name for tensor in pruned.initializers] == initializers
    assert [info.name for info in pruned.outputs] == outputs
    assert pruned.metadata == model.metadata
    x = np.array([[-9, 0, 9]], np.float32)
    whole, part = run(write_model(model), x), run(write_model(pruned), x)
    for name in outputs:
        np.testing.assert_array_equal(part[name], whole[name])
    assert_same(model, small_model())


@pytest.mark.parametrize("outputs", [["segments"], []])
def test_prune_names_the_outputs_that_are_there(outputs: list[str]) -> None:
    with pytest.raises(CheckpointError, match="expected names among double, clipped, got"):
        prune(small_model(), outputs)


def test_every_truncation_is_an_error_or_another_whole_model() -> None:
    """A cut at a field border of the outer message may read; a cut elsewhere never does."""
    data = write_model(small_model())
    readable = 0
    for size in range(len(data)):
        try:
            model = read_model(data[:size])
        except CheckpointError:
            continue
        readable += 1
        assert len(model.nodes) == 3
    assert readable <= 5


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"this is a text file, not a model",
        b"\x89PNG\r\n\x1a\n" + bytes(64),
        b"<!DOCTYPE html><html>404</html>",
        b"\x80" * 20,
        b"\x3a\xff\xff\xff\xff\x7f",
        bytes(100),
        protobuf.field_int(7, 3),
        protobuf.field_bytes(7, protobuf.field_bytes(5, protobuf.field_text(8, "w"))),
    ],
)
def test_other_files_are_refused(data: bytes) -> None:
    with pytest.raises(CheckpointError, match="model file: expected"):
        read_model(data)


def test_noise_never_raises_anything_else() -> None:
    rng = np.random.default_rng(0)
    data = np.frombuffer(write_model(small_model()), np.uint8)
    for _ in range(2000):
        broken = data.copy()
        broken[rng.integers(0, len(data), 3)] = rng.integers(0, 256, 3)
        with contextlib.suppress(CheckpointError):
            read_model(broken.tobytes())


def test_a_tensor_with_too_little_data_is_named() -> None:
    tensor = (
        protobuf.field_ints(1, [4])
        + protobuf.field_int(2, 1)
        + protobuf.field_text(8, "weights")
        + protobuf.field_bytes(9, bytes(12))
    )
    with pytest.raises(CheckpointError, match=r"'weights': expected data for shape \[4\], got 3"):
        read_model(protobuf.field_bytes(7, protobuf.field_bytes(5, tensor)))


def test_control_flow_is_refused_by_name() -> None:
    attribute = (
        protobuf.field_text(1, "body") + protobuf.field_bytes(6, b"") + protobuf.field_int(20, 5)
    )
    node = protobuf.field_text(4, "Loop") + protobuf.field_bytes(5, attribute)
    with pytest.raises(CheckpointError, match="attribute 'body' of type 5"):
        read_model(protobuf.field_bytes(7, protobuf.field_bytes(1, node)))


def test_a_missing_file_says_so(tmp_path: Path) -> None:
    with pytest.raises(CheckpointError, match=r"nowhere\.onnx: expected a readable file"):
        read_model(tmp_path / "nowhere.onnx")


def test_a_dtype_without_a_code_is_refused() -> None:
    model = small_model()
    model.initializers[0].array = np.array([1j])
    with pytest.raises(CheckpointError, match="'one': expected a dtype that ONNX stores"):
        write_model(model)
