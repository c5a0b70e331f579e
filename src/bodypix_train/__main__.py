"""The command `bodypix-train`."""

from __future__ import annotations

import logging
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from .command_options import Data, Labels, RecipeFile, check_target
from .evaluate_command import average_precision, evaluate
from .label_command import label
from .make_command import make
from .negatives.command import negatives

if TYPE_CHECKING:
    from .recipe import Recipe
    from .teachers import Teacher

app = typer.Typer(
    name="bodypix-train",
    help="Label photos, train, evaluate and export bodypix models.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)

app.command()(label)
app.command()(make)
app.command()(negatives)

RunFolder = Annotated[Path, typer.Option(help="Folder of checkpoints and log.", file_okay=False)]
Start = Annotated[
    Path | None,
    typer.Option(help="Begin with this checkpoint's weights.", exists=True, dir_okay=False),
]
Minutes = Annotated[
    float | None, typer.Option(help="End by the clock, if the steps last longer.", min=0.01)
]
Steps = Annotated[int | None, typer.Option(help="In place of the recipe's.", min=1)]
Devices = Annotated[
    int | None,
    typer.Option(help="Processes, each with a GPU of its own if there are any; else one.", min=1),
]


@app.command()
def train(
    recipe: RecipeFile,
    data: Data,
    out: RunFolder,
    labels: Labels = Path("runs/labels"),
    start: Start = None,
    minutes: Minutes = None,
    steps: Steps = None,
    devices: Devices = None,
) -> None:
    """Train a recipe; started again with the same --out, it goes on where it was."""
    from .recipe import read_recipe
    from .teachers import BodyPixTeacher

    plan = read_recipe(recipe).lasting(steps)
    plan.check_hints("MobileNetV1", 0.5)
    teacher = None
    if plan.taught:
        published = plan.teachers_in(data) / "bodypix-mobilenet-050-stride16.onnx"
        teacher = BodyPixTeacher(published, threads=1, hints=plan.hints)
    _run(plan, teacher, data, out, labels, start, minutes, devices)


@app.command()
def distill(
    recipe: RecipeFile,
    data: Data,
    out: RunFolder,
    teacher: Annotated[
        Path,
        typer.Option(help="Checkpoint of the network that teaches.", exists=True, dir_okay=False),
    ],
    labels: Labels = Path("runs/labels"),
    start: Start = None,
    minutes: Minutes = None,
    steps: Steps = None,
    devices: Devices = None,
) -> None:
    """Train a recipe's network with one of our own networks as its teacher.

    The labels, and with them the published model's answers, are used as in `train`.
    """
    from .checkpoint import read_network
    from .network_teacher import NetworkTeacher
    from .recipe import read_recipe

    plan = read_recipe(recipe).lasting(steps)
    network = read_network(teacher)
    plan.check_hints(network.architecture, network.multiplier)
    answers = NetworkTeacher(network, plan.hints, evidence=False)
    _run(plan, answers, data, out, labels, start, minutes, devices)


def _run(
    plan: Recipe,
    teacher: Teacher | None,
    data: Path,
    out: Path,
    labels: Path,
    start: Path | None,
    minutes: float | None,
    devices: int | None,
) -> None:
    import cv2
    import torch

    from .checkpoint import begin_with
    from .errors import TrainingError
    from .processes import make_fabric
    from .recipe import read_mixture
    from .train import train as run

    fabric = make_fabric(devices)
    fabric.launch()  # from here on in every process
    # What the first process has to say about the data, the others need not repeat.
    level = logging.INFO if fabric.is_global_zero else logging.ERROR
    logging.basicConfig(level=level, format="%(message)s")
    torch.backends.cudnn.benchmark = True  # crops have few sizes
    cv2.setNumThreads(1)  # the network needs the cores
    # The thread that makes batches gives the interpreter lock back sooner: the
    # network takes it hundreds of times a step.
    sys.setswitchinterval(3e-4)
    mixture = read_mixture(plan, data, labels)
    torch.manual_seed(plan.seed)
    network = plan.network()
    if start:
        begin_with(network, start)

    def report(step: int, progress: float, terms: dict[str, float]) -> None:
        losses = "  ".join(f"{name} {value:.3f}" for name, value in terms.items())
        typer.echo(f"step {step}  {progress:.1%}  {losses}")

    try:
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
            fabric=fabric,
        )
    except TrainingError:
        if fabric.is_global_zero:  # one message, one exit code
            raise


@app.command()
def curves(
    runs: Annotated[
        list[Path], typer.Argument(help="Folders of training runs, or logs.", exists=True)
    ],
    out: Annotated[Path, typer.Option(help="PNG to write.")] = Path("curves.png"),
) -> None:
    """Draw the losses of one or more runs in one picture: log.csv as it is now."""
    from .curves import draw_curves

    names = [path.stem for path in runs]
    draw_curves(
        {
            # Runs of one name in several folders go by their whole paths.
            path.stem if names.count(path.stem) == 1 else str(path): (
                path / "log.csv" if path.is_dir() else path
            )
            for path in runs
        },
        out,
    )
    typer.echo(f"{out}  look at it")


@app.command()
def render(
    count: Annotated[int, typer.Option(help="Pictures in the folder at the end.", min=1)],
    out: Annotated[
        Path, typer.Option(help="Folder of shards; started again, it goes on.", file_okay=False)
    ],
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
def mix(
    first: Annotated[Path, typer.Argument(help="Checkpoint.", exists=True, dir_okay=False)],
    second: Annotated[
        Path, typer.Argument(help="Another, trained on from it.", exists=True, dir_okay=False)
    ],
    out: Annotated[Path, typer.Argument(help="Small checkpoint to write.", dir_okay=False)],
    share: Annotated[float, typer.Option(help="Of the second.", min=0, max=1)] = 0.5,
) -> None:
    """Average the weights of two checkpoints: often steadier than either."""
    from .checkpoint import mixed, write_weights

    write_weights(mixed(first, second, share), out)


@app.command()
def narrow(
    wide: Annotated[
        Path, typer.Argument(help="Checkpoint of a MobileNet.", exists=True, dir_okay=False)
    ],
    out: Annotated[
        Path, typer.Argument(help="Small checkpoint to write, for --start.", dir_okay=False)
    ],
    pictures: Annotated[
        Path,
        typer.Option(help="Folder of photos that show what to keep.", exists=True, file_okay=False),
    ],
    multiplier: Annotated[float, typer.Option(help="Of the new network.", min=0.1, max=1)] = 0.25,
    widths: Annotated[
        tuple[int, int], typer.Option(help="Its decoder's channels at strides 8 and 4.")
    ] = (64, 24),
    count: Annotated[int, typer.Option(help="Photos to look at.", min=1)] = 256,
) -> None:
    """Begin a narrower network as a likeness of a wide one."""
    from .checkpoint import read_network, write_weights
    from .narrow import narrowed, read_pictures

    check_target("OUT", out)
    images = read_pictures(pictures, count)
    write_weights(narrowed(read_network(wide), images, multiplier, widths), out)


@app.command()
def widen(
    narrow: Annotated[
        Path, typer.Argument(help="Checkpoint of any network.", exists=True, dir_okay=False)
    ],
    out: Annotated[
        Path, typer.Argument(help="Small checkpoint to write, for --start.", dir_okay=False)
    ],
    multiplier: Annotated[float, typer.Option(help="Of the new network.", min=0.1, max=2)] = 1.0,
    late_multiplier: Annotated[
        float | None, typer.Option(help="Of its blocks at stride 16, if another.", min=0.1, max=2)
    ] = None,
    widths: Annotated[
        tuple[int, int], typer.Option(help="Its decoder's channels at strides 8 and 4.")
    ] = (192, 64),
) -> None:
    """Begin a wider network that answers as a narrow one does."""
    from .checkpoint import read_network, write_weights
    from .widen import widened

    check_target("OUT", out)
    write_weights(widened(read_network(narrow), multiplier, widths, late_multiplier), out)


@app.command()
def export(
    checkpoint: Annotated[
        Path, typer.Argument(help="last.pt of a training run.", exists=True, dir_okay=False)
    ],
    out: Annotated[Path, typer.Argument(help="ONNX file to write.", dir_okay=False)],
    name: Annotated[str, typer.Option(help="Name of the model.")] = "bodypix-mobilenet-050",
    version: Annotated[str, typer.Option(help="Version of the weights.")] = "1",
    half: Annotated[bool, typer.Option(help="Store weights as float16.")] = True,
    keep: Annotated[
        Path | None,
        typer.Option(help="Also write a small checkpoint for `train --start`.", dir_okay=False),
    ] = None,
) -> None:
    """Write the averaged weights of a checkpoint as ONNX, and print its SHA-256."""
    import hashlib

    from .checkpoint import read_network, write_weights
    from .export import default_metadata
    from .export import export as write

    check_target("--keep", keep)  # both files or none
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


app.command()(evaluate)
app.command("coco-ap")(average_precision)


# Modules that commands import when they need them, by the extra that brings them.
EXTRAS = {
    **dict.fromkeys(("lightning_fabric", "matplotlib", "pycocotools", "tomli", "torch"), "train"),
    **dict.fromkeys(("anny", "warp"), "synthetic"),
}


def main() -> None:
    """Entry point: errors about data, files or options are one line, not a traceback."""
    from bodypix.errors import BodyPixError

    from .errors import Stopped, TrainingError

    try:
        app()
    except Stopped as stop:
        typer.echo(stop, err=True)
        raise SystemExit(stop.exit_code) from stop
    except TrainingError as error:
        typer.echo(f"error: {error}", err=True)
        raise SystemExit(error.exit_code) from error
    except ModuleNotFoundError as error:
        module = (error.name or "").partition(".")[0]
        if module not in EXTRAS:
            raise
        get = f'get it with: pip install "bodypix[{EXTRAS[module]}]"'
        typer.echo(f"error: this command needs {module}, which is not installed; {get}", err=True)
        raise SystemExit(2) from error
    except (ValueError, OSError, BodyPixError) as error:
        typer.echo(f"error: {error}", err=True)
        raise SystemExit(2) from error


if __name__ == "__main__":
    main()
