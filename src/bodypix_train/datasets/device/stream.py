"""An endless stream of batches that are made, and stay, on a device."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from bodypix_train.datasets.mixture import ask
from bodypix_train.network_teacher import NetworkTeacher
from bodypix_train.tasks import Batch
from bodypix_train.teachers import Teacher

from .crops import poses_of, render
from .store import Store


@dataclass(frozen=True)
class DeviceStream:
    """Endless batches as `BatchStream`'s, of the same crops for the same seed, on a device.

    Apart from the noise of cameras the pictures differ by how pixels are interpolated only. A
    teacher that is a network of ours answers on the device too; others see the pictures on the
    processor.
    """

    store: Store
    batch_size: int
    size: int
    seed: int
    teacher: Teacher | None = None
    taught: float = 0.3

    def __iter__(self) -> Iterator[Batch]:
        rng = np.random.default_rng(self.seed)
        generator = torch.Generator(self.store.device).manual_seed(self.seed)
        if isinstance(self.teacher, NetworkTeacher):
            self.teacher.network.to(self.store.device)
        while True:
            yield self.batch(rng, generator)

    def batch(self, rng: np.random.Generator, generator: torch.Generator) -> Batch:
        """The next batch."""
        store, size = self.store, self.size
        plans = [store.mixture.plan(size, rng, store) for _ in range(self.batch_size)]
        crops = render(plans, size, store, generator)
        image = crops.image / 127.5 - 1
        return Batch(
            image=image,
            person=crops.person / 255,
            trust=crops.trust / 255,
            parts=crops.parts / 255,
            has_parts=torch.tensor(crops.has_parts, dtype=torch.float32).to(store.device),
            teacher=self.answers(image[: round(self.batch_size * self.taught)]),
            poses=poses_of(plans, size, store.device),
        )

    def answers(self, images: Tensor) -> dict[str, Tensor]:
        """The teacher's, to (m,3,S,S) in [-1,1]: tensors NCHW by the names of heads and hints."""
        if self.teacher is None or not len(images):
            return {}
        if isinstance(self.teacher, NetworkTeacher):
            return self.teacher.tensors(images)
        levels = ((images + 1) * 127.5).round().byte().permute(0, 2, 3, 1).cpu().numpy()
        answers = ask(self.teacher, levels)
        return {name: answer.to(images.device) for name, answer in answers.items()}
