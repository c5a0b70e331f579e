"""Flicker of masks on clips, of single frames and smoothed ones, for several models."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from bodypix.temporal import TemporalSmoother

from .evaluate import Settings
from .flicker import (
    LEAST_PERSON,
    SUFFIXES,
    Changes,
    Flicker,
    Image,
    Mask,
    flicker_cell,
    made_clip,
    read_clip,
    worst_run,
)
from .tables import Table, number

if TYPE_CHECKING:
    from bodypix import BodyPix

COLUMNS = 8  # frames of a film strip


@dataclass(frozen=True)
class ClipScore:
    """One model on one clip.

    ``own`` and ``smoothed``: changed mask pixels from frame to frame per thousand pixels whose
    picture stands still, of every frame by itself and as the library smooths films; ``area`` is
    the mean share of the frame that is marked. ``strip`` (h, w, 3) RGB shows the worst frames.
    """

    frames: int
    own: float
    smoothed: float
    area: float
    strip: Image

    def summary(self) -> dict[str, float]:
        return {
            "frames": self.frames,
            "flicker": self.own,
            "flicker_smoothed": self.smoothed,
            "area": self.area,
        }


class _Watcher:
    """What one model's masks of one clip do."""

    def __init__(self, model: BodyPix, settings: Settings) -> None:
        self.model, self.settings = model, settings
        self.smoother = TemporalSmoother()
        self.flickers = Flicker(), Flicker()
        self.before: tuple[Mask, Mask] | None = None
        self.areas: list[float] = []
        self.cells: list[tuple[float, Image]] = []

    def probability(self, image: Image) -> np.ndarray:
        answer = self.model.segment_person(image, **self.settings.options)
        return answer.probability  # type: ignore[return-value]

    def add(self, image: Image, probability: np.ndarray, change: Image | None) -> None:
        smoothed = self.smoother(probability, image)
        masks = probability > self.settings.threshold, smoothed > self.settings.threshold
        self.areas.append(float(masks[0].mean()))
        if self.before is not None and change is not None:
            so_far = self.flickers[0].total
            for flicker, old, new in zip(self.flickers, self.before, masks, strict=True):
                flicker.add(old, new, change)
            cells = [flicker_cell(*pair, change) for pair in zip(self.before, masks, strict=True)]
            self.cells.append((self.flickers[0].total - so_far, np.vstack(cells)))
        self.before = masks

    def score(self) -> ClipScore:
        own, smoothed = (flicker.per_thousand for flicker in self.flickers)
        area = float(np.mean(self.areas))
        return ClipScore(len(self.areas), own, smoothed, area, self._strip())

    def _strip(self) -> Image:
        """The neighbouring frames with most flicker: single frames above, smoothed below."""
        first = worst_run([amount for amount, _ in self.cells], COLUMNS)
        return np.hstack([cell for _, cell in self.cells[first : first + COLUMNS]])


def evaluate_clip(
    models: dict[str, BodyPix], images: Iterable[Image], frames: int, settings: Settings
) -> dict[str, ClipScore]:
    """Show the same frames to every model, from the first on in which any of them sees somebody.

    Empty where nobody is seen in two frames or more.
    """
    watchers = {name: _Watcher(model, settings) for name, model in models.items()}
    changes, shown = Changes(), 0
    for image in images:
        change = changes(image)
        seen = {name: watcher.probability(image) for name, watcher in watchers.items()}
        marked = max(float((p > settings.threshold).mean()) for p in seen.values())
        if not shown and marked < LEAST_PERSON:
            continue
        for name, watcher in watchers.items():
            watcher.add(image, seen[name], change)
        shown += 1
        if shown == frames:
            break
    if shown < 2:
        return {}
    return {name: watcher.score() for name, watcher in watchers.items()}


def list_clips(folder: Path) -> dict[str, Path | None]:
    """The made clip (None) and the video files of a folder by name.

    Raises ValueError where there is none.
    """
    files = sorted(path for path in folder.iterdir() if path.suffix.lower() in SUFFIXES)
    if not files:
        raise ValueError(f"{folder}: expected video files ({', '.join(SUFFIXES)}), found none")
    return {"made": None, **{path.stem: path for path in files}}


def frames_of(clip: Path | None) -> Iterable[Image]:
    return made_clip() if clip is None else read_clip(clip)


def clip_table(title: str, scores: dict[str, dict[str, ClipScore]]) -> Table:
    """A row for each clip."""
    return Table.of(
        title,
        scores,
        {"frames": lambda score: str(score.frames)},
        {
            "flicker": lambda score: number(score.own),
            "smoothed": lambda score: number(score.smoothed),
            "area": lambda score: number(score.area),
        },
    )
