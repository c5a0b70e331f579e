"""A wide network that begins as a trained narrow one, instead of at random."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from .networks.bodypix import BodyPixNet

SPREAD = 0.5  # how differently the copies of a channel are read, in deviations of the weights


@torch.no_grad()
def widened(
    narrow: BodyPixNet,
    multiplier: float,
    widths: tuple[int, int],
    late_multiplier: float | None = None,
    seed: int = 0,
) -> BodyPixNet:
    """A network of these sizes that gives the same answers as ``narrow``.

    Its channels are copies of the narrow network's, over and over again in their order, and who
    reads them shares his weights among the copies (Net2WiderNet, Chen et al. 2016). The shares
    are unequal, as ``seed`` draws them, or the copies would learn alike forever. `surroundings`
    and `overview` stay as wide as they are. Raises ValueError where a size would be smaller.
    """
    late = multiplier if late_multiplier is None else late_multiplier
    sizes = (narrow.multiplier, narrow.late_multiplier, *narrow.widths)
    if any(new < old for old, new in zip(sizes, (multiplier, late, *widths), strict=True)):
        raise ValueError(
            f"expected at least multiplier {narrow.multiplier}, {narrow.late_multiplier} at stride"
            f" 16, and widths {narrow.widths}, got {multiplier}, {late} and {widths}"
        )
    wide = BodyPixNet(
        multiplier,
        widths,
        narrow.architecture,
        surroundings=narrow.surroundings.width if narrow.surroundings else 0,
        late_multiplier=late_multiplier,
        overview=narrow.overview.width if narrow.overview else 0,
    )
    wide.coarse_share.copy_(narrow.coarse_share)
    wide.coarse_parts.copy_(narrow.coarse_parts)
    generator = torch.Generator().manual_seed(seed)
    for theirs, mine in zip(narrow.modules(), wide.modules(), strict=True):
        if isinstance(theirs, nn.Conv2d) and isinstance(mine, nn.Conv2d):
            _share(theirs, mine, generator)
        elif isinstance(theirs, nn.BatchNorm2d) and isinstance(mine, nn.BatchNorm2d):
            for name, value in theirs.state_dict().items():
                own = mine.state_dict()[name]
                own.copy_(value[copies(len(value), len(own))] if value.ndim else value)
    return wide.eval()


def copies(old: int, new: int) -> Tensor:
    """Which of ``old`` channels each of ``new`` ones is a copy of."""
    return torch.arange(new) % old


def _share(theirs: nn.Conv2d, mine: nn.Conv2d, generator: torch.Generator) -> None:
    """Give ``mine`` the filters of a narrower layer, shared among the copies of what they read."""
    outputs = copies(theirs.out_channels, mine.out_channels)
    weight = theirs.weight[outputs]
    if theirs.groups == 1:
        source = copies(theirs.in_channels, mine.in_channels)
        count = source.bincount()[:, None, None]
        noise = torch.randn(mine.weight.shape, generator=generator) * (SPREAD * weight.std())
        mean = torch.zeros_like(weight).index_add_(1, source, noise) / count
        weight = (weight / count - mean)[:, source] + noise
    mine.weight.copy_(weight)
    if theirs.bias is not None and mine.bias is not None:
        mine.bias.copy_(theirs.bias[outputs])
