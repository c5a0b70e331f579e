"""What a call costs beyond the network: whole calls against the bare onnxruntime run inside them.

    python benchmarks/speed.py [--model NAME_OR_FILE] [--image PHOTO] [--size 640x480]
        [--resolution medium] [--threads 2] [--rounds 15] [--runs 20]

Prints Markdown. In every round each row is timed in turn, bare run first, both in the very same
session; the median of a round counts. Ratios are formed within a round, which takes slow drifts of
the machine out of them, and given as the median over the rounds with smallest and largest. Steps
are the parts of a call around the network. The cold start is that of a new process.
"""

from __future__ import annotations

import argparse
import os
import platform
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterable
from importlib.resources import files
from pathlib import Path

import cv2
import numpy as np
import onnxruntime

import bodypix
from bodypix.decoding.masks import person_mask, person_probability
from bodypix.decoding.parts import part_map
from bodypix.images import read_image
from bodypix.preprocessing import fill_network_input
from bodypix.segmenter import BodyPix
from bodypix.sources import frame_for

COLD_START = """
import time
start = time.perf_counter()
import sys
import bodypix
bodypix.load
imported = time.perf_counter()
model = bodypix.load(sys.argv[1] or None, device="cpu", threads=int(sys.argv[3]))
loaded = time.perf_counter()
model.segment_person(sys.argv[2])
segmented = time.perf_counter()
print(imported - start, loaded - imported, segmented - loaded)
"""


def milliseconds(work: Callable[[], object], runs: int) -> float:
    """Median time of one call."""
    times = []
    for _ in range(runs):
        start = time.perf_counter()
        work()
        times.append(time.perf_counter() - start)
    return statistics.median(times) * 1e3


def spread(values: Iterable[float], digits: int = 2) -> str:
    """Median (smallest to largest)."""
    ordered = sorted(values)
    low, middle, high = ordered[0], statistics.median(ordered), ordered[-1]
    return f"{middle:.{digits}f} ({low:.{digits}f} to {high:.{digits}f})"


def photo(path: str, width: int, height: int) -> np.ndarray:
    """The photo, cut to the wanted shape around its middle and resized."""
    image = read_image(path)
    scale = min(image.shape[1] / width, image.shape[0] / height)
    cut_width, cut_height = round(width * scale), round(height * scale)
    left, top = (image.shape[1] - cut_width) // 2, (image.shape[0] - cut_height) // 2
    cut = image[top : top + cut_height, left : left + cut_width]
    return cv2.resize(cut, (width, height), interpolation=cv2.INTER_AREA)


def ratios(model: BodyPix, image: np.ndarray, resolution: str, rounds: int, runs: int) -> None:
    """The table of whole calls against bare runs."""
    info, engine = model.info, model._engine
    frame = frame_for(info, image.shape[:2], resolution)
    tensor = np.empty((1, *frame.input_size, 3), np.float32)
    fill_network_input(image, frame, info.preprocessing, tensor[0])
    calls = {
        "segment_person": ((info.person_head,), model.segment_person),
        "segment_person_parts": ((info.person_head, info.parts_head), model.segment_person_parts),
    }
    bare: dict[str, list[float]] = {name: [] for name in calls}
    whole: dict[str, list[float]] = {name: [] for name in calls}
    for warm_up in (True, *[False] * rounds):
        for name, (heads, call) in calls.items():
            session, names = engine._session(heads), list(heads)
            network = milliseconds(lambda: session.run(names, {"image": tensor}), runs)  # noqa: B023
            total = milliseconds(lambda: call(image, internal_resolution=resolution), runs)  # noqa: B023
            if not warm_up:
                bare[name].append(network)
                whole[name].append(total)
    print("| call | bare onnxruntime run, ms | whole call, ms | ratio |")
    print("| --- | ---: | ---: | ---: |")
    for name in calls:
        quotients = [t / n for t, n in zip(whole[name], bare[name], strict=True)]
        print(f"| `{name}` | {spread(bare[name])} | {spread(whole[name])} | {spread(quotients)} |")


def steps(model: BodyPix, image: np.ndarray, resolution: str, rounds: int, runs: int) -> None:
    """The table of what happens around the network."""
    info = model.info
    frame = frame_for(info, image.shape[:2], resolution)
    tensor = np.empty((1, *frame.input_size, 3), np.float32)
    fill_network_input(image, frame, info.preprocessing, tensor[0])
    heads = model._engine.run(tensor, [info.person_head, info.parts_head])
    person, parts = heads[info.person_head][0, ..., 0], heads[info.parts_head][0]
    mask = person_mask(person, frame, 0.7)
    work = {
        "image to network input": lambda: fill_network_input(
            image, frame, info.preprocessing, tensor[0]
        ),
        "person logits to mask": lambda: person_mask(person, frame, 0.7),
        "part logits to part map": lambda: part_map(parts, mask, frame),
        "probability map, when it is read": lambda: person_probability(person, frame, 0.7),
    }
    print("| step | ms |")
    print("| --- | ---: |")
    for name, step in work.items():
        print(f"| {name} | {spread(milliseconds(step, runs) for _ in range(rounds))} |")


def cold_start(name: str, image: str, threads: int, rounds: int) -> None:
    """The table of the first mask in a new process."""
    command = [sys.executable, "-c", COLD_START, name, image, str(threads)]
    columns: list[list[float]] = [[], [], [], []]
    for _ in range(rounds):
        start = time.perf_counter()
        printed = subprocess.run(command, capture_output=True, text=True, check=True).stdout
        columns[3].append((time.perf_counter() - start) * 1e3)
        for column, seconds in zip(columns, printed.split(), strict=False):
            column.append(float(seconds) * 1e3)
    print("| cold start | ms |")
    print("| --- | ---: |")
    titles = ("import bodypix", "load", "read photo and first mask", "whole process")
    for title, column in zip(titles, columns, strict=True):
        print(f"| {title} | {spread(column, 0)} |")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--model", default="", help="a model's name or file; default: built in")
    parser.add_argument("--image", default=str(files("bodypix") / "assets" / "astronaut.jpg"))
    parser.add_argument("--size", default="640x480")
    parser.add_argument("--resolution", default="medium")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--runs", type=int, default=20)
    options = parser.parse_args()

    width, height = (int(side) for side in options.size.split("x"))
    image = photo(options.image, width, height)
    model = bodypix.load(options.model or None, device="cpu", threads=options.threads)
    share = float(model.segment_person(image).mask.mean())
    print(
        f"{model.info.name} {model.info.version}, {Path(options.image).name} at {options.size} "
        f"({share:.0%} person), {options.resolution}, {options.threads} threads of "
        f"{os.cpu_count()} cores, {platform.machine()}, onnxruntime {onnxruntime.__version__}, "
        f"OpenCV {cv2.__version__}, numpy {np.__version__}\n"
    )
    ratios(model, image, options.resolution, options.rounds, options.runs)
    print()
    steps(model, image, options.resolution, options.rounds, options.runs)
    print()
    cold_start(options.model, options.image, options.threads, min(options.rounds, 7))


if __name__ == "__main__":
    main()
