"""The BodyPix network: a backbone, the eight coarse heads and a light decoder with fine heads."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from .mobilenet import STRIDE_4_BLOCK, STRIDE_8_BLOCK, ConvBn, MobileNetV1, Separable

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


def hint_name(block: int) -> str:
    """Name under which the output of backbone block 1..13 goes along with the heads."""
    return f"block{block}"


def double(x: Tensor) -> Tensor:
    """Upsample a corner-aligned grid from n to 2n-1 cells, bilinearly."""
    size = (2 * x.shape[-2] - 1, 2 * x.shape[-1] - 1)
    return F.interpolate(x, size=size, mode="bilinear", align_corners=True)


class Context(nn.Module):
    """Global gate: what the whole picture shows decides how much each channel counts."""

    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__()
        self.project = ConvBn(inputs, outputs)
        self.gate = nn.Conv2d(inputs, outputs, 1)

    def forward(self, x: Tensor) -> Tensor:
        pooled = x.mean((2, 3), keepdim=True)
        return self.project(x) * torch.sigmoid(self.gate(pooled))


class BodyPixNet(nn.Module):
    """Image [N,3,h,w] in [-1,1], h and w of the form 16k+1 -> logits by head name.

    | head               | grid      | meaning                                        |
    | ------------------ | --------- | ---------------------------------------------- |
    | the eight coarse   | stride 16 | as in BodyPix 2; offsets in network pixels     |
    | part_heatmaps_fine | stride 8  | 24 part logits                                 |
    | segments_fine      | stride 4  | person logit                                   |

    ``hints`` asks for the outputs of these backbone blocks as well, for distillation.
    """

    def __init__(self, multiplier: float = 0.5, widths: tuple[int, int] = (96, 32)) -> None:
        super().__init__()
        self.multiplier, self.widths = multiplier, widths
        at8, at4 = widths
        self.backbone = MobileNetV1(multiplier)
        stride4, stride8, stride16 = self.backbone.channels
        self.heads = nn.ModuleDict({n: nn.Conv2d(stride16, c, 1) for n, c in COARSE_HEADS.items()})
        self.context = Context(stride16, at8)
        self.lateral8 = ConvBn(stride8, at8, activation=False)
        self.refine8 = Separable(at8, at8)
        self.parts = nn.Conv2d(at8, FINE_HEADS["part_heatmaps_fine"], 1)
        self.reduce = ConvBn(at8, at4, activation=False)
        self.lateral4 = ConvBn(stride4, at4, activation=False)
        self.refine4 = Separable(at4, at4)
        self.person = nn.Conv2d(at4, FINE_HEADS["segments_fine"], 1)

    def forward(self, image: Tensor, hints: tuple[int, ...] = ()) -> dict[str, Tensor]:
        blocks = self.backbone(image)
        out = self.decode(blocks[STRIDE_4_BLOCK - 1], blocks[STRIDE_8_BLOCK - 1], blocks[-1])
        for block in hints:
            out[hint_name(block)] = blocks[block - 1]
        return out

    def decode(self, at4: Tensor, at8: Tensor, at16: Tensor) -> dict[str, Tensor]:
        """All heads from the backbone's features at strides 4, 8 and 16."""
        out = {name: head(at16) for name, head in self.heads.items()}
        for name in OFFSET_HEADS:
            out[name] = out[name] * OFFSET_UNIT
        at8 = self.refine8(F.relu6(double(self.context(at16)) + self.lateral8(at8)))
        out["part_heatmaps_fine"] = self.parts(at8)
        at4 = self.refine4(F.relu6(double(self.reduce(at8)) + self.lateral4(at4)))
        out["segments_fine"] = self.person(at4)
        return out
