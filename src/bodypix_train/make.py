"""A release made from data to ONNX, step by step; started again, it goes on where it was.

Every step is one of the other commands, in a process of its own, and is written out before it
begins. In the folder of releases:

    labels/                 the teachers' answers, shared by all releases
    NAME/steps.json         which steps are done, and what went into them
    NAME/runs/RECIPE/       checkpoint and log of a run, narrow.pt or wide.pt where it starts from
                            a network of another width, mixed.pt where the weights of runs before
                            it take part in the outcome,
                            labels/ where pictures are labelled anew for it and the runs after it
    NAME/NAME.onnx          the model
    NAME/start.pt           the same weights as a small checkpoint, to start or teach others
    NAME/log-RECIPE.csv     the losses of each run
    NAME/curves.png         a picture of them
    NAME/report/            the page of the evaluation
    NAME/scores.json        its figures
    NAME/card.md            the figures of the model card
    NAME/catalogue.json     the entry for the list of models
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path

import torch

from bodypix.checkpoints.pins import sha256_of
from bodypix.files import write_whole

from .card import write_card
from .catalogue_entry import write_entry
from .command_options import named_entries
from .ledger import Ledger
from .recipe import read_recipe
from .release import Release, Run, needed_releases, read_release
from .toml_files import read_toml

Command = Callable[[list[str]], None]  # runs `bodypix-train` with these arguments, or raises


@dataclass(frozen=True)
class Workshop:
    """Where releases are made, from what, and how.

    ``given`` are checkpoints to use for other releases, by the name of their file without
    ending, instead of making these first. ``against`` are models to measure beside the release's,
    as the option --model of `evaluate` takes them. ``train_options`` go to every training run,
    ``render_options`` to every `render`.
    """

    command: Command
    data: Path
    out: Path
    given: dict[str, Path] = field(default_factory=dict)
    against: tuple[str, ...] = ()
    evaluate: bool = True
    train_options: tuple[str, ...] = ()
    render_options: tuple[str, ...] = ()

    @property
    def labels(self) -> Path:
        return self.out / "labels"

    def make(self, release: Release) -> Path:
        """Make a release and those it needs; returns its folder.

        Raises ValueError where releases need each other, where ``given`` names one that is not
        needed, and where a run was begun with another recipe, start or teacher; whatever
        ``command`` raises ends it.
        """
        needed = needed_releases(release)
        for name in self.given:
            if name not in needed:
                known = ", ".join(needed) or "none, as it rests on no other"
                raise ValueError(f"{release.path}: --use: expected {known}, got {name!r}")
        return self._make(release)

    def _make(self, release: Release) -> Path:
        self._look(release)
        weights = {path: self._weights(path) for path in dict.fromkeys(release.needs())}
        folder = self.out / release.name
        folder.mkdir(parents=True, exist_ok=True)
        ledger = Ledger(folder / "steps.json")
        last, labels = None, self.labels
        outcomes: dict[str, Path] = {}
        for run in release.runs:
            place = folder / "runs" / run.name
            labels = place / "labels" if run.relabel else labels  # and for the runs after it
            start = weights[release.beside(run.start)] if run.start else last
            last = self._run(release, run, ledger, place, start, weights, labels)
            if run.mix:
                others = {**outcomes, "start": self._begun_with(run, place, start)}
                last = self._mixed(run, ledger, place, last, others)
            outcomes[run.name] = last
        assert last is not None  # a release has runs
        model = self._export(release, ledger, folder, last)
        if release.evaluate and self.evaluate:
            self._evaluate(release, ledger, folder, model)
        write_entry(release, model, folder / "catalogue.json")
        measured = ledger.steps.get("evaluate", {})
        fresh = "result" in measured and measured["inputs"]["model"] == sha256_of(model)
        tables = folder / "report" / "tables.md" if fresh else None
        write_card(release, ledger, model, self.data, tables, folder)
        return folder

    def _look(self, release: Release) -> None:
        """Raises ValueError for what only a later step would stumble over."""
        folders = [name for entry in release.render for name in entry.backgrounds]
        folders += [run.narrow for run in release.runs if run.narrow]
        if release.evaluate and self.evaluate:
            named_entries("--against", (f"{release.name}=", *self.against))
            plan, made = release.evaluate, [entry.folder for entry in release.render]
            folders += [plan.folder, *(f for f in (plan.synthetic, plan.clips) if f)]
            folders = [name for name in folders if name not in made]
        for name in folders:
            if not (self.data / name).is_dir():
                raise ValueError(
                    f"{release.path}: expected the folder {self.data / name}, found none; "
                    "what is needed to evaluate only, --no-evaluate leaves out"
                )

    def _weights(self, path: Path) -> Path:
        """The checkpoint that ``path`` names, or the one of the release that it names."""
        if path.suffix == ".pt":
            return path
        if path.stem in self.given:
            return self.given[path.stem]
        return self._make(read_release(path)) / "start.pt"

    def _run(
        self, release: Release, run: Run, ledger: Ledger, folder: Path, start: Path | None,
        weights: dict[Path, Path], labels: Path,
    ) -> Path:  # fmt: skip
        """Train one run, unless that is done; returns its checkpoint."""
        recipe, last, step = release.recipe_path(run), folder / "last.pt", f"run {run.name}"
        teacher = weights[release.beside(run.teacher)] if run.teacher else None
        say = weights[release.beside(run.say)] if run.say else start
        inputs = {
            "recipe": read_toml(recipe),
            "steps": run.steps,
            "minutes": run.minutes,
            "start": _checksum(start),
            "narrow": run.narrow,
            "teacher": _checksum(teacher),
            # Ledgers of before have no such fields.
            **({"widen": True} if run.widen else {}),
            **({"relabel": True} if run.relabel else {}),
            **({"say": _checksum(say)} if run.say else {}),
        }
        if last.exists():
            if ledger.done(step, inputs):
                return last
            if change := ledger.changes(step, inputs):
                raise ValueError(
                    f"{folder}: expected what the run was begun with, but {change}; "
                    "put that back, or delete the folder to train the run anew"
                )
        self._prepare(release, recipe, labels, say if run.relabel else None)
        ledger.begin(step, inputs)
        given, start = start, self._begun_with(run, folder, start)
        if run.narrow is not None:
            options = ["--pictures", str(self.data / run.narrow)]
            self._reshape("narrow", given, recipe, start, options)
        if run.widen:
            options = ["--late-multiplier", str(read_recipe(recipe).late)]
            self._reshape("widen", given, recipe, start, options)
        arguments = ["distill" if teacher else "train", str(recipe), "--data", str(self.data)]
        arguments += ["--labels", str(labels), "--out", str(folder)]
        for option, value in {
            "teacher": teacher, "start": start, "steps": run.steps, "minutes": run.minutes
        }.items():  # fmt: skip
            arguments += [f"--{option}", str(value)] if value is not None else []
        self.command([*arguments, *self.train_options])
        state = torch.load(last, weights_only=True, map_location="cpu")
        ledger.finish(step, {"steps": state["step"], "seconds": round(state["elapsed"])})
        return last

    def _begun_with(self, run: Run, folder: Path, start: Path | None) -> Path | None:
        """Where the weights lie that the run begins with, of its own shape."""
        if run.narrow is not None:
            return folder / "narrow.pt"
        return folder / "wide.pt" if run.widen else start

    def _reshape(
        self, command: str, given: Path | None, recipe: Path, start: Path | None,
        options: Sequence[str] = (),
    ) -> None:  # fmt: skip
        """Make a start of the recipe's shape of another network, unless the run has begun."""
        assert start is not None  # `_begun_with` has named it
        if (start.parent / "last.pt").exists():
            return
        shape = read_recipe(recipe)
        start.parent.mkdir(parents=True, exist_ok=True)
        arguments = [command, str(given), str(start), "--multiplier", str(shape.multiplier)]
        self.command([*arguments, "--widths", *map(str, shape.widths), *options])

    def _mixed(
        self, run: Run, ledger: Ledger, folder: Path, last: Path, others: dict[str, Path | None]
    ) -> Path:
        """Average what came of a run with other weights, unless that is done."""
        out, step = folder / "mixed.pt", f"mix {run.name}"
        weights = {name: _checksum(others[name]) for name in run.mix}
        inputs = {"outcome": _checksum(last), "mix": run.mix, "weights": weights}
        if not (ledger.done(step, inputs) and out.exists()):
            ledger.begin(step, inputs)
            whole = 1 - sum(run.mix.values())  # of the final mean, as far as it has been taken
            for name, share in run.mix.items():
                arguments = ["mix", str(others[name]), str(last), str(out)]
                self.command([*arguments, "--share", str(round(whole / (whole + share), 6))])
                whole, last = whole + share, out
            ledger.finish(step, {"sha256": _checksum(out)})
        return out

    def _prepare(self, release: Release, recipe: Path, labels: Path, network: Path | None) -> None:
        """Synthetic people and teachers' answers; both commands skip what is there.

        ``network``, a checkpoint of ours, is asked beside the teachers.
        """
        for entry in release.render:
            arguments = ["render", "--count", str(entry.count), "--seed", str(entry.seed)]
            arguments += ["--out", str(self.data / entry.folder), "--side", str(entry.side)]
            arguments += ["--photo-share", str(entry.photo_share)]
            for folder in entry.backgrounds:
                arguments += ["--backgrounds", str(self.data / folder)]
            self.command([*arguments, *self.render_options])
        if any(source.asks_teachers for source in read_recipe(recipe).sources):
            arguments = ["label", str(recipe), "--data", str(self.data), "--labels", str(labels)]
            arguments += ["--network", str(network)] if network else []
            self.command(arguments)

    def _export(self, release: Release, ledger: Ledger, folder: Path, last: Path) -> Path:
        """Write the model and what comes with it, unless that is done."""
        model, start = folder / f"{release.name}.onnx", folder / "start.pt"
        inputs = {"version": release.version, "checkpoint": _checksum(last)}
        if not (ledger.done("export", inputs) and model.exists() and start.exists()):
            ledger.begin("export", inputs)
            arguments = ["export", str(last), str(model), "--keep", str(start)]
            self.command([*arguments, "--name", release.name, "--version", release.version])
            logs = {run.name: folder / "runs" / run.name / "log.csv" for run in release.runs}
            for name, log in logs.items():
                _copy(log, folder / f"log-{name}.csv")
            runs = [str(log.parent) for log in logs.values()]
            self.command(["curves", *runs, "--out", str(folder / "curves.png")])
            ledger.finish("export", {"sha256": _checksum(model)})
        return model

    def _evaluate(self, release: Release, ledger: Ledger, folder: Path, model: Path) -> None:
        """Measure the model, unless that is done."""
        plan = release.evaluate
        assert plan is not None  # the caller has looked
        inputs = {**asdict(plan), "model": _checksum(model), "against": self.against}
        scores, tables = folder / "scores.json", folder / "report" / "tables.md"
        if ledger.done("evaluate", inputs) and scores.exists() and tables.exists():
            return
        ledger.begin("evaluate", inputs)
        arguments = ["evaluate", "--data", str(self.data / plan.folder)]
        for entry in (f"{release.name}={model}", *self.against):
            arguments += ["--model", entry]
        for name in plan.sets:
            arguments += ["--set", name]
        for option, place in (("--synthetic", plan.synthetic), ("--clips", plan.clips)):
            arguments += [option, str(self.data / place)] if place else []
        arguments += ["--internal-resolution", str(plan.internal_resolution)]
        self.command([*arguments, "--report", str(folder / "report"), "--out", str(scores)])
        ledger.finish("evaluate", {})


def _copy(source: Path, target: Path) -> None:
    data = source.read_bytes()
    write_whole(target, lambda file: file.write(data))


def _checksum(path: Path | None) -> str | None:
    return None if path is None else sha256_of(path)
