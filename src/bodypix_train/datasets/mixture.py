"""Samples of several sources, mixed by weight, as an endless stream of batches."""

from __future__ import annotations

import contextlib
import queue
import threading
from collections.abc import Generator, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Protocol, TypeVar

import numpy as np
import torch
from numpy.typing import NDArray

from bodypix_train.networks.bodypix import hint_name
from bodypix_train.targets import STRIDE, no_pose_targets
from bodypix_train.tasks import Batch
from bodypix_train.teachers import Teacher

from .augment import Crop, frame_of, render
from .lazy import exact_ones
from .plan import (
    Augmentation,
    Outline,
    Picture,
    Plan,
    crop_placement,
    draw_grey,
    draw_light,
    outline,
    placement,
    thing_placement,
)
from .sample import Bytes, Sample

Key = tuple[int, int]  # number of a source, number of a sample in it
Kept = TypeVar("Kept", covariant=True)


class Shelf(Protocol[Kept]):
    """Where the pictures and the cut-out things of a mixture are read from."""

    def look(self, key: Key) -> tuple[Kept, Outline]:
        """A picture as it is kept, and its outline."""

    def thing_frame(self, number: int) -> tuple[int, int]:
        """(H, W) of a thing."""


@dataclass
class Mixture:
    """``sources`` are (weight, samples); a sample is drawn from a source by its weight.

    ``objects`` are cut-out things, (H,W,4) RGBA uint8, that are put over crops.
    """

    sources: list[tuple[float, Sequence[Sample]]]
    options: Augmentation = field(default_factory=Augmentation)
    objects: Sequence[Bytes] = ()

    def __post_init__(self) -> None:
        self.sources = [(w, s) for w, s in self.sources if s and w > 0]
        if not self.sources:
            raise ValueError("no training pictures: every source of the recipe is empty")
        self.shares = shares([weight for weight, _ in self.sources])
        # Samples good enough to be cut out, of the sources that have any.
        cutouts = [
            [(number, i) for i in exact_ones(samples)]
            for number, (_, samples) in enumerate(self.sources)
        ]
        self.cutouts = [keys for keys in cutouts if keys]
        self.cutout_shares = shares([self.sources[keys[0][0]][0] for keys in self.cutouts])

    def sample(self, key: Key) -> Sample:
        return self.sources[key[0]][1][key[1]]

    def look(self, key: Key) -> tuple[Sample, Outline]:
        """As `Shelf` says."""
        sample = self.sample(key)
        return sample, outline(sample)

    def thing_frame(self, number: int) -> tuple[int, int]:
        """As `Shelf` says."""
        return frame_of(self.objects[number])

    def plan(self, size: int, rng: np.random.Generator, shelf: Shelf[Picture]) -> Plan[Picture]:
        """What a crop is to show, with pictures as they lie in ``shelf``."""
        number = int(rng.choice(len(self.sources), p=self.shares))
        picture, seen = shelf.look((number, int(rng.integers(len(self.sources[number][1])))))
        matrix = crop_placement(seen, size, self.options, rng)
        grey = draw_grey(rng)
        front, things = None, []
        if self.cutouts and rng.random() < self.options.paste_share:
            keys = self.cutouts[rng.choice(len(self.cutouts), p=self.cutout_shares)]
            person, seen = shelf.look(keys[rng.integers(len(keys))])
            front = (person, placement(seen, size, self.options, rng))
        if self.objects and rng.random() < self.options.object_share:
            for _ in range(rng.integers(1, 4)):
                thing = int(rng.integers(len(self.objects)))
                things.append((thing, thing_placement(shelf.thing_frame(thing), size, rng)))
        return Plan(picture, matrix, grey, front, tuple(things), draw_light(rng))

    def draw(self, size: int, rng: np.random.Generator) -> Crop:
        """One crop, made on the processor."""
        return render(self.plan(size, rng, self), size, self.objects)


def shares(weights: Sequence[float]) -> NDArray[np.float64]:
    """Weights that add up to 1."""
    return np.array(weights) / np.sum(weights)


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
            yield collate(crops, self.teacher, round(self.batch_size * self.taught))


def collate(crops: list[Crop], teacher: Teacher | None, taught: int) -> Batch:
    """Crops as tensors; the teacher answers for the first ``taught`` as the network sees them."""
    images = np.stack([crop.image for crop in crops])
    return Batch(
        image=channels_first(images) / 127.5 - 1,
        person=channels_first(np.stack([c.person for c in crops])[..., None]) / 255,
        trust=channels_first(np.stack([c.trust for c in crops])[..., None]) / 255,
        parts=channels_first(np.stack([c.parts for c in crops])) / 255,
        has_parts=torch.tensor([float(c.has_parts) for c in crops]),
        teacher=ask(teacher, images[:taught]) if teacher is not None and taught else {},
        poses=collate_poses(crops),
    )


def ask(teacher: Teacher, images: NDArray[np.uint8]) -> dict[str, torch.Tensor]:
    """All that a teacher answers to (N,S,S,3) RGB: tensors NCHW by the names of heads and hints."""
    hints = [hint_name(block) for block in teacher.hints]
    names = [*teacher.names, *hints]
    answers = {}
    for name, head in zip(names, teacher.heads(images, names), strict=True):
        answer = torch.from_numpy(head) if name in hints else channels_first(head)
        # The network's own layout: gradients of another one take slow paths all the way.
        answers[name] = answer.contiguous(memory_format=torch.channels_last)
    return answers


def collate_poses(crops: list[Crop]) -> dict[str, torch.Tensor]:
    """The pose targets of a batch; empty where no picture has any."""
    if all(crop.poses is None for crop in crops):
        return {}
    unknown = no_pose_targets((crops[0].image.shape[0] - 1) // STRIDE + 1)
    each = [unknown if crop.poses is None else crop.poses for crop in crops]
    return {name: channels_first(np.stack([poses[name] for poses in each])) for name in unknown}


def channels_first(x: NDArray[np.generic]) -> torch.Tensor:
    return torch.from_numpy(np.ascontiguousarray(x.transpose(0, 3, 1, 2), dtype=np.float32))


def prefetch(stream: Iterable[Batch], depth: int = 4) -> Generator[Batch, None, None]:
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
