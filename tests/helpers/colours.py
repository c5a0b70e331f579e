"""A network whose answers can be foreseen, and pictures for it: no weights, no photos."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import cv2
import numpy as np

from bodypix.checkpoints.metadata import HEAD_CHANNELS, METADATA_KEY, ModelMetadata
from bodypix.checkpoints.onnx_format import Model, Node, Tensor, ValueInfo, write_model

STRIDE = 16
HEADS = [name for name in HEAD_CHANNELS if not name.endswith("_fine")]
WHITE, RED = (255, 255, 255), (255, 0, 0)
TORSO_FRONT = 12


def colour_network() -> bytes:
    """A stride-16 network that looks at one pixel a cell: bright is a person, red a keypoint.

    All of a person is torso_front.
    """
    weights = {name: np.zeros((HEAD_CHANNELS[name], 3, 1, 1), np.float32) for name in HEADS}
    biases = {name: np.zeros(HEAD_CHANNELS[name], np.float32) for name in HEADS}
    weights["segments"][:, :, 0, 0] = (12.0, 4.0, 4.0)  # white +20, red +4, black -20
    weights["heatmaps"][:, :, 0, 0] = (20.0, -10.0, -10.0)  # red +20, white and black -20
    biases["heatmaps"][:] = -20.0
    biases["part_heatmaps"][TORSO_FRONT] = 5.0
    nodes = [Node("Transpose", ["image"], ["planes"], attributes={"perm": [0, 3, 1, 2]})]
    tensors = []
    for name in HEADS:
        tensors += [Tensor(f"{name}/w", weights[name]), Tensor(f"{name}/b", biases[name])]
        nodes += [
            Node(
                "Conv",
                ["planes", f"{name}/w", f"{name}/b"],
                [f"{name}/planes"],
                attributes={"kernel_shape": [1, 1], "strides": [STRIDE, STRIDE]},
            ),
            Node("Transpose", [f"{name}/planes"], [name], attributes={"perm": [0, 2, 3, 1]}),
        ]
    facts = ModelMetadata(
        name="colours",
        version="1",
        architecture="MobileNetV1",
        multiplier=0.5,
        output_stride=STRIDE,
        quant_bytes=4,
        preprocessing="mobilenet",
        person_head="segments",
        parts_head="part_heatmaps",
        licence="Apache-2.0",
    )
    float32 = np.dtype("<f4")
    outputs = [ValueInfo(name, float32, ["n", "y", "x", HEAD_CHANNELS[name]]) for name in HEADS]
    return write_model(
        Model(
            nodes=nodes,
            inputs=[ValueInfo("image", float32, ["n", "h", "w", 3])],
            outputs=outputs,
            initializers=tensors,
            metadata={METADATA_KEY: facts.to_json()},
        )
    )


def picture(people: int = 1) -> np.ndarray[Any, np.dtype[np.uint8]]:
    """(160, 240, 3) uint8 RGB: white squares with a red middle on black, one for each person."""
    image = np.zeros((160, 240, 3), np.uint8)
    for left in (24, 136)[:people]:
        image[32:128, left : left + 80] = WHITE
        image[74:86, left + 34 : left + 46] = RED  # holds one cell of the grid
    return image


def save(path: Path, image: np.ndarray[Any, np.dtype[np.uint8]]) -> Path:
    """Write an RGB picture; the folder is made."""
    path.parent.mkdir(parents=True, exist_ok=True)
    assert cv2.imwrite(str(path), image[..., ::-1])
    return path


def load(path: Path) -> np.ndarray[Any, np.dtype[np.uint8]]:
    """A written picture as it is: grey, BGR or BGRA."""
    image = cv2.imread(str(path), cv2.IMREAD_UNCHANGED)
    assert image is not None, f"{path} is no picture"
    return image
