"""MobileNetV1 backbone with features at strides 4, 8 and 16 (Howard et al. 2017, table 1).

As in BodyPix, the last two blocks keep 512 * multiplier channels and stride 16.
"""

from __future__ import annotations

from torch import Tensor, nn

from .layers import ConvBn, Separable

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


class MobileNetV1(nn.Module):
    """Image [N,3,h,w] -> the outputs of the 13 blocks, at strides 2, 4, 4, 8, 8, 16, 16, ...

    With h and w of the form 16k+1 every grid is corner aligned: cell i lies on input pixel
    i * stride. ``channels`` are those at strides 4, 8 and 16: 128, 256 and 512 * multiplier, where
    the blocks at stride 16 go by ``late_multiplier``, if one is given. ``blocks`` asks for so many
    only.
    """

    taps = (STRIDE_4_BLOCK - 1, STRIDE_8_BLOCK - 1, len(BLOCKS) - 1)  # what the decoder takes
    overview_blocks = 11  # so many see the small picture too (see `overview`); more cost more

    def __init__(self, multiplier: float = 0.5, late_multiplier: float | None = None) -> None:
        super().__init__()
        width = int(32 * multiplier)
        self.stem = ConvBn(3, width, 3, 2)
        late = multiplier if late_multiplier is None else late_multiplier
        outputs, blocks = [], []
        for number, (channels, stride) in enumerate(BLOCKS, start=1):
            outputs.append(int(channels * (multiplier if number <= STRIDE_8_BLOCK else late)))
            blocks.append(Separable(width, outputs[-1], stride))
            width = outputs[-1]
        self.blocks = nn.ModuleList(blocks)
        self.channels = tuple(outputs[tap] for tap in self.taps)

    def forward(self, image: Tensor, blocks: int = len(BLOCKS)) -> list[Tensor]:
        x = self.stem(image)
        features = []
        for block in self.blocks[:blocks]:
            x = block(x)
            features.append(x)
        return features
