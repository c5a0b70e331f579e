"""The BodyPix network: a backbone, the eight coarse heads and a light decoder with fine heads."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from .evidence import with_evidence
from .layers import ConvBn, Separable, double
from .mobilenet import MobileNetV1
from .overview import Overview, shrunk
from .resnet import DEPTHS, ResNet
from .surroundings import Surroundings

# Head name -> channels; order and meaning as in docs/model-card.md.
COARSE_HEADS = {
    "segments": 1,
    "part_heatmaps": 24,
    "heatmaps": 17,
    "short_offsets": 34,
    "long_offsets": 34,
    "displacement_fwd": 32,
    "displacement_bwd": 32,
    "part_offsets": 48,
}
FINE_HEADS = {"segments_fine": 1, "part_heatmaps_fine": 24}
# Offsets are tens of network pixels. The convolution learns them in units of 32 pixels so that
# all heads live on one scale; export folds the factor into the weights.
OFFSET_UNIT = 32.0
OFFSET_HEADS = ("short_offsets", "long_offsets", "displacement_fwd", "displacement_bwd")
ARCHITECTURES = ("MobileNetV1", *(f"ResNet{depth}" for depth in DEPTHS))


def hint_name(block: int) -> str:
    """Name under which an output of the backbone, counted from 1, goes along with the heads."""
    return f"block{block}"


class Context(nn.Module):
    """Global gate: what the whole picture shows decides how much each channel counts."""

    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__()
        self.project = ConvBn(inputs, outputs)
        self.gate = nn.Conv2d(inputs, outputs, 1)

    def forward(self, x: Tensor) -> Tensor:
        pooled = x.mean((2, 3), keepdim=True)
        return self.project(x) * torch.sigmoid(self.gate(pooled))


def make_backbone(
    architecture: str, multiplier: float, late_multiplier: float
) -> MobileNetV1 | ResNet:
    """Raises ValueError for an architecture that there is not."""
    if architecture not in ARCHITECTURES:
        known = ", ".join(ARCHITECTURES)
        raise ValueError(f"network.architecture: expected one of {known}, got {architecture!r}")
    if architecture == "MobileNetV1":
        return MobileNetV1(multiplier, late_multiplier)
    if late_multiplier != multiplier:
        raise ValueError(
            f"network.late_multiplier: expected none for a {architecture}, got {late_multiplier:g}:"
            " only a MobileNet's last blocks have one"
        )
    return ResNet(int(architecture.removeprefix("ResNet")), multiplier)


class BodyPixNet(nn.Module):
    """Image [N,3,h,w] in [-1,1], h and w of the form 16k+1 -> logits by head name.

    | head               | grid      | meaning                                        |
    | ------------------ | --------- | ---------------------------------------------- |
    | the eight coarse   | stride 16 | as in BodyPix 2; offsets in network pixels     |
    | part_heatmaps_fine | stride 8  | 24 part logits                                 |
    | segments_fine      | stride 4  | person logit                                   |

    The person's fine logit is the decoder's and ``coarse_share`` (0..1) of the coarse head's, which
    errs less where there is nobody. A part's is the decoder's and ``coarse_parts`` (0..1) of the
    coarse head's: which part it is shows in the many channels of the coarse features, where it ends
    in the decoder's. In evaluation mode what nothing vouches for is taken out (`evidence`).

    ``hints`` asks for these outputs of the backbone as well, counted from 1, for distillation.
    ``architecture`` is "MobileNetV1" or "ResNet" and a depth: "ResNet50". ``surroundings`` is the
    width of a detour that lets all heads see further (see `surroundings`), ``overview`` that of
    what a second look at the whole picture tells them (see `overview`); 0 for none.
    ``late_multiplier`` is that of the blocks at stride 16, unless None.
    """

    evidence = True  # False: all that the heads see stays in the person's map

    def __init__(
        self,
        multiplier: float = 0.5,
        widths: tuple[int, int] = (96, 32),
        architecture: str = "MobileNetV1",
        coarse_parts: float = 1.0,
        surroundings: int = 0,
        late_multiplier: float | None = None,
        coarse_share: float = 0.5,
        overview: int = 0,
    ) -> None:
        super().__init__()
        self.multiplier, self.widths, self.architecture = multiplier, widths, architecture
        self.late_multiplier = multiplier if late_multiplier is None else late_multiplier
        at8, at4 = widths
        self.backbone = make_backbone(architecture, multiplier, self.late_multiplier)
        stride4, stride8, stride16 = self.backbone.channels
        self.surroundings = Surroundings(stride16, surroundings) if surroundings else None
        self.overview = Overview(stride16, overview) if overview else None
        self.heads = nn.ModuleDict({n: nn.Conv2d(stride16, c, 1) for n, c in COARSE_HEADS.items()})
        self.context = Context(stride16, at8)
        self.lateral8 = ConvBn(stride8, at8, relu=None)
        self.refine8 = Separable(at8, at8)
        self.parts = nn.Conv2d(at8, FINE_HEADS["part_heatmaps_fine"], 1)
        self.reduce = ConvBn(at8, at4, relu=None)
        self.lateral4 = ConvBn(stride4, at4, relu=None)
        self.refine4 = Separable(at4, at4)
        self.person = nn.Conv2d(at4, FINE_HEADS["segments_fine"], 1)
        # Not learned: on the pictures that it learns from the fine head needs no help.
        self.register_buffer("coarse_share", torch.tensor(coarse_share))
        self.register_buffer("coarse_parts", torch.tensor(coarse_parts))

    def forward(self, image: Tensor, hints: tuple[int, ...] = ()) -> dict[str, Tensor]:
        blocks = self.backbone(image)
        at4, at8, at16 = (blocks[tap] for tap in self.backbone.taps)
        out = self.decode(at4, at8, self.with_overview(at16, image))
        for block in hints:
            out[hint_name(block)] = blocks[block - 1]
        return out

    def with_overview(self, at16: Tensor, image: Tensor) -> Tensor:
        """Features at stride 16, and what the small picture adds to them."""
        if self.overview is None:
            return at16
        small = self.backbone(shrunk(image), self.backbone.overview_blocks)
        return self.overview(at16, small[-1])  # type: ignore[no-any-return]

    def decode(self, at4: Tensor, at8: Tensor, at16: Tensor) -> dict[str, Tensor]:
        """All heads from the backbone's features at strides 4, 8 and 16."""
        if self.surroundings is not None:
            at16 = self.surroundings(at16)
        out = {name: head(at16) for name, head in self.heads.items()}
        for name in OFFSET_HEADS:
            out[name] = out[name] * OFFSET_UNIT
        at8 = self.refine8(F.relu6(double(self.context(at16)) + self.lateral8(at8)))
        out["part_heatmaps_fine"] = self.parts(at8) + self.coarse_parts * double(
            out["part_heatmaps"]
        )
        at4 = self.refine4(F.relu6(double(self.reduce(at8)) + self.lateral4(at4)))
        coarse = double(double(out["segments"]))
        person = self.person(at4) + self.coarse_share * coarse
        if self.evidence and not self.training:
            person = with_evidence(person, out["heatmaps"])
        out["segments_fine"] = person
        return out
