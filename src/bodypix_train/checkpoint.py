"""Training checkpoints: reading a run's, and the small ones that a new run can start from."""

from __future__ import annotations

import io
import pickle
from copy import deepcopy
from pathlib import Path
from typing import Any

import torch

from bodypix.files import write_whole

from .networks.bodypix import BodyPixNet

# How much the coarse heads count in the fine ones; what older networks lack.
COARSE_SHARES = ("coarse_share", "coarse_parts")
# What may come to a network that has learned without: it begins by adding nothing.
LATER = ("surroundings", "overview")
# What reading a file ends in that is cut short, or something else.
BROKEN = (
    OSError, EOFError, RuntimeError, LookupError, TypeError, ValueError, AttributeError,
    pickle.UnpicklingError,
)  # fmt: skip


def read_network(path: Path) -> BodyPixNet:
    """The averaged network of a checkpoint, in evaluation mode.

    Raises ValueError, naming the file, when it is no checkpoint or its weights do not fit.
    """
    try:
        state = read_state(path)
        network = BodyPixNet(
            state["multiplier"],
            tuple(state["widths"]),
            state.get("architecture", "MobileNetV1"),
            surroundings=state.get("surroundings", 0),
            overview=state.get("overview", 0),
            late_multiplier=state.get("late_multiplier"),
        )
        network.load_state_dict(completed(state["ema"]))
    except BROKEN as error:
        raise ValueError(
            f"{path}: expected a checkpoint of bodypix-train, got {error!r}; train it again"
        ) from error
    return network.eval()


def read_state(path: Path) -> dict[str, Any]:
    """What a checkpoint holds. Raises one of `BROKEN`."""
    state = torch.load(path, weights_only=True, map_location="cpu")
    if not isinstance(state, dict):
        raise TypeError(f"a {type(state).__name__} instead of a dict")
    return state


def write_state(state: dict[str, Any], path: Path) -> None:
    """Write a checkpoint whole or not at all. Raises OutputError."""
    whole = io.BytesIO()  # torch hides what the disk says when it writes to a file itself
    torch.save(state, whole)
    write_whole(path, lambda file: file.write(whole.getbuffer()))


def completed(weights: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    """The weights of any version: older networks have fine heads that stand alone."""
    return {**{name: torch.tensor(0.0) for name in COARSE_SHARES}, **weights}


def begin_with(network: BodyPixNet, start: Path) -> None:
    """Give the network the weights of a checkpoint, but not what of its fine heads is coarse.

    What `LATER` names stays as it is where the checkpoint has no such thing.

    Raises ValueError, naming the file, where it is no checkpoint or one of another network.
    """
    given = read_network(start)
    theirs, mine = shape_of(given), shape_of(network)
    if theirs != {**mine, **{name: 0 for name in LATER if not theirs[name]}}:
        raise ValueError(f"{start}: expected a network like the recipe's, {mine}, got {theirs}")
    weights, own = given.state_dict(), network.state_dict()
    for name in COARSE_SHARES:
        del weights[name]
    network.load_state_dict({**own, **weights})


def shape_of(network: BodyPixNet) -> dict[str, object]:
    """What a checkpoint has to say for `read_network` to make the network anew."""
    return {
        "multiplier": network.multiplier,
        "late_multiplier": network.late_multiplier,
        "widths": network.widths,
        "architecture": network.architecture,
        "surroundings": network.surroundings.width if network.surroundings else 0,
        "overview": network.overview.width if network.overview else 0,
    }


def mixed(first: Path, second: Path, share: float) -> BodyPixNet:
    """The weighted mean of two networks, of which one was trained on from the other.

    ``share`` in 0..1 is the second's. Of what `LATER` names and only the second has, the first is
    taken to add nothing. Raises ValueError where their shapes differ otherwise.
    """
    one, two = read_network(first), read_network(second)
    for name in LATER:
        if getattr(one, name) is None and getattr(two, name) is not None:
            setattr(one, name, deepcopy(getattr(two, name)))
            getattr(one, name).add_nothing()
    if shape_of(one) != shape_of(two):
        raise ValueError(
            f"{second}: expected a network like {first}, {shape_of(one)}, got {shape_of(two)}"
        )
    theirs = two.state_dict()
    for name, value in one.state_dict().items():
        if value.dtype.is_floating_point:
            value.lerp_(theirs[name], share)
    return one


def write_weights(network: BodyPixNet, path: Path) -> None:
    """Keep a network as float16, without what only its own run needs; `read_network` reads it."""
    weights = {
        name: value.half() if value.dtype.is_floating_point else value
        for name, value in network.state_dict().items()
    }
    write_state({"ema": weights, **shape_of(network)}, path)
