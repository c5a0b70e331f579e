"""Running a model file."""

from __future__ import annotations

import copy
import dataclasses
import pickle
import re
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import onnxruntime
import pytest

from bodypix import devices, engine
from bodypix.checkpoints.onnx_format import read_model, write_model
from bodypix.engine import Engine
from bodypix.errors import CheckpointError, DeviceError, ImageError, InvalidArgumentError
from helpers.sides import sides_network

CPU = "CPUExecutionProvider"


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    file = tmp_path_factory.mktemp("engine") / "sides.onnx"
    file.write_bytes(sides_network(fine=True))
    return file


def inputs(count: int = 1, size: tuple[int, int] = (49, 65)) -> np.ndarray:
    rng = np.random.default_rng(0)
    return rng.uniform(-1, 1, (count, *size, 3)).astype(np.float32)


def test_only_what_is_asked_for_is_computed(path: Path) -> None:
    one = Engine(path, device="cpu", threads=1)
    heads = one.run(inputs(), ["segments_fine", "part_heatmaps_fine"])
    assert list(heads) == ["segments_fine", "part_heatmaps_fine"]
    assert heads["segments_fine"].shape == (1, 13, 17, 1)
    assert heads["part_heatmaps_fine"].shape == (1, 7, 9, 24)
    session = one._sessions["segments_fine", "part_heatmaps_fine"]
    assert [output.name for output in session.get_outputs()] == list(heads)


def test_one_session_for_each_set_of_heads(path: Path) -> None:
    one = Engine(path, device="cpu")
    for size in ((17, 17), (49, 65), (33, 97)):
        one.run(inputs(2, size), ["segments"])
        one.run(inputs(1, size), ["segments", "heatmaps"])
    assert len(one._sessions) == 2


def test_batch_equals_single(path: Path) -> None:
    one = Engine(path, device="cpu", threads=1)
    batch = inputs(3)
    together = one.run(batch, ["heatmaps"])["heatmaps"]
    for index in range(3):
        alone = one.run(batch[index : index + 1], ["heatmaps"])["heatmaps"]
        np.testing.assert_array_equal(together[index], alone[0])


def test_many_threads_make_one_session(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[tuple[str, ...]] = []
    original = Engine._new_session

    def slow(self: Engine, names: tuple[str, ...]) -> object:
        made.append(names)
        return original(self, names)

    monkeypatch.setattr(Engine, "_new_session", slow)
    one = Engine(path, device="cpu", threads=1)
    batch = inputs()
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda _: one.run(batch, ["segments"])["segments"], range(32)))
    assert made == [("segments",)]
    for answer in answers:
        np.testing.assert_array_equal(answer, answers[0])


def test_device_and_providers_are_reported(path: Path) -> None:
    one = Engine(path, device="cpu", threads=2)
    assert one.providers == (CPU,)
    assert one.device == "cpu"
    assert one.threads == 2
    assert one.metadata.name == "sides"
    assert "segments_fine" in one.head_names


def test_threads_reach_onnxruntime(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[int] = []
    original = onnxruntime.InferenceSession

    def spy(graph: bytes, options: onnxruntime.SessionOptions, **more: object) -> object:
        seen.append(options.intra_op_num_threads)
        return original(graph, options, **more)

    monkeypatch.setattr(engine.onnxruntime, "InferenceSession", spy)
    for threads in (1, 2, None):
        Engine(path, device="cpu", threads=threads).run(inputs(), ["segments"])
    assert seen == [1, 2, 0]


@pytest.mark.parametrize("threads", [0, -1, 1.5, True, "2", 100_000])
def test_threads_out_of_range(path: Path, threads: object) -> None:
    with pytest.raises(InvalidArgumentError, match="threads: expected a whole number from 1"):
        Engine(path, threads=threads)  # type: ignore[arg-type]


@pytest.mark.parametrize("way", [copy.deepcopy, lambda one: pickle.loads(pickle.dumps(one))])
def test_copies_answer_alike(path: Path, way) -> None:
    one = Engine(path, device="cpu", threads=1)
    answer = one.run(inputs(), ["segments"])["segments"]
    other = way(one)
    assert other.threads == 1
    np.testing.assert_array_equal(other.run(inputs(), ["segments"])["segments"], answer)


def test_too_little_memory_is_no_fault_of_the_model(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Session:
        def run(self, *_: object) -> None:
            raise RuntimeError("BFCArena::AllocateRawInternal Failed to allocate memory for 1 TB")

    one = Engine(path, device="cpu", threads=1)
    monkeypatch.setattr(one, "_session", lambda names: Session())
    with pytest.raises(ImageError, match=r"input of 65x49 pixels\. Lower internal_resolution"):
        one.run(inputs(), ["segments"])


@pytest.mark.skipif(
    "CUDAExecutionProvider" in onnxruntime.get_available_providers(), reason="CUDA is built in"
)
def test_cuda_raises_where_it_is_absent(path: Path) -> None:
    with pytest.raises(DeviceError, match="onnxruntime-gpu"):
        Engine(path, device="cuda")


def test_a_device_that_does_not_start_is_found_when_loading(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As with onnxruntime-gpu on a machine without a driver: the session gets the CPU."""
    wanted = ["CUDAExecutionProvider", CPU]
    monkeypatch.setattr(engine, "choose_providers", lambda device, available: wanted)
    original = onnxruntime.InferenceSession

    def fall_back(graph: bytes, options: object, providers: list[str]) -> object:
        assert providers == wanted
        return original(graph, options, providers=[CPU])

    monkeypatch.setattr(engine.onnxruntime, "InferenceSession", fall_back)
    with pytest.raises(DeviceError, match="'cuda' is not usable"):
        Engine(path, device="cuda")
    with pytest.warns(RuntimeWarning, match="using the CPU"):
        one = Engine(path, device="auto")
    assert one.device == "cpu"
    assert devices.device_name(one.providers) == "cpu"


@pytest.mark.parametrize("content", [b"", b"Dear Sir or Madam", b"\x08\x08" + bytes(100)])
def test_corrupt_files(content: bytes, tmp_path: Path) -> None:
    path = tmp_path / "model.onnx"
    path.write_bytes(content)
    with pytest.raises(CheckpointError, match=rf"^model file {re.escape(str(path))}: expected"):
        Engine(path)


def test_a_file_without_a_description(path: Path, tmp_path: Path) -> None:
    other = tmp_path / "other.onnx"
    other.write_bytes(write_model(dataclasses.replace(read_model(path), metadata={})))
    message = rf"^model file {re.escape(str(other))}: expected a BodyPix ONNX file"
    with pytest.raises(CheckpointError, match=message):
        Engine(other)


def test_missing_file(tmp_path: Path) -> None:
    with pytest.raises(CheckpointError, match="missing"):
        Engine(tmp_path / "missing.onnx")


def test_half_a_file(path: Path, tmp_path: Path) -> None:
    half = tmp_path / "half.onnx"
    half.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    with pytest.raises(CheckpointError):
        Engine(half).run(inputs(), ["segments"])


def test_another_input_name(path: Path, tmp_path: Path) -> None:
    model = read_model(path)
    model.inputs[0] = dataclasses.replace(model.inputs[0], name="pixels")
    other = tmp_path / "other.onnx"
    other.write_bytes(write_model(model))
    with pytest.raises(
        CheckpointError, match=r"expected one input named 'image', got \['pixels'\]"
    ):
        Engine(other)


def test_a_graph_that_onnxruntime_refuses(path: Path, tmp_path: Path) -> None:
    model = read_model(path)
    model.nodes[0] = dataclasses.replace(model.nodes[0], op_type="Transmogrify")
    broken = tmp_path / "broken.onnx"
    broken.write_bytes(write_model(model))
    with pytest.raises(CheckpointError, match="refuses its graph"):
        Engine(broken).run(inputs(), ["segments"])


def test_a_missing_head(path: Path) -> None:
    with pytest.raises(CheckpointError, match="ears"):
        Engine(path).run(inputs(), ["ears"])


def test_a_grid_that_is_not_corner_aligned(path: Path) -> None:
    with pytest.raises(CheckpointError, match="corner-aligned"):
        Engine(path).run(inputs(size=(50, 65)), ["segments"])


def test_an_input_that_does_not_fit(path: Path) -> None:
    with pytest.raises(CheckpointError, match="failed on an input of shape"):
        Engine(path).run(np.zeros((1, 17, 17, 4), np.float32), ["segments"])
