"""Release files and recipes that rest on others: what is read, and what is refused beforehand."""

from __future__ import annotations

from pathlib import Path

import pytest

from bodypix_train.checkpoint import LATER
from bodypix_train.recipe import read_recipe
from bodypix_train.release import FOLDER, find_release, read_release
from bodypix_train.toml_files import laid_over, read_toml

from .conftest import TINY_RECIPE

RECIPES = Path(FOLDER).parent / "recipes"
RELEASE = """
name = "tiny"
version = "1"
description = "for tests"
[[runs]]
recipe = "one.toml"
[[runs]]
recipe = "two.toml"
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "one.toml").write_text(TINY_RECIPE)
    (tmp_path / "two.toml").write_text('base = "one.toml"\n[schedule]\nlearning_rate = 1e-3\n')
    (tmp_path / "tiny.toml").write_text(RELEASE)
    return tmp_path


@pytest.mark.parametrize("path", sorted(RECIPES.glob("*.toml")), ids=lambda path: path.stem)
def test_our_recipes_can_be_read(path: Path) -> None:
    recipe = read_recipe(path)
    assert recipe.schedule.stages[0][0] == 0
    assert sum(source.weight for source in recipe.sources) > 0


def test_our_releases_can_be_read_by_name() -> None:
    releases = {path.stem: read_release(path) for path in FOLDER.glob("*.toml")}
    ours = {"default", "small", "resnet50", "mobilenet-050-wide", "mobilenet-075", "mobilenet-100"}
    assert ours <= set(releases)
    for name, release in releases.items():
        assert find_release(name) == release.path
        for run in release.runs:
            assert (release.recipe_path(run)).parent.resolve() == RECIPES
    assert len({release.name for release in releases.values()}) == len(releases)
    assert releases["small"].alias == "small"


def test_a_recipe_may_rest_on_another(folder: Path) -> None:
    one, two = read_recipe(folder / "one.toml"), read_recipe(folder / "two.toml")
    assert (one.schedule.learning_rate, two.schedule.learning_rate) == (3e-3, 1e-3)
    assert two.schedule.stages == one.schedule.stages
    assert two.sources == one.sources


def test_tables_are_laid_over_field_by_field_and_lists_are_not() -> None:
    below = {"a": {"x": 1, "y": [1, 2]}, "b": 3}
    assert laid_over(below, {"a": {"y": [4]}, "c": 5}) == {"a": {"x": 1, "y": [4]}, "b": 3, "c": 5}
    assert below == {"a": {"x": 1, "y": [1, 2]}, "b": 3}


@pytest.mark.parametrize(
    ("one", "match"),
    [
        ('base = "two.toml"', "a circle"),
        ('base = "gone.toml"', r"gone\.toml: expected a TOML file, the base of .*one\.toml"),
        ("base = 3", "base: expected the name of a file, got 3"),
        ("[", "expected TOML"),
    ],
)
def test_a_base_that_cannot_be_is_named(folder: Path, one: str, match: str) -> None:
    (folder / "one.toml").write_text(one)
    with pytest.raises(ValueError, match=match):
        read_toml(folder / "two.toml")


def test_a_release_knows_what_it_needs(folder: Path) -> None:
    text = RELEASE.replace('"one.toml"', '"one.toml"\nstart = "begin.pt"\nteacher = "other.toml"')
    (folder / "tiny.toml").write_text(text)
    (folder / "begin.pt").write_bytes(b"")
    (folder / "other.toml").write_text(RELEASE)
    release = read_release(folder / "tiny.toml")
    assert [run.name for run in release.runs] == ["one", "two"]
    assert list(release.needs()) == [folder / "other.toml", folder / "begin.pt"]


@pytest.mark.parametrize(
    ("old", "new", "match"),
    [
        ('version = "1"', "", "version"),
        ('version = "1"', 'version = "1"\ncolour = 3', "colour"),
        ('name = "tiny"', 'name = "a/b"', "name: expected a file name"),
        ('"two.toml"', '"one.toml"', "recipes of different names"),
        ('"two.toml"', '"gone.toml"', r"expected the file .*gone\.toml"),
        ('"two.toml"', '"two.toml"\nstart = "x.pt"', "a start for the first run only"),
        ('"one.toml"', '"one.toml"\nteacher = "x.pt"', r"expected the file .*x\.pt"),
        ('"one.toml"', '"one.toml"\nteacher = "x.onnx"', r"a \.toml or \.pt file"),
        ('"one.toml"', '"one.toml"\nwiden = true', r"runs\.widen: expected a start as well"),
        ('"one.toml"', '"one.toml"\nmix = { start = 0.5 }', r"runs\.mix: expected one of none"),
        ('"two.toml"', '"two.toml"\nmix = 0.5', r"runs\.mix: expected a table .* got 0\.5"),
        ('"two.toml"', '"two.toml"\nmix = { two = 0.5 }', r"expected one of start, one, got two"),
        (
            '"two.toml"',
            '"two.toml"\nmix = { one = 1 }',
            r"runs\.mix\.one: expected a share .* got 1",
        ),
        ('"two.toml"', '"two.toml"\nmix = { one = "a" }', r"expected a share .* got 'a'"),
        (
            '"two.toml"',
            '"two.toml"\nmix = { one = 0.5, start = 0.5 }',
            r"runs\.mix: expected shares below 1 in all",
        ),
    ],
)
def test_a_wrong_release_is_refused(folder: Path, old: str, new: str, match: str) -> None:
    (folder / "x.onnx").write_bytes(b"")
    (folder / "tiny.toml").write_text(RELEASE.replace(old, new))
    with pytest.raises(ValueError, match=match):
        read_release(folder / "tiny.toml")


@pytest.mark.parametrize(
    ("recipe", "match"),
    [
        ("[network]\nmultiplier = 0.5", r"two\.toml: network: expected .*0\.25.* got .*0\.5"),
        ("[loss]\nteacher_share = 0.5\nhints = [3]", "different widths"),
    ],
)
def test_runs_that_do_not_fit_are_refused_before_the_first(
    folder: Path, recipe: str, match: str
) -> None:
    (folder / "two.toml").write_text(f'base = "one.toml"\n{recipe}\n')
    with pytest.raises(ValueError, match=match):
        read_release(folder / "tiny.toml")


@pytest.mark.parametrize("name", LATER)
def test_what_comes_later_stays(name: str, folder: Path) -> None:
    further, plain = f"[network]\n{name} = 8\n", (folder / "one.toml").read_text()
    (folder / "two.toml").write_text(f'base = "one.toml"\n{further}')
    assert len(read_release(folder / "tiny.toml").runs) == 2
    (folder / "one.toml").write_text(plain.replace("[network]\n", further))
    (folder / "two.toml").write_text(f'base = "one.toml"\n[network]\n{name} = 0\n')
    with pytest.raises(ValueError, match=rf"two\.toml: network\.{name}: expected 8 as be.*0"):
        read_release(folder / "tiny.toml")


def test_an_unknown_release_lists_ours() -> None:
    with pytest.raises(ValueError, match=r"one of default, .*small.* got 'tiny-nothing'"):
        find_release("tiny-nothing")
