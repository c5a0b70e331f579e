"""Two processes train one network, started by torchrun and by the command's own option."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
import torch
from torch import Tensor

from bodypix_train import train as training
from bodypix_train.checkpoint import read_network
from bodypix_train.datasets.mixture import BatchStream
from bodypix_train.processes import batch_seed, make_fabric
from bodypix_train.runlog import read_rows
from bodypix_train.tasks import Batch
from helpers import two_processes
from helpers.two_processes import BATCH, SCHEDULE, SEED, picture, plain_task

RECIPE = """
name = "tiny"
[network]
multiplier = 0.25
widths = [8, 8]
[loss]
pose_weight = 0.25
teacher_share = 0.0
[data]
sources = [{ kind = "nobody", images = "images", weight = 1.0 }]
[schedule]
steps = 3
stages = [[0.0, 33, 2]]
"""


def start(*arguments: object) -> subprocess.CompletedProcess[str]:
    keep = {k: v for k, v in os.environ.items() if k not in ("LOCAL_RANK", "WORLD_SIZE", "RANK")}
    return subprocess.run(
        [sys.executable, *map(str, arguments)], env=keep | {"OMP_NUM_THREADS": "1"}, timeout=300,
        capture_output=True, text=True, check=False,
    )  # fmt: skip


@pytest.fixture(scope="module")
def ranks(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list[dict[str, Any]]]:
    """What both processes of `two_processes` had at their end."""
    out = tmp_path_factory.mktemp("two")
    script = Path(two_processes.__file__)
    done = start("-m", "torch.distributed.run", "--standalone", "--nproc-per-node=2", script, out)
    assert done.returncode == 0, done.stderr
    return out, [torch.load(out / f"rank{rank}.pt", weights_only=True) for rank in (0, 1)]


def same(one: dict[str, Tensor], other: dict[str, Tensor], atol: float = 0.0) -> bool:
    return all(torch.allclose(one[name], other[name], rtol=0, atol=atol) for name in one)


def test_processes_draw_batches_of_their_own(ranks: tuple[Path, list[dict[str, Any]]]) -> None:
    first, second = ranks[1]
    assert first["world"] == second["world"] == 2
    pairs = list(zip(first["images"], second["images"], strict=True))
    assert len(pairs) == SCHEDULE.steps
    assert all(not torch.equal(a, b) for a, b in pairs)


def test_two_processes_are_one_with_double_batches(
    ranks: tuple[Path, list[dict[str, Any]]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, second = ranks[1]
    assert same(first["weights"], second["weights"])

    def together(*_: object) -> Any:
        def stream(count: int, size: int, seed: int) -> Iterator[Batch]:
            seeds = [batch_seed(SEED, 0, rank) for rank in (0, 1)]
            halves = [iter(BatchStream(picture(), count, size, seed)) for seed in seeds]
            while True:
                a, b = (next(half) for half in halves)
                fields = ("image", "person", "trust", "parts", "has_parts")
                both = {name: torch.cat([getattr(a, name), getattr(b, name)]) for name in fields}
                yield Batch(**both, teacher={})

        return stream

    monkeypatch.setattr(training, "choose_streams", together)
    task = plain_task()
    begin = {name: value.clone() for name, value in task.network.state_dict().items()}
    training.train(task, picture(), SCHEDULE, tmp_path, seed=SEED)
    assert [len(image) for image in task.images] == [2 * BATCH] * SCHEDULE.steps
    after = task.network.state_dict()
    assert same(first["weights"], after, atol=1e-5)
    assert not same(begin, after, atol=1e-3)


def test_only_the_first_process_writes(ranks: tuple[Path, list[dict[str, Any]]]) -> None:
    out, (first, second) = ranks
    assert (first["reports"], second["reports"]) == ([SCHEDULE.steps], [])
    assert {path.name for path in (out / "equal").iterdir()} == {"last.pt", "log.csv"}
    assert [row["step"] for row in read_rows(out / "equal" / "log.csv")] == [str(SCHEDULE.steps)]


def test_a_bad_batch_of_one_is_skipped_by_both(ranks: tuple[Path, list[dict[str, Any]]]) -> None:
    first, second = ranks[1]
    assert first["batches"] == second["batches"] == SCHEDULE.steps + 1
    assert all(torch.isfinite(value).all() for value in first["healthy"].values())


def test_a_signal_to_one_stops_both(ranks: tuple[Path, list[dict[str, Any]]]) -> None:
    out, (first, second) = ranks
    assert first["stop"] == second["stop"]
    assert first["stop"].startswith("stopped by SIGTERM at step 2")
    assert torch.load(out / "stopped" / "last.pt", weights_only=True)["step"] == 2


def test_an_error_of_the_first_ends_both(ranks: tuple[Path, list[dict[str, Any]]]) -> None:
    assert [rank["failure"] for rank in ranks[1]] == ["no space left"] * 2
    assert [rank["agree"] for rank in ranks[1]] == [(1.0, 0.0)] * 2


def test_the_command_starts_them_itself(tmp_path: Path) -> None:
    (tmp_path / "images").mkdir()
    cv2.imwrite(str(tmp_path / "images" / "a.png"), np.full((64, 48, 3), 90, np.uint8))
    recipe, out = tmp_path / "tiny.toml", tmp_path / "run"
    recipe.write_text(RECIPE)
    done = start(
        "-m", "bodypix_train", "train", recipe, "--data", tmp_path, "--out", out, "--devices", 2
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.count("step 3  100.0%") == 1
    assert read_network(out / "last.pt").multiplier == 0.25
    assert len(read_rows(out / "log.csv")) == 1


def test_torchrun_knows_the_number(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in {
        "TORCHELASTIC_RUN_ID": "x", "LOCAL_WORLD_SIZE": "2", "WORLD_SIZE": "2"
    }.items():  # fmt: skip
        monkeypatch.setenv(name, value)
    with pytest.raises(ValueError, match="torchrun has started 2 processes here, got 3"):
        make_fabric(3)


def test_more_processes_than_gpus(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 1)
    with pytest.raises(ValueError, match="expected at most 1, one per GPU, got 2"):
        make_fabric(2)


def test_seeds_differ() -> None:
    seeds = [batch_seed(seed, step, rank) for seed in (0, 1) for step in (0, 1) for rank in (0, 1)]
    assert len(set(seeds)) == len(seeds)
