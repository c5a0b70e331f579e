"""Strides, dilations and pads of the convolutions and pools of a tfjs graph."""

from __future__ import annotations

from bodypix.checkpoints.tfjs_extent import Extent
from bodypix.checkpoints.tfjs_features import Feature, Pads2d
from bodypix.checkpoints.tfjs_graph import GraphNode


def spatial(node: GraphNode, key: str) -> tuple[int, int]:
    """Rows and columns of a list of four: entries 1 and 2, whatever the others hold.

    tfjs reads them so, and it matters: the published ResNet50 of stride 16 stores the dilations
    of its last block as [2, 2, 1, 1], so the original dilates them by 2 down and by 1 across.
    """
    numbers = node.ints(key, [1, 1, 1, 1])
    if len(numbers) != 4 or min(numbers) < 1 or max(numbers) > 64:
        raise node.error(f"four positive numbers as {key}", numbers)
    return numbers[1], numbers[2]


def window(
    node: GraphNode,
    source: Feature,
    size: tuple[int, int],
    strides: tuple[int, int],
    dilations: tuple[int, int],
) -> tuple[Pads2d, Extent, Extent]:
    """Pads (pending ones included) and the sizes after a convolution or pool."""
    if node.text("data_format", "NHWC") != "NHWC":
        raise node.error("data_format NHWC", node.text("data_format", "NHWC"))
    padding = node.text("padding", "VALID")
    explicit = node.ints("explicit_paddings", [])
    if padding not in ("SAME", "VALID", "EXPLICIT") or (padding == "EXPLICIT") != bool(explicit):
        raise node.error("padding SAME, VALID, or EXPLICIT with numbers", padding)
    if explicit and (len(explicit) != 8 or min(explicit) < 0 or max(explicit) > 64):
        raise node.error("eight explicit paddings", explicit)
    pads, extents = [], []
    for axis, extent in enumerate((source.rows, source.columns)):
        kernel, stride, dilation = size[axis], strides[axis], dilations[axis]
        rate = source.block[axis] if source.block else 1
        own = (0, 0)
        extent = extent.padded(source.pads[axis])
        if padding == "SAME":
            before, after = extent.same_pads(kernel, stride, dilation)
            own = (before * rate, after * rate)
        elif explicit:
            own = (explicit[2 + 2 * axis] * rate, explicit[3 + 2 * axis] * rate)
        pending = source.pads[axis]
        pads.append((pending[0] + own[0], pending[1] + own[1]))
        extents.append(extent.padded(own).windowed(kernel, stride, dilation * rate))
    return (pads[0], pads[1]), extents[0], extents[1]


def joined(first: Pads2d, second: Pads2d) -> Pads2d:
    """The pads of two pads in a row."""
    rows, columns = (
        (one[0] + two[0], one[1] + two[1]) for one, two in zip(first, second, strict=True)
    )
    return rows, columns
