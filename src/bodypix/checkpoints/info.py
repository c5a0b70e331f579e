"""What `bodypix models` shows and makes: facts about a model file, and conversion to a file."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from bodypix.checkpoints.metadata import ModelMetadata, read_metadata
from bodypix.checkpoints.naming import naming
from bodypix.checkpoints.onnx_format import Model, read_model, write_model
from bodypix.checkpoints.pins import sha256_of
from bodypix.checkpoints.tfjs import convert_tfjs
from bodypix.files import write_whole


@dataclass(frozen=True)
class ModelInfo:
    """Facts about a model file.

    `size` and `sha256` are those of the file at `path` (of a tfjs model: of its JSON alone);
    `parameters` counts weights and biases; `heads` maps the outputs to their channels.
    """

    path: Path
    size: int
    sha256: str
    metadata: ModelMetadata
    parameters: int
    heads: dict[str, int]
    opset: int


def model_info(path: str | Path) -> ModelInfo:
    """Facts about a bodypix `.onnx` file or a tfjs `model.json`.

    Raises CheckpointError when the file is missing, broken or no BodyPix model.
    """
    path = Path(path)
    with naming(path):
        model = read_model(path) if path.suffix.lower() == ".onnx" else convert_tfjs(path)
        metadata = read_metadata(model)
    return ModelInfo(
        path=path,
        size=path.stat().st_size,
        sha256=sha256_of(path),
        metadata=metadata,
        parameters=_parameters(model),
        heads={info.name: int(info.shape[-1]) for info in model.outputs},
        opset=model.opset,
    )


def convert(json_path: str | Path, out_path: str | Path) -> ModelInfo:
    """Convert a tfjs model to a bodypix ONNX file and return the facts about that.

    Raises CheckpointError for the input, OutputError when `out_path` cannot be written.
    """
    with naming(json_path):
        data = write_model(convert_tfjs(json_path))
    write_whole(out_path, lambda file: file.write(data))
    return model_info(out_path)


def _parameters(model: Model) -> int:
    # Shapes, bounds and pads are constants too, but no parameters: those are floats with axes.
    floats = (t.array for t in model.initializers if t.array.dtype.kind == "f" and t.array.ndim)
    return sum(array.size for array in floats)
