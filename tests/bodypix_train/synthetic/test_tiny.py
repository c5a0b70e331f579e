"""The recipe that tries everything: from computer-graphics people to a model that answers."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

import bodypix
from bodypix_train import recipe as recipes
from bodypix_train.__main__ import app
from bodypix_train.recipe import read_recipe
from bodypix_train.release import find_release, read_release
from bodypix_train.runlog import read_rows
from bodypix_train.synthetic.shards import encode, write_shard

RECIPE = Path(recipes.__file__).parent / "recipes" / "tiny.toml"
PICTURES, STEPS = 3, 3  # instead of 48 and 600


@pytest.fixture
def data(tmp_path: Path, studio) -> Path:
    """What `render` would leave there."""
    folder = tmp_path / read_recipe(RECIPE).sources[0].images
    folder.mkdir()
    pictures = [(number, encode(studio.picture(number))) for number in range(PICTURES)]
    write_shard(folder / "shard-00000.tar", pictures)
    return tmp_path


def command(*arguments: object) -> str:
    result = CliRunner().invoke(app, [str(argument) for argument in arguments])
    assert result.exit_code == 0, result.output
    return result.output


def test_from_people_to_a_model(data: Path) -> None:
    run, model = data / "run", data / "tiny.onnx"
    out = command("train", RECIPE, "--data", data, "--out", run, "--steps", STEPS)
    assert "step 3  100.0%  person_fine" in out
    (row,) = read_rows(run / "log.csv")
    # The people are known to the last joint, so every head but one learns from labels.
    learned = {"person_fine", "person", "parts_fine", "parts", "heatmaps_labels"}
    assert learned < set(row)
    assert all(np.isfinite(float(row[name])) for name in learned)
    command("export", run / "last.pt", model, "--name", "tiny")
    people = bodypix.load(model_url=str(model)).segment_person(np.full((64, 80, 3), 90, np.uint8))
    assert people.mask.shape == (64, 80)


def test_its_release_renders_what_its_recipe_reads() -> None:
    release = read_release(find_release("tiny"))
    assert [release.recipe_path(run).resolve() for run in release.runs] == [RECIPE.resolve()]
    assert [entry.folder for entry in release.render] == [read_recipe(RECIPE).sources[0].images]
