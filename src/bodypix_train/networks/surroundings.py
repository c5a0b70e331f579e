"""A detour through stride 32, on which features see large people whole."""

from __future__ import annotations

from torch import Tensor, nn
from torch.nn import functional as F

from .layers import ConvBn, Separable, add_nothing, begin_convolutions, double

BLOCKS, KERNEL = 3, 5


class Surroundings(nn.Module):
    """Features [N,c,k,m] at stride 16 -> the same and what they show of their surroundings.

    The backbone sees some 300 pixels; this adds 400 at stride 32, where it costs little. It
    begins by adding nothing, so that a network that has learned without it goes on as it was.
    """

    def __init__(self, channels: int, width: int) -> None:
        super().__init__()
        self.width = width
        self.shrink = Separable(channels, width, stride=2)
        self.blocks = nn.ModuleList(Separable(width, width, kernel=KERNEL) for _ in range(BLOCKS))
        self.widen = ConvBn(width, channels, relu=None)
        begin_convolutions(self)
        self.add_nothing()

    def add_nothing(self) -> None:
        """Back to the beginning, though what the blocks have learned stays."""
        add_nothing(self.widen)

    def forward(self, x: Tensor) -> Tensor:
        height, width = x.shape[2:]
        # One cell more, or the coarse grid would end before the last of an even number of cells.
        y = self.shrink(F.pad(x, (0, 1, 0, 1)))
        for block in self.blocks:
            y = y + block(y)
        return x + double(self.widen(y))[..., :height, :width]
