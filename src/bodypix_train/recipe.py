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
from .datasets.synthetic import read_synthetic_folder
from .networks.bodypix import BodyPixNet
from .networks.mobilenet import BLOCKS, STRIDE_4_BLOCK, STRIDE_8_BLOCK
from .tasks import SegmentationTask, StagewiseTask
from .train import Schedule

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

KINDS = ("teacher", "empty", "nobody", "objects", "synthetic", "ccp-drawn", "ccp-undrawn")
UNTAUGHT = ("nobody", "objects", "synthetic")  # kinds that no teacher has to label
TASKS = {"joint": SegmentationTask, "stagewise": StagewiseTask}


@dataclass(frozen=True)
class Source:
    """Pictures of one kind in ``images``, relative to the data folder; ``weight`` in the mix.

    | kind        | what lies there                                               | labels       |
    | ----------- | ------------------------------------------------------------- | ------------ |
    | teacher     | photos with people                                            | the teachers |
    | empty       | photos in which the teachers see nobody                       | the teachers |
    | nobody      | photos without people, looked at; folders of folders are read | none needed  |
    | objects     | cut-out things to put over crops, likewise; no weight         | none needed  |
    | synthetic   | shards that `bodypix-train render` wrote                      | exact        |
    | ccp-drawn   | Clothing Co-Parsing with hand-made masks                      | by hand      |
    | ccp-undrawn | the rest of it                                                | the teachers |
    """

    kind: str
    images: str
    weight: float = 0.0


@dataclass(frozen=True)
class Recipe:
    """Everything that decides what a model becomes."""

    name: str
    multiplier: float
    widths: tuple[int, int]
    architecture: str
    task: str
    pose_weight: float
    agree_weight: float
    teacher_share: float
    hints: tuple[int, ...]
    hint_weight: float
    teachers: str
    sources: tuple[Source, ...]
    augmentation: Augmentation
    schedule: Schedule
    seed: int

    @property
    def taught(self) -> bool:
        """Whether a teacher answers at all."""
        return self.teacher_share > 0

    def check_hints(self, architecture: str, multiplier: float) -> None:
        """Raises ValueError if a teacher of this backbone has features of other widths."""
        mine, theirs = (self.architecture, self.multiplier), (architecture, multiplier)
        if self.hints and mine != theirs:
            raise ValueError(
                f"loss.hints: expected none where a {architecture} x{multiplier:g} teaches a"
                f" {self.architecture} x{self.multiplier:g}: their features have different widths;"
                f" got {list(self.hints)}"
            )

    def network(self) -> BodyPixNet:
        return BodyPixNet(self.multiplier, self.widths, self.architecture)

    def loss(self, network: BodyPixNet) -> SegmentationTask:
        """The task that trains ``network``."""
        return TASKS[self.task](
            network, self.pose_weight, self.hints, self.hint_weight, self.agree_weight
        )


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
            architecture=raw["network"].get("architecture", "MobileNetV1"),
            task=raw["loss"].get("task", "joint"),
            pose_weight=float(raw["loss"]["pose_weight"]),
            agree_weight=float(raw["loss"].get("agree_weight", 0.5)),
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
    if recipe.task not in TASKS:
        raise ValueError(
            f"{path}: loss.task: expected one of {', '.join(TASKS)}, got {recipe.task!r}"
        )
    if recipe.task == "stagewise" and not (
        recipe.architecture == "MobileNetV1"
        and {STRIDE_4_BLOCK, STRIDE_8_BLOCK, len(BLOCKS)} <= set(recipe.hints)
        and recipe.teacher_share == 1
    ):
        raise ValueError(
            f"{path}: loss.task: stagewise needs a MobileNetV1, teacher_share = 1 and hints with"
            f" the blocks {STRIDE_4_BLOCK}, {STRIDE_8_BLOCK} and {len(BLOCKS)},"
            f" got {recipe.teacher_share} and {list(recipe.hints)}"
        )
    for _, size, _ in recipe.schedule.stages:
        if size % 16 != 1:
            raise ValueError(f"{path}: schedule.stages: expected crop sides 16k+1, got {size}")
    return recipe


def read_source(source: Source, data: Path, labels: Path) -> list[Sample]:
    """The samples of one source; ``labels`` is where `bodypix-train label` wrote."""
    answers = label_folder_of(source, labels)
    if source.kind == "nobody":
        folders = folders_of(data / source.images)
        return [sample for folder in folders for sample in photos.read_nobody_folder(folder)]
    if source.kind == "synthetic":
        return read_synthetic_folder(data / source.images)
    if source.kind == "teacher":
        return photos.read_teacher_folder(data / source.images, answers)
    if source.kind == "empty":
        return photos.read_empty_folder(data / source.images, answers)
    drawn = source.kind == "ccp-drawn"
    return photos.read_ccp((data / source.images).parent, answers, drawn=drawn)


def folders_of(root: Path) -> list[Path]:
    """``root`` and the folders directly in it."""
    return [root, *sorted(path for path in root.iterdir() if path.is_dir())]


def label_folder_of(source: Source, labels: Path) -> Path:
    """Where the teachers' answers to a source's pictures are kept."""
    return labels / source.images.replace("/", "__")


def read_mixture(recipe: Recipe, data: Path, labels: Path) -> Mixture:
    """All sources of a recipe, read into memory."""
    samples = [s for s in recipe.sources if s.kind != "objects"]
    objects = [s for s in recipe.sources if s.kind == "objects"]
    return Mixture(
        [(s.weight, read_source(s, data, labels)) for s in samples],
        recipe.augmentation,
        [
            thing
            for source in objects
            for folder in folders_of(data / source.images)
            for thing in photos.read_objects(folder)
        ],
    )
