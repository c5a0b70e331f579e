"""A network that tells left from right by colour, with coarse or fine heads, and its picture."""

from __future__ import annotations

from typing import Any

import numpy as np

from bodypix.checkpoints.metadata import HEAD_CHANNELS, METADATA_KEY, ModelMetadata
from bodypix.checkpoints.onnx_format import Model, Node, Tensor, ValueInfo, write_model

LEFT_HAND, RIGHT_HAND, TORSO = 10, 11, 12
RED, GREEN, BLUE = (255, 0, 0), (0, 255, 0), (0, 0, 255)


def sides_network(*, fine: bool = False, preprocessing: str = "mobilenet") -> bytes:
    """A stride-16 network: colour is a person; red a left hand, blue a right hand, green a torso.

    With `fine`, masks come from a head of stride 4 and parts from one of stride 8.
    """
    person, parts = ("segments", "part_heatmaps")
    strides = {name: 16 for name in HEAD_CHANNELS if not name.endswith("_fine")}
    if fine:
        person, parts = ("segments_fine", "part_heatmaps_fine")
        strides |= {person: 4, parts: 8}
    scale = 1.0 if preprocessing == "mobilenet" else 1 / 127.5
    weights = {name: np.zeros((HEAD_CHANNELS[name], 3, 1, 1), np.float32) for name in strides}
    biases = {name: np.zeros(HEAD_CHANNELS[name], np.float32) for name in strides}
    weights[person][:] = 8.0 * scale
    biases[person][:] = 16.0  # black about -8, one colour about +8
    for channel, part in enumerate((LEFT_HAND, TORSO, RIGHT_HAND)):
        weights[parts][part, channel] = 4.0 * scale
    biases[parts][[LEFT_HAND, TORSO, RIGHT_HAND]] = 6.0  # above the other parts on black too

    nodes = [Node("Transpose", ["image"], ["planes"], attributes={"perm": [0, 3, 1, 2]})]
    tensors = []
    for name, stride in strides.items():
        tensors += [Tensor(f"{name}/w", weights[name]), Tensor(f"{name}/b", biases[name])]
        nodes += [
            Node(
                "Conv",
                ["planes", f"{name}/w", f"{name}/b"],
                [f"{name}/planes"],
                attributes={"kernel_shape": [1, 1], "strides": [stride, stride]},
            ),
            Node("Transpose", [f"{name}/planes"], [name], attributes={"perm": [0, 2, 3, 1]}),
        ]
    facts = ModelMetadata(
        name="sides",
        version="1",
        architecture="MobileNetV1" if preprocessing == "mobilenet" else "ResNet50",
        multiplier=1.0,
        output_stride=16,
        quant_bytes=4,
        preprocessing=preprocessing,
        person_head=person,
        parts_head=parts,
        licence="Apache-2.0",
    )
    float32 = np.dtype("<f4")
    return write_model(
        Model(
            nodes=nodes,
            inputs=[ValueInfo("image", float32, ["n", "h", "w", 3])],
            outputs=[
                ValueInfo(name, float32, ["n", f"{name}_y", f"{name}_x", HEAD_CHANNELS[name]])
                for name in strides
            ],
            initializers=tensors,
            metadata={METADATA_KEY: facts.to_json()},
        )
    )


def sides_picture(height: int = 161, width: int = 225) -> np.ndarray[Any, np.dtype[np.uint8]]:
    """(height, width, 3) uint8 RGB: on black, from the left a red, a green and a blue bar."""
    image = np.zeros((height, width, 3), np.uint8)
    for colour, start, stop in ((RED, 0.1, 0.3), (GREEN, 0.3, 0.7), (BLUE, 0.7, 0.8)):
        image[height // 5 :, int(start * width) : int(stop * width)] = colour
    return image
