"""MobileNetV1 backbone with features at strides 4, 8 and 16 (Howard et al. 2017, table 1).

As in BodyPix, the last two blocks keep 512 * multiplier channels and stride 16.
"""

from __future__ import annotations

from torch import Tensor, nn

# (output channels at multiplier 1, stride) of blocks 1..13.
BLOCKS = (
    (64, 1),
    (128, 2),
    (128, 1),
    (256, 2),
    (256, 1),
    (512, 2),
    *((512, 1),) * 7,
)
STRIDE_4_BLOCK, STRIDE_8_BLOCK = 3, 5  # last blocks at these strides, counted from 1


class ConvBn(nn.Sequential):
    """Convolution, batch normalisation and, unless switched off, ReLU6."""

    def __init__(
        self, inputs: int, outputs: int, kernel: int = 1, stride: int = 1, groups: int = 1,
        activation: bool = True,
    ) -> None:  # fmt: skip
        layers: list[nn.Module] = [
            nn.Conv2d(inputs, outputs, kernel, stride, kernel // 2, groups=groups, bias=False),
            nn.BatchNorm2d(outputs, momentum=0.03, eps=1e-3),
        ]
        if activation:
            layers.append(nn.ReLU6(inplace=True))
        super().__init__(*layers)


class Separable(nn.Sequential):
    """Depthwise 3x3 then pointwise 1x1, each with batch normalisation and ReLU6."""

    def __init__(self, inputs: int, outputs: int, stride: int = 1) -> None:
        super().__init__(ConvBn(inputs, inputs, 3, stride, groups=inputs), ConvBn(inputs, outputs))


class MobileNetV1(nn.Module):
    """Image [N,3,h,w] -> the outputs of the 13 blocks, at strides 2, 4, 4, 8, 8, 16, 16, ...

    With h and w of the form 16k+1 every grid is corner aligned: cell i lies on input pixel
    i * stride. ``channels`` are those at strides 4, 8 and 16: 128, 256 and 512 * multiplier.
    """

    def __init__(self, multiplier: float = 0.5) -> None:
        super().__init__()
        width = int(32 * multiplier)
        self.stem = ConvBn(3, width, 3, 2)
        blocks = []
        for channels, stride in BLOCKS:
            blocks.append(Separable(width, int(channels * multiplier), stride))
            width = int(channels * multiplier)
        self.blocks = nn.ModuleList(blocks)
        self.channels = tuple(int(c * multiplier) for c in (128, 256, 512))

    def forward(self, image: Tensor) -> list[Tensor]:
        x = self.stem(image)
        features = []
        for block in self.blocks:
            x = block(x)
            features.append(x)
        return features
