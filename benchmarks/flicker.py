"""How much masks flicker where the picture stands still, and how far they lag where it moves.

    python benchmarks/flicker.py [CLIP ...] [--model NAME_OR_PATH] [--frames 60] [--pictures docs]

Without clips, and always first, a clip is made: the built-in photo's person sways over a still
ground with grain. For each clip, with masks of every frame by itself and with smoothed ones:

- flicker: changed mask pixels from frame to frame per thousand, of the pixels whose picture (all
  channels, slightly blurred) changes by less than 6 levels; matte: the same for `refine_alpha`'s
  alpha, changes of alpha summed;
- lag in frames, on moving pixels (20 levels and more, and 4 pixels around): the L that fits
  `p - s = L (p - q)` best, s the smoothed probability, p and q the frame's own and the one before;
- best shift: by how many frames the frames' own masks must be moved to agree best with the smoothed
  ones on moving pixels; the largest, of the frames whose own masks differ there from frame to frame
  (an IoU below 0.95), and how many these are;
- IoU with a reference on moving pixels: the mean probability of the mirrored frame over three
  resolutions, which knows no other frame.

A clip begins with the first frame that shows somebody.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

import bodypix
from bodypix.drawing.matting import foreground_colors
from bodypix.drawing.refine import refine_alpha
from bodypix.temporal import SmoothingOptions, TemporalSmoother
from bodypix_train.flicker import (
    LEAST_PERSON,
    Changes,
    Flicker,
    flicker_cell,
    flips,
    framed,
    made_clip,
    read_clip,
    worst_run,
)

THRESHOLD = 0.7
MOVING = 20
SHIFTS = range(5)
LEAST_MOVING = 400
DISTINCT = 0.95
"""A frame needs so many person pixels among the moving ones, and such a change, for its shift."""


@dataclass
class Film:
    """One clip with everything that is compared; lists have one entry for each frame."""

    name: str
    images: list[np.ndarray]
    own: list[np.ndarray]
    smoothed: list[np.ndarray]
    reference: list[np.ndarray]
    changes: list[np.ndarray]
    """For each frame but the first: (H, W) levels of change since the frame before."""


def film_of(name: str, images: Iterator[np.ndarray], model: bodypix.BodyPix, frames: int) -> Film:
    """Segment so many frames of a clip in every way that is compared."""
    film = Film(name, [], [], [], [], [])
    smoother, changes = TemporalSmoother(SmoothingOptions()), Changes()
    for image in images:
        own = model.segment_person(image).probability
        if not film.images and np.mean(own > THRESHOLD) < LEAST_PERSON:
            continue
        change = changes(image)
        if change is not None:
            film.changes.append(change)
        film.images.append(image)
        film.own.append(own)
        film.smoothed.append(smoother(own, image))
        views = [
            model.segment_person(image, internal_resolution=size, flip_horizontal=True).probability
            for size in (0.5, 0.75, 1.0)
        ]
        film.reference.append(np.mean(views, axis=0))
        if len(film.images) == frames:
            break
    return film


def flicker(values: list[np.ndarray], film: Film) -> float:
    """Changes from frame to frame per thousand pixels whose picture stands still."""
    sums = Flicker()
    for before, after, change in zip(values, values[1:], film.changes, strict=False):
        sums.add(before, after, change)
    return sums.per_thousand


def moving_pixels(change: np.ndarray) -> np.ndarray:
    """(H, W) bool."""
    return cv2.dilate((change > MOVING).view(np.uint8), np.ones((9, 9), np.uint8)).view(bool)


def iou(one: np.ndarray, other: np.ndarray, where: np.ndarray) -> tuple[int, int]:
    """Pixels of the intersection and of the union of two masks."""
    return int((one & other & where).sum()), int(((one | other) & where).sum())


def measure(film: Film) -> dict[str, float]:
    """All figures of one film."""
    own_masks, masks = ([p > THRESHOLD for p in some] for some in (film.own, film.smoothed))
    mattes = [
        [refine_alpha(p, image) for p, image in zip(some, film.images, strict=True)]
        for some in (film.own, film.smoothed)
    ]
    up = down = 0.0
    shifts, to_reference = [], {"own": np.zeros(2), "smoothed": np.zeros(2)}
    for index in range(len(SHIFTS), len(masks)):
        where = moving_pixels(film.changes[index - 1])
        step = (film.own[index] - film.own[index - 1])[where]
        up += float(((film.own[index] - film.smoothed[index])[where] * step).sum())
        down += float((step * step).sum())
        truth = film.reference[index] > THRESHOLD
        to_reference["own"] += iou(own_masks[index], truth, where)
        to_reference["smoothed"] += iou(masks[index], truth, where)
        both, either = iou(own_masks[index], own_masks[index - 1], where)
        if either >= LEAST_MOVING and both / either < DISTINCT:
            pairs = [iou(masks[index], own_masks[index - shift], where) for shift in SHIFTS]
            shifts.append(int(np.argmax([both / max(1, either) for both, either in pairs])))
    before, after = flicker(own_masks, film), flicker(masks, film)
    matte_before, matte_after = (flicker(some, film) for some in mattes)
    return {
        "frames": len(masks),
        "flicker, own": before,
        "smoothed": after,
        "ratio": after / before if before else float("nan"),
        "matte ratio": matte_after / matte_before if matte_before else float("nan"),
        "lag": up / down if down else float("nan"),
        "largest best shift": max(shifts, default=float("nan")),
        "of frames": len(shifts),
        "moving IoU, own": to_reference["own"][0] / max(1.0, to_reference["own"][1]),
        "moving IoU, smoothed": to_reference["smoothed"][0] / max(1.0, to_reference["smoothed"][1]),
    }


def costs(film: Film) -> str:
    """Medians in milliseconds at the film's size, one frame after the other."""
    smoother = TemporalSmoother()
    times: dict[str, list[float]] = {"smooth": [], "refine_alpha": [], "foreground_colors": []}
    for image, own in zip(film.images, film.own, strict=True):
        marks = [time.perf_counter()]
        probability = smoother(own, image)
        marks.append(time.perf_counter())
        alpha = refine_alpha(probability, image)
        marks.append(time.perf_counter())
        opacity = np.rint(alpha * 255).astype(np.uint8)
        started = time.perf_counter()
        foreground_colors(image, opacity)
        times["foreground_colors"].append(time.perf_counter() - started)
        times["smooth"].append(marks[1] - marks[0])
        times["refine_alpha"].append(marks[2] - marks[1])
    height, width = film.own[0].shape
    medians = (f"{name} {np.median(values) * 1000:.2f}" for name, values in times.items())
    return f"{width}x{height}, medians in ms: " + ", ".join(medians)


def table(rows: dict[str, dict[str, float]]) -> str:
    """Markdown."""
    names = list(next(iter(rows.values())))
    lines = ["| clip | " + " | ".join(names) + " |", "| --- |" + " ---: |" * len(names)]
    for clip, row in rows.items():
        cells = [
            f"{value:.0f}" if float(value).is_integer() else f"{value:.3g}"
            for value in row.values()
        ]
        lines.append(f"| {clip} | " + " | ".join(cells) + " |")
    return "\n".join(lines)


def flicker_strip(film: Film, columns: int = 8) -> np.ndarray:
    """Two rows of masks in a row of frames, own above, smoothed below; red: changed without cause.

    The frames are those with the most flicker. (h, w, 3) uint8 RGB without any pixel of the clip.
    """
    masks = [[p > THRESHOLD for p in some] for some in (film.own, film.smoothed)]
    own, smoothed = (list(zip(some, some[1:], film.changes, strict=False)) for some in masks)
    first = worst_run([flips(*pair).sum() for pair in own], columns)
    rows = [
        np.hstack([flicker_cell(*pair) for pair in some[first : first + columns]])
        for some in (own, smoothed)
    ]
    return bordered(np.vstack(rows), columns)


def lag_strip(film: Film, columns: int = 8) -> np.ndarray:
    """The fastest frames: grey where both masks are, orange own only, blue smoothed only."""
    speeds = np.array([np.count_nonzero(change > MOVING) for change in film.changes])
    first = worst_run(speeds, columns) + 1
    cells = []
    for index in range(first, min(first + columns, len(film.own))):
        own, smoothed = film.own[index] > THRESHOLD, film.smoothed[index] > THRESHOLD
        cell = np.dstack([np.where(own & smoothed, 200, 30).astype(np.uint8)] * 3)
        cell[own & ~smoothed] = (255, 140, 0)
        cells.append(framed(cell, smoothed & ~own, (40, 120, 255)))
    return bordered(np.hstack(cells), columns)


def bordered(strip: np.ndarray, columns: int) -> np.ndarray:
    """A strip with white below it and, if its clip is short, in place of the cells it lacks."""
    right = 160 * columns - strip.shape[1]
    return cv2.copyMakeBorder(strip, 0, 6, 0, right, cv2.BORDER_CONSTANT, value=(255, 255, 255))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("clips", nargs="*", type=Path, help="video files")
    parser.add_argument("--model", help="name or path; default: the built-in one")
    parser.add_argument("--frames", type=int, default=60, help="at most so many of each clip")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--pictures", type=Path, help="folder for flicker.png and lag.png")
    arguments = parser.parse_args()
    cv2.setNumThreads(arguments.threads)
    model = bodypix.load(arguments.model, threads=arguments.threads)
    clips = {"made": made_clip()}
    clips |= {path.stem: read_clip(path) for path in arguments.clips}
    rows, flickers, lags, timing = {}, [], [], ""
    for name, images in clips.items():
        film = film_of(name, images, model, arguments.frames)
        rows[name] = measure(film)
        timing = timing or costs(film)
        flickers.append(flicker_strip(film))
        lags.append(lag_strip(film))
    print(f"{model.info.name}\n\n{table(rows)}\n\n{timing}")
    if arguments.pictures:
        for name, strips in (("flicker", flickers), ("lag", lags)):
            picture = cv2.cvtColor(np.vstack(strips), cv2.COLOR_RGB2BGR)
            cv2.imwrite(str(arguments.pictures / f"{name}.png"), picture)


if __name__ == "__main__":
    main()
