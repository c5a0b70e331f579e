"""A release: the TOML file that says how a model is made, from data to ONNX, run by run."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from .checkpoint import LATER
from .recipe import read_recipe
from .toml_files import read_toml

FOLDER = Path(__file__).parent / "releases"  # of the models that we release


@dataclass(frozen=True)
class Render:
    """Synthetic people to make first; paths start from the data folder (see docs/synthetic.md)."""

    folder: str
    count: int
    seed: int = 0
    backgrounds: tuple[str, ...] = ()
    photo_share: float = 0.7
    side: int = 384


@dataclass(frozen=True)
class Run:
    """One training run. It starts from the weights of the run before.

    ``recipe`` is relative to the release file. ``teacher`` (None: the published network) and
    ``start`` (for the first run; None: random weights) are release files beside this one, which
    are made first, or checkpoints. ``narrow``: the start is a wider network, and the pictures in
    this folder, below the data folder, show what to keep of it (see `narrow`); ``widen``: it is a
    narrower one (see `widen`). ``relabel``: the photos are labelled anew for this run and those
    after it; ``say``, another release file or checkpoint, has a say in it (None: what the run
    starts from). ``steps`` takes the place of the recipe's; ``minutes`` ends the run by the clock.
    ``mix``: what comes of the run is averaged with the weights of runs before it, by name and
    share, where "start" is what it began with.
    """

    recipe: str
    teacher: str | None = None
    start: str | None = None
    narrow: str | None = None
    widen: bool = False
    relabel: bool = False
    say: str | None = None
    steps: int | None = None
    minutes: float | None = None
    mix: dict[str, float] = field(default_factory=dict)

    @property
    def name(self) -> str:
        """Name of the run's folder."""
        return Path(self.recipe).stem


@dataclass(frozen=True)
class Evaluation:
    """What the model is measured on: ``sets`` in ``folder``, ``synthetic`` shards, ``clips``.

    All paths start from the data folder; no sets means all that are there.
    """

    folder: str = "eval"
    sets: tuple[str, ...] = ()
    synthetic: str | None = None
    clips: str | None = None
    internal_resolution: float = 1.0


@dataclass(frozen=True)
class Release:
    """How one model is made. ``alias`` and ``description`` go into the catalogue of models."""

    path: Path
    name: str
    version: str
    description: str
    runs: tuple[Run, ...]
    alias: str | None = None
    render: tuple[Render, ...] = ()
    evaluate: Evaluation | None = None

    def beside(self, name: str) -> Path:
        """A file that the release names."""
        return self.path.parent / name

    def recipe_path(self, run: Run) -> Path:
        return self.beside(run.recipe)

    def needs(self) -> Iterator[Path]:
        """Release files and checkpoints that have to be there before the first run."""
        for run in self.runs:
            for needed in (run.teacher, run.start, run.say):
                if needed is not None:
                    yield self.beside(needed)


def find_release(name: str) -> Path:
    """The release file of that path, or one of ours by its name: "default", "small", ...

    Raises ValueError where there is none.
    """
    path = Path(name)
    if path.suffix != ".toml":
        path = FOLDER / f"{name}.toml"
    if not path.is_file():
        ours = ", ".join(sorted(entry.stem for entry in FOLDER.glob("*.toml")))
        raise ValueError(f"release: expected a TOML file or one of {ours}, got {name!r}")
    return path


def read_release(path: Path) -> Release:
    """Read a release and all its recipes. Raises ValueError that names the file and the field."""
    raw = read_toml(path)
    try:
        raw["runs"] = tuple(Run(**run) for run in raw["runs"])
        raw["render"] = tuple(Render(**_frozen(entry)) for entry in raw.get("render", ()))
        if "evaluate" in raw:
            raw["evaluate"] = Evaluation(**_frozen(raw["evaluate"]))
        release = Release(path=path, **raw)
    except KeyError as error:
        raise ValueError(f"{path}: the field {error} is missing") from error
    except TypeError as error:
        raise ValueError(f"{path}: {error}") from error
    check(release)
    return release


def _frozen(table: dict[str, Any]) -> dict[str, Any]:
    return {key: tuple(v) if isinstance(v, list) else v for key, v in table.items()}


def check(release: Release) -> None:
    """Raises ValueError for what would otherwise stop a release after hours."""

    def expect(good: bool, field: str, expected: str, got: object) -> None:
        if not good:
            raise ValueError(f"{release.path}: {field}: expected {expected}, got {got}")

    expect(bool(release.runs), "runs", "at least one", "none")
    expect(not set(release.name) & set("/\\"), "name", "a file name", repr(release.name))
    names = [run.name for run in release.runs]
    expect(len(set(names)) == len(names), "runs", "recipes of different names", names)
    for run in release.runs[1:]:
        expect(run.start is None, "runs.start", "a start for the first run only", run.start)
    begins = release.runs[0].start is not None
    for number, run in enumerate(release.runs):
        expect(isinstance(run.mix, dict), "runs.mix", "a table of shares by run", repr(run.mix))
        known = [*(["start"] if number or begins else []), *names[:number]]
        for name, share in run.mix.items():
            expect(name in known, "runs.mix", f"one of {', '.join(known) or 'none'}", name)
            good = isinstance(share, float | int) and 0 < share < 1
            expect(good, f"runs.mix.{name}", "a share between 0 and 1", repr(share))
        expect(sum(run.mix.values()) < 1, "runs.mix", "shares below 1 in all", run.mix)
        expect(run.relabel or run.say is None, "runs.say", "relabel = true as well", run.say)
        own = run.relabel and run.say is None
        expect(not own or number or begins, "runs.relabel", "a say where nothing begins", "none")
    for path in (*map(release.recipe_path, release.runs), *release.needs()):
        expect(path.is_file(), "runs", f"the file {path}", "none")
        expect(path.suffix in (".toml", ".pt"), "runs", "a .toml or .pt file", path)
    first = read_recipe(release.recipe_path(release.runs[0]))
    grown = dict.fromkeys(LATER, 0)  # these may come with a run, but then stay
    for run in release.runs:
        recipe = read_recipe(release.recipe_path(run))
        shapes = [(r.architecture, r.multiplier, r.late, r.widths) for r in (first, recipe)]
        expect(
            shapes[0] == shapes[1], f"{run.recipe}: network", f"{shapes[0]} as before", shapes[1]
        )
        for name, before in grown.items():
            width = getattr(recipe, name)
            place = f"{run.recipe}: network.{name}"
            expect(before in (0, width), place, f"{before} as before", width)
            grown[name] = width
        for name, value in (("narrow", run.narrow), ("widen", run.widen)):
            expect(not value or run.start is not None, f"runs.{name}", "a start as well", value)
        expect(not (run.narrow and run.widen), "runs.widen", "false beside narrow", run.widen)
        if run.teacher is None and recipe.taught:
            recipe.check_hints("MobileNetV1", 0.5)


def needed_releases(release: Release, above: tuple[str, ...] = ()) -> dict[str, Release]:
    """The releases that this one rests on, directly or not, by the name of their file.

    Raises ValueError where one rests on itself.
    """
    if release.name in above:
        circle = " -> ".join((*above, release.name))
        raise ValueError(f"{release.path}: expected releases without a circle, got {circle}")
    found: dict[str, Release] = {}
    for path in release.needs():
        if path.suffix == ".toml":
            found[path.stem] = read_release(path)
            found |= needed_releases(found[path.stem], (*above, release.name))
    return found
