"""What a BodyPix ONNX file says about itself: one JSON text under the metadata key `bodypix`."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from typing import Any

from bodypix.checkpoints.onnx_types import Model
from bodypix.errors import CheckpointError

#: The key in `metadata_props` of the ONNX file.
METADATA_KEY = "bodypix"

#: The version of this description that the package writes and reads.
METADATA_FORMAT = 1

#: Every head that a model can hold, with its channels. Outputs are NHWC float32, unactivated.
HEAD_CHANNELS = {
    "segments": 1,
    "part_heatmaps": 24,
    "heatmaps": 17,
    "short_offsets": 34,
    "long_offsets": 34,
    "displacement_fwd": 32,
    "displacement_bwd": 32,
    "part_offsets": 48,
    "segments_fine": 1,
    "part_heatmaps_fine": 24,
}


@dataclass(frozen=True)
class ModelMetadata:
    """Facts about a model that its graph does not show.

    `preprocessing` is "mobilenet" (x/127.5 - 1) or "resnet50" (x minus the channel means);
    `person_head` and `parts_head` name the outputs that masks and part maps are made from.
    """

    name: str
    version: str
    architecture: str
    multiplier: float
    output_stride: int
    quant_bytes: int
    preprocessing: str
    person_head: str
    parts_head: str
    licence: str

    def to_json(self) -> str:
        """The text that goes into the ONNX file."""
        return json.dumps({"format": METADATA_FORMAT, **asdict(self)})


_ALLOWED: dict[str, tuple[object, ...]] = {
    "architecture": ("MobileNetV1", "ResNet50"),
    "output_stride": (8, 16, 32),
    "quant_bytes": (1, 2, 4),
    "preprocessing": ("mobilenet", "resnet50"),
    "person_head": ("segments", "segments_fine"),
    "parts_head": ("part_heatmaps", "part_heatmaps_fine"),
}


def read_metadata(model: Model) -> ModelMetadata:
    """The description inside a model file.

    Raises CheckpointError when there is none (another ONNX file), when it is of a newer format,
    when a field is missing or out of range, or when a head that it names is not an output.
    """
    text = model.metadata.get(METADATA_KEY)
    if text is None:
        raise CheckpointError(
            "model file: expected a BodyPix ONNX file with `bodypix` metadata, got an ONNX file "
            f"with outputs {', '.join(info.name for info in model.outputs) or 'none'}; "
            "make one from a tfjs model with `bodypix models convert`"
        )
    fields = _parse(text)
    if fields.pop("format", None) != METADATA_FORMAT:
        raise CheckpointError(
            f"model file: expected metadata of format {METADATA_FORMAT}, got {text[:200]}; "
            "the file is from a newer bodypix: upgrade the package"
        )
    kinds: dict[str, type | tuple[type, ...]] = {
        "multiplier": (int, float),
        "output_stride": int,
        "quant_bytes": int,
    }
    values: dict[str, Any] = {}
    for key in ModelMetadata.__dataclass_fields__:
        value = fields.get(key)
        if not isinstance(value, kinds.get(key, str)) or isinstance(value, bool):
            raise _wrong_field(key, "a value of the right kind", value)
        if key in _ALLOWED and value not in _ALLOWED[key]:
            raise _wrong_field(key, "one of " + ", ".join(map(str, _ALLOWED[key])), value)
        values[key] = value
    outputs = {info.name for info in model.outputs}
    for key in ("person_head", "parts_head"):
        if values[key] not in outputs:
            raise _wrong_field(key, "an output among " + ", ".join(sorted(outputs)), values[key])
    return ModelMetadata(**{**values, "multiplier": float(values["multiplier"])})


def _parse(text: str) -> dict[str, Any]:
    try:
        fields = json.loads(text)
    except ValueError as error:
        raise CheckpointError(
            f"model file: expected JSON in its `bodypix` metadata, got {text[:200]!r}; "
            "the file is corrupt: fetch or convert it again"
        ) from error
    return fields if isinstance(fields, dict) else {}


def _wrong_field(key: str, expected: str, got: object) -> CheckpointError:
    return CheckpointError(
        f"model file: metadata field {key}: expected {expected}, got {got!r}; "
        "fetch or convert the file again"
    )
