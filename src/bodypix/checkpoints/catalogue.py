"""Which models exist: the published checkpoints and our own weights, in the wheel or to fetch."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass, fields
from functools import lru_cache
from pathlib import Path
from typing import Final

from bodypix.checkpoints.options import LoadOptions
from bodypix.errors import CheckpointError, InvalidArgumentError

#: The bucket of the tfjs models; `BODYPIX_BASE_URL` puts a mirror in its place.
BASE_URL: Final = "https://storage.googleapis.com/tfjs-models/"

_FOLDERS: Final = {4: "float", 2: "quant2", 1: "quant1"}
# Megabytes for 4, 2 and 1 bytes per weight, as the original's documentation has them.
_MEGABYTES: Final = {0.5: (2, 1, 0.6), 0.75: (5, 2, 1), 1.0: (13, 6, 3)}
_RESNET_MEGABYTES: Final = (90, 45, 22)


@dataclass(frozen=True)
class PublishedModel:
    """A checkpoint of the original. `url_path` is relative to `BASE_URL`."""

    name: str
    options: LoadOptions
    url_path: str
    megabytes: float


@dataclass(frozen=True)
class OwnModel:
    """Weights of our own, an entry of `weights/models.json`: inside the wheel, or at `url`.

    `sha256` and `size` (bytes) are those of the ONNX file; `alias` is a second, short name.
    """

    name: str
    file: str
    sha256: str
    size: int
    architecture: str
    multiplier: float
    output_stride: int
    default: bool
    description: str
    alias: str | None = None
    url: str | None = None

    @property
    def path(self) -> Path:
        """Where the file of a built-in model lies."""
        return _WEIGHTS / self.file

    @property
    def built_in(self) -> bool:
        """Whether the file is inside the wheel."""
        return self.url is None


def _mobilenet(multiplier: float, stride: int, quant_bytes: int) -> PublishedModel:
    width = f"{multiplier * 100:03.0f}"
    folder = _FOLDERS[quant_bytes]
    return PublishedModel(
        f"mobilenet-{width}-stride{stride}" + ("" if quant_bytes == 4 else f"-{folder}"),
        LoadOptions("MobileNetV1", stride, multiplier, quant_bytes),
        f"savedmodel/bodypix/mobilenet/{folder}/{width}/model-stride{stride}.json",
        _MEGABYTES[multiplier][(4, 2, 1).index(quant_bytes)],
    )


def _resnet(stride: int, quant_bytes: int) -> PublishedModel:
    folder = _FOLDERS[quant_bytes]
    return PublishedModel(
        f"resnet50-stride{stride}" + ("" if quant_bytes == 4 else f"-{folder}"),
        LoadOptions("ResNet50", stride, 1.0, quant_bytes),
        f"savedmodel/bodypix/resnet50/{folder}/model-stride{stride}.json",
        _RESNET_MEGABYTES[(4, 2, 1).index(quant_bytes)],
    )


#: Every checkpoint in the bucket. (MobileNet at stride 32 passes the checks, but has no file.)
PUBLISHED: Final[tuple[PublishedModel, ...]] = (
    *(_mobilenet(m, s, q) for m in (0.5, 0.75, 1.0) for s in (8, 16) for q in (4, 2, 1)),
    *(_resnet(s, q) for s in (16, 32) for q in (4, 2, 1)),
)

_WEIGHTS: Final = Path(__file__).resolve().parent.parent / "weights"


def published(name: str) -> PublishedModel:
    """The published checkpoint of that name. Raises InvalidArgumentError for another name."""
    for model in PUBLISHED:
        if model.name == name:
            return model
    raise unknown_name(name, [model.name for model in PUBLISHED])


def published_for(options: LoadOptions) -> PublishedModel:
    """The published checkpoint of those options.

    Raises CheckpointError for options that are valid but were never published.
    """
    for model in PUBLISHED:
        wanted = model.options
        if (wanted.architecture, wanted.output_stride, wanted.multiplier, wanted.quant_bytes) == (
            options.architecture,
            options.output_stride,
            options.multiplier,
            options.quant_bytes,
        ):
            return model
    raise CheckpointError(
        f"output_stride: expected 8 or 16, got {options.output_stride}; {options.architecture} at "
        "that stride was never published: take 16, or give model_url"
    )


@lru_cache(maxsize=1)
def own_models() -> tuple[OwnModel, ...]:
    """Our own models. Raises CheckpointError when their list is missing or broken."""
    path = _WEIGHTS / "models.json"
    try:
        entries = json.loads(path.read_text("utf-8"))
        models = tuple(
            OwnModel(**{key.name: entry[key.name] for key in fields(OwnModel) if key.name in entry})
            for entry in entries
        )
    except (OSError, ValueError, TypeError) as error:
        raise CheckpointError(
            f"built-in models: expected the list {path}, got {error!r}; "
            "the installation is incomplete: install bodypix again"
        ) from error
    return models


def built_in_models() -> tuple[OwnModel, ...]:
    """Those of our models that are inside the wheel. Raises as `own_models`."""
    return tuple(model for model in own_models() if model.built_in)


def built_in(name: str | None = None) -> OwnModel:
    """The built-in model of that name or alias; without a name the default one.

    Raises InvalidArgumentError for another name, CheckpointError when the wheel is broken.
    """
    models = built_in_models()
    for model in models:
        if model.default if name is None else name in names_of([model]):
            return model
    raise unknown_name(str(name), names_of(models))


def all_models() -> tuple[OwnModel | PublishedModel, ...]:
    """Our own models, then the published ones. Raises as `own_models`."""
    return (*own_models(), *PUBLISHED)


def find_model(name: str) -> OwnModel | PublishedModel:
    """The model of that name or alias, our own or published.

    Raises InvalidArgumentError for another name, CheckpointError when the wheel is broken.
    """
    for model in all_models():
        if name in names_of([model]):
            return model
    raise unknown_name(name, names_of(all_models()))


def names_of(models: Iterable[OwnModel | PublishedModel]) -> list[str]:
    """All names that models answer to."""
    names = []
    for model in models:
        names.append(model.name)
        if isinstance(model, OwnModel) and model.alias:
            names.append(model.alias)
    return names


def unknown_name(name: str, names: Iterable[str]) -> InvalidArgumentError:
    """The error for a name that no model has."""
    import difflib  # only an error needs it

    names = list(names)
    near = difflib.get_close_matches(name, names, n=1)
    hint = f"did you mean {near[0]!r}? " if near else ""
    return InvalidArgumentError(
        f"name: expected one of {', '.join(names) or 'no built-in model'}, got {name!r}; "
        f"{hint}`bodypix models list` shows them all"
    )
