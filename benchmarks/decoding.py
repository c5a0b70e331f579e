"""Everything after the network for several people, as a share of the network's own time.

    python benchmarks/decoding.py [--model NAME_OR_PATH] [--threads 2] [--runs 200]
                                  [--people 1 3 10] [--picture decoding.png]

Pictures of 640x480 with the built-in photo pasted once for each person. Network and decoding run in
turn in one process, as `segment_multi_person` runs them: the network's six heads, then poses, mask,
the dealing out of pixels, results; then the same again with the part map. Medians count.
"""

from __future__ import annotations

import argparse
import math
import time
from itertools import pairwise
from pathlib import Path

import cv2
import numpy as np

import bodypix
from bodypix.decoding.parts import part_map
from bodypix.options import InferenceOptions
from bodypix.people import PEOPLE_HEADS, assign_people, find_poses, parts_of
from bodypix.results import PartSegmentation, PersonSegmentation
from bodypix.sources import Source, prepare, run

WIDTH, HEIGHT = 640, 480
PHOTO = Path(bodypix.__file__).parent / "assets" / "astronaut.jpg"

OPTIONS = InferenceOptions()

Row = dict[str, float]


def crowd(people: int) -> np.ndarray:
    """The photo's person pasted side by side, in two rows from six people on."""
    photo = cv2.cvtColor(cv2.imread(str(PHOTO)), cv2.COLOR_BGR2RGB)
    rows = 1 if people < 6 else 2
    columns = math.ceil(people / rows)
    cell_width, cell_height = WIDTH // columns, HEIGHT // rows
    # As much of the photo around the person (whose head is left of its middle) as has the cell's
    # shape, but not less than the shoulders.
    side = photo.shape[0]
    width = min(side, max(380, round(side * cell_width / cell_height)))
    left = min(max(225 - width // 2, 0), side - width)
    scale = min(cell_width / width, cell_height / side)
    person = cv2.resize(
        photo[:, left : left + width], None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA
    )
    picture = np.full((HEIGHT, WIDTH, 3), 120, np.uint8)
    for index in range(people):
        bottom = (index // columns + 1) * cell_height
        start = index % columns * cell_width + (cell_width - person.shape[1]) // 2
        area = picture[bottom - person.shape[0] : bottom, start : start + person.shape[1]]
        area[:] = person
    return picture


def measure(model: bodypix.BodyPix, people: int, runs: int) -> Row:
    """Medians in milliseconds for a crowd of so many."""
    (source,) = prepare([crowd(people)], OPTIONS, model.info)
    masks, facts = _timed(model, source, runs, parts=False)
    parts, _ = _timed(model, source, runs, parts=True)
    return {
        **facts,
        **{name: masks[name] for name in ("network", "poses", "mask", "people")},
        "decoding": sum(masks.values()) - masks["network"],
        "network, parts": parts["network"],
        "decoding, parts": sum(parts.values()) - parts["network"],
    }


def _timed(
    model: bodypix.BodyPix, source: Source, runs: int, *, parts: bool
) -> tuple[dict[str, float], Row]:
    """Median milliseconds of every step of a call, and what it found."""
    info = model.info
    names = (info.person_head, *PEOPLE_HEADS, *([info.parts_head] if parts else []))
    times: dict[str, list[float]] = {}
    for _ in range(runs + 5):
        marks = {"": time.perf_counter()}
        (heads,) = run(model._engine, [source], names)
        marks["network"] = time.perf_counter()
        poses = find_poses(heads, OPTIONS).poses(OPTIONS.score_threshold)
        marks["poses"] = time.perf_counter()
        mask = model._mask(heads, OPTIONS)
        marks["mask"] = time.perf_counter()
        owned = assign_people(heads, mask, poses, OPTIONS)
        if parts:
            part_ids = part_map(heads.arrays[info.parts_head], mask, source.frame)
            for own, pose in zip(owned, poses, strict=True):
                PartSegmentation(parts_of(part_ids, own), pose=pose)
        else:
            for own, pose in zip(owned, poses, strict=True):
                PersonSegmentation(own, pose=pose)
        marks["people"] = time.perf_counter()
        for before, name in pairwise(marks):
            times.setdefault(name, []).append((marks[name] - marks[before]) * 1000)
    medians = {name: float(np.median(values[5:])) for name, values in times.items()}
    return medians, {"people found": len(poses), "person pixels": int(mask.sum())}


def table(rows: list[Row]) -> str:
    """Markdown."""
    steps = ["network", "poses", "mask", "people", "decoding", "decoding, parts"]
    heads = ["people found", "person pixels", *(f"{name}, ms" for name in steps)]
    heads += ["decoding / network", "parts: decoding / network"]
    lines = ["| " + " | ".join(heads) + " |", "|" + " --- |" * len(heads)]
    for row in rows:
        cells = [f"{row['people found']:.0f}", f"{row['person pixels']:,.0f}"]
        cells += [f"{row[name]:.2f}" for name in steps]
        cells.append(f"{row['decoding'] / row['network']:.2f}")
        cells.append(f"{row['decoding, parts'] / row['network, parts']:.2f}")
        lines.append("| " + " | ".join(cells) + " |")
    return "\n".join(lines)


def curve(rows: list[Row]) -> np.ndarray:
    """A chart: milliseconds against people, one line each for network, decoding, both calls."""
    width, height, left, bottom = 720, 440, 70, 370
    chart = np.full((height, width, 3), 255, np.uint8)
    lines = {
        "network": (150, 150, 150),
        "decoding": (170, 64, 110),
        "decoding, parts": (60, 140, 40),
    }
    most = max(row[name] for row in rows for name in lines) * 1.15
    most_people = max(row["people found"] for row in rows)

    def text(words: str, x: int, y: int, color: tuple[int, int, int] = (40, 40, 40)) -> None:
        cv2.putText(chart, words, (x, y), cv2.FONT_HERSHEY_SIMPLEX, 0.45, color, 1, cv2.LINE_AA)

    def at(people: float, value: float) -> tuple[int, int]:
        x = left + people / most_people * (width - left - 40)
        return round(x), round(bottom - value / most * (bottom - 50))

    power = 10.0 ** math.floor(math.log10(most))
    tick = next(step * power for step in (0.1, 0.2, 0.5, 1, 2) if most / (step * power) <= 8)
    for value in np.arange(0, most, tick):
        _, y = at(0, value)
        cv2.line(chart, (left, y), (width - 40, y), (225, 225, 225), 1)
        text(f"{value:g} ms", 12, y + 5)
    for row in rows:
        text(f"{row['people found']:.0f}", at(row["people found"], 0)[0] - 4, bottom + 22)
    text("people", width // 2, bottom + 48)
    for index, (name, color) in enumerate(lines.items()):
        points = [at(row["people found"], row[name]) for row in rows]
        for begin, end in pairwise(points):
            cv2.line(chart, begin, end, color, 2, cv2.LINE_AA)
        for point in points:
            cv2.circle(chart, point, 4, color, cv2.FILLED, cv2.LINE_AA)
        text(name, left + 20 + 150 * index, 30, color)
    return chart


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("--model", help="built-in by default")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--runs", type=int, default=200)
    parser.add_argument("--people", type=int, nargs="+", default=[1, 3, 10])
    parser.add_argument("--picture", type=Path, help="write the curve here")
    arguments = parser.parse_args()
    model = bodypix.load(arguments.model, threads=arguments.threads)
    rows = [measure(model, people, arguments.runs) for people in arguments.people]
    print(f"{model.info.name}, {WIDTH}x{HEIGHT}, medium, {arguments.threads} threads, median ms")
    print(table(rows))
    if arguments.picture:
        cv2.imwrite(str(arguments.picture), curve(rows))


if __name__ == "__main__":
    main()
