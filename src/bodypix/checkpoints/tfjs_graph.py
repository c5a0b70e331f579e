"""The topology of a tfjs graph model: its JSON, checked and made of typed nodes.

A tfjs graph is a TensorFlow GraphDef as JSON: 64-bit numbers are strings, byte strings are
base64 (or lists of character codes, from old converters).
"""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from bodypix.checkpoints.tfjs_weights import WeightGroup, parse_manifest
from bodypix.errors import CheckpointError

#: The largest published topology has 0.2 MB.
MAX_JSON_BYTES = 16 << 20


@dataclass(frozen=True)
class GraphNode:
    """One node. `inputs` are node names: control inputs and the output index 0 are stripped."""

    name: str
    op: str
    inputs: tuple[str, ...]
    attributes: dict[str, Any]

    def error(self, expected: str, got: object, advice: str = "") -> CheckpointError:
        """An error that names this node and its operation."""
        return CheckpointError(
            f"tfjs model: node {self.name!r} ({self.op}): expected {expected}, got {got}; "
            + (advice or "bodypix reads the published BodyPix graphs: check that this is one")
        )

    def ints(self, key: str, default: list[int] | None = None) -> list[int]:
        """A list of integers, such as strides. Raises CheckpointError when it is none."""
        value = self._inner(key, "list")
        if value is None and default is not None:
            return default
        numbers = value.get("i", []) if isinstance(value, dict) else None
        try:
            return [int(number) for number in numbers]  # type: ignore[union-attr]
        except (TypeError, ValueError) as error:
            raise self.error(f"a list of integers as {key}", value) from error

    def text(self, key: str, default: str) -> str:
        """A text, such as the padding. Raises CheckpointError when it is none."""
        value = self._inner(key, "s")
        return default if value is None else self._decode(key, value)

    def texts(self, key: str) -> list[str]:
        """A list of texts, such as the operations that a node has fused."""
        value = self._inner(key, "list")
        items = value.get("s", []) if isinstance(value, dict) else []
        return [self._decode(key, item) for item in items]

    def number(self, key: str, default: float) -> float:
        """A float, such as epsilon. Raises CheckpointError when it is none."""
        value = self._inner(key, "f")
        try:
            return default if value is None else float(value)
        except (TypeError, ValueError) as error:
            raise self.error(f"a number as {key}", value) from error

    def flag(self, key: str, default: bool) -> bool:
        """A boolean."""
        value = self._inner(key, "b")
        return default if value is None else bool(value)

    def _inner(self, key: str, kind: str) -> Any:
        attribute = self.attributes.get(key)
        return attribute.get(kind) if isinstance(attribute, dict) else None

    def _decode(self, key: str, value: object) -> str:
        try:
            if isinstance(value, list):
                return "".join(map(chr, value))
            return base64.b64decode(str(value), validate=True).decode("utf-8")
        except (TypeError, ValueError, OverflowError, binascii.Error) as error:
            raise self.error(f"a text as {key}", value) from error


@dataclass(frozen=True)
class Graph:
    """A tfjs graph model without its weight values."""

    nodes: dict[str, GraphNode]
    groups: tuple[WeightGroup, ...]

    def sorted_for(self, outputs: Iterable[str]) -> list[GraphNode]:
        """The nodes that `outputs` need, each after all that it reads from.

        Raises CheckpointError for inputs that are not there and for circles.
        """
        done: dict[str, GraphNode] = {}
        path: set[str] = set()
        # A stack of our own: the depth of a foreign graph must not be bounded by Python's.
        stack = [(name, False) for name in outputs]
        while stack:
            name, finished = stack.pop()
            if name in done:
                continue
            node = self.nodes[name]
            if finished:
                done[name] = node
                path.discard(name)
                continue
            if name in path:
                raise node.error("a graph without circles", "a node that needs itself")
            path.add(name)
            stack.append((name, True))
            for source in node.inputs:
                if source not in self.nodes:
                    raise node.error("inputs that exist", f"the unknown input {source!r}")
                stack.append((source, False))
        return list(done.values())


def parse_graph(data: bytes) -> Graph:
    """Parse and check the JSON of a tfjs graph model.

    Raises CheckpointError when it is no JSON, a tfjs layers model, or not complete.
    """
    if len(data) > MAX_JSON_BYTES:
        raise _wrong(f"at most {MAX_JSON_BYTES} bytes of JSON", f"{len(data)} bytes")
    try:
        document = json.loads(data)
    except (ValueError, RecursionError) as error:
        raise _wrong("the JSON of a tfjs graph model", f"{data[:60]!r}") from error
    if not isinstance(document, dict):
        raise _wrong("the JSON of a tfjs graph model", type(document).__name__)
    if document.get("format", "graph-model") != "graph-model":
        raise _wrong("a tfjs graph model", f"format {document['format']!r}")
    topology = document.get("modelTopology")
    entries = topology.get("node") if isinstance(topology, dict) else None
    if not isinstance(entries, list) or "weightsManifest" not in document:
        raise _wrong(
            "modelTopology.node and weightsManifest", f"the keys {', '.join(document) or 'none'}"
        )
    nodes = {node.name: node for node in map(_parse_node, entries)}
    return Graph(nodes, parse_manifest(document["weightsManifest"]))


def _parse_node(entry: object) -> GraphNode:
    if not isinstance(entry, dict):
        raise _wrong("nodes with a name and an op", entry)
    name, op = entry.get("name"), entry.get("op")
    inputs, attributes = entry.get("input", []), entry.get("attr", {})
    good = isinstance(name, str) and isinstance(op, str)
    good = good and isinstance(inputs, list) and all(isinstance(item, str) for item in inputs)
    if not good or not isinstance(attributes, dict):
        raise _wrong("nodes with a name and an op", str(entry)[:120])
    node = GraphNode(str(name), str(op), _plain_inputs(inputs), attributes)
    if any(":" in source for source in node.inputs):
        raise node.error("inputs from the first output of a node", ", ".join(node.inputs))
    return node


def _plain_inputs(inputs: Sequence[str]) -> tuple[str, ...]:
    return tuple(item.removesuffix(":0") for item in inputs if not item.startswith("^"))


def _wrong(expected: str, got: object) -> CheckpointError:
    return CheckpointError(
        f"tfjs model: expected {expected}, got {got}; fetch the model again or choose another"
    )
