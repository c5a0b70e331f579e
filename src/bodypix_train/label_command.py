"""`bodypix-train label`: the teachers' answers to a recipe's photos."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from .command_options import Data, Labels, RecipeFile


def label(
    recipe: RecipeFile,
    data: Data,
    labels: Labels = Path("runs/labels"),
    network: Annotated[
        Path | None,
        typer.Option(
            help="A checkpoint of ours, which has a third of the say on where people are.",
            exists=True,
            dir_okay=False,
        ),
    ] = None,
    share: Annotated[
        str,
        typer.Option(help="K/N: only the K-th of every N pictures, while others label the rest."),
    ] = "1/1",
) -> None:
    """Let the teachers answer for every picture of a recipe. Resumes; bad pictures are named.

    Where the recipe has rendered people and the pose network is there, parts are judged by
    skeletons too: the judge is fitted first and kept beside the labels.
    """
    import os
    from dataclasses import replace

    import torch
    from rich.progress import track

    from .checkpoint import read_network
    from .datasets.photos import drawing_of
    from .fit_parts import judge_of
    from .label import Teachers, label_pictures, pictures, read_share
    from .network_teacher import NetworkTeacher
    from .recipe import label_folder_of, read_recipe

    number, processes = read_share(share)
    plan = read_recipe(recipe)
    threads = max(1, (os.cpu_count() or 1) // processes)
    teachers = Teachers.from_folder(plan.teachers_in(data), threads)
    if network is not None:
        torch.set_num_threads(threads)
        teachers = replace(teachers, own=NetworkTeacher(read_network(network)))
    rendered = [data / source.images for source in plan.sources if source.kind == "synthetic"]
    judge = judge_of(teachers, rendered, labels / "part-judge.npz", typer.echo)
    teachers = replace(teachers, judge=judge)
    done: set[Path] = set()
    for source in plan.sources:
        if not source.asks_teachers:
            continue
        wanted = [path for path in pictures(data / source.images) if path not in done]
        if source.kind in ("ccp-drawn", "ccp-undrawn"):  # the rest may not be asked for
            drawn = source.kind == "ccp-drawn"
            wanted = [path for path in wanted if drawing_of(path).exists() == drawn]
        done.update(wanted)
        mine = wanted[number - 1 :: processes]
        answers = label_pictures(mine, label_folder_of(source, labels), teachers)
        for path, state in track(answers, source.images, total=len(mine)):
            if state == "unreadable":
                typer.echo(f"{path}: unreadable picture, left out", err=True)
