"""A second look at the whole picture, at a quarter of its size, where features see it at once."""

from __future__ import annotations

from torch import Tensor, nn
from torch.nn import functional as F

from .layers import ConvBn, Separable, add_nothing, begin_convolutions, double

SHARE = 0.25  # of the picture's sides
BEYOND = 16  # pixels more, or the last cell, of 64 pixels, would end before the picture does


class Overview(nn.Module):
    """What the small picture's features, [N,c,..] at stride 64, add to those at stride 16.

    The same backbone makes both: who is too large, or too near, to be known by what one cell sees
    is of everyday size in the small picture, which has a sixteenth of the pixels.
    It begins by adding nothing, so that a network that has learned without it goes on as it was.
    """

    def __init__(self, channels: int, width: int) -> None:
        super().__init__()
        self.width = width
        self.gather = Separable(channels, width)
        self.widen = ConvBn(width, channels, relu=None)
        begin_convolutions(self)
        self.add_nothing()

    def add_nothing(self) -> None:
        """Back to the beginning, though what `gather` has learned stays."""
        add_nothing(self.widen)

    def forward(self, x: Tensor, small: Tensor) -> Tensor:
        height, width = x.shape[2:]
        more = double(double(self.widen(self.gather(small))))
        return x + more[..., :height, :width]


def shrunk(image: Tensor) -> Tensor:
    """The picture [N,3,4k+1,4m+1] at a quarter of its size and grey after its end, [N,3,k+16,m+16].

    Bilinear: a pixel is the mean of four of the sixteen that it stands for. To take the mean of
    more costs onnxruntime several times as long and found people no better.
    """
    small = F.interpolate(image, scale_factor=SHARE, mode="bilinear", align_corners=False)
    return F.pad(small, (0, BEYOND, 0, BEYOND))
