"""All that `bodypix-train evaluate` measures; every picture is decoded once for all models."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from . import evalsets
from .evaluate import (
    CROWD,
    FRAMING,
    SetScore,
    Settings,
    agreement_table,
    by_group,
    evaluate_masks,
    mask_table,
)
from .evaluate_clips import ClipScore, clip_table, evaluate_clip, frames_of, list_clips
from .evaluate_garments import (
    GarmentPicture,
    drawn_pictures,
    evaluate_garments,
    garment_scores,
    garment_table,
)
from .evaluate_parts import (
    PartScore,
    deal,
    each_part_table,
    evaluate_synthetic,
    part_table,
)
from .evaluate_poses import SETS as POSE_SETS
from .evaluate_poses import PoseScore, evaluate_coco_poses, pose_table, read_coco_poses
from .synthetic.shards import index_shards
from .tables import Table

if TYPE_CHECKING:
    from bodypix import BodyPix

T = TypeVar("T")
Track = Callable[[Sequence[T], str], Iterable[T]]

SETS = (*evalsets.SETS, *POSE_SETS)


@dataclass(frozen=True)
class Work:
    """What to measure on: sets below ``root``, shards of `render`, a folder of clips.

    ``garments`` is a folder as that of Clothing Co-Parsing.
    ``reference`` is the model whose parts on photos the others' are compared with.
    """

    root: Path
    sets: tuple[str, ...] = SETS
    synthetic: Path | None = None
    clips: Path | None = None
    frames: int = 60  # at most so many of each clip
    reference: BodyPix | None = None
    garments: Path | None = None

    def __post_init__(self) -> None:
        unknown = [name for name in self.sets if name not in SETS]
        if unknown:
            raise ValueError(f"set: expected one of {', '.join(SETS)}, got {unknown[0]!r}")
        if not (self.sets or self.synthetic or self.clips or self.garments):
            raise ValueError(
                f"{self.root}: expected a folder with {', '.join(SETS)} or some of them, found none"
            )


@dataclass(frozen=True)
class Evaluation:
    """Scores by model and row; a model's rows are empty where nothing was asked for."""

    work: Work
    settings: Settings
    masks: dict[str, dict[str, SetScore]]
    parts: dict[str, dict[str, PartScore]]
    poses: dict[str, dict[str, PoseScore]]
    clips: dict[str, dict[str, ClipScore]]
    garments: dict[str, list[GarmentPicture]]

    def _sections(self) -> Iterator[tuple[str, Table, dict[str, Any]]]:
        """What the rows are called in `summary`, the table, and its scores."""
        yield "", mask_table("set", self.masks), self.masks
        for title, groups in (("framing", FRAMING), ("number of people", CROWD)):
            dealt = {model: by_group(own, groups) for model, own in self.masks.items()}
            yield f"{title}: ", mask_table(title, dealt), dealt
        yield "synthetic: ", part_table("synthetic people", self.parts), self.parts
        garments = {model: garment_scores(own) for model, own in self.garments.items()}
        yield "garments: ", garment_table("garments", garments), garments
        yield "poses: ", pose_table("poses", self.poses), self.poses
        yield "clip: ", clip_table("clip", self.clips), self.clips

    def tables(self) -> list[Table]:
        """All tables that have rows."""
        tables = [table for _, table, _ in self._sections()]
        if self.work.reference is not None:
            tables.insert(1, agreement_table("parts as the reference", self.masks))
        if self.work.synthetic is not None:
            every = {model: own["all"] for model, own in self.parts.items()}
            tables.append(each_part_table("part of synthetic people", every))
        return [table for table in tables if table.rows]

    def summary(self) -> dict[str, dict[str, dict[str, Any]]]:
        """Plain figures by model and row, such as "web" or "synthetic: all"."""
        plain: dict[str, dict[str, dict[str, Any]]] = {}
        for prefix, _, scores in self._sections():
            for model, own in scores.items():
                rows = {f"{prefix}{row}": score.summary() for row, score in own.items()}
                plain.setdefault(model, {}).update(rows)
        return plain


def untracked(items: Sequence[T], name: str) -> Iterable[T]:
    """The items, without a progress bar."""
    return items


def evaluate(
    models: dict[str, BodyPix],
    work: Work,
    settings: Settings,
    track: Track[Any] = untracked,
) -> Evaluation:
    """Measure all models side by side. ``track`` may show the progress of a list by name.

    Raises FileNotFoundError, ValueError, naming the file, on missing or misfit files.
    """
    done = Evaluation(
        work,
        settings,
        masks={name: {} for name in models},
        parts={name: {} for name in models},
        poses={name: {} for name in models},
        clips={name: {} for name in models},
        garments={name: [] for name in models},
    )
    for name in work.sets:
        if name in POSE_SETS:
            pictures = track(read_coco_poses(work.root, name), name)
            for model, found in evaluate_coco_poses(models, pictures, settings).items():
                done.poses[model][name] = PoseScore(tuple(found))
        else:
            entries = track(evalsets.list_set(work.root, name), name)
            scores = evaluate_masks(models, entries, settings, work.reference)
            for model, score in scores.items():
                done.masks[model][name] = score
    if work.synthetic is not None:
        _synthetic(models, work.synthetic, done, track)
    if work.garments is not None:
        drawn = track(drawn_pictures(work.garments), "garments")
        done.garments.update(evaluate_garments(models, drawn, settings))
    if work.clips is not None:
        clips = list_clips(work.clips)
        for name in track(list(clips), "clips"):
            seen = evaluate_clip(models, frames_of(clips[name]), work.frames, settings)
            for model, clip in seen.items():
                done.clips[model][name] = clip
    return done


def _synthetic(
    models: dict[str, BodyPix], folder: Path, done: Evaluation, track: Track[Any]
) -> None:
    """Add the scores on the shards of a folder."""
    places = list(index_shards(folder))
    if not places:
        raise ValueError(f"{folder}: expected shards (shard-*.tar) with pictures, found none")
    parts, poses = evaluate_synthetic(models, track(places, "synthetic people"), done.settings)
    for model in models:
        for group, own in deal(parts[model]).items():
            done.parts[model][group] = PartScore(own)
        for group, found in deal(poses[model]).items():
            row = "synthetic people" if group == "all" else f"synthetic people, {group}"
            done.poses[model][row] = PoseScore(found)
