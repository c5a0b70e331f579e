"""`bodypix image`: photos and folders of photos in; masks, parts, effects and JSON out."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.markup import escape

from bodypix.cli.console import EXIT_FAILED, exit_code_of, print_error, stderr
from bodypix.cli.inputs import PICTURE_SUFFIXES, collect
from bodypix.cli.kinds import ENDINGS, NEED_PARTS, PER_PERSON, Colors, Effect, Kind, ending
from bodypix.cli.options import (
    Device,
    InternalResolution,
    ModelName,
    Offline,
    Threads,
    given_path,
    load_model,
    resolution_share,
)
from bodypix.errors import OutputError

if TYPE_CHECKING:
    from bodypix.cli.batch import Outcome

EXAMPLES = """Examples:

bodypix image photo.jpg -o out

bodypix image photo.jpg -o cutout.png --kind cutout

bodypix image photos/ -r -o out --parts --people --pose --json

bodypix image photo.jpg -o out --effect bokeh --effect replace --background beach.jpg

Exit codes: 0 all done; 1 some pictures failed, the rest are done; 2 nothing done, wrong use;
130 interrupted.
"""

RESULTS = "results.json"
WRITTEN_SUFFIXES = (".png", ".jpg", ".jpeg")

_FIND, _WRITE, _RUN, _LOOK = "What to find", "What to write", "How to run", "How it looks"


def command(
    inputs: Annotated[
        list[Path],
        typer.Argument(
            parser=given_path,
            metavar="IN",
            help="Pictures, and folders of pictures.",
            show_default=False,
        ),
    ],
    output: Annotated[
        Path | None,
        typer.Option(
            "--output",
            "-o",
            parser=given_path,
            metavar="OUT",
            rich_help_panel=_WRITE,
            show_default=False,
            help="Folder to write to, made if need be; or a .png or .jpg file for one picture. "
            "With --json alone it may be left out: the results go to standard output.",
        ),
    ] = None,
    kinds: Annotated[
        list[Kind] | None,
        typer.Option(
            "--kind",
            "-k",
            rich_help_panel=_WRITE,
            show_default=False,
            metavar="KIND",
            help="mask, parts, cutout, overlay, part-ids or probability; may be repeated. "
            "Without --kind and --effect: mask and overlay.",
        ),
    ] = None,
    effects: Annotated[
        list[Effect] | None,
        typer.Option(
            "--effect",
            "-e",
            rich_help_panel=_WRITE,
            show_default=False,
            metavar="EFFECT",
            help="What is done to the photo: bokeh, pixelate, blur-face, replace or mask; "
            "may be repeated.",
        ),
    ] = None,
    json: Annotated[
        bool,
        typer.Option(
            "--json",
            rich_help_panel=_WRITE,
            help="Also write results.json: masks (RLE), boxes, keypoints in COCO's results format.",
        ),
    ] = False,
    recursive: Annotated[
        bool,
        typer.Option("--recursive", "-r", help="Look into sub-folders too, and keep them in OUT."),
    ] = False,
    keep_existing: Annotated[
        bool,
        typer.Option(
            "--keep-existing",
            rich_help_panel=_WRITE,
            help="Skip pictures whose files are all there already, instead of writing them again.",
        ),
    ] = False,
    quiet: Annotated[
        bool, typer.Option("--quiet", "-q", help="No progress bar and no summary; errors stay.")
    ] = False,
    parts: Annotated[
        bool,
        typer.Option(
            "--parts", rich_help_panel=_FIND, help="Find the 24 body parts, and write them."
        ),
    ] = False,
    people: Annotated[
        bool,
        typer.Option(
            "--people",
            rich_help_panel=_FIND,
            help="Tell people apart: one mask, cut-out and JSON entry each.",
        ),
    ] = False,
    pose: Annotated[
        bool,
        typer.Option(
            "--pose",
            rich_help_panel=_FIND,
            help="Find keypoints: skeletons on the overlay, keypoints in the JSON.",
        ),
    ] = False,
    threshold: Annotated[
        float,
        typer.Option(
            min=0,
            max=1,
            rich_help_panel=_FIND,
            help="A pixel is a person above this probability.",
        ),
    ] = 0.7,
    max_people: Annotated[
        int, typer.Option(min=1, rich_help_panel=_FIND, help="Most people to look for.")
    ] = 10,
    score_threshold: Annotated[
        float, typer.Option(min=0, max=1, rich_help_panel=_FIND, help="Lowest score of a pose.")
    ] = 0.4,
    flip_horizontal: Annotated[
        bool,
        typer.Option(
            "--flip-horizontal",
            rich_help_panel=_FIND,
            help="The pictures are mirrored (selfies): give left and right as the person's own.",
        ),
    ] = False,
    model: ModelName = None,
    device: Device = "auto",
    threads: Threads = None,
    internal_resolution: InternalResolution = "medium",
    offline: Offline = False,
    opacity: Annotated[
        float,
        typer.Option(min=0, max=1, rich_help_panel=_LOOK, help="Of colours over the photo."),
    ] = 0.7,
    colors: Annotated[
        Colors, typer.Option(rich_help_panel=_LOOK, help="Colour scale of the parts.")
    ] = Colors.RAINBOW,
    background: Annotated[
        str,
        typer.Option(
            metavar="COLOUR|PICTURE",
            rich_help_panel=_LOOK,
            help="For --effect replace: #rrggbb, black, white, gray, green, or a picture.",
        ),
    ] = "#00b140",
    blur: Annotated[
        float | None,
        typer.Option(
            min=0,
            max=250,
            rich_help_panel=_LOOK,
            show_default="1% of the longer side, 3 to 250",
            help="Blur of bokeh and blur-face in pixels.",
        ),
    ] = None,
    edge_blur: Annotated[
        float,
        typer.Option(min=0, max=250, rich_help_panel=_LOOK, help="Softness of edges in pixels."),
    ] = 3.0,
    soft: Annotated[
        bool,
        typer.Option(
            "--soft",
            rich_help_panel=_LOOK,
            help="Edges of cutout and replace from the probability, not from the threshold.",
        ),
    ] = False,
    cell: Annotated[
        int, typer.Option(min=1, rich_help_panel=_LOOK, help="Cell size of pixelate in pixels.")
    ] = 10,
) -> None:
    """Find people in pictures and write what was found.

    Files are named after their picture: photo.mask.png, photo.overlay.jpg,
    photo.effect-bokeh.jpg; with --people photo.person-1.mask.png and so on. Pictures that cannot
    be read are reported and the rest goes on. Files are written whole or not at all, earlier ones
    are replaced, and what is read is never written over.
    """
    pictures = _pictures(kinds, effects, parts=parts, pose=pose, wanted=output is not None)
    _check_use(output, pictures, json=json, keep_existing=keep_existing, people=people, soft=soft)
    share = resolution_share(internal_resolution)

    from bodypix.cli import batch
    from bodypix.cli.pictures import read_background
    from bodypix.cli.search import Search
    from bodypix.cli.targets import check_folder, refuse_overwriting
    from bodypix.media.effects import Look

    look = Look(
        colors=colors.value,
        opacity=opacity,
        background=read_background(background),
        blur=blur,
        edge_blur=edge_blur,
        cell=cell,
        soft=soft,
    )
    search = Search(
        parts=parts or any(what in NEED_PARTS for what in pictures),
        people=people,
        poses=pose,
        internal_resolution=share,
        threshold=threshold,
        max_people=max_people,
        score_threshold=score_threshold,
        flip_horizontal=flip_horizontal,
    )
    file = output if output is not None and _names_a_file(output) else None
    folder = output.parent if file is not None and output is not None else output
    jobs, failures = collect(inputs, folder, recursive=recursive, endings=ENDINGS)
    if file is not None:
        _check_file(file, len(jobs) + len(failures), pictures, people=people)
    beside = [path for path in (background, model) if path is not None]
    if folder is not None:
        check_folder(folder)
        if json:
            refuse_overwriting("--json", folder / RESULTS, [*(job.source for job in jobs), *beside])
    console = stderr()
    for failure in failures:
        batch.report(failure, console)
    loaded = load_model(model, device, threads, offline=offline)
    plan = batch.Plan(search, look, pictures, file, keep_existing, json, beside)
    outcome = batch.run(loaded, jobs, plan, console, bar=console.is_terminal and not quiet)
    outcome.failures[:0] = failures
    written = not json or _write_results(outcome, folder)
    if not quiet:
        console.print(_summary(outcome, len(failures) + len(jobs), loaded.device, folder, file))
    if outcome.interrupted is not None:
        raise typer.Exit(exit_code_of(outcome.interrupted))
    if outcome.failures or not written:
        raise typer.Exit(EXIT_FAILED)


def _pictures(
    kinds: list[Kind] | None,
    effects: list[Effect] | None,
    *,
    parts: bool,
    pose: bool,
    wanted: bool,
) -> list[Kind | Effect]:
    """What to write for every picture: what was named, else what fits what is looked for."""
    chosen: list[Kind | Effect] = [*(kinds or []), *(effects or [])]
    if wanted and not kinds:
        if not effects:
            chosen += [Kind.MASK, Kind.OVERLAY]
        if parts:
            chosen.append(Kind.PARTS)
        if pose:
            chosen.append(Kind.OVERLAY)
    return list(dict.fromkeys(chosen))


def _check_use(
    output: Path | None,
    pictures: list[Kind | Effect],
    *,
    json: bool,
    keep_existing: bool,
    people: bool,
    soft: bool,
) -> None:
    """Refuse options that do not go together.

    Raises:
        typer.BadParameter: which ends the command with exit code 2.
    """
    if output is None and (pictures or not json):
        raise typer.BadParameter(
            "missing: where to write. (Only --json without pictures goes to standard output.)",
            param_hint="--output",
        )
    if keep_existing and json:
        raise typer.BadParameter(
            "skipped pictures would be missing from the JSON; leave out one of --keep-existing "
            "and --json.",
            param_hint="--keep-existing",
        )
    if people and Kind.PROBABILITY in pictures:
        raise typer.BadParameter(
            "the probability is of everybody together; leave out --people.", param_hint="--kind"
        )
    if people and soft:
        raise typer.BadParameter(
            "the probability is of everybody together; leave out --people.", param_hint="--soft"
        )


def _names_a_file(output: Path) -> bool:
    """Whether OUT is meant as a file.

    Raises:
        typer.BadParameter: as a file of a format that is not written.
    """
    if os.path.isdir(output) or output.suffix.lower() not in PICTURE_SUFFIXES:
        return False
    if output.suffix.lower() not in WRITTEN_SUFFIXES:
        raise typer.BadParameter(
            f"expected a folder, or a file ending in {', '.join(WRITTEN_SUFFIXES)}; got {output}.",
            param_hint="--output",
        )
    return True


def _check_file(file: Path, inputs: int, pictures: list[Kind | Effect], *, people: bool) -> None:
    """Refuse one file for several pictures, and JPEG for what it would spoil.

    Raises:
        typer.BadParameter: which ends the command with exit code 2.
    """
    several = []
    if inputs != 1:
        several.append(f"{inputs} pictures")
    if len(pictures) != 1:
        several.append(" and ".join(what.value for what in pictures))
    if people and pictures[0] in PER_PERSON:
        several.append(f"a {pictures[0].value} of each person")
    if several:
        raise typer.BadParameter(
            f"{file.name} is one file, but {', '.join(several)} would have to go into it: name a "
            "folder, or one picture and one --kind or --effect.",
            param_hint="--output",
        )
    if ending(pictures[0]).endswith(".png") and file.suffix.lower() != ".png":
        raise typer.BadParameter(
            f"{pictures[0].value} needs a .png file: JPEG has no transparency and blurs edges.",
            param_hint="--output",
        )


def _write_results(outcome: Outcome, folder: Path | None) -> bool:
    """Write the JSON, to standard output without a folder; False, and said, if that fails."""
    from bodypix.cli.batch import results_text
    from bodypix.files import write_whole

    text = results_text(outcome)
    if folder is None:
        try:
            typer.echo(text)
        except BrokenPipeError:
            raise  # whoever read it has had enough
        except OSError as error:
            reason = error.strerror or error
            print_error(OutputError(f"--json: cannot write to standard output ({reason})."))
            return False
        return True
    try:
        write_whole(folder / RESULTS, lambda stream: stream.write(text.encode()), field="--json")
    except OutputError as error:
        print_error(error)
        return False
    outcome.files.append(folder / RESULTS)
    return True


def _summary(
    outcome: Outcome, total: int, device: str, folder: Path | None, file: Path | None
) -> str:
    """One or two lines on what became of the batch of so many pictures."""
    done, failed = len(outcome.done), len(outcome.failures)
    parts = [f"{done} of {total} {'picture' if total == 1 else 'pictures'} done"]
    if done:
        parts[0] += f", {1000 * outcome.seconds / done:.0f} ms each to segment ({device})"
    if outcome.skipped:
        parts.append(f"{len(outcome.skipped)} already there")
    if failed:
        parts.append(f"[red]{failed} failed[/red]")
    if outcome.interrupted is not None:
        parts.append("[red]interrupted[/red]")
    if outcome.device_failed:
        parts.append("[red]the device failed, the rest was not tried[/red]")
    many = len(outcome.files)
    if file is not None and many:
        parts.append(f"written: {escape(', '.join(map(str, outcome.files)))}")
    elif many:
        parts.append(f"{many} {'file' if many == 1 else 'files'} written to {escape(str(folder))}")
    return "; ".join(parts) + "."
