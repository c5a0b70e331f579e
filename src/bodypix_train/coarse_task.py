"""Training without the decoder, to see what it brings."""

from __future__ import annotations

from typing import Any

from torch import Tensor, nn

from .networks.bodypix import BodyPixNet
from .networks.layers import double
from .tasks import SegmentationTask


class CoarseTask(SegmentationTask):
    """The coarse heads learn, as they come out at stride 16, what the fine ones would.

    From now on the network's fine heads are its coarse ones, upsampled, so that they meet every
    loss of the fine ones; the decoder learns nothing.
    """

    def __init__(self, network: BodyPixNet, *options: Any, **more: Any) -> None:
        super().__init__(network, *options, **more)
        network.register_forward_hook(upsampled)


def upsampled(network: nn.Module, given: Any, out: dict[str, Tensor]) -> dict[str, Tensor]:
    """All heads, the fine ones made of the coarse ones: person at stride 4, parts at 8."""
    return out | {
        "segments_fine": double(double(out["segments"])),
        "part_heatmaps_fine": double(out["part_heatmaps"]),
    }
