"""AdamW, and Muon for 1x1 convolutions: steps whose matrix is made orthogonal."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn

MOMENTUM = 0.95
# The root mean square of a step, times the learning rate, as Adam's usually is.
STEP_SIZE = 0.2
FEATURES = ("backbone.", "surroundings.", "overview.")  # parameters of what makes features


def orthogonal(matrix: Tensor, iterations: int = 5, *, mixed: bool = False) -> Tensor:
    """``matrix`` (m,n) with all singular values moved to around 1 (0.7 to 1.2).

    Quintic Newton-Schulz iteration with the coefficients of Jordan et al. 2024 (Muon);
    ``mixed`` multiplies in bfloat16, as they do.
    """
    x = matrix / (matrix.norm() + 1e-7)
    if mixed:
        x = x.bfloat16()
    tall = x.shape[0] > x.shape[1]
    if tall:
        x = x.T
    for _ in range(iterations):
        square = x @ x.T
        x = 3.4445 * x + (-4.7750 * square + 2.0315 * square @ square) @ x
    return (x.T if tall else x).to(matrix.dtype)


class Muon(torch.optim.AdamW):
    """AdamW whose groups with ``orthogonal=True``, weights (m,n,1,1), take Muon's steps.

    What many pictures have in common dominates a gradient; made orthogonal, its rare directions
    count as much (Jordan et al. 2024; step size after Liu et al. 2025).
    """

    @torch.no_grad()
    def step(self, closure: Callable[[], float] | None = None) -> float | None:  # type: ignore[override]
        taken: list[tuple[nn.Parameter, Tensor]] = []
        for group in self.param_groups:
            if not group.get("orthogonal"):
                continue
            for weight in group["params"]:
                if weight.grad is None:
                    continue
                state = self.state[weight]
                if not state:
                    state["momentum"] = torch.zeros_like(weight)
                    state["step"] = torch.tensor(0.0)  # AdamW looks for it when it is loaded
                momentum = state["momentum"].mul_(MOMENTUM).add_(weight.grad)
                ahead = (weight.grad + MOMENTUM * momentum).flatten(1)
                size = group["lr"] * STEP_SIZE * max(ahead.shape) ** 0.5
                weight.mul_(1 - group["lr"] * group["weight_decay"])
                step = orthogonal(ahead, mixed=group.get("mixed", False))
                weight.add_(step.view_as(weight), alpha=-size)
                taken.append((weight, weight.grad))
                weight.grad = None  # AdamW leaves these alone
        answer: float | None = super().step(closure)
        for weight, gradient in taken:
            weight.grad = gradient
        return answer


def make_optimizer(
    network: nn.Module, kind: str, weight_decay: float, *, fused: bool = False, mixed: bool = False
) -> torch.optim.Optimizer:
    """``kind`` "adamw", or "muon": Muon for the 1x1 convolutions that make features, else AdamW.

    Weights decay in full convolutions only: not in depthwise ones, biases and norms; what is
    frozen is left out. ``mixed``: Muon multiplies in bfloat16.
    """
    groups: dict[str, dict[str, Any]] = {
        "full": {"params": [], "weight_decay": weight_decay},
        "rest": {"params": [], "weight_decay": 0.0},
        "square": {
            "params": [],
            "weight_decay": weight_decay,
            "orthogonal": True,
            "mixed": mixed,
        },
    }
    for name, parameter in network.named_parameters():
        if not parameter.requires_grad:
            continue
        full = parameter.ndim > 1 and parameter.shape[1] > 1
        square = full and parameter.shape[2:] == (1, 1) and name.startswith(FEATURES)
        key = "square" if square and kind == "muon" else "full" if full else "rest"
        groups[key]["params"].append(parameter)
    used = [group for group in groups.values() if group["params"]]
    if kind == "muon":
        return Muon(used, fused=fused)
    return torch.optim.AdamW(used, fused=fused)
