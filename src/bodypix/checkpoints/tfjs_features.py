"""The ONNX side of reading a tfjs graph: feature maps, and nodes that may still change."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace

import numpy as np

from bodypix.checkpoints.onnx_types import Array, Attribute, Node, Tensor
from bodypix.checkpoints.tfjs_extent import Extent, Pads

#: Pads of rows and of columns.
Pads2d = tuple[Pads, Pads]

NO_PADS: Pads2d = ((0, 0), (0, 0))


@dataclass
class Convolution:
    """A convolution; later nodes fold into its weights (OIHW), its bias and its pads."""

    name: str
    source: str
    weights: Array
    bias: Array
    strides: tuple[int, int]
    dilations: tuple[int, int]
    pads: Pads2d
    groups: int


@dataclass
class Clip:
    """A clamp; a later node may add the second bound."""

    name: str
    source: str
    low: float | None = None
    high: float | None = None


@dataclass(frozen=True)
class Feature:
    """A feature map [N, channels, rows, columns] while the graph is built.

    `positive`: no value is below 0. `pads`: zeros that the next window has to add, not in the
    tensor yet. `block`: the rates of an open SpaceToBatchND; the map is then described as if its
    spaces were joined. `convolution`: what made it, when nothing else reads the way from there;
    `foldable`: its values are still plain sums of that convolution. `clip`: as `convolution`.
    """

    tensor: str
    channels: int
    rows: Extent
    columns: Extent
    positive: bool = False
    pads: Pads2d = NO_PADS
    block: tuple[int, int] | None = None
    convolution: Convolution | None = None
    foldable: bool = False
    clip: Clip | None = None

    def sealed(self) -> Feature:
        """The same map, with nothing left to fold into."""
        return replace(self, convolution=None, foldable=False, clip=None)


@dataclass
class Emitter:
    """Collects ONNX nodes in order, and the constants that they read."""

    reserved: Iterable[str]
    _items: list[Node | Convolution | Clip] = field(default_factory=list)
    _constants: dict[str, Array] = field(default_factory=dict)
    _names: set[str] = field(default_factory=set)

    def __post_init__(self) -> None:
        self._names.update(self.reserved)

    def unique(self, name: str) -> str:
        """`name`, with a number where it is taken."""
        count, candidate = 2, name
        while candidate in self._names:
            count, candidate = count + 1, f"{name}_{count}"
        self._names.add(candidate)
        return candidate

    def constant(self, name: str, array: Array) -> str:
        """Add a constant and return its name."""
        name = self.unique(name)
        self._constants[name] = array
        return name

    def node(self, op: str, name: str, inputs: list[str], **attributes: Attribute) -> str:
        """Add a node and return the name of its result."""
        name = self.unique(name)
        self._items.append(Node(op, inputs, [name], name, attributes))
        return name

    def output(self, head: str, tensor: str) -> None:
        """Add the graph output `head`: `tensor` as NHWC."""
        self._items.append(Node("Transpose", [tensor], [head], head, {"perm": [0, 2, 3, 1]}))

    def later(self, item: Convolution | Clip) -> None:
        """Add a node that may still change."""
        item.name = self.unique(item.name)
        self._items.append(item)

    def pad(self, name: str, feature: Feature, value: float) -> Feature:
        """The map with its pending pads made real."""
        (top, bottom), (left, right) = feature.pads
        amounts = np.array([0, 0, top, left, 0, 0, bottom, right], np.int64)
        pads = self.constant(f"{name}/amounts", amounts)
        fill = self.constant(f"{name}/value", np.array(value, np.float32))
        return Feature(
            self.node("Pad", name, [feature.tensor, pads, fill], mode="constant"),
            feature.channels,
            feature.rows.padded((top, bottom)),
            feature.columns.padded((left, right)),
            positive=feature.positive and value >= 0,
        )

    def finish(self) -> tuple[list[Node], list[Tensor]]:
        """All nodes, in order, and all constants."""
        nodes = [self._finish(item) for item in self._items]
        return nodes, [Tensor(name, array) for name, array in self._constants.items()]

    def _finish(self, item: Node | Convolution | Clip) -> Node:
        if isinstance(item, Node):
            return item
        if isinstance(item, Clip):
            bounds = [
                ""
                if bound is None
                else self.constant(f"{item.name}/{key}", np.array(bound, np.float32))
                for key, bound in (("low", item.low), ("high", item.high))
            ]
            return Node("Clip", [item.source, *bounds], [item.name], item.name)
        (top, bottom), (left, right) = item.pads
        kernel = np.ascontiguousarray(item.weights, np.float32)
        weights = self.constant(f"{item.name}/weights", kernel)
        bias = self.constant(f"{item.name}/bias", item.bias.astype(np.float32))
        attributes: dict[str, Attribute] = {
            "kernel_shape": list(kernel.shape[2:]),
            "strides": list(item.strides),
            "dilations": list(item.dilations),
            "pads": [top, left, bottom, right],
            "group": item.groups,
        }
        return Node("Conv", [item.source, weights, bias], [item.name], item.name, attributes)
