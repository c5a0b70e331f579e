"""One picture after the other: read, segment, write, and go on whatever happens to one of them."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from bodypix.cli import coco
from bodypix.cli.inputs import Failure, Job
from bodypix.cli.kinds import PER_PERSON, Effect, Kind, ending
from bodypix.cli.pictures import render, write_picture
from bodypix.cli.search import Search
from bodypix.cli.targets import identity
from bodypix.errors import BodyPixError, DeviceError, InvalidArgumentError, OutputError
from bodypix.images import read_image
from bodypix.media.effects import Look
from bodypix.segmenter import BodyPix


@dataclass(frozen=True)
class Plan:
    """What to do with every picture.

    `file` is the one file to write, if the user named a file; else names come from the jobs.
    """

    search: Search
    look: Look
    pictures: Sequence[Kind | Effect]
    file: Path | None = None
    keep_existing: bool = False
    json: bool = False
    read: Sequence[str | Path] = ()
    """What is read beside the pictures, and so not written over either."""

    def is_done(self, job: Job) -> bool:
        """Whether all files of a picture are there; of separate people at least the first's."""
        return bool(self.pictures) and all(
            os.path.exists(self.file or job.path(self._first_person(what) + ending(what)))
            for what in self.pictures
        )

    def _first_person(self, what: Kind | Effect) -> str:
        return ".person-1" if self.search.people and what in PER_PERSON else ""


@dataclass
class Outcome:
    """What became of a batch."""

    done: list[Job] = field(default_factory=list)
    skipped: list[Job] = field(default_factory=list)
    failures: list[Failure] = field(default_factory=list)
    files: list[Path] = field(default_factory=list)
    results: list[dict[str, Any]] = field(default_factory=list)
    seconds: float = 0.0
    interrupted: KeyboardInterrupt | None = None
    device_failed: bool = False
    """The pictures after the last failure were not tried."""


@dataclass(frozen=True)
class _Batch:
    """What `_process` needs to know of the whole batch."""

    outcome: Outcome
    ids: dict[Path, int]
    read: set[object]
    """Identities of all files that are read."""


def run(model: BodyPix, jobs: Sequence[Job], plan: Plan, console: Console, *, bar: bool) -> Outcome:
    """Work through the jobs. One that fails is reported on `console`, and the next follows.

    Ctrl-C, SIGTERM or a device that fails ends the batch after what is finished; the outcome says
    so.

    Raises:
        InvalidArgumentError: an option is out of range: no picture was done before, and none after
            would be.
        DeviceError: the device failed before anything was done.
    """
    outcome = Outcome()
    read = {identity(path) for path in (*(job.source for job in jobs), *plan.read)}
    batch = _Batch(outcome, coco.image_ids(jobs), read)
    columns = (
        TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn(),
    )  # fmt: skip
    with Progress(*columns, console=console, disable=not bar, transient=True) as progress:
        task = progress.add_task("Pictures", total=len(jobs))
        try:
            for job in jobs:
                progress.update(task, description=escape(job.source.name))
                if plan.keep_existing and plan.is_done(job):
                    outcome.skipped.append(job)
                else:
                    try:
                        _process(model, job, plan, batch)
                    except Exception as error:
                        # Whatever a strange file sets off in a decoder or in the runtime must not
                        # cost the user the rest of the batch.
                        hopeless = isinstance(error, (InvalidArgumentError, DeviceError))
                        if hopeless and not outcome.done:
                            raise
                        failure = Failure(job.source, _reason(error))
                        outcome.failures.append(failure)
                        report(failure, console)
                        if isinstance(error, DeviceError):
                            outcome.device_failed = True
                            break
                progress.advance(task)
        except KeyboardInterrupt as stop:
            outcome.interrupted = stop
    return outcome


def report(failure: Failure, console: Console) -> None:
    """One line for an input that failed; the reason may name it already, in quotes."""
    source = str(failure.source)
    named = repr(source) in failure.reason
    line = failure.reason if named else f"{source}: {failure.reason}"
    console.print(f"[red]failed[/red] {escape(line)}")


def results_text(outcome: Outcome) -> str:
    """The COCO results of a batch as JSON."""
    # All ASCII: names of files need not be valid Unicode.
    return json.dumps(outcome.results)


def _process(model: BodyPix, job: Job, plan: Plan, batch: _Batch) -> None:
    image = read_image(job.source)
    start = time.perf_counter()
    found = plan.search.run(model, image)
    seconds = time.perf_counter() - start
    files = []
    for what in plan.pictures:
        for person, picture in render(what, found, plan.look):
            path = plan.file or job.path(person + ending(what))
            if identity(path) in batch.read:
                raise OutputError(f"{path} is one of the files to read; choose another --output.")
            path.parent.mkdir(parents=True, exist_ok=True)
            write_picture(path, picture)
            files.append(path)
        if plan.search.people and what in PER_PERSON and plan.file is None:
            _remove_others(job, ending(what), set(files), batch.read)
    if plan.json:
        batch.outcome.results += coco.entries(found, job.source, batch.ids[job.source])
    batch.outcome.seconds += seconds
    batch.outcome.files += files
    batch.outcome.done.append(job)


def _remove_others(job: Job, suffix: str, written: set[Path], read: set[object]) -> None:
    """Remove the people of an earlier run, of whom this one found fewer."""
    number = 1
    while (path := job.path(f".person-{number}{suffix}")) in written or path.exists():
        if path not in written and identity(path) not in read:
            path.unlink()
        number += 1


def _reason(error: Exception) -> str:
    """The message on one line; for errors that bodypix did not raise on purpose also their type."""
    message = " ".join(str(error).split())
    return message if isinstance(error, BodyPixError) else f"{type(error).__name__}: {message}"
