"""The exported file answers as the network does, at every size and however it is stored."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
import onnxruntime as ort
import pytest
import torch

import bodypix
from bodypix.errors import OutputError
from bodypix_train.export import build, default_metadata, export
from bodypix_train.networks.bodypix import COARSE_HEADS, FINE_HEADS, BodyPixNet


def lively(network: BodyPixNet) -> BodyPixNet:
    """Give batch norms statistics that folding must get right."""
    for module in network.modules():
        if isinstance(module, torch.nn.BatchNorm2d):
            module.running_mean.normal_(0, 0.1)
            module.running_var.uniform_(0.5, 1.5)
            torch.nn.init.uniform_(module.weight, 0.5, 1.5)
            torch.nn.init.normal_(module.bias, 0, 0.1)
    return network


def write(network: BodyPixNet, path: Path, half: bool) -> Path:
    metadata = default_metadata("tiny", "1", network.multiplier, network.architecture)
    return export(network, metadata, path, half)


@pytest.fixture(params=["MobileNetV1", "ResNet50", "surroundings", "overview", "ResNet50 overview"])
def network(request: pytest.FixtureRequest) -> BodyPixNet:
    torch.manual_seed(0)
    if request.param == "surroundings":
        return BodyPixNet(0.25, (16, 8), surroundings=8)
    if request.param == "overview":
        return BodyPixNet(0.25, (16, 8), surroundings=8, overview=8)
    if request.param == "ResNet50 overview":
        return BodyPixNet(0.125, (16, 8), "ResNet50", overview=8)
    return BodyPixNet(0.25 if request.param == "MobileNetV1" else 0.125, (16, 8), request.param)


@pytest.mark.parametrize(
    ("half", "size", "tolerance"),
    [(False, (65, 49), 1e-4), (False, (17, 81), 1e-4), (True, (65, 49), 0.02)],
)
def test_equals_the_network(
    network: BodyPixNet, tmp_path: Path, half: bool, size: tuple[int, int], tolerance: float
) -> None:
    path = write(lively(network), tmp_path / "tiny.onnx", half)
    onnx.checker.check_model(onnx.load(path), full_check=True)
    session = ort.InferenceSession(path, providers=["CPUExecutionProvider"])
    image = np.random.default_rng(0).uniform(-1, 1, (2, *size, 3)).astype(np.float32)
    names = [output.name for output in session.get_outputs()]
    answers = dict(zip(names, session.run(names, {"image": image}), strict=True))
    with torch.no_grad():
        expected = network(torch.from_numpy(image.transpose(0, 3, 1, 2)))
    assert set(names) == {*COARSE_HEADS, *FINE_HEADS} == set(expected)
    for name, head in expected.items():
        mine = head.numpy().transpose(0, 2, 3, 1)
        if name == "part_offsets":
            mine = mine.clip(0, 1)
        scale = max(1.0, float(np.abs(mine).max()))
        assert answers[name].shape == mine.shape
        assert np.abs(answers[name] - mine).max() / scale < tolerance, name


def test_grids_are_corner_aligned(network: BodyPixNet) -> None:
    with torch.no_grad():
        heads = network(torch.zeros(1, 3, 65, 97))
    assert heads["segments"].shape == (1, 1, 5, 7)
    assert heads["part_heatmaps_fine"].shape == (1, 24, 9, 13)
    assert heads["segments_fine"].shape == (1, 1, 17, 25)


def test_half_storage_is_half_the_size(network: BodyPixNet, tmp_path: Path) -> None:
    whole = write(network, tmp_path / "whole.onnx", False).stat().st_size
    half = write(network, tmp_path / "half.onnx", True).stat().st_size
    assert half < 0.65 * whole


def test_library_loads_and_runs_it(network: BodyPixNet, tmp_path: Path) -> None:
    path = write(lively(network), tmp_path / "tiny.onnx", True)
    model = bodypix.load(model_url=str(path))
    image = np.random.default_rng(0).integers(0, 255, (50, 70, 3), dtype=np.uint8)
    assert model.segment_person(image).mask.shape == (50, 70)
    assert model.segment_person_parts(image).part_ids.shape == (50, 70)


def test_what_cannot_be_written_leaves_nothing(network: BodyPixNet, tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()
    for name in ("folder", "gone/tiny.onnx"):
        with pytest.raises(OutputError, match="cannot write"):
            write(network, tmp_path / name, True)
    assert [path.name for path in tmp_path.rglob("*")] == ["folder"]


def test_no_weight_is_a_graph_input(network: BodyPixNet) -> None:
    model = build(network, default_metadata("tiny", "1", 0.25))
    assert [value.name for value in model.inputs] == ["image"]
