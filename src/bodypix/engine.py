"""One model file, run by onnxruntime: preprocessed images in, named heads out.

onnxruntime runs every node of a graph whether or not its result is fetched. So for every set of
heads that is asked for, the graph is pruned to that set and gets a session of its own, made when
first used and kept. Runs are thread-safe and go on side by side; only the making is serialised.
"""

from __future__ import annotations

import copy
import os
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
import onnxruntime
from numpy.typing import NDArray

from bodypix.checkpoints.metadata import HEAD_CHANNELS, ModelMetadata, read_metadata
from bodypix.checkpoints.naming import naming
from bodypix.checkpoints.onnx_format import Model, prune, read_model, write_model
from bodypix.checkpoints.rewire import with_output_stride
from bodypix.devices import CPU_PROVIDER, check_providers, choose_providers, device_name
from bodypix.errors import CheckpointError, ImageError, InvalidArgumentError
from bodypix.geometry import Frame, ImageSize, Padding

# Each thread takes memory, and more than there are cores only wait for each other.
_MOST_THREADS: Final = 256

# What onnxruntime says where an input is too large for the memory that there is.
_OUT_OF_MEMORY: Final = ("Failed to allocate", "bad_alloc", "AllocateRaw")

INPUT_NAME: Final = "image"


@dataclass(frozen=True)
class Heads:
    """Raw outputs of the network for one image.

    `arrays` maps head names to (H', W', C) float32: logits, or offsets in network pixels. The
    fine heads have grids of their own.
    """

    arrays: dict[str, NDArray[np.float32]]
    frame: Frame
    output_stride: int

    @property
    def image_size(self) -> ImageSize:
        """(H, W) of the image."""
        return self.frame.image_size

    @property
    def input_size(self) -> ImageSize:
        """(h, w) of the network's input."""
        return self.frame.input_size

    @property
    def padding(self) -> Padding:
        """Zeros around the image, in image pixels."""
        return self.frame.padding


class Engine:
    """Runs one model file.

    Args:
        path: a bodypix ONNX file (see `bodypix models convert`).
        device: "auto", or a name of `devices.PROVIDERS` such as "cpu" or "cuda".
        threads: CPU threads for one run; None leaves it to onnxruntime (one for each core).

    Raises:
        CheckpointError: the file is missing, corrupt, or no BodyPix model.
        DeviceError: `device` names a device that is not there.
        InvalidArgumentError: an unknown device name, or `threads` below 1 or above 256 (or the
            number of cores, where there are more).
    """

    def __init__(
        self, path: str | os.PathLike[str], *, device: str = "auto", threads: int | None = None
    ) -> None:
        most = max(_MOST_THREADS, os.cpu_count() or 1)
        if threads is not None and (
            isinstance(threads, bool) or not isinstance(threads, int) or not 1 <= threads <= most
        ):
            raise InvalidArgumentError(
                f"threads: expected a whole number from 1 to {most}, or None; got {threads!r}."
            )
        self.path = Path(path)
        self._device = device
        self._threads = threads
        self._wanted = choose_providers(device, onnxruntime.get_available_providers())
        with naming(self.path):
            self._model: Model = read_model(self.path)
            self.metadata: ModelMetadata = read_metadata(self._model)
        self._loaded = self._model  # what other output strides are made of
        self._check_graph()
        self._sessions: dict[tuple[str, ...], Any] = {}
        self._lock = threading.Lock()
        if self._wanted[0] != CPU_PROVIDER:
            # Only a session tells whether a device works; better now than at the first call.
            self._session((self.metadata.person_head,))

    @property
    def head_names(self) -> tuple[str, ...]:
        """Names of the heads in the file."""
        return tuple(output.name for output in self._model.outputs)

    @property
    def providers(self) -> tuple[str, ...]:
        """onnxruntime's execution providers that the sessions really run on, first choice first."""
        session = next(iter(self._sessions.values()), None)
        if session is None:
            session = self._session((self.metadata.person_head,))
        return tuple(session.get_providers())

    @property
    def device(self) -> str:
        """The device that the sessions really run on: "cpu", "cuda", ..."""
        return device_name(self.providers)

    @property
    def threads(self) -> int | None:
        """CPU threads for one run; None where onnxruntime chooses."""
        return self._threads

    def __getstate__(self) -> dict[str, Any]:
        """All but what lives in one process only; a copy opens its own sessions when asked."""
        return {k: v for k, v in self.__dict__.items() if k not in ("_sessions", "_lock")}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)
        self._sessions, self._lock = {}, threading.Lock()

    def with_output_stride(self, stride: int) -> Engine:
        """The same weights on a grid of another stride, see `rewire`.

        Raises:
            InvalidArgumentError: a stride other than 8, 16, 32, or a ResNet50.
            CheckpointError: a graph that cannot be rewired.
        """
        if stride == self.metadata.output_stride:
            return self
        model = with_output_stride(self._loaded, stride)
        engine = copy.copy(self)
        engine._model, engine.metadata = model, read_metadata(model)
        return engine

    def run(
        self, images: NDArray[np.float32], heads: Sequence[str]
    ) -> dict[str, NDArray[np.float32]]:
        """Compute some heads for a batch.

        Args:
            images: (N, h, w, 3) float32, preprocessed; h and w of the form stride * n + 1.
            heads: names of heads; only these are computed.

        Returns:
            Head name to (N, H', W', C) float32.

        Raises:
            CheckpointError: the model lacks a head, or its graph does not fit its description.
            ImageError: there is not enough memory for an input of this size.
        """
        names = tuple(heads)
        session = self._session(names)
        try:
            outputs = session.run(list(names), {INPUT_NAME: images})
        except Exception as error:  # onnxruntime's exceptions have no common public base
            if any(words in str(error) for words in _OUT_OF_MEMORY):
                raise ImageError(
                    f"image: not enough memory for a network input of {images.shape[2]}x"
                    f"{images.shape[1]} pixels. Lower internal_resolution, or shrink the image."
                ) from error
            raise CheckpointError(
                f"model {str(self.path)!r}: onnxruntime failed on an input of shape "
                f"{images.shape}: {error}"
            ) from error
        for name, output in zip(names, outputs, strict=True):
            self._check_output(name, output, images.shape)
        return dict(zip(names, outputs, strict=True))

    def _session(self, names: tuple[str, ...]) -> Any:
        session = self._sessions.get(names)
        if session is None:
            with self._lock:
                session = self._sessions.get(names)
                if session is None:
                    session = self._sessions[names] = self._new_session(names)
        return session

    def _new_session(self, names: tuple[str, ...]) -> Any:
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = self._threads or 0
        options.inter_op_num_threads = 1
        # Errors still come as exceptions; the log's own lines would only repeat them.
        options.log_severity_level = 4
        graph = write_model(prune(self._model, names))
        try:
            session = onnxruntime.InferenceSession(graph, options, providers=self._wanted)
        except Exception as error:
            raise CheckpointError(
                f"model {str(self.path)!r}: onnxruntime {onnxruntime.__version__} refuses its "
                f"graph: {error}"
            ) from error
        # Without this, a run that fails on a device is repeated on the CPU in silence.
        session.disable_fallback()
        check_providers(self._device, self._wanted, session.get_providers())
        return session

    def _check_graph(self) -> None:
        inputs = [value.name for value in self._model.inputs]
        if inputs != [INPUT_NAME]:
            raise CheckpointError(
                f"model {str(self.path)!r}: expected one input named {INPUT_NAME!r}, got "
                f"{inputs}. Convert it with `bodypix models convert`."
            )

    def _check_output(
        self, name: str, output: NDArray[np.float32], input_shape: tuple[int, ...]
    ) -> None:
        count, height, width, channels = output.shape if output.ndim == 4 else (0, 0, 0, 0)
        aligned = all(
            grid >= 1 and (size - 1) % max(grid - 1, 1) == 0
            for grid, size in zip((height, width), input_shape[1:3], strict=True)
        )
        if (
            count != input_shape[0]
            or not aligned
            or channels != HEAD_CHANNELS.get(name, channels)
            or output.dtype != np.float32
        ):
            raise CheckpointError(
                f"model {str(self.path)!r}: output {name!r} is {output.dtype} of shape "
                f"{output.shape} for an input of shape {input_shape}; expected float32 on a "
                f"corner-aligned grid with {HEAD_CHANNELS.get(name)} channels."
            )
