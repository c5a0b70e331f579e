"""The layers that all our networks are made of."""

from __future__ import annotations

from torch import Tensor, nn
from torch.nn import functional as F


class ConvBn(nn.Sequential):
    """Convolution, batch normalisation and, unless None, an activation."""

    def __init__(
        self, inputs: int, outputs: int, kernel: int = 1, stride: int = 1, groups: int = 1,
        dilation: int = 1, relu: type[nn.ReLU] | type[nn.ReLU6] | None = nn.ReLU6,
    ) -> None:  # fmt: skip
        layers: list[nn.Module] = [
            nn.Conv2d(
                inputs, outputs, kernel, stride, dilation * (kernel // 2), dilation, groups,
                bias=False,
            ),
            nn.BatchNorm2d(outputs, momentum=0.03, eps=1e-3),
        ]  # fmt: skip
        if relu is not None:
            layers.append(relu(inplace=True))
        super().__init__(*layers)


class Separable(nn.Sequential):
    """Depthwise 3x3 then pointwise 1x1, each with batch normalisation and ReLU6."""

    def __init__(self, inputs: int, outputs: int, stride: int = 1) -> None:
        super().__init__(ConvBn(inputs, inputs, 3, stride, groups=inputs), ConvBn(inputs, outputs))


def double(x: Tensor) -> Tensor:
    """Upsample a corner-aligned grid from n to 2n-1 cells, bilinearly."""
    size = (2 * x.shape[-2] - 1, 2 * x.shape[-1] - 1)
    return F.interpolate(x, size=size, mode="bilinear", align_corners=True)
