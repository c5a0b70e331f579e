"""The command `bodypix-train`."""

from __future__ import annotations

import logging
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from collections.abc import Iterator

    from bodypix import BodyPix

    from .recipe import Recipe
    from .teachers import Teacher

app = typer.Typer(
    name="bodypix-train",
    help="Label photos, train, evaluate and export bodypix models.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)

Data = Annotated[Path, typer.Option(help="Folder that the recipe's paths start from.")]
RecipeFile = Annotated[Path, typer.Argument(help="Recipe, a TOML file.", exists=True)]
Labels = Annotated[Path, typer.Option(help="Folder of the teachers' answers.")]
RunFolder = Annotated[Path, typer.Option(help="Folder of checkpoints and log.")]
Start = Annotated[
    Path | None, typer.Option(help="Begin with this checkpoint's weights.", exists=True)
]
Minutes = Annotated[
    float | None, typer.Option(help="End by the clock, if the steps last longer.", min=0.01)
]
EvalData = Annotated[Path, typer.Option(help="Folder that holds the evaluation sets.")]
Models = Annotated[
    list[str],
    typer.Option(help="NAME=WHERE: a file (.onnx, tfjs model.json), or empty for the default."),
]
Resolution = Annotated[float, typer.Option(min=0.1, max=2.0)]
ScoresFile = Annotated[Path | None, typer.Option(help="Also write the scores as JSON.")]


@app.command()
def label(recipe: RecipeFile, data: Data, labels: Labels = Path("runs/labels")) -> None:
    """Let the teachers answer for every picture of a recipe. Resumes; bad pictures are named."""
    from rich.progress import track

    from .label import Teachers, label_folder, pictures
    from .recipe import UNTAUGHT, label_folder_of, read_recipe

    plan = read_recipe(recipe)
    teachers = Teachers.from_folder(data / plan.teachers)
    done: set[Path] = set()
    for source in plan.sources:
        out = label_folder_of(source, labels)
        if out in done or source.kind in UNTAUGHT:
            continue
        done.add(out)
        folder = data / source.images
        answers = label_folder(folder, out, teachers)
        for path, state in track(answers, source.images, total=len(pictures(folder))):
            if state == "unreadable":
                typer.echo(f"{path}: unreadable picture, left out", err=True)


@app.command()
def train(
    recipe: RecipeFile,
    data: Data,
    out: RunFolder,
    labels: Labels = Path("runs/labels"),
    start: Start = None,
    minutes: Minutes = None,
) -> None:
    """Train a recipe; started again with the same --out, it goes on where it was."""
    from .recipe import read_recipe
    from .teachers import BodyPixTeacher

    plan = read_recipe(recipe)
    plan.check_hints("MobileNetV1", 0.5)
    published = data / plan.teachers / "bodypix-mobilenet-050-stride16.onnx"
    teacher = BodyPixTeacher(published, threads=1, hints=plan.hints) if plan.taught else None
    _run(plan, teacher, data, out, labels, start, minutes)


@app.command()
def distill(
    recipe: RecipeFile,
    data: Data,
    out: RunFolder,
    teacher: Annotated[
        Path, typer.Option(help="Checkpoint of the network that teaches.", exists=True)
    ],
    labels: Labels = Path("runs/labels"),
    start: Start = None,
    minutes: Minutes = None,
) -> None:
    """Train a recipe's network with one of our own networks as its teacher.

    The labels, and with them the published model's answers, are used as in `train`.
    """
    from .checkpoint import read_network
    from .network_teacher import NetworkTeacher
    from .recipe import read_recipe

    plan = read_recipe(recipe)
    network = read_network(teacher)
    plan.check_hints(network.architecture, network.multiplier)
    _run(plan, NetworkTeacher(network, plan.hints), data, out, labels, start, minutes)


def _run(
    plan: Recipe,
    teacher: Teacher | None,
    data: Path,
    out: Path,
    labels: Path,
    start: Path | None,
    minutes: float | None,
) -> None:
    import cv2
    import torch

    from .checkpoint import read_network
    from .recipe import read_mixture
    from .train import train as run

    logging.basicConfig(level=logging.INFO, format="%(message)s")
    cv2.setNumThreads(1)  # the network needs the cores
    # The thread that makes batches gives the interpreter lock back sooner: the
    # network takes it hundreds of times a step.
    sys.setswitchinterval(3e-4)
    mixture = read_mixture(plan, data, labels)
    torch.manual_seed(plan.seed)
    network = plan.network()
    if start:
        network.load_state_dict(read_network(start).state_dict())

    def report(step: int, progress: float, terms: dict[str, float]) -> None:
        losses = "  ".join(f"{name} {value:.3f}" for name, value in terms.items())
        typer.echo(f"step {step}  {progress:.1%}  {losses}")

    run(
        plan.loss(network),
        mixture,
        plan.schedule,
        out,
        teacher=teacher,
        taught_share=plan.teacher_share,
        seed=plan.seed,
        minutes=minutes,
        report=report,
    )


@app.command()
def render(
    count: Annotated[int, typer.Option(help="Pictures in the folder at the end.", min=1)],
    out: Annotated[Path, typer.Option(help="Folder of shards; started again, it goes on.")],
    seed: Annotated[int, typer.Option(help="Another seed, other pictures.", min=0)] = 0,
    backgrounds: Annotated[
        list[Path] | None, typer.Option(help="Folder of pictures without people; may be repeated.")
    ] = None,
    workers: Annotated[
        int | None, typer.Option(help="Processes; else one per processor.", min=1)
    ] = None,
    side: Annotated[int, typer.Option(help="Longer side in pixels.", min=64, max=2048)] = 384,
    photo_share: Annotated[
        float, typer.Option(help="Share of photos among backgrounds.", min=0, max=1)
    ] = 0.7,
    device: Annotated[str, typer.Option(help="cpu, or a GPU as warp names it: cuda:0.")] = "cpu",
) -> None:
    """Make pictures of computer-graphics people with exact labels, and a contact sheet."""
    import os

    from rich.progress import Progress

    from .synthetic.picture import Settings
    from .synthetic.produce import produce
    from .synthetic.sheet import write_sheet

    settings = Settings(seed, side, tuple(backgrounds or ()), photo_share, device)
    with Progress() as progress:
        task = progress.add_task(str(out), total=count)
        for done in produce(settings, count, out, workers or os.cpu_count() or 1):
            progress.update(task, completed=done)
    write_sheet(out, out / "contact.jpg")
    typer.echo(f"{out / 'contact.jpg'}  look at it")


@app.command()
def export(
    checkpoint: Annotated[Path, typer.Argument(help="last.pt of a training run.", exists=True)],
    out: Annotated[Path, typer.Argument(help="ONNX file to write.")],
    name: Annotated[str, typer.Option(help="Name of the model.")] = "bodypix-mobilenet-050",
    version: Annotated[str, typer.Option(help="Version of the weights.")] = "1",
    half: Annotated[bool, typer.Option(help="Store weights as float16.")] = True,
    keep: Annotated[
        Path | None, typer.Option(help="Also write a small checkpoint for `train --start`.")
    ] = None,
) -> None:
    """Write the averaged weights of a checkpoint as ONNX, and print its SHA-256."""
    import hashlib

    from .checkpoint import read_network, write_weights
    from .export import default_metadata
    from .export import export as write

    network = read_network(checkpoint)
    write(
        network,
        default_metadata(name, version, network.multiplier, network.architecture),
        out,
        half,
    )
    if keep:
        write_weights(network, keep)
    digest = hashlib.sha256(out.read_bytes()).hexdigest()
    typer.echo(f"{out}  {out.stat().st_size} bytes  sha256 {digest}")


@app.command()
def evaluate(
    data: EvalData,
    model: Models = ["default="],  # noqa: B006 (typer copies it)
    only: Annotated[list[str] | None, typer.Option("--set", help="Only these sets.")] = None,
    internal_resolution: Resolution = 1.0,
    threshold: Annotated[float, typer.Option(min=0.0, max=1.0)] = 0.5,
    parts_against: Annotated[
        str | None, typer.Option(help="Also compare part maps with this model's (WHERE).")
    ] = None,
    out: ScoresFile = None,
    synthetic: Annotated[
        Path | None, typer.Option(help="Also measure parts on these shards of `render`.")
    ] = None,
    report: Annotated[
        Path | None, typer.Option(help="Folder for a page with all tables and with pictures.")
    ] = None,
) -> None:
    """Person masks against the truth: one table, a group of columns for each --model."""
    import bodypix

    from .evalsets import SETS
    from .evaluate import evaluate as run
    from .evaluate import part_agreement, table
    from .evaluate_parts import evaluate_parts
    from .evaluate_parts import table as part_table
    from .report import write_report

    sets = tuple(only or SETS)
    unknown = [name for name in sets if name not in SETS]
    if unknown:
        raise typer.BadParameter(f"expected sets among {', '.join(SETS)}, got {unknown[0]}")
    options = {"internal_resolution": internal_resolution, "threshold": threshold}
    scores, networks = {}, {}
    for name, network in _load_each(model):
        networks[name] = network
        scores[name] = run(network, data, sets=sets, **options)
    typer.echo(table(scores))
    if synthetic:
        parts = {
            name: evaluate_parts(network, synthetic, **options)
            for name, network in networks.items()
        }
        typer.echo(part_table(parts))
    if report:
        typer.echo(f"report: {write_report(report, networks, scores, data, **options)}")
    if parts_against:
        reference = bodypix.load(model_url=parts_against)
        for name, network in networks.items():
            shares = "  ".join(
                f"{s} {part_agreement(network, reference, data, s, **options):.3f}" for s in sets
            )
            typer.echo(f"same part as {parts_against}, {name}: {shares}")
    if out:
        _write_scores(out, scores)


@app.command("coco-ap")
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

    options = {"internal_resolution": internal_resolution, "score_threshold": score_threshold}
    scores = {name: coco_ap(network, data, **options) for name, network in _load_each(model)}
    typer.echo(table(scores))
    if out:
        _write_scores(out, scores)


def _load_each(entries: list[str]) -> Iterator[tuple[str, BodyPix]]:
    import bodypix

    for entry in entries:
        name, _, where = entry.partition("=")
        yield name, bodypix.load(model_url=where) if where else bodypix.load()


def _write_scores(out: Path, scores: dict[str, dict[str, Any]]) -> None:
    """JSON: model, then set, then the fields of the score."""
    import json

    plain = {m: {s: score.summary() for s, score in sets.items()} for m, sets in scores.items()}
    part = out.with_suffix(".part")
    part.write_text(json.dumps(plain, indent=1))
    part.replace(out)


def main() -> None:
    """Entry point: errors about data or options are one line, not a traceback."""
    try:
        app()
    except (ValueError, FileNotFoundError) as error:
        typer.echo(f"error: {error}", err=True)
        raise SystemExit(2) from error


if __name__ == "__main__":
    main()
