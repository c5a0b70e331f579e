"""The figures of a model card, as Markdown: what a release measured and counted."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from importlib.metadata import version
from pathlib import Path

from bodypix.checkpoints.info import model_info
from bodypix.files import write_whole

from .label import IMAGE_SUFFIXES
from .ledger import Ledger
from .recipe import Source, read_recipe
from .release import Release
from .synthetic.shards import index_shards


def write_card(
    release: Release, ledger: Ledger, model: Path, data: Path, tables: Path | None, folder: Path
) -> None:
    """Write ``card.md`` into the release's folder; ``tables`` are those of the evaluation."""
    blocks = [f"# Figures of {release.name}", *_model(model)]
    blocks += ["## Training", _runs(release, ledger, folder), _sources(release, data)]
    if tables is not None:
        blocks += ["## Accuracy", tables.read_text().rstrip()]
    text = "\n\n".join(blocks) + "\n"
    write_whole(folder / "card.md", lambda file: file.write(text.encode()))


def table(header: list[str], rows: list[list[str]]) -> str:
    """Markdown."""
    lines = [header, ["---"] * len(header), *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def _model(model: Path) -> Iterator[str]:
    info = model_info(model)
    facts = info.metadata
    yield table(
        ["what", "value"],
        [
            ["version", facts.version],
            [
                "network",
                f"{facts.architecture} x{facts.multiplier:g}, stride {facts.output_stride}",
            ],
            ["weights", f"{info.parameters:,}"],
            ["file", f"{info.size:,} bytes"],
            ["SHA-256", info.sha256],
            ["made with", f"bodypix {version('bodypix')}, torch {version('torch')}"],
        ],
    )


def _runs(release: Release, ledger: Ledger, folder: Path) -> str:
    """A row for each run: how long it was and with what losses it ended."""
    rows = []
    for run in release.runs:
        recipe = read_recipe(release.recipe_path(run))
        result = ledger.result(f"run {run.name}")
        teacher = run.teacher or ("the published network" if recipe.taught else "none")
        lengths = [f"{result['steps']:,}", f"{result['seconds'] / 60:.0f}"]
        losses = _last_losses(folder / f"log-{run.name}.csv")
        others = ", ".join(f"{share:g} of {name}" for name, share in run.mix.items()) or "nothing"
        rows.append([run.recipe, teacher, *lengths, losses, others])
    header = ["recipe", "teacher", "steps", "minutes", "losses at the end", "mixed with"]
    return table(header, rows)


def _last_losses(log: Path) -> str:
    """The last line of a log."""
    with log.open(newline="") as file:
        last = list(csv.DictReader(file))[-1:]
    terms = [f"{key} {value}" for line in last for key, value in list(line.items())[4:] if value]
    return ", ".join(terms)


def _sources(release: Release, data: Path) -> str:
    """A row for each source of pictures: how many there are and their weight in every run."""
    weights: dict[tuple[str, str], list[str]] = {}
    counts: dict[tuple[str, str], int] = {}
    for number, run in enumerate(release.runs):
        for source in read_recipe(release.recipe_path(run)).sources:
            key = (source.kind, source.images)
            row = weights.setdefault(key, ["–"] * len(release.runs))
            row[number] = f"{source.weight:g}"
            counts.setdefault(key, count_pictures(data, source))
    header = ["pictures", "kind", "count", *(f"weight in {run.name}" for run in release.runs)]
    rows = [[k[1], k[0], f"{counts[k]:,}", *row] for k, row in weights.items()]
    return table(header, rows)


def count_pictures(data: Path, source: Source) -> int:
    """Pictures of a source on this disk: in its shards, or in its folder and the folders in it."""
    folder = data / source.images
    if source.kind == "synthetic":
        return sum(1 for _ in index_shards(folder))
    return sum(path.suffix.lower() in IMAGE_SUFFIXES for path in folder.rglob("*"))
