"""A recipe: the TOML file that says how a model is made, from pictures to ONNX."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from .coarse_task import CoarseTask
from .datasets import photos
from .datasets.coco_samples import read_coco_samples
from .datasets.lazy import Budget, default_budget
from .datasets.masks import read_mask_folder
from .datasets.mixture import Mixture
from .datasets.plan import Augmentation
from .datasets.sample import Sample
from .datasets.synthetic import read_synthetic_folder
from .networks.bodypix import BodyPixNet
from .networks.mobilenet import BLOCKS, STRIDE_4_BLOCK, STRIDE_8_BLOCK
from .schedule import Schedule
from .tasks import SegmentationTask, StagewiseTask
from .toml_files import read_toml

KINDS = (
    "teacher", "empty", "nobody", "objects", "synthetic", "coco", "masks", "ccp-drawn",
    "ccp-undrawn",
)  # fmt: skip
ASK_TEACHERS = ("teacher", "empty", "ccp-drawn", "ccp-undrawn")  # kinds that teachers label
PARTS = ("unknown", "teachers")
TASKS = {"joint": SegmentationTask, "stagewise": StagewiseTask, "coarse": CoarseTask}


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
    | coco        | photos; ``annotations`` is their COCO-format JSON             | by hand      |
    | masks       | photos; the folder ``masks`` holds their person masks         | by hand      |
    | ccp-drawn   | Clothing Co-Parsing with hand-made masks                      | by hand      |
    | ccp-undrawn | the rest of it                                                | the teachers |

    For coco and masks ``parts`` is "unknown", or "teachers" where these shall name them;
    ``cut_out`` says whether people are cut out and put over other crops.
    """

    kind: str
    images: str
    weight: float = 0.0
    annotations: str | None = None
    masks: str | None = None
    parts: str = "unknown"
    cut_out: bool | None = None  # by kind: masks are, coco is not (its outlines are coarse)

    def __post_init__(self) -> None:
        def expect(good: bool, field: str, expected: str, got: object) -> None:
            if not good:
                raise ValueError(f"data.sources.{field}: expected {expected}, got {got!r}")

        expect(self.kind in KINDS, "kind", f"one of {', '.join(KINDS)}", self.kind)
        expect(self.parts in PARTS, "parts", f"one of {', '.join(PARTS)}", self.parts)
        for field, kind in (("annotations", "coco"), ("masks", "masks")):
            value = getattr(self, field)
            if self.kind == kind:
                expect(bool(value), field, f"a path, as kind {kind!r} needs", value)
            else:
                expect(value is None, field, f"none, as only kind {kind!r} has it", value)
        if self.kind not in ("coco", "masks"):
            only = "none, as only kinds 'coco' and 'masks' have it"
            expect(self.parts == "unknown", "parts", only, self.parts)
            expect(self.cut_out is None, "cut_out", only, self.cut_out)

    @property
    def asks_teachers(self) -> bool:
        """Whether `bodypix-train label` has to answer for these pictures."""
        return self.kind in ASK_TEACHERS or self.parts == "teachers"


@dataclass(frozen=True)
class Recipe:
    """Everything that decides what a model becomes."""

    name: str
    multiplier: float
    widths: tuple[int, int]
    architecture: str
    coarse_parts: float
    surroundings: int
    task: str
    pose_weight: float
    agree_weight: float
    parts_weight: float
    parts_agree_weight: float
    parts_balance: float
    consistency_weight: float
    teacher_share: float
    hints: tuple[int, ...]
    hint_weight: float
    teachers: str
    memory_gb: float | None  # for pictures, each process; None: half of the machine's
    sources: tuple[Source, ...]
    augmentation: Augmentation
    schedule: Schedule
    seed: int

    @property
    def taught(self) -> bool:
        """Whether a teacher answers at all."""
        return self.teacher_share > 0

    def lasting(self, steps: int | None) -> Recipe:
        """The same with so many steps; None: as it is."""
        schedule = self.schedule if steps is None else replace(self.schedule, steps=steps)
        return replace(self, schedule=schedule)

    def teachers_in(self, data: Path) -> Path:
        """The folder of the teachers' networks. Raises ValueError if the recipe names none."""
        if not self.teachers:
            raise ValueError("data.teachers: expected the folder of the teachers, found no field")
        return data / self.teachers

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
        return BodyPixNet(
            self.multiplier, self.widths, self.architecture, self.coarse_parts, self.surroundings
        )

    def loss(self, network: BodyPixNet) -> SegmentationTask:
        """The task that trains ``network``."""
        return TASKS[self.task](
            network,
            self.pose_weight,
            self.hints,
            self.hint_weight,
            self.agree_weight,
            self.consistency_weight,
            self.parts_weight,
            self.parts_agree_weight,
            self.parts_balance,
        )


def read_recipe(path: Path) -> Recipe:
    """Read and check a recipe. Raises ValueError that names the file and the field."""
    raw = read_toml(path)
    try:
        schedule = dict(raw["schedule"])
        schedule["stages"] = tuple(tuple(stage) for stage in schedule["stages"])
        recipe = Recipe(
            name=raw["name"],
            multiplier=float(raw["network"]["multiplier"]),
            widths=tuple(raw["network"]["widths"]),
            architecture=raw["network"].get("architecture", "MobileNetV1"),
            coarse_parts=float(raw["network"].get("coarse_parts", 1.0)),
            surroundings=raw["network"].get("surroundings", 0),
            task=raw["loss"].get("task", "joint"),
            pose_weight=float(raw["loss"]["pose_weight"]),
            agree_weight=float(raw["loss"].get("agree_weight", 0.5)),
            parts_weight=float(raw["loss"].get("parts_weight", 0.5)),
            parts_agree_weight=float(
                raw["loss"].get("parts_agree_weight", raw["loss"].get("agree_weight", 0.5))
            ),
            parts_balance=float(raw["loss"].get("parts_balance", 0.0)),
            consistency_weight=float(raw["loss"].get("consistency_weight", 0.0)),
            teacher_share=float(raw["loss"]["teacher_share"]),
            hints=tuple(raw["loss"].get("hints", ())),
            hint_weight=float(raw["loss"].get("hint_weight", 0.0)),
            teachers=raw["data"].get("teachers", ""),
            memory_gb=raw["data"].get("memory_gb"),
            sources=tuple(Source(**source) for source in raw["data"]["sources"]),
            augmentation=Augmentation(**raw.get("augmentation", {})),
            schedule=Schedule(**schedule),
            seed=int(raw.get("seed", 0)),
        )
    except KeyError as error:
        raise ValueError(f"{path}: the field {error} is missing") from error
    except (TypeError, ValueError) as error:
        raise ValueError(f"{path}: {error}") from error
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
    if not 0 <= recipe.coarse_parts <= 1:
        raise ValueError(
            f"{path}: network.coarse_parts: expected a share in 0..1, got {recipe.coarse_parts:g}"
        )
    if not (type(recipe.surroundings) is int and recipe.surroundings >= 0):
        raise ValueError(
            f"{path}: network.surroundings: expected a whole number of channels from 0,"
            f" got {recipe.surroundings!r}"
        )
    for name in ("agree_weight", "parts_weight", "parts_agree_weight"):
        if not getattr(recipe, name) >= 0:
            raise ValueError(
                f"{path}: loss.{name}: expected 0 or more, got {getattr(recipe, name):g}"
            )
    if not 0 <= recipe.parts_balance <= 1:
        raise ValueError(
            f"{path}: loss.parts_balance: expected 0 (all pixels count alike) to 1 (all parts do),"
            f" got {recipe.parts_balance:g}"
        )
    if recipe.consistency_weight < 0 or (recipe.consistency_weight and recipe.task != "joint"):
        raise ValueError(
            f"{path}: loss.consistency_weight: expected 0 or, with task joint, more;"
            f" got {recipe.consistency_weight:g} with {recipe.task}"
        )
    if recipe.memory_gb is not None and not recipe.memory_gb >= 0:
        raise ValueError(f"{path}: data.memory_gb: expected 0 or more, got {recipe.memory_gb}")
    for _, size, _ in recipe.schedule.stages:
        if size % 16 != 1:
            raise ValueError(f"{path}: schedule.stages: expected crop sides 16k+1, got {size}")
    return recipe


def read_source(source: Source, data: Path, labels: Path, budget: Budget) -> Sequence[Sample]:
    """The samples of one source; ``labels`` is where `bodypix-train label` wrote."""
    images, answers = data / source.images, label_folder_of(source, labels)
    if source.kind == "nobody":
        return photos.read_nobody_folder(images, budget)
    if source.kind == "synthetic":
        return read_synthetic_folder(images, budget)
    if source.kind == "teacher":
        return photos.read_teacher_folder(images, answers, budget)
    if source.kind == "empty":
        return photos.read_empty_folder(images, answers, budget)
    parts = answers if source.parts == "teachers" else None
    if source.kind == "coco":
        assert source.annotations
        cut_out = bool(source.cut_out)
        return read_coco_samples(data / source.annotations, images, budget, parts, cut_out)
    if source.kind == "masks":
        assert source.masks
        cut_out = source.cut_out is not False
        return read_mask_folder(images, data / source.masks, budget, parts, cut_out)
    drawn = source.kind == "ccp-drawn"
    return photos.read_ccp(images.parent, answers, budget, drawn=drawn)


def label_folder_of(source: Source, labels: Path) -> Path:
    """Where the teachers' answers to a source's pictures are kept."""
    return labels / source.images.replace("/", "__")


def read_mixture(recipe: Recipe, data: Path, labels: Path) -> Mixture:
    """All sources of a recipe; pictures are read when they are drawn."""
    memory = recipe.memory_gb
    budget = default_budget() if memory is None else Budget(int(memory * 2**30))
    samples = [s for s in recipe.sources if s.kind != "objects"]
    objects = [data / s.images for s in recipe.sources if s.kind == "objects"]
    return Mixture(
        [(s.weight, read_source(s, data, labels, budget)) for s in samples],
        recipe.augmentation,
        photos.read_objects(objects, budget),
    )
