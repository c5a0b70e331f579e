"""A narrow network that begins as a wide one's likeness, instead of at random.

Layer by layer, from the picture on: some of the wide network's channels are chosen, and the narrow
layer is fitted, by least squares, to what the wide one gives for them (as in channel pruning by
reconstruction, He et al. 2017). It answers roughly alike at once; distillation does the rest.
"""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import torch
from torch import Tensor, nn

from .label import pictures
from .networks.bodypix import BodyPixNet
from .networks.layers import ConvBn, Separable, double
from .networks.mobilenet import MobileNetV1

ROWS = 40_000  # pixels that a layer is fitted to
RIDGE = 1e-3  # of the inputs' mean variance: keeps channels that say the same from cancelling out
BEYOND = 1.5  # what ReLU6 cuts off need not be met further than this


def read_pictures(folder: Path, count: int, side: int = 193) -> Tensor:
    """The first ``count`` pictures of a folder, squeezed to (n,3,side,side) in [-1,1].

    Raises ValueError where there are none.
    """
    images = []
    for path in pictures(folder):
        image = cv2.imread(str(path), cv2.IMREAD_COLOR)
        if image is not None:
            image = cv2.resize(image, (side, side), interpolation=cv2.INTER_AREA)
            images.append(image[..., ::-1])
        if len(images) == count:
            break
    if not images:
        raise ValueError(f"{folder}: expected pictures to fit a network to, found none")
    stacked = np.stack(images).transpose(0, 3, 1, 2).astype(np.float32)
    return torch.from_numpy(stacked) / 127.5 - 1


@torch.no_grad()
def narrowed(
    wide: BodyPixNet, images: Tensor, multiplier: float, widths: tuple[int, int]
) -> BodyPixNet:
    """A network of these sizes that answers to ``images`` (n,3,h,w) much as ``wide`` does.

    It has no `surroundings` and no `overview` of its own: heads and decoder are fitted to what they
    hear of the wide network's. Raises ValueError unless both are MobileNets and no layer of the new
    one is wider.
    """
    narrow = BodyPixNet(multiplier, widths).eval()
    narrow.coarse_share.copy_(wide.coarse_share)
    narrow.coarse_parts.copy_(wide.coarse_parts)
    theirs, mine = wide.eval().backbone, narrow.backbone
    if not isinstance(theirs, MobileNetV1) or not isinstance(mine, MobileNetV1):
        raise ValueError("expected a MobileNet to make narrower, got a ResNet")
    if multiplier > wide.multiplier or any(np.greater(widths, wide.widths)):
        raise ValueError(
            f"expected at most multiplier {wide.multiplier} and widths {wide.widths},"
            f" got {multiplier} and {widths}"
        )
    readers = [wide.context.project[0].weight, *(head.weight for head in wide.heads.values())]
    features = _narrow_backbone(theirs, mine, images, torch.cat(readers))
    at16, mine16 = features[-1]
    at16 = wide.with_overview(at16, images)
    if wide.surroundings is not None:
        at16 = wide.surroundings(at16)
    features[-1] = (at16, mine16)
    _narrow_decoder(wide, narrow, features)
    return narrow


def _narrow_backbone(
    wide: MobileNetV1, narrow: MobileNetV1, images: Tensor, readers: Tensor
) -> list[tuple[Tensor, Tensor]]:
    """Fit the backbone; the features of both for the decoder, at strides 4, 8 and 16."""

    def chosen(block: int, x: Tensor, count: int) -> Tensor:
        if block == len(wide.blocks):
            return choose(x, readers, count)
        depthwise, pointwise = wide.blocks[block]
        return choose(depthwise(x), pointwise[0].weight, count)

    x = wide.stem(images)
    keep = chosen(0, x, narrow.stem[0].out_channels)
    copy(narrow.stem, wide.stem, keep)
    y, taps = narrow.stem(images), []
    for number, (theirs, mine) in enumerate(zip(wide.blocks, narrow.blocks, strict=True)):
        copy(mine[0], theirs[0], keep)
        y, before = mine[0](y), before_relu(theirs, x)
        x = before.clamp(0, 6)
        keep = chosen(number + 1, x, mine[1][0].out_channels)
        fit(mine[1], y, before[:, keep].clamp(-BEYOND, 6 + BEYOND))
        y = mine[1](y)
        if number in wide.taps:
            taps.append((x, y))
    return taps


def _narrow_decoder(
    wide: BodyPixNet, narrow: BodyPixNet, features: list[tuple[Tensor, Tensor]]
) -> None:
    (wide4, mine4), (wide8, mine8), (wide16, mine16) = features
    for name, head in narrow.heads.items():
        fit(head, mine16, wide.heads[name](wide16))

    total = double(wide.context(wide16)) + wide.lateral8(wide8)
    keep = choose(wide.refine8[0](total.clamp(0, 6)), wide.refine8[1][0].weight, narrow.widths[0])
    theirs, mine = wide.context, narrow.context
    project = before_relu(theirs.project, wide16)
    fit(mine.project, mine16, project[:, keep].clamp(-BEYOND, 6 + BEYOND))
    pooled = [x.mean((2, 3), keepdim=True) for x in (wide16, mine16)]
    fit(mine.gate, pooled[1], theirs.gate(pooled[0])[:, keep], ridge=0.1)
    at8 = double(mine(mine16))
    fit(narrow.lateral8, mine8, total[:, keep] - at8)
    at8 = (at8 + narrow.lateral8(mine8)).clamp(0, 6)
    readers = torch.cat([wide.parts.weight, wide.reduce[0].weight])
    wide8, mine8 = _refine(wide.refine8, narrow.refine8, total, at8, keep, readers)
    fit(narrow.parts, mine8, wide.parts(wide8))

    total = double(wide.reduce(wide8)) + wide.lateral4(wide4)
    keep = choose(wide.refine4[0](total.clamp(0, 6)), wide.refine4[1][0].weight, narrow.widths[1])
    fit(narrow.reduce, mine8, wide.reduce(wide8)[:, keep])
    at4 = double(narrow.reduce(mine8))
    fit(narrow.lateral4, mine4, total[:, keep] - at4)
    at4 = (at4 + narrow.lateral4(mine4)).clamp(0, 6)
    wide4, mine4 = _refine(wide.refine4, narrow.refine4, total, at4, keep, wide.person.weight)
    fit(narrow.person, mine4, wide.person(wide4))


def _refine(
    wide: Separable, narrow: Separable, total: Tensor, mine: Tensor, keep: Tensor, readers: Tensor
) -> tuple[Tensor, Tensor]:
    """Fit a decoder's separable convolution; what both give."""
    copy(narrow[0], wide[0], keep)
    mine, before = narrow[0](mine), before_relu(wide, total.clamp(0, 6))
    keep = choose(before.clamp(0, 6), readers, narrow[1][0].out_channels)
    fit(narrow[1], mine, before[:, keep].clamp(-BEYOND, 6 + BEYOND))
    return before.clamp(0, 6), narrow[1](mine)


def before_relu(layer: nn.Sequential, x: Tensor) -> Tensor:
    """What a ConvBn, or the last one of a Separable, gives to its activation."""
    if isinstance(layer, Separable):
        return before_relu(layer[1], layer[0](x))
    return layer[1](layer[0](x))


def rows(x: Tensor) -> Tensor:
    """Pixels of (n,c,h,w) as double precision rows (at most ROWS, c), the same ones for every c."""
    flat = x.permute(0, 2, 3, 1).reshape(-1, x.shape[1])
    if len(flat) > ROWS:
        generator = torch.Generator().manual_seed(0)
        flat = flat[torch.randperm(len(flat), generator=generator)[:ROWS]]
    return flat.double()


def choose(x: Tensor, readers: Tensor, count: int) -> Tensor:
    """The ``count`` channels of x (n,c,h,w) that say most to whoever reads them, in order.

    ``readers`` (k,c,1,1) weigh the channels. One after the other the channel is taken that the
    ones taken before explain least (a pivoted Cholesky decomposition of the covariance).
    """
    flat = rows(x)
    flat = (flat - flat.mean(0)) * readers.double().flatten(1).norm(dim=0)
    left = flat.T @ flat / len(flat)
    taken: list[int] = []
    for _ in range(count):
        variance = left.diagonal().clone()
        variance[taken] = -1.0
        best = int(variance.argmax())
        taken.append(best)
        if variance[best] > 1e-12:
            left = left - torch.outer(left[:, best], left[best]) / left[best, best]
    return torch.tensor(sorted(taken))


def copy(mine: ConvBn, theirs: ConvBn, keep: Tensor) -> None:
    """The channels ``keep`` of a layer whose channels do not mix, as they are."""
    mine[0].weight.copy_(theirs[0].weight[keep])
    for name, value in theirs[1].state_dict().items():
        if value.ndim:
            mine[1].state_dict()[name].copy_(value[keep])


def fit(layer: nn.Module, x: Tensor, target: Tensor, ridge: float = RIDGE) -> None:
    """Make a 1x1 convolution, or a ConvBn of one, give ``target`` for x, before its activation."""
    inputs, wanted = rows(x), rows(target)
    shift, mean = inputs.mean(0), wanted.mean(0)
    inputs = inputs - shift
    gram = inputs.T @ inputs / len(inputs)
    gram += torch.eye(len(gram)) * (ridge * gram.diagonal().mean() + 1e-9)
    weight = torch.linalg.solve(gram, inputs.T @ (wanted - mean) / len(inputs)).T
    bias = mean - weight @ shift
    convolution = layer[0] if isinstance(layer, ConvBn) else layer
    assert isinstance(convolution, nn.Conv2d)
    convolution.weight.copy_(weight[..., None, None])
    if isinstance(layer, ConvBn):
        norm = layer[1]
        assert isinstance(norm, nn.BatchNorm2d)
        given = inputs @ weight.T + weight @ shift
        # True statistics: the layer then answers alike while it learns, frozen or not.
        norm.running_mean.copy_(given.mean(0))
        norm.running_var.copy_(given.var(0))
        norm.weight.copy_((given.var(0) + norm.eps).sqrt())
        norm.bias.copy_(given.mean(0) + bias)
    else:
        assert convolution.bias is not None
        convolution.bias.copy_(bias)
