"""A network of ours as the teacher of a smaller one."""

from __future__ import annotations

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from .networks.bodypix import COARSE_HEADS, FINE_HEADS, BodyPixNet, hint_name
from .teachers import Array, on_grid, resize_aligned, sigmoid

SCALES = (0.5, 0.75, 1.0)  # of a photo that is labelled


class NetworkTeacher:
    """Answers with a trained network's heads, the fine ones included; never learns itself.

    ``hints`` are for students of the same backbone: others have features of other widths.
    ``evidence``: what nothing vouches for is taken out, as users see it; a crop may well leave out
    what would vouch.
    """

    names = tuple(name for name in (*COARSE_HEADS, *FINE_HEADS) if name != "part_heatmaps")

    def __init__(
        self, network: BodyPixNet, hints: tuple[int, ...] = (), *, evidence: bool = True
    ) -> None:
        self.network = network.eval().requires_grad_(False)
        self.network.evidence = evidence
        self.hints = hints

    def heads(self, images: NDArray[np.uint8], names: list[str]) -> list[Array]:
        """As `Teacher` says; h and w of the form 16k+1."""
        x = torch.from_numpy(images.transpose(0, 3, 1, 2).astype(np.float32)) / 127.5 - 1
        device = next(self.network.parameters()).device
        answers = self._answers(x.to(device))
        out = []
        for name in names:
            answer = answers[name].float().cpu().numpy()
            out.append(answer if name.startswith("block") else answer.transpose(0, 2, 3, 1))
        return out

    def person(self, image: NDArray[np.uint8], size: tuple[int, int]) -> Array:
        """Person probability ``size`` of (H,W,3) RGB: the mean of scales and mirror images."""
        total = np.zeros((*size, 1), np.float32)
        for scale in SCALES:
            way = cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR
            small = on_grid(image, scale, way=way)
            pair = np.stack([small, small[:, ::-1]])
            (logits,) = self.heads(pair, ["segments_fine"])
            for answer in (logits[0], logits[1][:, ::-1]):
                total += sigmoid(resize_aligned(answer, size))
        return total[..., 0] / (2 * len(SCALES))

    def tensors(self, images: Tensor) -> dict[str, Tensor]:
        """All that it teaches: raw heads and hints NCHW of (N,3,h,w) in [-1,1], on its device."""
        answers = self._answers(images)
        names = (*self.names, *(hint_name(block) for block in self.hints))
        return {name: answers[name].contiguous(memory_format=torch.channels_last) for name in names}

    @torch.no_grad()  # not inference mode, whose tensors no student's gradient could pass by
    def _answers(self, images: Tensor) -> dict[str, Tensor]:
        return self.network(images, self.hints)
