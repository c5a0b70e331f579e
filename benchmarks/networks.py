"""What networks of other sizes cost, before any of them is trained: their time with random weights.

    python benchmarks/networks.py [RECIPE.toml ...] [--widths 96,32 --multiplier 0.25 ...]
        [--model FILE ...] [--size 321x241] [--threads 2] [--rounds 15]

Prints Markdown: weights, file size and network time of a person mask and of a part map for the
network of every recipe (all of ours by default), for MobileNets given by multiplier and decoder
widths, and for ONNX files (`bodypix models convert` makes one of a published model). In every round
all networks are timed in turn; a ratio is formed within a round, against the first network, and
given as the median over the rounds with smallest and largest.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import torch

import bodypix_train.recipe
from bodypix.checkpoints.info import model_info
from bodypix.engine import Engine
from bodypix_train.checkpoint import LATER
from bodypix_train.export import default_metadata, export
from bodypix_train.networks.bodypix import BodyPixNet
from bodypix_train.recipe import read_recipe

RECIPES = Path(bodypix_train.recipe.__file__).parent / "recipes"
FIRST = RECIPES / "default-overview.toml"


def networks(arguments: argparse.Namespace) -> dict[str, BodyPixNet]:
    """Networks with random weights by name; the same network is listed once.

    Of recipes that differ by their detours only (`LATER`), the widest count.
    """
    shapes: dict[tuple[float, float, tuple[int, int], str], dict[str, int]] = {}
    none = dict.fromkeys(LATER, 0)
    for recipe in map(read_recipe, [FIRST, *(arguments.recipes or sorted(RECIPES.glob("*.toml")))]):
        shape = (recipe.multiplier, recipe.late, recipe.widths, recipe.architecture)
        known = shapes.get(shape, none)
        shapes[shape] = {name: max(getattr(recipe, name), known[name]) for name in LATER}
    for multiplier, widths in zip(arguments.multiplier, arguments.widths, strict=True):
        at8, at4 = map(int, widths.split(","))
        shapes.setdefault((multiplier, multiplier, (at8, at4), "MobileNetV1"), none)
    found = {}
    for (multiplier, late, widths, architecture), detours in shapes.items():
        size = f"x{multiplier:g}" if late == multiplier else f"x{multiplier:g}, then x{late:g}"
        found[f"{architecture} {size}, {widths[0]} and {widths[1]}"] = BodyPixNet(
            multiplier, widths, architecture, late_multiplier=late, **detours
        ).eval()
    return found


def fastest(engine: Engine, tensor: np.ndarray, parts: bool, runs: int = 5) -> float:
    """Milliseconds of a person mask's head, and with ``parts`` of a part map's as well."""
    heads = (engine.metadata.person_head, engine.metadata.parts_head)[: 1 + parts]
    times = []
    for _ in range(runs):
        start = time.perf_counter()
        engine.run(tensor, heads)
        times.append(time.perf_counter() - start)
    return min(times) * 1e3


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("recipes", nargs="*", type=Path)
    parser.add_argument("--multiplier", type=float, action="append", default=[])
    parser.add_argument("--widths", action="append", default=[])
    parser.add_argument("--model", type=Path, action="append", default=[], help="ONNX file")
    parser.add_argument("--size", default="321x241")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--rounds", type=int, default=15)
    arguments = parser.parse_args()
    width, height = map(int, arguments.size.split("x"))
    if width % 16 != 1 or height % 16 != 1:
        sys.exit(f"--size: expected sides of the form 16k+1, got {arguments.size}")
    torch.manual_seed(0)
    tensor = np.random.default_rng(0).uniform(-1, 1, (1, height, width, 3)).astype(np.float32)
    times: dict[str, list[list[float]]] = {}
    engines, facts = {}, {}
    with tempfile.TemporaryDirectory() as folder:
        for name, network in networks(arguments).items():
            path = Path(folder) / f"{len(facts)}.onnx"
            metadata = default_metadata(name, "0", network.multiplier, network.architecture)
            facts[name] = model_info(export(network, metadata, path))
            engines[name] = Engine(path, device="cpu", threads=arguments.threads)
        for path in arguments.model:
            facts[path.stem] = model_info(path)
            engines[path.stem] = Engine(path, device="cpu", threads=arguments.threads)
        for _ in range(arguments.rounds):
            for name, engine in engines.items():
                row = [fastest(engine, tensor, parts) for parts in (False, True)]
                times.setdefault(name, []).append(row)
    first = next(iter(times.values()))
    print("| network, decoder widths | weights | MB | mask, ms | with parts, ms | of the first |")
    print("| --- | ---: | ---: | ---: | ---: | ---: |")
    for name, rows in times.items():
        mask, parts = (statistics.median(column) for column in zip(*rows, strict=True))
        shares = sorted(mine[0] / base[0] for mine, base in zip(rows, first, strict=True))
        ratio = f"{statistics.median(shares):.2f} ({shares[0]:.2f} to {shares[-1]:.2f})"
        info = facts[name]
        print(
            f"| {name} | {info.parameters:,} | {info.size / 1e6:.1f} "
            f"| {mask:.2f} | {parts:.2f} | {ratio} |"
        )


if __name__ == "__main__":
    main()
