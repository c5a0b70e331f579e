"""A recipe: the TOML file that says how a model is made, from pictures to ONNX."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from .datasets import photos
from .datasets.coco_samples import read_coco_samples
from .datasets.lazy import Budget, default_budget
from .datasets.masks import read_mask_folder
from .datasets.mixture import Mixture
from .datasets.plan import FIELDS as AUGMENTATION
from .datasets.plan import Augmentation
from .datasets.sample import Sample
from .datasets.synthetic import read_synthetic_folder
from .fields import check_fields, read_fields
from .networks.bodypix import BodyPixNet
from .networks.mobilenet import BLOCKS, STRIDE_4_BLOCK, STRIDE_8_BLOCK
from .networks.resnet import DEPTHS
from .recipe_fields import DATA, LOSS, NETWORK, SOURCE, TABLES, TASKS
from .schedule import FIELDS as SCHEDULE
from .schedule import Schedule
from .tasks import SegmentationTask
from .toml_files import read_toml

ASK_TEACHERS = ("teacher", "empty", "ccp-drawn", "ccp-undrawn")  # kinds that teachers label


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
    ``cut_out`` says whether people are cut out and put over other crops. For teacher ``animals``
    leaves only the pictures in which the teachers see one. ``poses`` teaches those of the teachers'
    pose network (of coco those by hand are), and where nobody is that there are none.
    """

    kind: str
    images: str
    weight: float = 0.0
    annotations: str | None = None
    masks: str | None = None
    parts: str = "unknown"
    cut_out: bool | None = None  # by kind: masks are, coco is not (its outlines are coarse)
    animals: bool = False
    poses: bool = False

    def __post_init__(self) -> None:
        def expect(good: bool, field: str, expected: str, got: object) -> None:
            if not good:
                raise ValueError(f"data.sources.{field}: expected {expected}, got {got!r}")

        given = {key: value for key, value in vars(self).items() if value is not None}
        check_fields("data.sources", given, SOURCE)
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
        if self.kind != "teacher":
            expect(not self.animals, "animals", "none, as only kind 'teacher' has it", self.animals)
        if self.kind not in (*ASK_TEACHERS, "nobody"):
            only = "none, as only photos that teachers label and kind 'nobody' have it"
            expect(not self.poses, "poses", only, self.poses)

    @property
    def teaches_poses(self) -> bool:
        return self.poses or self.kind in ("synthetic", "coco")

    @property
    def asks_teachers(self) -> bool:
        """Whether `bodypix-train label` has to answer for these pictures."""
        return self.kind in ASK_TEACHERS or self.parts == "teachers"


@dataclass(frozen=True, kw_only=True)
class Recipe:
    """Everything that decides what a model becomes. Raises ValueError where that cannot be."""

    name: str
    seed: int = 0
    multiplier: float
    late_multiplier: float | None = None  # of the blocks at stride 16; None: as multiplier
    widths: tuple[int, int]
    architecture: str = "MobileNetV1"
    coarse_share: float = 0.5
    coarse_parts: float = 1.0
    surroundings: int = 0
    overview: int = 0
    task: str = "joint"
    pose_weight: float
    agree_weight: float = 0.5
    parts_weight: float = 0.5
    parts_agree_weight: float | None = None  # None: as agree_weight
    parts_balance: float = 0.0
    parts_dice: float = 0.0
    consistency_weight: float = 0.0
    teacher_share: float
    hints: tuple[int, ...] = ()
    hint_weight: float = 0.0
    teachers: str = ""
    memory_gb: float | None = None  # for pictures, each process; None: half of the machine's
    sources: tuple[Source, ...]
    augmentation: Augmentation
    schedule: Schedule

    def __post_init__(self) -> None:
        mobile = self.architecture == "MobileNetV1"
        blocks = len(BLOCKS) if mobile else len(DEPTHS[50])  # stages of any ResNet
        if len(set(self.hints)) < len(self.hints) or max(self.hints, default=0) > blocks:
            raise ValueError(
                f"loss.hints: expected different blocks in 1..{blocks} of the {self.architecture},"
                f" got {list(self.hints)}"
            )
        if self.task == "stagewise" and not (
            mobile
            and {STRIDE_4_BLOCK, STRIDE_8_BLOCK, len(BLOCKS)} <= set(self.hints)
            and self.teacher_share == 1
        ):
            raise ValueError(
                "loss.task: stagewise needs a MobileNetV1, teacher_share = 1 and hints with the"
                f" blocks {STRIDE_4_BLOCK}, {STRIDE_8_BLOCK} and {len(BLOCKS)},"
                f" got {self.teacher_share} and {list(self.hints)}"
            )
        if self.consistency_weight and self.task != "joint":
            raise ValueError(
                "loss.consistency_weight: expected 0 or, with task joint, more;"
                f" got {self.consistency_weight:g} with {self.task}"
            )
        silent = [s for s in self.sources if not s.teaches_poses and s.kind != "objects"]
        if self.schedule.only == "poses" and silent and not self.taught:
            raise ValueError(
                "schedule.only: for poses, expected sources that all teach them (poses = true), or"
                f" a teacher_share above 0; got kind {silent[0].kind!r}, images"
                f" {silent[0].images!r}"
            )
        if self.schedule.only == "overview" and not self.overview:
            raise ValueError(
                "schedule.only: expected an overview in the network to learn, got overview = 0"
            )
        if self.augmentation.closest > self.augmentation.widest:
            raise ValueError(
                f"augmentation.closest: expected at most widest, {self.augmentation.widest:g},"
                f" got {self.augmentation.closest:g}"
            )

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

    @property
    def late(self) -> float:
        """The multiplier of the blocks at stride 16."""
        return self.multiplier if self.late_multiplier is None else self.late_multiplier

    def check_hints(self, architecture: str, multiplier: float) -> None:
        """Raises ValueError unless features are as wide as those of a teacher of this backbone.

        Or twice as wide, or more (see `losses.hint_loss`), but for stages, which build on them.
        """
        early = (block <= STRIDE_8_BLOCK for block in self.hints)
        widths = {self.multiplier if first else self.late for first in early}
        alike = widths == {multiplier} or (
            self.task != "stagewise" and not any(width % multiplier for width in widths)
        )
        if self.hints and not (alike and self.architecture == architecture):
            raise ValueError(
                f"loss.hints: expected none where a {architecture} x{multiplier:g} teaches a"
                f" {self.architecture} x{self.multiplier:g}: their features have different widths;"
                f" got {list(self.hints)}"
            )

    def network(self) -> BodyPixNet:
        return BodyPixNet(
            self.multiplier,
            self.widths,
            self.architecture,
            self.coarse_parts,
            self.surroundings,
            self.late,
            self.coarse_share,
            self.overview,
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
            self.agree_weight if self.parts_agree_weight is None else self.parts_agree_weight,
            self.parts_balance,
            self.parts_dice,
        )


def read_recipe(path: Path) -> Recipe:
    """Read and check a recipe. Raises ValueError that names the file and the field."""
    raw = read_toml(path)
    try:
        return _recipe_of(raw)
    except ValueError as error:
        raise ValueError(f"{path}: {error}") from error


def _recipe_of(raw: dict[str, Any]) -> Recipe:
    top = read_fields("", raw, TABLES, ("name", "network", "loss", "data", "schedule"))
    length = read_fields("schedule", top.pop("schedule"), SCHEDULE, ("steps", "stages"))
    crops = read_fields("augmentation", top.pop("augmentation", {}), AUGMENTATION)
    data = read_fields("data", top.pop("data"), DATA, ("sources",))
    return Recipe(
        **read_fields("network", top.pop("network"), NETWORK, ("multiplier", "widths")),
        **read_fields("loss", top.pop("loss"), LOSS, ("pose_weight", "teacher_share")),
        **{**data, "sources": tuple(map(_source_of, data["sources"]))},
        **top,
        augmentation=Augmentation(**crops),
        schedule=Schedule(**length),
    )


def _source_of(raw: dict[str, Any]) -> Source:
    source = Source(**read_fields("data.sources", raw, SOURCE, ("kind", "images")))
    if bool(source.weight) == (source.kind == "objects"):
        expected = "none" if source.weight else "a number above 0"
        raise ValueError(
            f"data.sources.weight: expected {expected} for kind {source.kind!r},"
            f" images {source.images!r}, got {raw.get('weight', 'none')}"
        )
    return source


def read_source(source: Source, data: Path, labels: Path, budget: Budget) -> Sequence[Sample]:
    """The samples of one source; ``labels`` is where `bodypix-train label` wrote."""
    images, answers = data / source.images, label_folder_of(source, labels)
    if source.kind == "nobody":
        return photos.read_nobody_folder(images, budget, source.poses)
    if source.kind == "synthetic":
        return read_synthetic_folder(images, budget)
    if source.kind == "teacher":
        return photos.read_teacher_folder(images, answers, budget, source.animals, source.poses)
    if source.kind == "empty":
        return photos.read_empty_folder(images, answers, budget, source.poses)
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
    return photos.read_ccp(images.parent, answers, budget, drawn=drawn, poses=source.poses)


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
