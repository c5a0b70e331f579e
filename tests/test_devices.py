"""Names of devices, and what onnxruntime makes of them."""

from __future__ import annotations

import warnings

import pytest

from bodypix.devices import check_providers, choose_providers, device_name
from bodypix.errors import DeviceError, InvalidArgumentError

CPU, CUDA, COREML = "CPUExecutionProvider", "CUDAExecutionProvider", "CoreMLExecutionProvider"


@pytest.mark.parametrize(
    ("device", "available", "expected"),
    [
        ("auto", [CPU], [CPU]),
        ("auto", [CUDA, CPU], [CUDA, CPU]),
        ("auto", ["TensorrtExecutionProvider", CUDA, CPU], [CUDA, CPU]),
        ("auto", [COREML, CPU], [CPU]),
        ("auto", ["AzureExecutionProvider", CPU], [CPU]),
        ("auto", ["DmlExecutionProvider", CPU], ["DmlExecutionProvider", CPU]),
        ("cpu", [CUDA, CPU], [CPU]),
        ("cuda", [CUDA, CPU], [CUDA, CPU]),
        ("coreml", [COREML, CPU], [COREML, CPU]),
    ],
)
def test_choice(device: str, available: list[str], expected: list[str]) -> None:
    assert choose_providers(device, available) == expected


@pytest.mark.parametrize("device", ["cuda", "coreml", "directml"])
def test_an_absent_device_raises(device: str) -> None:
    with pytest.raises(DeviceError, match=f"device: '{device}' needs .* does not have") as caught:
        choose_providers(device, [CPU])
    assert isinstance(caught.value, RuntimeError)


@pytest.mark.parametrize("device", ["gpu", "CUDA", "", None, 0])
def test_an_unknown_device_raises(device: object) -> None:
    with pytest.raises(InvalidArgumentError, match="device: expected 'auto' or one of 'cpu'"):
        choose_providers(device, [CPU])  # type: ignore[arg-type]


def test_a_silent_fallback_is_an_error_when_the_device_was_asked_for() -> None:
    with pytest.raises(DeviceError, match="could not be started"):
        check_providers("cuda", [CUDA, CPU], [CPU])


def test_a_silent_fallback_is_a_warning_by_default() -> None:
    with pytest.warns(RuntimeWarning, match="using the CPU: CUDAExecutionProvider"):
        check_providers("auto", [CUDA, CPU], [CPU])


def test_what_was_got_as_wanted_is_no_news() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        check_providers("cuda", [CUDA, CPU], [CUDA, CPU])
        check_providers("auto", [CPU], [CPU])


def test_names() -> None:
    assert device_name([CUDA, CPU]) == "cuda"
    assert device_name([CPU]) == "cpu"
    assert device_name(["NewExecutionProvider"]) == "NewExecutionProvider"
