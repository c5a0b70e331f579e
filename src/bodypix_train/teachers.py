"""Teachers: published segmenters whose answers label photos that have no labels.

BodyPix gives person, parts and poses; the portrait networks refine heads and upper bodies.
All answers come back on the input's pixel grid or a corner-aligned fraction of it.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import cv2
import numpy as np
import onnxruntime as ort
from numpy.typing import NDArray

from bodypix.body import MIRRORED_PARTS
from bodypix.decoding.poses import decode_multiple_poses

from .networks.bodypix import hint_name

log = logging.getLogger(__name__)

Array = NDArray[np.float32]
MIRROR = np.asarray(MIRRORED_PARTS)


def open_session(
    path: str | Path, threads: int = 2, inner: dict[str, str] | None = None
) -> ort.InferenceSession:
    """Open a model with constant weights.

    Some converters list every weight as a graph input too, which keeps onnxruntime from
    folding them; those entries are dropped first. ``inner`` maps new output names to endings of
    values inside the graph that are wanted too.
    """
    import onnx

    model = onnx.load(str(path))
    weights = {tensor.name for tensor in model.graph.initializer}
    inputs = [value for value in model.graph.input if value.name not in weights]
    del model.graph.input[:]
    model.graph.input.extend(inputs)
    values = [value for node in model.graph.node for value in node.output]
    for name, ending in (inner or {}).items():
        source = next(value for value in values if value.endswith(ending))
        model.graph.node.append(onnx.helper.make_node("Identity", [source], [name]))
        model.graph.output.append(onnx.helper.make_tensor_value_info(name, 1, None))
    options = ort.SessionOptions()
    options.intra_op_num_threads = threads
    options.log_severity_level = 3
    wanted = providers(ort.get_available_providers())
    session = ort.InferenceSession(model.SerializeToString(), options, providers=wanted)
    if session.get_providers()[0] != wanted[0]:  # onnxruntime goes on without a word
        log.warning("%s: runs on the processor, %s did not start", path, wanted[0])
    return session


def providers(available: Sequence[str]) -> list[str]:
    """Where teachers run, best first: on an NVIDIA GPU if this onnxruntime can use one."""
    return [name for name in ("CUDAExecutionProvider", "CPUExecutionProvider") if name in available]


def sigmoid(x: Array) -> Array:
    return 1.0 / (1.0 + np.exp(-x))


def resize_aligned(grid: Array, size: tuple[int, int]) -> Array:
    """Corner-aligned bilinear resize of (H',W',C) or (H',W') to ``size`` = (H, W)."""

    def matrix(n: int, m: int) -> Array:
        at = np.linspace(0, n - 1, m)
        low = np.minimum(at.astype(int), max(n - 2, 0))
        out = np.zeros((m, n), np.float32)
        out[np.arange(m), low] = 1 - (at - low)
        if n > 1:
            out[np.arange(m), low + 1] += at - low
        return out

    rows, columns = matrix(grid.shape[0], size[0]), matrix(grid.shape[1], size[1])
    return np.einsum("yi,ijc,xj->yxc", rows, np.atleast_3d(grid), columns, optimize=True)


def on_grid(
    image: NDArray[np.uint8], scale: float, stride: int = 16, way: int = cv2.INTER_LINEAR
) -> NDArray[np.uint8]:
    """A picture at about ``scale`` of its size, with sides of the form stride*k+1, k at least 2."""
    height, width = (max(2, round(side * scale / stride)) * stride + 1 for side in image.shape[:2])
    return cv2.resize(image, (width, height), interpolation=way)  # type: ignore[return-value]


def softmax(logits: Array) -> Array:
    """Over the last axis."""
    powers = np.exp(logits - logits.max(-1, keepdims=True))
    return powers / powers.sum(-1, keepdims=True)  # type: ignore[no-any-return]


@dataclass
class Answer:
    """Teacher's answer to one picture, on two corner-aligned grids."""

    person: Array  # (h, w) probability
    parts: Array  # (h', w', 24) shares that add up to 1


class Teacher(Protocol):
    """Answers to crops while a student learns."""

    names: tuple[str, ...]  # heads that it teaches
    hints: tuple[int, ...]  # outputs of its backbone that it teaches, counted from 1

    def heads(self, images: NDArray[np.uint8], names: list[str]) -> list[Array]:
        """Raw heads of (N,h,w,3) RGB uint8: heads (N,H',W',C), hints (N,C,H',W')."""


class BodyPixTeacher:
    """A BodyPix network (ONNX, NHWC, [-1,1]) averaged over scales and mirror images."""

    names = (
        "segments", "heatmaps", "short_offsets", "long_offsets",
        "displacement_fwd", "displacement_bwd", "part_offsets",
    )  # fmt: skip

    def __init__(
        self, path: str | Path, stride: int = 16, threads: int = 2, hints: tuple[int, ...] = ()
    ) -> None:
        inner = {hint_name(block): f"Conv2d_{block}_pointwise/Relu6:0" for block in hints}
        self.session = open_session(path, threads, inner)
        self.hints = hints
        self.input = self.session.get_inputs()[0].name
        self.stride = stride

    def heads(self, images: NDArray[np.uint8], names: list[str]) -> list[Array]:
        """As `Teacher` says; h and w of the form stride*k+1."""
        batch = images.astype(np.float32) / 127.5 - 1
        # Converted files may be fixed to one picture, and on a CPU a batch is no faster.
        answers = [self.session.run(names, {self.input: picture[None]}) for picture in batch]
        return [np.concatenate(heads) for heads in zip(*answers, strict=True)]

    def poses(self, image: NDArray[np.uint8]) -> list[NDArray[np.float64]]:
        """Everybody's keypoints, (17, 3) of x, y in image pixels and score 0..1."""
        resized = on_grid(image, 1.0, self.stride)
        names = ["heatmaps", "short_offsets", "displacement_fwd", "displacement_bwd"]
        heatmaps, *others = (head[0] for head in self.heads(resized[None], names))
        found = decode_multiple_poses(
            sigmoid(heatmaps), *others, output_stride=self.stride, max_detections=20,
            score_threshold=0.3,
        )  # fmt: skip
        scale = (np.array(image.shape[1::-1]) - 1) / (np.array(resized.shape[1::-1]) - 1)
        return [np.column_stack([pose.positions * scale, pose.scores]) for pose in found]

    def answer(
        self, image: NDArray[np.uint8], scales: tuple[float, ...],
        person_size: tuple[int, int], parts_size: tuple[int, int],
    ) -> Answer:  # fmt: skip
        person = np.zeros((*person_size, 1), np.float32)
        parts = np.zeros((*parts_size, 24), np.float32)
        for scale in scales:
            resized = on_grid(image, scale, self.stride)
            # One at a time: the pair in one batch is no faster on a CPU.
            for mirrored in (False, True):
                picture = resized[:, ::-1] if mirrored else resized
                logits, part_logits = self.heads(picture[None], ["segments", "part_heatmaps"])
                logits, part_logits = logits[0], part_logits[0]
                if mirrored:
                    logits = logits[:, ::-1]
                    part_logits = part_logits[:, ::-1][..., MIRROR]
                person += sigmoid(resize_aligned(logits, person_size))
                # Several channels of one place come near 1: only their logits tell them apart.
                parts += softmax(resize_aligned(part_logits, parts_size))
        count = 2 * len(scales)
        return Answer(person[..., 0] / count, parts / count)


@dataclass
class PortraitTeacher:
    """A portrait segmenter with NCHW input; ``mean`` and ``std`` are in its own colour order."""

    path: str | Path
    size: int
    mean: tuple[float, float, float]
    std: tuple[float, float, float]
    bgr: bool = False
    threads: int = 2

    def __post_init__(self) -> None:
        self.session = open_session(self.path, self.threads)
        self.input = self.session.get_inputs()[0].name

    def person(self, image: NDArray[np.uint8], size: tuple[int, int]) -> Array:
        """Person probability (H,W) of an RGB picture."""
        x = cv2.resize(image, (self.size, self.size), interpolation=cv2.INTER_AREA)
        x = x[..., ::-1] if self.bgr else x
        x = (x.astype(np.float32) - np.float32(self.mean)) / np.float32(self.std)
        out = self.session.run(None, {self.input: x.transpose(2, 0, 1)[None]})[0][0]
        return cv2.resize(foreground(out), size[::-1], interpolation=cv2.INTER_LINEAR)


def foreground(out: Array) -> Array:
    """Person probability from a network's (C,H,W) or (H,W,C) logits or probabilities."""
    if out.shape[-1] in (1, 2):
        out = out.transpose(2, 0, 1)
    if out.shape[0] == 2:  # background and person
        return sigmoid(out[1] - out[0]) if out.min() < 0 or out.max() > 1 else out[1]
    return out[0] if out.min() >= 0 and out.max() <= 1 else sigmoid(out[0])


def combine(body: Array, portraits: list[Array], agreement: float = 0.75) -> Array:
    """Mean of all teachers where the portrait teachers see the same people, else BodyPix alone.

    Portrait networks are the better judges of heads and shoulders but miss small and whole
    bodies; their intersection over union with BodyPix tells which picture it is.
    """
    if not portraits:
        return body
    mean = np.mean(portraits, axis=0)
    union = np.count_nonzero((mean > 0.5) | (body > 0.5))
    both = np.count_nonzero((mean > 0.5) & (body > 0.5))
    if union == 0 or both / union < agreement:
        return body
    return (body + np.sum(portraits, axis=0)) / (1 + len(portraits))
