"""The tfjs reader against a numpy evaluation of the same graphs."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from pathlib import Path

import numpy as np
import onnxruntime as ort
import pytest

from bodypix.checkpoints.metadata import HEAD_CHANNELS, read_metadata
from bodypix.checkpoints.onnx_format import Model, write_model
from bodypix.checkpoints.tfjs import convert_tfjs
from helpers.tfjs_models import TfjsModel, evaluate, ints, mobilenet, resnet50, square, text, texts

# Node of each head in the helper's graphs; the displacements have a scope before them.
NODES = {
    "segments": "float_segments",
    "part_heatmaps": "float_part_heatmaps",
    "heatmaps": "float_heatmaps",
    "short_offsets": "float_short_offsets",
    "long_offsets": "float_long_offsets",
    "part_offsets": "float_part_offsets",
    "displacement_fwd": "displacement_fwd_2/BiasAdd",
    "displacement_bwd": "displacement_bwd_2/BiasAdd",
}


def run(model: Model, image: np.ndarray) -> dict[str, np.ndarray]:
    options = ort.SessionOptions()
    options.intra_op_num_threads = 1
    session = ort.InferenceSession(write_model(model), options, providers=["CPUExecutionProvider"])
    names = [output.name for output in session.get_outputs()]
    return dict(zip(names, session.run(names, {"image": image}), strict=True))


def images(height: int, width: int, batch: int = 1) -> np.ndarray:
    rng = np.random.default_rng(height * 1000 + width)
    return rng.uniform(-1, 1, (batch, height, width, 3)).astype(np.float32)


def assert_equal(model: TfjsModel, path: Path, image: np.ndarray, scope: str) -> Model:
    """Every head of the converted model has the values that numpy gets."""
    converted = convert_tfjs(path)
    heads = run(converted, image)
    for head, node in NODES.items():
        name = f"{scope}/{node}" if node.startswith("displacement") else node
        expected = evaluate(model, image, name)
        assert heads[head].shape == expected.shape
        np.testing.assert_allclose(heads[head], expected, rtol=1e-4, atol=1e-4, err_msg=head)
    return converted


@pytest.mark.parametrize("quantise", [None, "uint16", "uint8", "float16"])
@pytest.mark.parametrize("stride", [8, 16])
def test_mobilenet_equals_numpy(tmp_path: Path, stride: int, quantise: str | None) -> None:
    model = mobilenet(stride)
    path = model.write(tmp_path, quantise=quantise)
    converted = assert_equal(model, path, images(49, 65), "MobilenetV1")
    facts = read_metadata(converted)
    assert (facts.architecture, facts.multiplier, facts.output_stride) == (
        "MobileNetV1",
        0.5,
        stride,
    )
    assert facts.quant_bytes == {None: 4, "uint16": 2, "float16": 2, "uint8": 1}[quantise]
    assert (facts.preprocessing, facts.person_head) == ("mobilenet", "segments")


@pytest.mark.parametrize("size", [(1, 1), (17, 1), (17, 33), (81, 49), (113, 161)])
def test_pads_are_right_for_every_valid_size(tmp_path: Path, size: tuple[int, int]) -> None:
    model = mobilenet(16)
    path = model.write(tmp_path)
    assert_equal(model, path, images(*size), "MobilenetV1")


@pytest.mark.parametrize("quantise", [None, "uint8", "uint16"])
@pytest.mark.parametrize(("stride", "size"), [(16, (49, 33)), (16, (33, 65)), (32, (65, 33))])
def test_resnet_equals_numpy(
    tmp_path: Path, stride: int, size: tuple[int, int], quantise: str | None
) -> None:
    """Explicit pads, quantised int32 constants, pooled shortcuts, a dilated last block."""
    model = resnet50(stride)
    path = model.write(tmp_path, quantise=quantise)
    converted = assert_equal(model, path, images(*size), "resnet_v1_50")
    facts = read_metadata(converted)
    assert (facts.architecture, facts.multiplier, facts.output_stride) == ("ResNet50", 1.0, stride)
    assert facts.preprocessing == "resnet50"
    # All pads, biases and identities became part of the convolutions and pools.
    kinds = Counter(node.op_type for node in converted.nodes)
    assert set(kinds) == {"Conv", "Relu", "Add", "MaxPool", "Transpose", "Clip"}
    assert kinds["Conv"] == 53 + 8


def test_a_batch_equals_its_images(tmp_path: Path) -> None:
    converted = convert_tfjs(mobilenet().write(tmp_path))
    batch = images(33, 49, batch=3)
    together = run(converted, batch)
    for index in range(3):
        alone = run(converted, batch[index : index + 1])
        for head in HEAD_CHANNELS.keys() & alone.keys():
            np.testing.assert_allclose(together[head][index], alone[head][0], rtol=1e-5, atol=1e-5)


def test_the_onnx_model_is_canonical(tmp_path: Path) -> None:
    onnx = pytest.importorskip("onnx")
    path = mobilenet().write(tmp_path, shard_bytes=1000)
    converted = convert_tfjs(path, name="mine")
    model = onnx.load_from_string(write_model(converted))
    onnx.checker.check_model(model, full_check=True)
    assert [info.name for info in model.graph.input] == ["image"]
    assert {info.name for info in converted.outputs} == set(NODES)
    assert converted.inputs[0].shape[1:] == ["height", "width", 3]
    assert read_metadata(converted).name == "mine"
    kinds = Counter(node.op_type for node in converted.nodes)
    assert kinds == {"Transpose": 9, "Conv": 17, "Clip": 10}


# Single layers. Each case adds layers of 4 channels to a stride-16 trunk and returns their name.


def trunk(model: TfjsModel) -> str:
    x = model.image
    for index in range(4):
        kernel = model.kernel(f"trunk{index}", 3, 3, 4 if index else 3, 4)
        x = model.conv(x, f"trunk{index}", kernel, "Relu", strides=square(2))
    return x


def _fused_conv(model: TfjsModel, x: str) -> str:
    kernel, bias = model.kernel("f", 3, 3, 4, 4), model.normal("f/bias", 4)
    steps = texts("BiasAdd", "Relu6")
    x = model.op("f", "_FusedConv2D", x, kernel, bias, padding=text("SAME"), fused_ops=steps)
    kernel, bias = model.kernel("g", 3, 3, 4, 1, depthwise=True), model.normal("g/bias", 4)
    x = model.op(
        "g",
        "FusedDepthwiseConv2dNative",
        x,
        kernel,
        bias,
        padding=text("SAME"),
        fused_ops=texts("BiasAdd", "Relu"),
    )
    kernel, bias = model.kernel("h", 1, 1, 4, 4), model.normal("h/bias", 4)
    steps = texts("BiasAdd")
    return model.op("h", "FusedConv2D", x, kernel, bias, padding=text("VALID"), fused_ops=steps)


def _even_kernels(model: TfjsModel, x: str) -> str:
    x = model.conv(x, "even", model.kernel("even", 2, 4, 4, 4))
    return model.op("pool", "MaxPool", x, ksize=square(2), padding=text("SAME"))


def _batch_norm(model: TfjsModel, x: str) -> str:
    sums = model.op("bn/conv", "Conv2D", x, model.kernel("bn", 3, 3, 4, 4), padding=text("SAME"))
    return _norm(model, sums, "bn")


def _norm(model: TfjsModel, x: str, name: str) -> str:
    constants = [model.normal(f"{name}/{key}", 4) for key in ("gamma", "beta", "mean")]
    constants.append(model.const(f"{name}/variance", [0.5, 1.0, 2.0, 4.0]))
    settings = {"epsilon": {"f": 0.001}, "is_training": {"b": False}}
    return model.op(name, "FusedBatchNormV3", x, *constants, **settings)


def _norm_of_a_relu(model: TfjsModel, x: str) -> str:
    return _norm(model, x, "late")


def _unfused_norm(model: TfjsModel, x: str) -> str:
    sums = model.op("un/conv", "Conv2D", x, model.kernel("un", 1, 1, 4, 4), padding=text("SAME"))
    x = model.op("un/mul", "Mul", model.const("un/scale", [[[[1, 2, -1, 0.5]]]]), sums)
    x = model.op("un/sub", "Sub", x, model.normal("un/mean", 4))
    return model.op("un/add", "AddV2", model.const("un/one", 1.0), x)


def _two_readers(model: TfjsModel, x: str) -> str:
    """The bias must not be folded into sums that something else reads as well."""
    sums = model.op("two/conv", "Conv2D", x, model.kernel("two", 1, 1, 4, 4), padding=text("SAME"))
    same = model.op("two/same", "Identity", sums)
    biased = model.op("two/bias", "BiasAdd", same, model.normal("two/values", 4))
    return model.op("two/add", "Add", sums, biased)


def _identities(model: TfjsModel, x: str) -> str:
    x = model.op("id1", "Identity", x)
    sums = model.op("id/conv", "Conv2D", x, model.kernel("id", 1, 1, 4, 4), padding=text("SAME"))
    x = model.op("id2", "Identity", sums)
    return model.op("id/bias", "BiasAdd", x, model.normal("id/values", 4))


def _depth_multiplier(model: TfjsModel, x: str) -> str:
    x = model.conv(x, "m_depthwise", model.kernel("m_depthwise", 3, 3, 4, 2, depthwise=True))
    return model.conv(x, "n", model.kernel("n", 1, 1, 8, 4))


def _explicit(model: TfjsModel, x: str) -> str:
    pads = ints(0, 0, 2, 0, 1, 1, 0, 0)
    return model.conv(
        x, "ex", model.kernel("ex", 3, 3, 4, 4), padding=text("EXPLICIT"), explicit_paddings=pads
    )


def _pads_in_a_row(model: TfjsModel, x: str) -> str:
    one = model.const("row/one", [[0, 0], [1, 0], [0, 1], [0, 0]])
    x = model.op("row/a", "Pad", x, one)
    x = model.op("row/b", "Pad", x, model.const("row/two", [[0, 0], [0, 1], [1, 0], [0, 0]]))
    return model.conv(x, "row", model.kernel("row", 3, 3, 4, 4), padding=text("VALID"))


def _pad_then_same(model: TfjsModel, x: str) -> str:
    pads = model.const("same/pads", [[0, 0], [1, 1], [1, 1], [0, 0]])
    x = model.op("same/pad", "Pad", x, pads)
    x = model.conv(x, "same", model.kernel("same", 3, 3, 4, 4))
    return model.conv(x, "shrink", model.kernel("shrink", 3, 3, 4, 4), padding=text("VALID"))


def _pad_of_negatives(model: TfjsModel, x: str) -> str:
    """Zeros win over negative values in a pool: they must be real there."""
    x = model.op("neg", "Sub", x, model.const("neg/far", 9.0))
    pads = model.const("neg/pads", [[0, 0], [1, 1], [1, 1], [0, 0]])
    x = model.op("neg/pad", "Pad", x, pads)
    return model.op("neg/pool", "MaxPool", x, ksize=square(3), padding=text("VALID"))


def _pad_value(model: TfjsModel, x: str) -> str:
    pads = model.const("val/pads", [[0, 0], [1, 1], [1, 1], [0, 0]])
    x = model.op("val/pad", "PadV2", x, pads, model.const("val/value", -2.5))
    return model.conv(x, "val", model.kernel("val", 3, 3, 4, 4), padding=text("VALID"))


def _pad_before_add(model: TfjsModel, x: str) -> str:
    zero = model.const("pa/pads", [[0, 0], [1, 0], [0, 1], [0, 0]])
    left = model.op("pa/left", "Pad", x, zero)
    right = model.op("pa/right", "Pad", model.op("pa/relu", "Relu", x), zero)
    x = model.op("pa/add", "Add", left, right)
    return model.conv(x, "pa", model.kernel("pa", 2, 2, 4, 4), padding=text("VALID"))


def _space_to_batch(model: TfjsModel, x: str) -> str:
    """Dilation 2 as TensorFlow 1 wrote it, for a grid of 4 x 6."""
    block = model.const("s2b/block", [2, 2])
    x = model.op("s2b", "SpaceToBatchND", x, block, model.const("s2b/p", [[2, 2], [2, 2]]))
    x = model.conv(x, "dil", model.kernel("dil", 3, 3, 4, 4), "Relu", padding=text("VALID"))
    crops = model.const("s2b/crops", [[0, 0], [0, 0]])
    return model.op("b2s", "BatchToSpaceND", x, block, crops)


def _space_to_batch_cropped(model: TfjsModel, x: str) -> str:
    block = model.const("s2b/block", [3, 2])
    x = model.op("s2b", "SpaceToBatchND", x, block, model.const("s2b/p", [[3, 5], [2, 2]]))
    x = model.conv(x, "d_depthwise", model.kernel("d_depthwise", 3, 3, 4, 1, depthwise=True))
    crops = model.const("s2b/crops", [[3, 5], [2, 2]])
    return model.op("b2s", "BatchToSpaceND", x, block, crops)


def _bounds(model: TfjsModel, x: str) -> str:
    x = model.op("lo", "Maximum", model.const("lo/y", 0.5), x)
    x = model.op("hi", "Minimum", x, model.const("hi/y", 2.0))
    return model.op("hi2", "Minimum", x, model.const("hi2/y", 1.5))


LAYERS: list[Callable[[TfjsModel, str], str]] = [
    _fused_conv,
    _even_kernels,
    _batch_norm,
    _norm_of_a_relu,
    _unfused_norm,
    _two_readers,
    _identities,
    _depth_multiplier,
    _explicit,
    _pads_in_a_row,
    _pad_then_same,
    _pad_of_negatives,
    _pad_value,
    _pad_before_add,
    _space_to_batch,
    _space_to_batch_cropped,
    _bounds,
]


@pytest.mark.parametrize("layer", LAYERS, ids=lambda layer: layer.__name__.strip("_"))
def test_a_layer_equals_numpy(tmp_path: Path, layer: Callable[[TfjsModel, str], str]) -> None:
    model = TfjsModel()
    model.heads(layer(model, trunk(model)), 4, "MobilenetV1")
    model.nodes.reverse()  # the order of the nodes in the JSON means nothing
    assert_equal(model, model.write(tmp_path), images(49, 81), "MobilenetV1")


def test_old_converters_write_texts_as_character_codes(tmp_path: Path) -> None:
    """And inputs may carry an output index, or be control inputs."""
    model = mobilenet()
    image = images(33, 33)
    expected = evaluate(model, image, "float_segments")
    for node in model.nodes[1:]:
        if "padding" in node["attr"]:
            node["attr"]["padding"] = {"s": [ord(letter) for letter in "SAME"]}
        node["input"] = [f"{name}:0" for name in node.get("input", [])] + ["^sub_2"]
    heads = run(convert_tfjs(model.write(tmp_path)), image)
    np.testing.assert_allclose(heads["segments"], expected, rtol=1e-4, atol=1e-4)
