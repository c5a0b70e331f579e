"""Checkpoints: what begins with them, what is mixed, and files that are none."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch

from bodypix.errors import OutputError
from bodypix_train import __main__ as command
from bodypix_train.checkpoint import LATER, begin_with, mixed, read_network, write_weights
from bodypix_train.networks.bodypix import BodyPixNet
from bodypix_train.train import train

from .conftest import SCHEDULE, mixture, tiny_task


def test_a_start_gives_weights_but_not_the_form_of_older_networks(tmp_path: Path) -> None:
    old, new = BodyPixNet(0.25, (8, 8)), BodyPixNet(0.25, (8, 8))
    old.coarse_parts.zero_()
    write_weights(old, tmp_path / "old.pt")
    begin_with(new, tmp_path / "old.pt")
    assert torch.equal(new.parts.weight, old.parts.weight.half().float())
    assert float(new.coarse_parts) == 1
    image = torch.zeros(1, 3, 33, 33)
    old.eval(), new.eval()
    parts = "part_heatmaps_fine"
    assert not torch.allclose(old(image)[parts], new(image)[parts])
    with pytest.raises(ValueError, match=r"old\.pt: expected a network like the recipe's"):
        begin_with(BodyPixNet(0.25, (16, 8)), tmp_path / "old.pt")


@pytest.mark.parametrize("name", LATER)
def test_what_comes_later_comes_to_a_start_that_has_none(name: str, tmp_path: Path) -> None:
    old, new = BodyPixNet(0.25, (8, 8)).eval(), BodyPixNet(0.25, (8, 8), **{name: 8}).eval()
    write_weights(old, tmp_path / "old.pt")
    begin_with(new, tmp_path / "old.pt")
    image = torch.rand(1, 3, 33, 49)
    for head, answer in read_network(tmp_path / "old.pt")(image).items():
        assert torch.equal(new(image)[head], answer)
    torch.nn.init.ones_(getattr(new, name).widen[1].weight)
    write_weights(new, tmp_path / "new.pt")
    again = read_network(tmp_path / "new.pt")
    assert getattr(again, name).width == 8
    assert not torch.equal(again(image)["segments"], old(image)["segments"])
    with pytest.raises(ValueError, match=r"new\.pt: expected a network like the recipe's"):
        begin_with(old, tmp_path / "new.pt")


def test_small_checkpoints_hold_the_weights(tmp_path: Path) -> None:
    network = BodyPixNet(0.25, (8, 8))
    write_weights(network, tmp_path / "small.pt")
    again = read_network(tmp_path / "small.pt")
    for mine, theirs in zip(network.parameters(), again.parameters(), strict=True):
        assert torch.allclose(mine, theirs, atol=1e-3)


@pytest.mark.parametrize(
    "state",
    [
        b"not a checkpoint",
        b"",
        None,
        [1, 2],
        torch.zeros(3),
        {"a": 1},
        {"multiplier": 0.25, "widths": 3, "ema": {}},
        {"multiplier": 0.25, "widths": (8,), "ema": {}},
        {"multiplier": 0.25, "widths": (8, 8), "ema": [1]},
        {"multiplier": 0.25, "widths": (8, 8), "ema": {}, "architecture": "AlexNet"},
    ],
    ids=str,
)
def test_not_a_checkpoint(tmp_path: Path, state: Any) -> None:
    path = tmp_path / "last.pt"
    if isinstance(state, bytes):
        path.write_bytes(state)
    elif state is None:
        path.mkdir()
    else:
        torch.save(state, path)
    with pytest.raises(ValueError, match=r"last\.pt: expected a checkpoint of bodypix-train, got"):
        read_network(path)
    with pytest.raises(ValueError, match=r"last\.pt: expected a checkpoint of this recipe's"):
        train(tiny_task(), mixture(), SCHEDULE, tmp_path)


def test_a_checkpoint_cut_short_anywhere(tmp_path: Path) -> None:
    """Where it ends decides what PyTorch raises."""
    write_weights(BodyPixNet(0.25, (8, 8)), tmp_path / "whole.pt")
    whole = (tmp_path / "whole.pt").read_bytes()
    for length in (1, 30, 5000, len(whole) // 2, len(whole) - 1):
        (tmp_path / "cut.pt").write_bytes(whole[:length])
        with pytest.raises(ValueError, match=r"cut\.pt: expected a checkpoint of bodypix-train"):
            read_network(tmp_path / "cut.pt")


@pytest.mark.parametrize("error", [OSError(22, "Invalid argument"), AttributeError("x")])
def test_whatever_pytorch_raises_the_checkpoint_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    def fail(*_: Any, **__: Any) -> None:
        raise error

    monkeypatch.setattr(torch, "load", fail)
    with pytest.raises(ValueError, match=r"cut\.pt: expected a checkpoint of bodypix-train"):
        read_network(tmp_path / "cut.pt")


@pytest.mark.parametrize(
    ("target", "message"),
    [("gone/out.pt", "cannot write .*gone/out.pt"), ("folder", "cannot write")],
)
def test_weights_that_cannot_be_written_leave_nothing(
    tmp_path: Path, target: str, message: str
) -> None:
    (tmp_path / "folder").mkdir()
    with pytest.raises(OutputError, match=message):
        write_weights(BodyPixNet(0.25, (8, 8)), tmp_path / target)
    assert [path.name for path in tmp_path.rglob("*")] == ["folder"]


def test_weights_are_mixed_by_share(tmp_path: Path) -> None:
    first, second = BodyPixNet(0.25, (8, 8)), BodyPixNet(0.25, (8, 8))
    torch.nn.init.constant_(first.person.weight, 1.0)
    torch.nn.init.constant_(second.person.weight, 2.0)
    write_weights(first, tmp_path / "first.pt")
    write_weights(second, tmp_path / "second.pt")
    command.mix(tmp_path / "first.pt", tmp_path / "second.pt", tmp_path / "both.pt", 0.75)
    both = read_network(tmp_path / "both.pt")
    assert (both.person.weight == 1.75).all()
    further = BodyPixNet(0.25, (8, 8), surroundings=8, overview=8)
    for name in LATER:
        torch.nn.init.ones_(getattr(further, name).widen[1].weight)
    write_weights(further, tmp_path / "further.pt")
    for share in (0.0, 0.5):  # what has none of them adds nothing by them
        half = mixed(tmp_path / "first.pt", tmp_path / "further.pt", share)
        for name in LATER:
            assert getattr(half, name).width == 8
            assert torch.equal(getattr(half, name).widen[1].weight, torch.full((128,), share))
    write_weights(BodyPixNet(0.25, (16, 8)), tmp_path / "other.pt")
    with pytest.raises(ValueError, match=r"other\.pt: expected a network like .*first\.pt"):
        command.mix(tmp_path / "first.pt", tmp_path / "other.pt", tmp_path / "both.pt", 0.5)
