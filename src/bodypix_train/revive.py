"""A new start for channels that cannot learn: their clipped output has no gradient any more."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from .networks.mobilenet import MobileNetV1

NOTHING, FULL = 0.02, 5.98  # ReLU6 gives less than this, or more, to every pixel


@torch.no_grad()
def revive_channels(backbone: MobileNetV1, image: Tensor) -> int:
    """Give dead depthwise channels a random filter; ``image`` (n,3,h,w) says which are dead.

    Their output then has mean 1.5 and deviation 1, well inside of ReLU6, and next to no say in
    what follows. Returns how many there were. Channels whose input is dead stay as they are.
    """
    was_training = backbone.training
    backbone.eval()
    x, count = backbone.stem(image), 0
    for block in backbone.blocks:
        depthwise, pointwise = block[0], block[1]  # type: ignore[index]
        out = depthwise(x)
        high, low = out.amax((0, 2, 3)), out.amin((0, 2, 3))
        fed = x.amax((0, 2, 3)) > NOTHING
        dead = ((high < NOTHING) | (low > FULL)) & fed
        if dead.any():
            count += int(dead.sum())
            restart(depthwise, dead, x)
            new = torch.randn_like(pointwise[0].weight[:, dead]) * 0.1 * pointwise[0].weight.std()
            pointwise[0].weight[:, dead] = new
        x = block(x)
    backbone.train(was_training)
    return count


def restart(depthwise: nn.Sequential, dead: Tensor, x: Tensor) -> None:
    """New filters for the ``dead`` channels of a depthwise layer that sees ``x``."""
    convolution, norm = depthwise[0], depthwise[1]
    assert isinstance(convolution, nn.Conv2d)
    assert isinstance(norm, nn.BatchNorm2d)
    assert norm.running_mean is not None
    assert norm.running_var is not None
    filters = 0.15 * torch.randn_like(convolution.weight[dead])
    filters[:, :, 1, 1] += 0.6 * torch.randn_like(filters[:, :, 1, 1]).sign()
    convolution.weight[dead] = filters
    raw = F.conv2d(x, convolution.weight, None, convolution.stride, 1, 1, convolution.groups)
    norm.running_mean[dead] = raw.mean((0, 2, 3))[dead]
    norm.running_var[dead] = raw.var((0, 2, 3))[dead]
    norm.weight[dead], norm.bias[dead] = 1.0, 1.5
