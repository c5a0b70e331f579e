"""A released model's entry in the list of models, and both put into the package."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from bodypix.checkpoints.info import model_info
from bodypix.files import write_whole

from .release import Release


def write_entry(release: Release, model: Path, path: Path) -> None:
    """Write the entry of ``model``, an ONNX file, as ``path``: what `weights/models.json` holds.

    It is not the default. For a model outside the wheel, add its address as ``url``.
    """
    info = model_info(model)
    entry = {
        "name": release.name,
        "file": model.name,
        "sha256": info.sha256,
        "size": info.size,
        "architecture": info.metadata.architecture,
        "multiplier": info.metadata.multiplier,
        "output_stride": info.metadata.output_stride,
        "default": False,
        "description": release.description,
        **({"alias": release.alias} if release.alias else {}),
    }
    _write(path, entry)


def put_into(weights: Path, folder: Path) -> Path:
    """Copy a release's model into the package's folder of weights and list it; returns the copy.

    ``folder`` is the release's. An older version of the model is replaced and stays what it was,
    the default or not. Raises ValueError where ``weights`` has no list.
    """
    list_path = weights / "models.json"
    if not list_path.is_file():
        raise ValueError(f"{weights}: expected the folder of weights with models.json, found none")
    entries: list[dict[str, Any]] = json.loads(list_path.read_text())
    entry: dict[str, Any] = json.loads((folder / "catalogue.json").read_text())
    copy = weights / str(entry["file"])
    data = (folder / copy.name).read_bytes()
    write_whole(copy, lambda file: file.write(data))
    places = [place for place, old in enumerate(entries) if old["name"] == entry["name"]]
    if places:
        entry["default"] = entries[places[0]]["default"]
        entries[places[0]] = entry
    else:
        entries.append(entry)
    _write(list_path, entries)
    return copy


def _write(path: Path, value: object) -> None:
    text = json.dumps(value, indent=2) + "\n"
    write_whole(path, lambda file: file.write(text.encode()))
