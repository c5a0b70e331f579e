"""The same weights on other output strides."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import onnxruntime as ort
import pytest

from bodypix.checkpoints.metadata import METADATA_KEY, read_metadata
from bodypix.checkpoints.onnx_format import Model, Node, ValueInfo, read_model, write_model
from bodypix.checkpoints.rewire import with_output_stride
from bodypix.checkpoints.store import resolve_name
from bodypix.checkpoints.tfjs import convert_tfjs
from bodypix.errors import CheckpointError, InvalidArgumentError
from helpers.tfjs_models import mobilenet, resnet50


def heads(model: Model, seed: int = 5, size: tuple[int, int] = (65, 97)) -> dict[str, np.ndarray]:
    """All heads for a random image; 65x97 fits all three strides."""
    options = ort.SessionOptions()
    options.intra_op_num_threads = 1
    session = ort.InferenceSession(write_model(model), options, providers=["CPUExecutionProvider"])
    names = [output.name for output in model.outputs]
    image = np.random.default_rng(seed).uniform(-1, 1, (1, *size, 3)).astype(np.float32)
    return dict(zip(names, session.run(names, {"image": image}), strict=True))


def assert_same(first: dict[str, np.ndarray], second: dict[str, np.ndarray]) -> None:
    assert first.keys() == second.keys()
    for name in first:
        np.testing.assert_allclose(first[name], second[name], rtol=0, atol=1e-5, err_msg=name)


def every_second(answers: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    return {name: array[:, ::2, ::2] for name, array in answers.items()}


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Model:
    """A small MobileNetV1 of stride 16 with random weights."""
    return convert_tfjs(mobilenet(16).write(tmp_path_factory.mktemp("small")))


def test_grids_agree_where_they_meet(small: Model) -> None:
    coarse, own, fine = (heads(with_output_stride(small, stride)) for stride in (32, 16, 8))
    assert [answers["segments"].shape[1:3] for answers in (coarse, own, fine)] == [
        (3, 4), (5, 7), (9, 13),
    ]  # fmt: skip
    assert_same(coarse, every_second(own))
    assert_same(own, every_second(fine))


@pytest.mark.parametrize("way", [(8, 16), (32, 16), (8, 32, 16), (32, 8, 16)])
def test_there_and_back(small: Model, way: tuple[int, ...]) -> None:
    model = small
    for stride in way:
        model = with_output_stride(model, stride)
    assert_same(heads(model), heads(small))


def test_eight_is_what_training_tools_make_of_it(tmp_path: Path, small: Model) -> None:
    """The helper writes a stride 8 graph of the same weights, with dilations, by itself."""
    assert_same(
        heads(with_output_stride(small, 8)), heads(convert_tfjs(mobilenet(8).write(tmp_path)))
    )


def test_the_description_follows(small: Model) -> None:
    facts = read_metadata(with_output_stride(small, 8))
    assert facts.output_stride == 8
    assert facts == replace(read_metadata(small), output_stride=8)


def test_its_own_stride_is_itself(small: Model) -> None:
    assert with_output_stride(small, 16) is small


def test_the_model_is_left_alone(small: Model) -> None:
    before = write_model(small)
    with_output_stride(small, 8)
    assert write_model(small) == before


def test_fine_heads_stay_behind(small: Model) -> None:
    """Of a decoder that is not ours nobody knows what its features have to be."""
    fine = ValueInfo("segments_fine", np.dtype("<f4"), ["n", "y", "x", 1])
    shape = Node("Shape", ["segments"], ["segments/shape"])
    resize = Node("Resize", ["segments", "", "", "segments/shape"], ["segments_fine"])
    facts = replace(read_metadata(small), person_head="segments_fine")
    decoded = replace(
        small,
        nodes=[*small.nodes, shape, resize],
        outputs=[*small.outputs, fine],
        metadata={METADATA_KEY: facts.to_json()},
    )
    assert with_output_stride(decoded, 16) is decoded
    rewired = with_output_stride(decoded, 8)
    assert [output.name for output in rewired.outputs] == [output.name for output in small.outputs]
    assert read_metadata(rewired).person_head == "segments"
    assert_same(heads(rewired), heads(with_output_stride(small, 8)))


@pytest.mark.parametrize("stride", [4, 0, 64, 16.5, "16", None])
def test_other_strides(small: Model, stride: object) -> None:
    with pytest.raises(InvalidArgumentError, match="output_stride: expected one of 8, 16, 32; got"):
        with_output_stride(small, stride)  # type: ignore[arg-type]


def test_a_resnet_keeps_its_stride(tmp_path: Path) -> None:
    model = convert_tfjs(resnet50(16).write(tmp_path))
    with pytest.raises(InvalidArgumentError, match=r"ResNet50 keeps the stride .* 16; got 32"):
        with_output_stride(model, 32)


def edited(model: Model, **attributes: object) -> Model:
    """The model with other attributes on its first spatial convolution."""
    nodes = list(model.nodes)
    place = next(i for i, node in enumerate(nodes) if node.attributes.get("kernel_shape") == [3, 3])
    changed = {**nodes[place].attributes, **attributes}
    nodes[place] = replace(nodes[place], attributes=changed)  # type: ignore[arg-type]
    return replace(model, nodes=nodes)


@pytest.mark.parametrize(
    ("attributes", "message"),
    [
        ({"strides": [1, 1]}, "expected one chain down to stride 16; got 8"),
        ({"strides": [2, 1]}, "expected square windows"),
        ({"pads": [0, 0, 2, 2]}, "pads that centre them"),
        ({"auto_pad": "SAME_UPPER"}, "explicit pads"),
    ],
)
def test_graphs_that_are_no_plain_chain(small: Model, attributes, message) -> None:
    with pytest.raises(CheckpointError, match=message):
        with_output_stride(edited(small, **attributes), 8)


def test_a_graph_with_pooling(small: Model) -> None:
    first = small.nodes[-1]
    pool = Node("MaxPool", first.outputs, ["pooled"], attributes={"kernel_shape": [1, 1]})
    nodes = [*small.nodes, pool, replace(first, inputs=["pooled"], outputs=["part_offsets"])]
    outputs = [*small.outputs, ValueInfo("part_offsets", np.dtype("<f4"), ["n", "y", "x", 48])]
    with pytest.raises(CheckpointError, match="pointwise operations; got MaxPool"):
        with_output_stride(replace(small, nodes=nodes, outputs=outputs), 8)


@pytest.mark.parametrize(("own", "other"), [(16, 8), (8, 16)])
def test_published_strides_are_this_of_each_other(shared: Path, own: int, other: int) -> None:
    folder = shared / "golden" / "tfjs" / "float" / "050"
    ours = with_output_stride(convert_tfjs(folder / f"model-stride{own}.json"), other)
    theirs = convert_tfjs(folder / f"model-stride{other}.json")
    size = (161, 129)
    assert_same(heads(ours, size=size), heads(theirs, size=size))


def assert_strides_of_our_own(model: Model, tolerance: float) -> None:
    """Coarse heads agree where grids meet; fine heads stay, though of finer features at 8.

    `tolerance` is the share of the largest number of a head by which it may be off.
    """
    own = heads(model)
    for stride in (8, 32):
        changed = with_output_stride(model, stride)
        facts = replace(read_metadata(changed), output_stride=16)
        assert facts == read_metadata(model)
        found = heads(changed)
        assert found.keys() == own.keys()
        for name, expected in own.items():
            array = found[name]
            if not name.endswith("_fine"):
                fine, coarse = (array, expected) if stride == 8 else (expected, array)
                array, expected = fine[:, ::2, ::2], coarse
            elif stride == 8:
                assert array.shape == expected.shape
                continue
            off = tolerance * max(1.0, float(np.abs(expected).max()))
            np.testing.assert_allclose(array, expected, rtol=0, atol=off, err_msg=name)


@pytest.mark.parametrize(("surroundings", "overview"), [(0, 0), (8, 0), (0, 8), (8, 8)])
def test_our_own_network(surroundings: int, overview: int) -> None:
    """With its decoder, float16 weights and context gate, as training exports it."""
    torch = pytest.importorskip("torch", reason="the network is built with PyTorch")
    from bodypix_train.export import build, default_metadata
    from bodypix_train.networks.bodypix import BodyPixNet

    network = BodyPixNet(0.5, surroundings=surroundings, overview=overview)
    for detour in (network.surroundings, network.overview):
        if detour is not None:
            torch.nn.init.ones_(detour.widen[1].weight)  # or it adds nothing
    assert_strides_of_our_own(build(network, default_metadata("own", "1", 0.5)), 1e-5)


@pytest.mark.parametrize("name", [None, "small"])
def test_built_in_weights(name: str | None) -> None:
    assert_strides_of_our_own(read_model(resolve_name(name)), 1e-5)


@pytest.mark.parametrize("height", [17, 33, 49, 65])
def test_stride_eight_of_built_in_weights_at_every_size(height: int) -> None:
    """Also where no whole number of cells of the detour fits into the picture."""
    model = with_output_stride(read_model(resolve_name(None)), 8)
    found = heads(model, size=(height, 49))
    assert found["segments"].shape[1:3] == ((height + 7) // 8, 7)
    assert found["segments_fine"].shape[1:3] == ((height + 3) // 4, 13)


@pytest.mark.parametrize("stride", [8, 32])
def test_our_own_networks_are_changed_once(stride: int) -> None:
    changed = with_output_stride(read_model(resolve_name(None)), stride)
    with pytest.raises(CheckpointError, match="expected an own network as it was loaded"):
        with_output_stride(changed, 16)
