"""The layers that all our networks are made of."""

from __future__ import annotations

import torch
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

    def forward(self, x: Tensor) -> Tensor:
        convolution, norm = self[0], self[1]
        assert isinstance(convolution, nn.Conv2d)
        assert isinstance(norm, nn.BatchNorm2d)
        if norm.training or not self.training:
            return super().forward(x)  # type: ignore[no-any-return]
        # Statistics are frozen: as part of the filters the norm costs no pass over the features.
        assert norm.running_mean is not None
        assert norm.running_var is not None
        scale = norm.weight * torch.rsqrt(norm.running_var + norm.eps)
        x = F.conv2d(
            x, convolution.weight * scale[:, None, None, None],
            norm.bias - norm.running_mean * scale,
            convolution.stride, convolution.padding, convolution.dilation, convolution.groups,
        )  # fmt: skip
        return self[2](x) if len(self) > 2 else x  # type: ignore[no-any-return]


class Separable(nn.Sequential):
    """Depthwise, 3x3 or larger, then pointwise 1x1, each with batch normalisation and ReLU6."""

    def __init__(self, inputs: int, outputs: int, stride: int = 1, kernel: int = 3) -> None:
        super().__init__(
            ConvBn(inputs, inputs, kernel, stride, groups=inputs), ConvBn(inputs, outputs)
        )


def double(x: Tensor) -> Tensor:
    """Upsample a corner-aligned grid from n to 2n-1 cells, bilinearly."""
    size = (2 * x.shape[-2] - 1, 2 * x.shape[-1] - 1)
    return F.interpolate(x, size=size, mode="bilinear", align_corners=True)


def begin_convolutions(module: nn.Module) -> None:
    """Weights to begin with where frozen norms leave the scale to the convolutions."""
    for part in module.modules():
        if isinstance(part, nn.Conv2d):
            nn.init.kaiming_normal_(part.weight, nonlinearity="relu")


def add_nothing(block: ConvBn) -> None:
    """Let a block without activation answer 0 everywhere, until it learns."""
    norm = block[1]
    assert isinstance(norm, nn.BatchNorm2d)
    assert norm.running_mean is not None
    for values in (norm.weight, norm.bias, norm.running_mean):
        nn.init.zeros_(values)
