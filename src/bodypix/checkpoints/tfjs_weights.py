"""The weights of a tfjs model: binary shards cut up as the manifest in its JSON says.

Rule of dequantisation, as in tfjs-core's io_utils: value = q * scale + min, in double precision;
a tensor that was int32 before is rounded back, halves upwards.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from bodypix.checkpoints.onnx_types import Array
from bodypix.errors import CheckpointError

#: No published checkpoint comes near; more is a broken or hostile manifest.
MAX_WEIGHT_BYTES = 1 << 30

_STORED = {
    "float32": np.dtype("<f4"),
    "int32": np.dtype("<i4"),
    "bool": np.dtype("?"),
    "float16": np.dtype("<f2"),
    "uint8": np.dtype("u1"),
    "uint16": np.dtype("<u2"),
}


@dataclass(frozen=True)
class WeightSpec:
    """One tensor of the manifest: what it is (`dtype`) and how it is stored (`stored`)."""

    name: str
    shape: tuple[int, ...]
    dtype: str
    stored: np.dtype[Any]
    scale: float | None
    minimum: float

    @property
    def size_bytes(self) -> int:
        """Bytes in the shards."""
        return math.prod(self.shape) * self.stored.itemsize


@dataclass(frozen=True)
class WeightGroup:
    """Tensors that lie one after another in the joined bytes of `paths`."""

    paths: tuple[str, ...]
    weights: tuple[WeightSpec, ...]

    @property
    def size_bytes(self) -> int:
        """Bytes that the shards of the group hold together."""
        return sum(spec.size_bytes for spec in self.weights)


def parse_manifest(manifest: object) -> tuple[WeightGroup, ...]:
    """Check the `weightsManifest` of a tfjs JSON and return it typed.

    Raises CheckpointError for wrong kinds, unknown dtypes, shard names that leave the folder of
    the JSON, and sizes beyond 1 GiB.
    """
    if not isinstance(manifest, list) or not manifest:
        raise _wrong("weightsManifest", "a list of weight groups", manifest)
    groups = []
    for group in manifest:
        if not isinstance(group, dict):
            raise _wrong("weightsManifest", "objects with paths and weights", group)
        paths, weights = group.get("paths"), group.get("weights")
        if not isinstance(paths, list) or not paths or not isinstance(weights, list):
            raise _wrong("weightsManifest", "objects with paths and weights", group)
        for path in paths:
            check_shard_name(path)
        groups.append(WeightGroup(tuple(paths), tuple(map(_parse_spec, weights))))
    total = sum(group.size_bytes for group in groups)
    if total > MAX_WEIGHT_BYTES:
        raise _wrong("weightsManifest", f"at most {MAX_WEIGHT_BYTES} bytes of weights", total)
    return tuple(groups)


def check_shard_name(path: object) -> None:
    """Refuse names that could reach outside the folder of the JSON or mean another URL.

    Raises CheckpointError.
    """
    good = isinstance(path, str) and not set(path) & set('\\:?#%*"<>|') and path.isprintable()
    if not good or any(piece in ("", ".", "..") for piece in str(path).split("/")):
        raise _wrong("shard name", "a plain file name relative to the JSON", path)


def quant_bytes(groups: Sequence[WeightGroup]) -> int:
    """1, 2 or 4: bytes per stored weight of the largest tensor, as the original counts them."""
    largest = max((spec for group in groups for spec in group.weights), key=_count, default=None)
    return min(largest.stored.itemsize, 4) if largest else 4


def read_weights(
    groups: Sequence[WeightGroup], read_shard: Callable[[str], bytes]
) -> Mapping[str, Array]:
    """All tensors by name: float32, int32 or bool arrays of the manifest's shapes.

    `read_shard` returns the bytes of a shard by its name in the manifest. Raises CheckpointError
    when the shards of a group hold fewer or more bytes than the manifest says.
    """
    tensors: dict[str, Array] = {}
    for group in groups:
        data = b"".join(map(read_shard, group.paths))
        if len(data) != group.size_bytes:
            raise CheckpointError(
                f"weights {', '.join(group.paths)}: expected {group.size_bytes} bytes, got "
                f"{len(data)}; the download is incomplete or the files do not belong together: "
                "delete them and fetch them again"
            )
        position = 0
        for spec in group.weights:
            raw = np.frombuffer(data, spec.stored, math.prod(spec.shape), position)
            tensors[spec.name] = _restore(raw, spec).reshape(spec.shape)
            position += spec.size_bytes
    return tensors


def _restore(raw: Array, spec: WeightSpec) -> Array:
    if spec.scale is None:
        return raw.astype(np.float32) if spec.stored == np.dtype("<f2") else raw
    values = raw.astype(np.float64) * spec.scale + spec.minimum
    if spec.dtype == "int32":
        return np.floor(values + 0.5).astype(np.int32)
    return values.astype(np.float32)


def _count(spec: WeightSpec) -> int:
    return math.prod(spec.shape)


def _parse_spec(entry: object) -> WeightSpec:
    if not isinstance(entry, dict) or not isinstance(entry.get("name"), str):
        raise _wrong("weightsManifest", "weights with a name", entry)
    name, shape, dtype = entry["name"], entry.get("shape"), entry.get("dtype")
    if not isinstance(shape, list) or not all(_is_size(size) for size in shape):
        raise _wrong(f"shape of weight {name!r}", "a list of sizes", shape)
    if dtype not in ("float32", "int32", "bool"):
        raise _wrong(f"dtype of weight {name!r}", "float32, int32 or bool", dtype)
    rule = entry.get("quantization")
    if rule is None:
        return WeightSpec(name, tuple(shape), dtype, _STORED[dtype], None, 0.0)
    stored = rule.get("dtype") if isinstance(rule, dict) else rule
    if stored == "float16" and dtype == "float32":
        return WeightSpec(name, tuple(shape), dtype, _STORED[stored], None, 0.0)
    if stored not in ("uint8", "uint16") or dtype == "bool":
        raise _wrong(f"quantization of weight {name!r}", "uint8, uint16 or float16", rule)
    scale, minimum = rule.get("scale"), rule.get("min")
    if not _is_number(scale) or not _is_number(minimum):
        raise _wrong(f"quantization of weight {name!r}", "finite numbers scale and min", rule)
    return WeightSpec(name, tuple(shape), dtype, _STORED[stored], float(scale), float(minimum))


def _is_size(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= 1 << 31


def _is_number(value: object) -> bool:
    # Written so that NaN fails too.
    return isinstance(value, (int, float)) and not isinstance(value, bool) and abs(value) < 1e38


def _wrong(what: str, expected: str, got: object) -> CheckpointError:
    return CheckpointError(
        f"tfjs model: {what}: expected {expected}, got {str(got)[:120]!r}; "
        "fetch the model again or choose another"
    )
