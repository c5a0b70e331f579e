"""Samples of several sources, mixed by weight, as an endless stream of batches."""

from __future__ import annotations

import contextlib
import queue
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np
import torch
from numpy.typing import NDArray

from bodypix_train.networks.bodypix import hint_name
from bodypix_train.targets import STRIDE, no_pose_targets
from bodypix_train.tasks import Batch
from bodypix_train.teachers import Teacher

from . import augment
from .augment import Augmentation, Crop
from .sample import Bytes, Sample


@dataclass
class Mixture:
    """``sources`` are (weight, samples); a sample is drawn from a source by its weight.

    ``objects`` are cut-out things, (H,W,4) RGBA uint8, that are put over crops.
    """

    sources: list[tuple[float, list[Sample]]]
    options: Augmentation = field(default_factory=Augmentation)
    objects: list[Bytes] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.sources = [(w, s) for w, s in self.sources if s and w > 0]
        if not self.sources:
            raise ValueError("no training pictures: every source of the recipe is empty")
        weights = np.array([w for w, _ in self.sources])
        self.shares = weights / weights.sum()
        self.cutouts = [s for _, source in self.sources for s in source if s.exact]

    def draw(self, size: int, rng: np.random.Generator) -> Crop:
        """One augmented crop, geometry only."""
        source = self.sources[rng.choice(len(self.sources), p=self.shares)][1]
        crop = augment.crop(source[rng.integers(len(source))], size, self.options, rng)
        if self.cutouts and rng.random() < self.options.paste_share:
            front = self.cutouts[rng.integers(len(self.cutouts))]
            crop = augment.paste(front, crop, self.options, rng)
        if self.objects and rng.random() < self.options.object_share:
            for _ in range(rng.integers(1, 4)):
                crop = augment.clutter(self.objects[rng.integers(len(self.objects))], crop, rng)
        return crop


@dataclass(frozen=True)
class BatchStream:
    """Endless batches of ``batch_size`` crops of side ``size``, by seed.

    The teacher answers for the share ``taught`` of each batch; ``None`` leaves poses untaught.
    """

    mixture: Mixture
    batch_size: int
    size: int
    seed: int
    teacher: Teacher | None = None
    taught: float = 0.3

    def __iter__(self) -> Iterator[Batch]:
        rng = np.random.default_rng(self.seed)
        while True:
            crops = [self.mixture.draw(self.size, rng) for _ in range(self.batch_size)]
            yield collate(crops, rng, self.teacher, round(self.batch_size * self.taught))


def collate(
    crops: list[Crop], rng: np.random.Generator, teacher: Teacher | None, taught: int
) -> Batch:
    """Crops as tensors; the teacher answers for the first ``taught`` as the network sees them."""
    images = np.stack([augment.photometric(crop.image, rng) for crop in crops])
    answers = {}
    if teacher is not None and taught:
        hints = [hint_name(block) for block in teacher.hints]
        names = [*teacher.names, *hints]
        for name, head in zip(names, teacher.heads(images[:taught], names), strict=True):
            answer = torch.from_numpy(head) if name in hints else channels_first(head)
            # The network's own layout: gradients of another one take slow paths all the way.
            answers[name] = answer.contiguous(memory_format=torch.channels_last)
    return Batch(
        image=channels_first(images) / 127.5 - 1,
        person=channels_first(np.stack([c.person for c in crops])[..., None]) / 255,
        trust=channels_first(np.stack([c.trust for c in crops])[..., None]) / 255,
        parts=channels_first(np.stack([c.parts for c in crops])) / 255,
        has_parts=torch.tensor([float(c.has_parts) for c in crops]),
        teacher=answers,
        poses=collate_poses(crops),
    )


def collate_poses(crops: list[Crop]) -> dict[str, torch.Tensor]:
    """The pose targets of a batch; empty where no picture has any."""
    if all(crop.poses is None for crop in crops):
        return {}
    unknown = no_pose_targets((crops[0].image.shape[0] - 1) // STRIDE + 1)
    each = [unknown if crop.poses is None else crop.poses for crop in crops]
    return {name: channels_first(np.stack([poses[name] for poses in each])) for name in unknown}


def channels_first(x: NDArray[np.generic]) -> torch.Tensor:
    return torch.from_numpy(np.ascontiguousarray(x.transpose(0, 3, 1, 2), dtype=np.float32))


def prefetch(stream: BatchStream, depth: int = 4) -> Iterator[Batch]:
    """Make batches in a thread while the network learns.

    A thread, not a process: the pictures stay in one place, nothing is forked under OpenCV's
    and OpenMP's feet, and the heavy calls release the interpreter lock. An error in the thread
    is raised here; closing the iterator ends the thread.
    """
    box: queue.Queue[Batch | BaseException] = queue.Queue(depth)
    done = threading.Event()

    def put(item: Batch | BaseException) -> bool:
        while not done.is_set():
            with contextlib.suppress(queue.Full):
                box.put(item, timeout=0.2)
                return True
        return False

    def work() -> None:
        try:
            for batch in stream:
                if not put(batch):
                    return
        except BaseException as error:
            put(error)

    thread = threading.Thread(target=work, daemon=True)
    thread.start()
    try:
        while True:
            item = box.get()
            if isinstance(item, BaseException):
                raise item
            yield item
    finally:
        done.set()
        thread.join()
