"""A recipe: the TOML file that says how a model is made, from pictures to ONNX."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .datasets import photos
from .datasets.augment import Augmentation
from .datasets.mixture import Mixture
from .datasets.sample import Sample
from .networks.bodypix import BodyPixNet
from .train import Schedule

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

KINDS = ("teacher", "empty", "ccp-drawn", "ccp-undrawn")


@dataclass(frozen=True)
class Source:
    """Pictures of one kind in ``images``, relative to the data folder; ``weight`` in the mix."""

    kind: str
    images: str
    weight: float


@dataclass(frozen=True)
class Recipe:
    """Everything that decides what a model becomes."""

    name: str
    multiplier: float
    widths: tuple[int, int]
    pose_weight: float
    teacher_share: float
    hints: tuple[int, ...]
    hint_weight: float
    teachers: str
    sources: tuple[Source, ...]
    augmentation: Augmentation
    schedule: Schedule
    seed: int

    def network(self) -> BodyPixNet:
        return BodyPixNet(self.multiplier, self.widths)


def read_recipe(path: Path) -> Recipe:
    """Read and check a recipe. Raises ValueError that names the file and the field."""
    try:
        raw: dict[str, Any] = tomllib.loads(path.read_text())
    except tomllib.TOMLDecodeError as error:
        raise ValueError(f"{path}: expected TOML, got {error}") from error
    try:
        schedule = dict(raw["schedule"])
        schedule["stages"] = tuple(tuple(stage) for stage in schedule["stages"])
        recipe = Recipe(
            name=raw["name"],
            multiplier=float(raw["network"]["multiplier"]),
            widths=tuple(raw["network"]["widths"]),
            pose_weight=float(raw["loss"]["pose_weight"]),
            teacher_share=float(raw["loss"]["teacher_share"]),
            hints=tuple(raw["loss"].get("hints", ())),
            hint_weight=float(raw["loss"].get("hint_weight", 0.0)),
            teachers=raw["data"]["teachers"],
            sources=tuple(Source(**source) for source in raw["data"]["sources"]),
            augmentation=Augmentation(**raw.get("augmentation", {})),
            schedule=Schedule(**schedule),
            seed=int(raw.get("seed", 0)),
        )
    except KeyError as error:
        raise ValueError(f"{path}: the field {error} is missing") from error
    except TypeError as error:
        raise ValueError(f"{path}: {error}") from error
    for source in recipe.sources:
        if source.kind not in KINDS:
            raise ValueError(
                f"{path}: data.sources.kind: expected one of {', '.join(KINDS)},"
                f" got {source.kind!r}"
            )
    if recipe.hints and recipe.multiplier != 0.5:
        raise ValueError(
            f"{path}: loss.hints: expected none at multiplier {recipe.multiplier}: the teacher's"
            " features have the widths of multiplier 0.5"
        )
    for _, size, _ in recipe.schedule.stages:
        if size % 16 != 1:
            raise ValueError(f"{path}: schedule.stages: expected crop sides 16k+1, got {size}")
    return recipe


def read_source(source: Source, data: Path, labels: Path) -> list[Sample]:
    """The samples of one source; ``labels`` is where `bodypix-train label` wrote."""
    answers = label_folder_of(source, labels)
    if source.kind == "teacher":
        return photos.read_teacher_folder(data / source.images, answers)
    if source.kind == "empty":
        return photos.read_empty_folder(data / source.images, answers)
    drawn = source.kind == "ccp-drawn"
    return photos.read_ccp((data / source.images).parent, answers, drawn=drawn)


def label_folder_of(source: Source, labels: Path) -> Path:
    """Where the teachers' answers to a source's pictures are kept."""
    return labels / source.images.replace("/", "__")


def read_mixture(recipe: Recipe, data: Path, labels: Path) -> Mixture:
    """All sources of a recipe, read into memory."""
    return Mixture(
        [(s.weight, read_source(s, data, labels)) for s in recipe.sources], recipe.augmentation
    )
