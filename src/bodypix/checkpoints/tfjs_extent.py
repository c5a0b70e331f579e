"""How large a feature map is, for every image size at once; from it the pads of SAME.

Network inputs have sizes h with (h - 1) a multiple of the output stride, so that the grids of all
layers are aligned at the corners: a map whose layers so far stride by t has (h - 1) / t + 1 + e
rows, with a small constant e (0 nearly everywhere). TensorFlow's SAME pads depend on the size;
for sizes of this form they come out as constants, which is what ONNX needs:

    rows n, kernel k (dilated extent k' = (k - 1) d + 1), stride s, r = e mod s
    out = ceil(n / s),  pads = max((out - 1) s + k' - n, 0) = max(k' - 1 - r, 0)

The smaller half goes before (https://www.tensorflow.org/api_docs/python/tf/nn#notes_on_padding_2).
"""

from __future__ import annotations

from dataclasses import dataclass

#: (before, after)
Pads = tuple[int, int]


@dataclass(frozen=True)
class Extent:
    """The size of one axis: (h - 1) / stride + 1 + extra, for every valid input size h."""

    stride: int = 1
    extra: int = 0

    def padded(self, pads: Pads) -> Extent:
        """The extent after padding."""
        return Extent(self.stride, self.extra + sum(pads))

    def same_pads(self, kernel: int, stride: int, dilation: int) -> Pads:
        """The pads of a SAME window over this axis."""
        total = max((kernel - 1) * dilation - self.extra % stride, 0)
        return total // 2, total - total // 2

    def windowed(self, kernel: int, stride: int, dilation: int) -> Extent:
        """The extent after a window without padding of its own (VALID)."""
        left = self.extra - (kernel - 1) * dilation
        return Extent(self.stride * stride, left // stride)
