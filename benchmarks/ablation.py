"""What each ingredient of the training brings: the same recipe without it, for the same time.

    python benchmarks/ablation.py VARIANTS RECIPE --data DATA --eval EVAL --out DIR --minutes 20 \
        [--start CHECKPOINT [--fresh]] [--teacher CHECKPOINT] [--labels DIR] [--synthetic SHARDS]
        [--set NAME]

VARIANTS is a TOML file such as `ablation.toml` beside this one. The recipe as it is and every
variant of it begin with the same weights and seed, last as many minutes (or, with `--steps`, steps;
without both what the recipe says), and are measured as `bodypix-train evaluate` does. With --fresh
they begin with the backbone and the pose heads of --start only: what answers for person and parts,
which has learned from every ingredient already, begins at random. A variant:

    [variants."name in the table"]
    without = ["ccp-drawn"]              # sources of the recipe that are left out, by kind
    change = { loss = { hints = [] } }   # fields of the recipe, as they shall be instead
    length = 0.5                         # share of the minutes or steps

Every variant has a folder in DIR with its recipe, run, model and scores. What is finished is not
done again, and a run that was stopped goes on. The table shows each figure and, in brackets, its
difference to the recipe as it is; `ablation.json` in DIR has all figures.
"""

from __future__ import annotations

import argparse
import json
import re
import sys
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import torch

import bodypix
from bodypix.checkpoints.pins import sha256_of
from bodypix.files import write_whole
from bodypix_train.checkpoint import read_network, write_weights
from bodypix_train.child import run_command
from bodypix_train.errors import TrainingError
from bodypix_train.evaluate import Settings
from bodypix_train.evaluation import SETS, Work, evaluate
from bodypix_train.export import default_metadata, export
from bodypix_train.ledger import Ledger
from bodypix_train.networks.bodypix import COARSE_HEADS, BodyPixNet
from bodypix_train.recipe import read_recipe
from bodypix_train.recipe_fields import KINDS
from bodypix_train.toml_files import laid_over, read_toml

BASE = "the recipe as it is"
PERSON_HEADS = ("segments", "part_heatmaps")  # the coarse heads that are not about poses
# Column -> row and field of the evaluation's figures.
COLUMNS = {
    "portraits IoU": ("portraits", "mean_iou"),
    "web IoU": ("web", "mean_iou"),
    "coco128 pooled IoU": ("coco128", "pooled_iou"),
    "pedestrians IoU": ("pedestrians", "mean_iou"),
    "outline F, web": ("web", "boundary"),
    "false area": ("coco128", "false_area"),
    "synthetic part mIoU": ("synthetic: all", "part_miou"),
    "synthetic person IoU": ("synthetic: all", "person_iou"),
    "OKS": ("poses: coco-keypoints", "oks"),
    "synthetic OKS": ("poses: synthetic people", "oks"),
}


@dataclass(frozen=True)
class Variant:
    """One row of the table: ``recipe`` are the fields of its recipe."""

    name: str
    recipe: dict[str, Any]
    length: float = 1.0

    @property
    def folder(self) -> str:
        return re.sub(r"\W+", "-", self.name).strip("-").lower()


@dataclass(frozen=True)
class Bench:
    """What all variants have in common; ``command`` runs `bodypix-train` with its arguments."""

    out: Path
    data: Path
    work: Work
    settings: Settings
    command: Callable[[list[str]], None]
    labels: Path | None = None
    start: Path | None = None
    teacher: Path | None = None
    minutes: float | None = None
    steps: int | None = None

    def prepare(self, variant: Variant) -> None:
        """Write the variant's recipe.

        Raises ValueError where it is none, or where the folder's run was begun otherwise.
        """
        folder = self.out / variant.folder
        folder.mkdir(parents=True, exist_ok=True)
        if change := self._ledger(variant).changes("train", self._inputs(variant)):
            raise ValueError(
                f"{folder}: expected what the variant was begun with, but {change}; "
                "put that back, give another --out, or delete the folder"
            )
        text = to_toml(variant.recipe).encode()
        write_whole(folder / "recipe.toml", lambda file: file.write(text))
        read_recipe(folder / "recipe.toml")

    def scores(self, variant: Variant) -> dict[str, Any]:
        """Train and measure a prepared variant, unless that is done: its steps, figures by row."""
        last = self._train(variant)
        state = torch.load(last, weights_only=True, map_location="cpu")
        return {"steps": state["step"], **self._measure(variant, last)}

    def _ledger(self, variant: Variant) -> Ledger:
        return Ledger(self.out / variant.folder / "steps.json")

    def _length(self, variant: Variant) -> dict[str, float | int]:
        """The options that say how long it is trained."""
        if self.minutes:
            return {"minutes": self.minutes * variant.length}
        steps = self.steps or variant.recipe["schedule"]["steps"]
        return {"steps": max(1, round(steps * variant.length))}

    def _inputs(self, variant: Variant) -> dict[str, Any]:
        """What decides the weights."""
        files = {"start": self.start, "teacher": self.teacher}
        sums = {name: path and sha256_of(path) for name, path in files.items()}
        return {"recipe": variant.recipe, **self._length(variant), **sums}

    def _train(self, variant: Variant) -> Path:
        """Returns the run's checkpoint."""
        folder, ledger, inputs = (
            self.out / variant.folder, self._ledger(variant), self._inputs(variant)
        )  # fmt: skip
        last = folder / "run" / "last.pt"
        if ledger.done("train", inputs) and last.exists():
            return last
        ledger.begin("train", inputs)
        arguments = ["distill" if self.teacher else "train", str(folder / "recipe.toml")]
        arguments += ["--data", str(self.data), "--out", str(folder / "run")]
        options = {"labels": self.labels, "start": self.start, "teacher": self.teacher}
        for option, value in {**options, **self._length(variant)}.items():
            arguments += [] if value is None else [f"--{option}", str(value)]
        self.command(arguments)
        ledger.finish("train", {})
        return last

    def _measure(self, variant: Variant, last: Path) -> dict[str, Any]:
        """Figures by row."""
        work, ledger = self.work, self._ledger(variant)
        inputs = {
            "checkpoint": sha256_of(last), "sets": work.sets, "synthetic": str(work.synthetic),
            "threshold": self.settings.threshold,
            "resolution": self.settings.internal_resolution,
        }  # fmt: skip
        if not ledger.done("evaluate", inputs):
            ledger.begin("evaluate", inputs)
            network = read_network(last)
            metadata = default_metadata(
                variant.folder, "0", network.multiplier, network.architecture
            )
            if variant.recipe["loss"].get("task") == "coarse":
                metadata = replace(metadata, person_head="segments", parts_head="part_heatmaps")
            path = export(network, metadata, self.out / variant.folder / "model.onnx")
            model = bodypix.load(path)
            figures = evaluate({variant.name: model}, work, self.settings).summary()
            ledger.finish("evaluate", figures[variant.name])
        return ledger.result("evaluate")


def without_answers(start: Path, out: Path) -> Path:
    """Write to ``out``, and return it: ``start`` with decoder, person and part heads at random."""
    network = read_network(start)
    torch.manual_seed(0)
    fresh = BodyPixNet(
        network.multiplier,
        network.widths,
        network.architecture,
        late_multiplier=network.late_multiplier,
    )
    poses = [f"heads.{name}." for name in COARSE_HEADS if name not in PERSON_HEADS]
    kept = {
        name: value
        for name, value in network.state_dict().items()
        if name.startswith(("backbone.", *poses))
    }
    fresh.load_state_dict({**fresh.state_dict(), **kept})
    out.parent.mkdir(parents=True, exist_ok=True)
    write_weights(fresh, out)
    return out


def read_variants(table: Path, recipe: Path) -> list[Variant]:
    """The recipe as it is, then the variants.

    A variant that changes nothing is named and left out: the recipe lacks what it goes without.
    Raises ValueError, naming file and field, for what is no variant.
    """
    base = read_toml(recipe)
    variants = [Variant(BASE, base)]
    for name, entry in read_toml(table).get("variants", {}).items():
        where = f"{table}: variants.{name}"
        if unknown := set(entry) - {"without", "change", "length"}:
            raise ValueError(
                f"{where}: expected without, change or length, got {', '.join(sorted(unknown))}"
            )
        without = entry.get("without", [])
        if strange := set(without) - set(KINDS):
            raise ValueError(
                f"{where}: without: expected kinds among {', '.join(KINDS)}, got {strange.pop()!r}"
            )
        fields = laid_over(base, entry.get("change", {}))
        left = [source for source in fields["data"]["sources"] if source["kind"] not in without]
        fields = laid_over(fields, {"data": {"sources": left}})
        variant = Variant(name, fields, float(entry.get("length", 1.0)))
        if variant.length <= 0:
            raise ValueError(f"{where}: length: expected a share above 0, got {variant.length:g}")
        if fields == base and variant.length == 1:
            print(f"{where}: nothing else than {recipe}, left out", file=sys.stderr)
            continue
        if variant.folder in [other.folder for other in variants]:
            raise ValueError(f"{where}: expected a name of its own, got one like another's")
        variants.append(variant)
    if len(variants) == 1:
        raise ValueError(f"{table}: expected tables [variants.NAME], found none")
    return variants


def to_toml(fields: dict[str, Any]) -> str:
    """A line for each field of the top; tables within are on one line."""
    return "".join(f"{_toml_key(key)} = {_toml(value)}\n" for key, value in fields.items())


def _toml_key(key: str) -> str:
    return json.dumps(key, ensure_ascii=False)


def _toml(value: Any) -> str:
    if isinstance(value, dict):
        inner = ", ".join(f"{_toml_key(key)} = {_toml(own)}" for key, own in value.items())
        return f"{{ {inner} }}"
    if isinstance(value, list):
        return f"[{', '.join(map(_toml, value))}]"
    return json.dumps(value, ensure_ascii=False)  # text, numbers, true and false are alike


def markdown(results: dict[str, dict[str, Any]]) -> str:
    """A row for each variant; in brackets the difference to the first row."""
    first = next(iter(results.values()))
    columns = {
        title: (row, name)
        for title, (row, name) in COLUMNS.items()
        if first.get(row, {}).get(name) is not None
    }
    header = ["variant", "steps", *columns]
    lines = [f"| {' | '.join(header)} |", "| --- |" + " ---: |" * (len(header) - 1)]
    for variant, scores in results.items():
        cells = [variant, str(scores["steps"])]
        for row, name in columns.values():
            value = scores[row][name]
            gap = "" if scores is first else f" ({round(value - first[row][name], 3) + 0.0:+.3f})"
            cells.append(f"{value:.3f}{gap}".replace("-", "−"))
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines)


def run(bench: Bench, variants: list[Variant]) -> dict[str, dict[str, Any]]:
    """All variants one after the other; writes and returns their figures."""
    for variant in variants:  # what cannot be trained is told before anything is
        bench.prepare(variant)
    results = {}
    for variant in variants:
        results[variant.name] = bench.scores(variant)
        text = json.dumps(results, indent=1, ensure_ascii=False).encode()
        write_whole(bench.out / "ablation.json", lambda file, text=text: file.write(text))
    return results


def main(arguments: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("variants", type=Path, help="TOML file")
    parser.add_argument("recipe", type=Path, help="recipe that they are variants of")
    parser.add_argument("--data", type=Path, required=True, help="folder of the recipe's paths")
    parser.add_argument("--eval", type=Path, required=True, help="folder of evaluation sets")
    parser.add_argument("--out", type=Path, required=True, help="folder for all of it")
    parser.add_argument("--labels", type=Path, help="folder of the teachers' answers")
    parser.add_argument("--start", type=Path, help="checkpoint that all begin with")
    parser.add_argument("--fresh", action="store_true", help="of --start, only what poses need")
    parser.add_argument("--teacher", type=Path, help="checkpoint that teaches, as in `distill`")
    parser.add_argument("--minutes", type=float, help="for each variant")
    parser.add_argument("--steps", type=int, help="for each variant")
    parser.add_argument("--synthetic", type=Path, help="held-out shards of `render`")
    parser.add_argument("--set", action="append", choices=SETS, help="only these sets")
    given = parser.parse_args(arguments)
    if given.fresh and not given.start:
        parser.error("--fresh: expected --start as well, the checkpoint whose backbone is kept")
    there = tuple(name for name in SETS if (given.eval / name).is_dir())
    try:
        start = given.start
        if given.fresh:
            start = without_answers(start, given.out / "start.pt")
        bench = Bench(
            out=given.out, data=given.data, labels=given.labels, start=start,
            teacher=given.teacher, minutes=given.minutes, steps=given.steps,
            work=Work(given.eval, tuple(given.set or there), given.synthetic),
            settings=Settings(), command=run_command,
        )  # fmt: skip
        print(markdown(run(bench, read_variants(given.variants, given.recipe))))
    except (ValueError, OSError, TrainingError) as error:
        sys.exit(f"error: {error}")


if __name__ == "__main__":
    main()
