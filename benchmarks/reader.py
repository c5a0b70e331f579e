"""A published checkpoint as bodypix reads it, against another conversion of it run as it is.

    python benchmarks/reader.py model-stride16.json other-conversion.onnx \
        [--size 241x321] [--threads 2] [--rounds 12] [--runs 30]

Both files hold the same network; that their heads are equal is checked first. Then they run in
turn, round for round, each alone in the process with a session of its own (the threads of an idle
session would spin against the other's). The median of a round counts; the ratio is the median
over the rounds, with the smallest and the largest beside it. `heads` rows: the graph pruned to
what that call needs, as the engine runs it.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import onnxruntime as ort

from bodypix.checkpoints.metadata import HEAD_CHANNELS
from bodypix.checkpoints.onnx_format import Model, prune, write_model
from bodypix.checkpoints.tfjs import convert_tfjs

PERSON = ("segments",)
PARTS = ("segments", "part_heatmaps")


def session(model: bytes | str, threads: int) -> ort.InferenceSession:
    """A CPU session with onnxruntime's defaults, but for the threads."""
    options = ort.SessionOptions()
    options.intra_op_num_threads = threads
    options.log_severity_level = 3
    return ort.InferenceSession(model, options, providers=["CPUExecutionProvider"])


def largest_difference(ours: bytes, other: str, image: np.ndarray) -> float:
    """The largest difference between the heads of the two, matched by name."""
    answers = []
    for model in (ours, other):
        network = session(model, 1)
        names = [output.name for output in network.get_outputs()]
        arrays = network.run(names, {network.get_inputs()[0].name: image})
        answers.append(dict(zip(names, arrays, strict=True)))
    shared = HEAD_CHANNELS.keys() & answers[0].keys() & answers[1].keys()
    if not shared:
        raise SystemExit("the two files have no output of the same name")
    return max(float(np.abs(answers[0][name] - answers[1][name]).max()) for name in shared)


def median_time(model: bytes | str, image: np.ndarray, threads: int, runs: int) -> float:
    """Median milliseconds of one run, in a session that is alone."""
    network = session(model, threads)
    feed = {network.get_inputs()[0].name: image}
    names = [output.name for output in network.get_outputs()]
    for _ in range(5):
        network.run(names, feed)
    times = []
    for _ in range(runs):
        start = time.perf_counter()
        network.run(names, feed)
        times.append(time.perf_counter() - start)
    return float(np.median(times)) * 1000


def pruned(model: Model, heads: Sequence[str]) -> bytes:
    """The model with those heads only."""
    return write_model(prune(model, heads))


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("checkpoint", type=Path, help="tfjs model.json, its shards beside it")
    parser.add_argument("conversion", help="another ONNX conversion of the same network, NHWC")
    parser.add_argument("--size", default="241x321", help="height x width of the network input")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--rounds", type=int, default=12)
    parser.add_argument("--runs", type=int, default=30, help="runs in a round")
    arguments = parser.parse_args()

    height, width = map(int, arguments.size.split("x"))
    image = np.random.default_rng(0).uniform(-1, 1, (1, height, width, 3)).astype(np.float32)
    start = time.perf_counter()
    model = convert_tfjs(arguments.checkpoint)
    whole = write_model(model)
    reading = (time.perf_counter() - start) * 1000
    ours: dict[str, bytes] = {
        "bodypix, all heads": whole,
        "bodypix, heads of segment_person": pruned(model, PERSON),
        "bodypix, heads of segment_person_parts": pruned(model, PARTS),
    }
    difference = largest_difference(whole, arguments.conversion, image)

    other: list[float] = []
    times: dict[str, list[float]] = {name: [] for name in ours}
    for _ in range(arguments.rounds):
        other.append(median_time(arguments.conversion, image, arguments.threads, arguments.runs))
        for name, data in ours.items():
            times[name].append(median_time(data, image, arguments.threads, arguments.runs))

    print(
        f"{height}x{width}, {arguments.threads} threads, onnxruntime {ort.__version__}, "
        f"{arguments.rounds} rounds of {arguments.runs}; reading the checkpoint: {reading:.0f} ms"
    )
    print(f"largest difference between the heads: {difference:.1e}\n")
    print(f"{'model':40} {'ms':>6}  {'times as fast (smallest, largest)'}")
    print(f"{'other conversion, as it is':40} {np.median(other):6.2f}  1.00")
    for name, row in times.items():
        ratios = np.array(other) / np.array(row)
        spread = f"({ratios.min():.2f}, {ratios.max():.2f})"
        print(f"{name:40} {np.median(row):6.2f}  {np.median(ratios):.2f} {spread}")


if __name__ == "__main__":
    main()
