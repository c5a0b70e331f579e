"""A trained network as a canonical bodypix ONNX file: batch norms folded, NHWC in and out.

The graph is written node by node rather than traced, so that what runs is what is meant: plain
convolutions with explicit pads, which onnxruntime fuses and re-lays out, and upsampling by two, so
that one file serves every input size.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from torch import nn

from bodypix.checkpoints.metadata import METADATA_KEY, ModelMetadata
from bodypix.checkpoints.onnx_format import Model, Node, Tensor, ValueInfo, write_model
from bodypix.files import write_whole

from .networks.bodypix import COARSE_HEADS, OFFSET_HEADS, OFFSET_UNIT, BodyPixNet
from .networks.evidence import AREA, FLOOR, GAIN, HINT, KEYPOINT, LIKELY, STEPS, SURE, WINDOW
from .networks.mobilenet import MobileNetV1
from .networks.overview import BEYOND, SHARE, Overview
from .networks.resnet import Bottleneck, ResNet
from .networks.surroundings import Surroundings

Float = NDArray[np.float32]


def folded(conv: nn.Conv2d, norm: nn.BatchNorm2d) -> tuple[Float, Float]:
    """Weight and bias of a convolution with the batch normalisation that follows it."""
    scale = norm.weight / (norm.running_var + norm.eps).sqrt()  # type: ignore[operator]
    weight = conv.weight * scale[:, None, None, None]
    bias = norm.bias - norm.running_mean * scale  # type: ignore[operator]
    return weight.detach().numpy().astype(np.float32), bias.detach().numpy().astype(np.float32)


class GraphWriter:
    """Collects nodes and constants; every method returns the name of what it computed.

    ``within`` begins the names of nodes, not those of constants: what is computed twice, with
    the same weights, has them once.
    """

    def __init__(self, half: bool) -> None:
        self.half = half
        self.within = ""
        self.nodes: list[Node] = []
        self.initializers: list[Tensor] = []
        self.known: set[str] = set()

    def constant(self, name: str, value: NDArray[np.generic]) -> str:
        """A weight; large ones are stored as float16 and widened once, when a session opens."""
        if name in self.known:
            return name
        self.known.add(name)
        if self.half and value.dtype == np.float32 and value.size > 1:
            self.initializers.append(Tensor(f"{name}/half", value.astype(np.float16)))
            self.nodes.append(Node("Cast", [f"{name}/half"], [name], attributes={"to": 1}))
        else:
            self.initializers.append(Tensor(name, value))
        return name

    def node(self, op: str, name: str, *inputs: str, **attributes: object) -> str:
        name = self.within + name
        self.nodes.append(Node(op, list(inputs), [name], name, attributes))  # type: ignore[arg-type]
        return name

    def convolution(
        self, name: str, x: str, weight: Float, bias: Float, stride: int = 1, groups: int = 1,
        dilation: int = 1, beyond: int = 0,
    ) -> str:  # fmt: skip
        """``beyond``: cells more to look at below and to the right."""
        kernel, around = weight.shape[-1], dilation * (weight.shape[-1] // 2)
        inputs = [x, self.constant(f"{name}/weight", weight), self.constant(f"{name}/bias", bias)]
        return self.node(
            "Conv", name, *inputs,
            kernel_shape=[kernel, kernel], strides=[stride, stride],
            pads=[around] * 2 + [around + beyond] * 2, dilations=[dilation, dilation], group=groups,
        )  # fmt: skip

    def plain(self, name: str, x: str, conv: nn.Conv2d, factor: float = 1.0) -> str:
        assert conv.bias is not None
        weight, bias = conv.weight.detach().numpy(), conv.bias.detach().numpy()
        return self.convolution(name, x, weight * np.float32(factor), bias * np.float32(factor))

    def normed(self, name: str, x: str, block: nn.Sequential, beyond: int = 0) -> str:
        """A ConvBn block."""
        conv, norm = block[0], block[1]
        assert isinstance(conv, nn.Conv2d)
        assert isinstance(norm, nn.BatchNorm2d)
        weight, bias = folded(conv, norm)
        x = self.convolution(
            name, x, weight, bias, conv.stride[0], conv.groups, conv.dilation[0], beyond
        )
        if len(block) == 2:
            return x
        return self.relu6(name, x) if isinstance(block[2], nn.ReLU6) else self.relu(name, x)

    def relu6(self, name: str, x: str) -> str:
        return self.node("Clip", f"{name}/relu6", x, "zero", "six")

    def relu(self, name: str, x: str) -> str:
        return self.node("Relu", f"{name}/relu", x)

    def bottleneck(self, name: str, x: str, block: Bottleneck) -> str:
        inner = self.normed(f"{name}/narrow", x, block.narrow)
        inner = self.normed(
            f"{name}/widen", self.normed(f"{name}/middle", inner, block.middle), block.widen
        )
        if block.shortcut is not None:
            x = self.normed(f"{name}/shortcut", x, block.shortcut)
        return self.relu(name, self.node("Add", f"{name}/add", inner, x))

    def backbone(self, x: str, backbone: MobileNetV1 | ResNet) -> list[str]:
        """Names of the features at strides 4, 8 and 16."""
        features = self.blocks(x, backbone, backbone.taps[-1] + 1)
        return [features[tap] for tap in backbone.taps]

    def blocks(
        self, x: str, backbone: MobileNetV1 | ResNet, count: int, beyond: int = 0
    ) -> list[str]:
        """Names of the features of the first blocks, or stages."""
        x = self.normed("stem", x, backbone.stem, beyond)
        features = []
        if isinstance(backbone, ResNet):
            x = self.node("MaxPool", "pool", x, kernel_shape=[3, 3], strides=[2, 2], pads=[1] * 4)
            for index, stage in enumerate(backbone.stages[:count], start=1):
                for number, block in enumerate(stage, start=1):  # type: ignore[arg-type]
                    x = self.bottleneck(f"stage{index}/block{number}", x, block)
                features.append(x)
        else:
            for index, block in enumerate(backbone.blocks[:count], start=1):
                x = self.separable(f"block{index}", x, block)  # type: ignore[arg-type]
                features.append(x)
        return features

    def separable(self, name: str, x: str, block: nn.Sequential, beyond: int = 0) -> str:
        depthwise = self.normed(f"{name}/depthwise", x, block[0], beyond)  # type: ignore[arg-type]
        return self.normed(f"{name}/pointwise", depthwise, block[1])  # type: ignore[arg-type]

    def surroundings(self, x: str, module: Surroundings) -> str:
        """As `Surroundings.forward`."""
        name = "surroundings"
        y = self.separable(f"{name}/shrink", x, module.shrink, beyond=1)
        for index, block in enumerate(module.blocks, start=1):
            inner = self.separable(f"{name}/block{index}", y, block)  # type: ignore[arg-type]
            y = self.node("Add", f"{name}/block{index}/add", y, inner)
        y = self.double(f"{name}/double", self.normed(f"{name}/widen", y, module.widen))
        return self.added(name, x, y)

    def overview(self, x: str, image: str, backbone: MobileNetV1 | ResNet, module: Overview) -> str:
        """As `shrunk` and `Overview.forward`."""
        name = "overview"
        shares = np.array([1, 1, SHARE, SHARE], np.float32)
        self.initializers.append(Tensor(f"{name}/shares", shares))
        small = self.node(
            "Resize", f"{name}/shrunk", image, "", f"{name}/shares",
            mode="linear", coordinate_transformation_mode="half_pixel",
        )  # fmt: skip
        self.within = f"{name}/"
        y = self.blocks(small, backbone, backbone.overview_blocks, BEYOND)[-1]
        self.within = ""
        y = self.separable(f"{name}/gather", y, module.gather)
        y = self.normed(f"{name}/widen", y, module.widen)
        return self.added(name, x, self.double(f"{name}/double", self.double(f"{name}/up32", y)))

    def added(self, name: str, x: str, y: str) -> str:
        """To ``x`` what ``y`` holds on the same cells; it may have more below and to the right."""
        first = self.constant("first", np.zeros(4, np.int64))
        last = self.node("Shape", f"{name}/last", x)
        return self.node("Add", name, x, self.node("Slice", f"{name}/slice", y, first, last))

    def double(self, name: str, x: str) -> str:
        """Corner-aligned bilinear upsampling from n to 2n-1 cells.

        Every cell twice, then means of two neighbours: of a cell with itself, or with the next.
        Both run in the blocked layout of onnxruntime's convolutions, a bilinear Resize does not.
        """
        twice = self.node(
            "Resize", f"{name}/twice", x, "", "double/scales",
            mode="nearest", coordinate_transformation_mode="asymmetric", nearest_mode="floor",
        )  # fmt: skip
        return self.node("AveragePool", name, twice, kernel_shape=[2, 2], strides=[1, 1])

    def with_evidence(self, person: str, heatmaps: str) -> str:
        """As `evidence.with_evidence`."""
        gain = self.constant("evidence/gain", np.array(GAIN, np.float32))
        floor = self.constant("evidence/floor", np.array(FLOOR, np.float32))

        def decided(name: str, x: str) -> str:
            return self.node("Max", name, self.node("Mul", f"{name}/times", x, gain), floor)

        ground = decided("evidence/ground", self.pool("evidence/person", person, 5, 4))
        likeliest = self.node("ReduceMax", "evidence/likeliest", heatmaps, axes=[1], keepdims=1)
        mean = self.node(
            "AveragePool", "evidence/mean", person,
            kernel_shape=[AREA, AREA], strides=[4, 4], pads=[AREA // 2] * 4,
        )  # fmt: skip

        def above(name: str, x: str, bar: float) -> str:
            limit = self.constant(f"evidence/{name}/bar", np.array(bar, np.float32))
            return self.node("Sub", f"evidence/{name}", x, limit)

        vouching = self.node(
            "Max", "evidence/vouching",
            above("keypoint", likeliest, KEYPOINT),
            above("sure", mean, SURE),
            self.node(
                "Min", "evidence/both",
                above("hint", likeliest, HINT), above("likely", mean, LIKELY),
            ),
        )  # fmt: skip
        reached = self.node("Min", "evidence/0", decided("evidence/seeds", vouching), ground)
        for step in range(1, STEPS + 1):
            wider = self.pool(f"evidence/{step}/wider", reached, WINDOW, 1)
            reached = self.node("Min", f"evidence/{step}", wider, ground)
        roof = self.double("evidence/roof8", self.pool("evidence/roof16", reached, 3, 1))
        return self.node("Min", "evidence", person, self.double("evidence/roof4", roof))

    def pool(self, name: str, x: str, window: int, stride: int) -> str:
        return self.node(
            "MaxPool", name, x,
            kernel_shape=[window, window], strides=[stride, stride], pads=[window // 2] * 4,
        )  # fmt: skip


def build(network: BodyPixNet, metadata: ModelMetadata, half: bool = True) -> Model:
    """The ONNX model of ``network`` with all coarse and fine heads as outputs."""
    network = network.eval()
    g = GraphWriter(half)
    g.constant("zero", np.array(0, np.float32))
    g.constant("six", np.array(6, np.float32))
    g.initializers.append(Tensor("double/scales", np.array([1, 1, 2, 2], np.float32)))
    heads: dict[str, int] = {}

    def head(name: str, x: str, channels: int) -> None:
        g.node("Transpose", name, x, perm=[0, 2, 3, 1])
        heads[name] = channels

    planes = g.node("Transpose", "planes", "image", perm=[0, 3, 1, 2])
    stride4, stride8, x = g.backbone(planes, network.backbone)
    if network.overview is not None:
        x = g.overview(x, planes, network.backbone, network.overview)
    if network.surroundings is not None:
        x = g.surroundings(x, network.surroundings)
    answers: dict[str, str] = {}
    for name, channels in COARSE_HEADS.items():
        factor = OFFSET_UNIT if name in OFFSET_HEADS else 1.0
        answer = g.plain(f"heads/{name}", x, network.heads[name], factor)  # type: ignore[arg-type]
        answers[name] = answer
        if name == "part_offsets":
            g.constant("one", np.array(1, np.float32))
            answer = g.node("Clip", f"heads/{name}/clip", answer, "zero", "one")
        head(name, answer, channels)

    pooled = g.node("GlobalAveragePool", "context/pooled", x)
    gate = g.node("Sigmoid", "context/gate", g.plain("context/score", pooled, network.context.gate))
    context = g.normed("context/project", x, network.context.project)
    up = g.double("up8", g.node("Mul", "context", context, gate))
    side = g.normed("lateral8", stride8, network.lateral8)
    at8 = g.separable(
        "refine8", g.relu6("merge8", g.node("Add", "merge8", up, side)), network.refine8
    )
    parts = g.plain("parts", at8, network.parts)
    if network.coarse_parts:
        share = g.constant("parts/share", network.coarse_parts.detach().numpy())
        coarse = g.node("Mul", "parts/coarse", g.double("parts8", answers["part_heatmaps"]), share)
        parts = g.node("Add", "parts/corrected", parts, coarse)
    head("part_heatmaps_fine", parts, 24)
    up = g.double("up4", g.normed("reduce", at8, network.reduce))
    side = g.normed("lateral4", stride4, network.lateral4)
    at4 = g.separable(
        "refine4", g.relu6("merge4", g.node("Add", "merge4", up, side)), network.refine4
    )
    person = g.plain("person", at4, network.person)
    share = g.constant("coarse/share", network.coarse_share.detach().numpy())
    coarse = g.node(
        "Mul", "coarse", g.double("coarse4", g.double("coarse8", answers["segments"])), share
    )
    person = g.node("Add", "person/corrected", person, coarse)
    head("segments_fine", g.with_evidence(person, answers["heatmaps"]), 1)

    return Model(
        nodes=g.nodes,
        inputs=[ValueInfo("image", np.dtype("<f4"), ["n", "h", "w", 3])],
        outputs=[
            ValueInfo(name, np.dtype("<f4"), ["n", f"{name}_h", f"{name}_w", channels])
            for name, channels in heads.items()
        ],
        initializers=g.initializers,
        metadata={METADATA_KEY: metadata.to_json()},
    )


def default_metadata(
    name: str, version: str, multiplier: float, architecture: str = "MobileNetV1"
) -> ModelMetadata:
    """What an exported network of ours says about itself."""
    return ModelMetadata(
        name=name,
        version=version,
        architecture=architecture,
        multiplier=multiplier,
        output_stride=16,
        quant_bytes=4,
        preprocessing="mobilenet",
        person_head="segments_fine",
        parts_head="part_heatmaps_fine",
        licence="Apache-2.0",
    )


def export(network: BodyPixNet, metadata: ModelMetadata, path: Path, half: bool = True) -> Path:
    """Write the network as ``path``, whole or not at all. Raises OutputError."""
    model = write_model(build(network, metadata, half))
    write_whole(path, lambda file: file.write(model))
    return path
