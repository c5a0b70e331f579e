"""From a device's name to onnxruntime's execution providers, and the check of what was got."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from typing import Final

from bodypix.errors import DeviceError, InvalidArgumentError

CPU_PROVIDER: Final = "CPUExecutionProvider"

PROVIDERS: Final[dict[str, str]] = {
    "cpu": CPU_PROVIDER,
    "cuda": "CUDAExecutionProvider",
    "tensorrt": "TensorrtExecutionProvider",
    "rocm": "ROCMExecutionProvider",
    "migraphx": "MIGraphXExecutionProvider",
    "directml": "DmlExecutionProvider",
    "coreml": "CoreMLExecutionProvider",
    "openvino": "OpenVINOExecutionProvider",
    "qnn": "QNNExecutionProvider",
    "webgpu": "WebGpuExecutionProvider",
}
"""Device name to the execution provider that onnxruntime calls it."""

# CoreML and TensorRT compile a network anew for every input size, so they are never a default.
_AUTO: Final = ("cuda", "rocm", "directml")


def choose_providers(device: str, available: Sequence[str]) -> list[str]:
    """Providers to ask onnxruntime for, in order of preference; the CPU is always the last.

    Args:
        device: "auto" or a name of `PROVIDERS`.
        available: what `onnxruntime.get_available_providers()` says.

    Raises:
        InvalidArgumentError: an unknown name.
        DeviceError: this build of onnxruntime lacks the device.
    """
    if device == "auto":
        found = [PROVIDERS[name] for name in _AUTO if PROVIDERS[name] in available]
        return [*found[:1], CPU_PROVIDER]
    provider = PROVIDERS.get(device) if isinstance(device, str) else None
    if provider is None:
        raise InvalidArgumentError(
            f"device: expected 'auto' or one of {', '.join(map(repr, PROVIDERS))}; got {device!r}."
        )
    if provider not in available:
        raise DeviceError(
            f"device: {device!r} needs {provider}, which this onnxruntime does not have (it has "
            f"{', '.join(available)}). Install the onnxruntime package for that device (for "
            "cuda: onnxruntime-gpu), or use device='auto'."
        )
    return [provider] if provider == CPU_PROVIDER else [provider, CPU_PROVIDER]


def check_providers(device: str, wanted: Sequence[str], got: Sequence[str]) -> None:
    """Compare what a session runs on with what was asked for.

    onnxruntime falls back to the CPU in silence when a driver or library is missing.

    Raises:
        DeviceError: a device was asked for by name and the session did not get it.

    Warns:
        RuntimeWarning: with "auto", a device is built in but does not work on this machine.
    """
    if wanted[0] in got:
        return
    missing = (
        f"{wanted[0]} is built into onnxruntime but could not be started on this machine (a driver "
        "or library is missing; onnxruntime's log above names it)"
    )
    if device != "auto":
        raise DeviceError(f"device: {device!r} is not usable: {missing}.")
    warnings.warn(
        f"device: using the CPU: {missing}. device='cpu' silences this warning.",
        RuntimeWarning,
        stacklevel=2,
    )


def device_name(providers: Sequence[str]) -> str:
    """Name of the device that a session with these providers computes on first."""
    names = {provider: name for name, provider in PROVIDERS.items()}
    return names.get(providers[0], providers[0])
