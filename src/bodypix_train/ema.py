"""The average of a network's weights over its last steps, which is what a run gives back."""

from __future__ import annotations

import copy

import torch
from torch import nn


class Ema:
    """Exponential moving average of weights and batch statistics."""

    def __init__(self, module: nn.Module, decay: float) -> None:
        self.module = copy.deepcopy(module).eval().requires_grad_(False)
        self.decay = decay

    @torch.no_grad()
    def update(self, module: nn.Module, step: int) -> None:
        # A young average forgets faster, so that it is not stuck at random weights.
        decay = min(self.decay, (1 + step) / (10 + step))
        averages, values = self.module.state_dict(), module.state_dict()
        for name, new in values.items():
            mine = averages[name]
            if mine.dtype.is_floating_point:
                mine.lerp_(new, 1 - decay)
            else:
                mine.copy_(new)
