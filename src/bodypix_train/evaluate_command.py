"""`bodypix-train evaluate` and `bodypix-train coco-ap`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from .command_options import check_target, named_entries

if TYPE_CHECKING:
    from collections.abc import Iterator

    from bodypix import BodyPix

EvalData = Annotated[Path, typer.Option(help="Folder that holds the evaluation sets.")]
Models = Annotated[
    list[str],
    typer.Option(help="NAME=WHERE: a file (.onnx, tfjs model.json); NAME= is the built-in model."),
]
Resolution = Annotated[float, typer.Option(min=0.1, max=2.0)]
ScoresFile = Annotated[Path | None, typer.Option(help="Also write the scores as JSON.")]


def evaluate(
    data: EvalData,
    model: Models = ["default="],  # noqa: B006 (typer copies it)
    only: Annotated[
        list[str] | None, typer.Option("--set", help="Only these sets; else all that are there.")
    ] = None,
    internal_resolution: Resolution = 1.0,
    threshold: Annotated[float, typer.Option(min=0.0, max=1.0)] = 0.5,
    parts_against: Annotated[
        str | None, typer.Option(help="Also compare part maps with this model's (WHERE).")
    ] = None,
    synthetic: Annotated[
        Path | None, typer.Option(help="Also measure parts and poses on these shards of `render`.")
    ] = None,
    garments: Annotated[
        Path | None,
        typer.Option(help="Also measure parts by the drawn garments of Clothing Co-Parsing."),
    ] = None,
    clips: Annotated[
        Path | None, typer.Option(help="Also measure flicker on the films of this folder.")
    ] = None,
    frames: Annotated[int, typer.Option(help="At most so many frames of a film.", min=2)] = 60,
    out: ScoresFile = None,
    report: Annotated[
        Path | None,
        typer.Option(help="Folder for a page with all tables and with pictures.", file_okay=False),
    ] = None,
) -> None:
    """Masks, parts, poses and flicker against the truth, a group of columns for each --model."""
    import bodypix

    from .evaluate import Settings
    from .evaluation import SETS, Work
    from .evaluation import evaluate as run
    from .report import write_report

    there = tuple(name for name in SETS if (data / name).is_dir())
    wheres = named_entries("--model", model)
    networks = dict(_load_each(wheres))
    reference = None
    if parts_against is not None:
        known = {where: networks[name] for name, where in wheres.items()}
        reference = known.get(parts_against) or bodypix.load(model_url=parts_against)
    work = Work(data, tuple(only or there), synthetic, clips, frames, reference, garments)
    if report:
        report.mkdir(parents=True, exist_ok=True)
    check_target("--out", out)
    done = run(networks, work, Settings(internal_resolution, threshold), _track)
    for table in done.tables():
        typer.echo(f"{table.markdown()}\n")
    if report:
        typer.echo(f"report: {write_report(report, done)}")
    if out:
        _write_json(out, done.summary())


def _track(items: Any, name: str) -> Any:
    """A progress bar beside the output."""
    from rich.console import Console
    from rich.progress import track

    return track(items, name, console=Console(stderr=True), transient=True)


def average_precision(
    data: EvalData,
    model: Models = ["default="],  # noqa: B006 (typer copies it)
    internal_resolution: Resolution = 1.0,
    score_threshold: Annotated[
        float, typer.Option(help="Least score of a pose; low, for the whole curve.", min=0, max=1)
    ] = 0.05,
    out: ScoresFile = None,
) -> None:
    """COCO average precision of poses and of single people's masks, for each --model."""
    from .coco_ap import coco_ap, table

    check_target("--out", out)
    options = {"internal_resolution": internal_resolution, "score_threshold": score_threshold}
    networks = _load_each(named_entries("--model", model))
    scores = {name: coco_ap(network, data, **options) for name, network in networks}
    typer.echo(table(scores).markdown())
    if out:
        plain = {m: {s: score.summary() for s, score in sets.items()} for m, sets in scores.items()}
        _write_json(out, plain)


def _load_each(wheres: dict[str, str]) -> Iterator[tuple[str, BodyPix]]:
    import bodypix

    for name, where in wheres.items():
        yield name, bodypix.load(model_url=where) if where else bodypix.load()


def _write_json(out: Path, scores: dict[str, Any]) -> None:
    """Figures by model, then row."""
    import json

    from bodypix.files import write_whole

    text = json.dumps(scores, indent=1).encode()
    write_whole(out, lambda file: file.write(text))
