"""A network of ours as the teacher of a smaller one."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray

from .networks.bodypix import COARSE_HEADS, FINE_HEADS, BodyPixNet
from .teachers import Array


class NetworkTeacher:
    """Answers with a trained network's heads, the fine ones included; never learns itself.

    ``hints`` are for students of the same backbone: others have features of other widths.
    """

    names = tuple(name for name in (*COARSE_HEADS, *FINE_HEADS) if name != "part_heatmaps")

    def __init__(self, network: BodyPixNet, hints: tuple[int, ...] = ()) -> None:
        self.network = network.eval().requires_grad_(False)
        self.hints = hints

    @torch.inference_mode()
    def heads(self, images: NDArray[np.uint8], names: list[str]) -> list[Array]:
        """As `Teacher` says; h and w of the form 16k+1."""
        x = torch.from_numpy(images.transpose(0, 3, 1, 2).astype(np.float32)) / 127.5 - 1
        device = next(self.network.parameters()).device
        answers = self.network(x.to(device), self.hints)
        out = []
        for name in names:
            answer = answers[name].float().cpu().numpy()
            out.append(answer if name.startswith("block") else answer.transpose(0, 2, 3, 1))
        return out
