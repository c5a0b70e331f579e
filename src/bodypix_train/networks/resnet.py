"""ResNet backbone with features at strides 4, 8 and 16 (He et al. 2016; stride in the 3x3).

Teachers use it: the last stage keeps stride 16 by dilation, as BodyPix's ResNet50 does.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from .layers import ConvBn

# Blocks of the four stages; 50 is the usual one, the others are for tests and for large machines.
DEPTHS = {14: (1, 1, 1, 1), 26: (2, 2, 2, 2), 50: (3, 4, 6, 3), 101: (3, 4, 23, 3)}
EXPANSION = 4  # a block's output is so many times as wide as its 3x3


class Bottleneck(nn.Module):
    """1x1, 3x3 and 1x1, added to the input; x [N,inputs,h,w] -> [N,4*width,h/stride,w/stride]."""

    def __init__(self, inputs: int, width: int, stride: int = 1, dilation: int = 1) -> None:
        super().__init__()
        outputs = EXPANSION * width
        self.narrow = ConvBn(inputs, width, relu=nn.ReLU)
        self.middle = ConvBn(width, width, 3, stride, dilation=dilation, relu=nn.ReLU)
        self.widen = ConvBn(width, outputs, relu=None)
        same = inputs == outputs and stride == 1
        self.shortcut = None if same else ConvBn(inputs, outputs, 1, stride, relu=None)

    def forward(self, x: Tensor) -> Tensor:
        shortcut = x if self.shortcut is None else self.shortcut(x)
        return torch.relu(self.widen(self.middle(self.narrow(x))) + shortcut)


class ResNet(nn.Module):
    """Image [N,3,h,w] -> the outputs of the four stages, at strides 4, 8, 16 and 16.

    With h and w of the form 16k+1 every grid is corner aligned. ``channels`` are those at
    strides 4, 8 and 16: 256, 512 and 2048 * multiplier.
    """

    taps = (0, 1, 3)  # which outputs the decoder takes
    overview_blocks = 4  # stages, all of them

    def __init__(self, depth: int = 50, multiplier: float = 1.0) -> None:
        super().__init__()
        width = int(64 * multiplier)
        self.stem = ConvBn(3, width, 7, 2, relu=nn.ReLU)
        self.pool = nn.MaxPool2d(3, 2, 1)
        stages, inputs = [], width
        for stage, count in enumerate(DEPTHS[depth]):
            blocks: list[nn.Module] = []
            for block in range(count):
                stride = 2 if block == 0 and stage in (1, 2) else 1
                dilation = 2 if stage == 3 and block > 0 else 1
                blocks.append(Bottleneck(inputs, width, stride, dilation))
                inputs = EXPANSION * width
            stages.append(nn.Sequential(*blocks))
            width *= 2
        self.stages = nn.ModuleList(stages)
        self.channels = tuple(int(c * multiplier) for c in (256, 512, 2048))

    def forward(self, image: Tensor, blocks: int = overview_blocks) -> list[Tensor]:
        x = self.pool(self.stem(image))
        features = []
        for stage in self.stages[:blocks]:
            x = stage(x)
            features.append(x)
        return features
