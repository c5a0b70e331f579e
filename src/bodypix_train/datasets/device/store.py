"""Pictures and labels of a mixture as tensors on a device, uploaded when they are first drawn."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from bodypix_train.datasets.augment import soft_edges
from bodypix_train.datasets.lazy import Budget, default_budget
from bodypix_train.datasets.mixture import Key, Mixture
from bodypix_train.datasets.plan import Outline, outline
from bodypix_train.datasets.sample import Bytes, Sample
from bodypix_train.datasets.warp import SHARP

STEP = 2**0.5  # between the sizes of a pyramid
SMALLEST = 8  # shorter side of its smallest size, in cells


@dataclass(frozen=True)
class Pyramid:
    """A grid (h, w, c) in ever smaller sizes, so that no batch has to shrink a picture.

    ``values`` (T, c) uint8 holds the cells of all sizes, one after the other; size k is
    ``shapes[k]`` = (h, w) and begins at ``starts[k]``.
    """

    values: Tensor
    shapes: tuple[tuple[int, int], ...]
    starts: tuple[int, ...]

    def level(self, shrink: float) -> int:
        """Which size to read where a crop's cells lie ``shrink`` cells of the largest apart."""
        if shrink <= SHARP:
            return 0
        return min(round(np.log(shrink) / np.log(STEP)), len(self.shapes) - 1)

    def cells(self, level: int) -> Tensor:
        """(h * w, c) of one size."""
        height, width = self.shapes[level]
        return self.values[self.starts[level] : self.starts[level] + height * width]


def pyramid(grid: Bytes, device: torch.device, *, smaller: bool = True) -> Pyramid:
    """A grid (h, w) or (h, w, c) with its smaller sizes, or without, on a device."""
    channels = 1 if grid.ndim == 2 else grid.shape[2]
    grids, shrink = [grid], STEP
    height, width = grid.shape[:2]
    while smaller and min(height, width) / shrink >= SMALLEST:
        size = (round(width / shrink), round(height / shrink))
        grids.append(cv2.resize(grid, size, interpolation=cv2.INTER_AREA))  # type: ignore[arg-type]
        shrink *= STEP
    flat = [g.reshape(-1, channels) for g in grids]
    starts = np.cumsum([0, *(len(g) for g in flat[:-1])])
    values = torch.from_numpy(np.concatenate(flat)).to(device)
    shapes = tuple((g.shape[0], g.shape[1]) for g in grids)
    return Pyramid(values, shapes, tuple(int(start) for start in starts))


@dataclass(frozen=True)
class Record:
    """A `Sample` on the device; ``soft`` is the mask to cut its people out with, if it is exact.

    ``keypoints`` (P, 17, 3) stay on the processor: they are few, and are moved there.
    """

    frame: tuple[int, int]
    image: Pyramid
    person: Pyramid
    trust: Pyramid
    soft: Pyramid | None
    parts: Pyramid | None
    instances: Pyramid | None
    keypoints: NDArray[np.float32] | None

    @property
    def nbytes(self) -> int:
        """Memory of the device that the grids take."""
        grids = (self.image, self.person, self.trust, self.soft, self.parts, self.instances)
        return sum(grid.values.nbytes for grid in grids if grid is not None)


def upload(sample: Sample, device: torch.device) -> Record:
    return Record(
        frame=(sample.image.shape[0], sample.image.shape[1]),
        image=pyramid(sample.image, device),
        person=pyramid(sample.person, device),
        trust=pyramid(sample.trust, device),
        soft=pyramid(soft_edges(sample.person), device) if sample.exact else None,
        # Part maps are smooth already, and ids do not mix.
        parts=None if sample.parts is None else pyramid(sample.parts, device, smaller=False),
        instances=None
        if sample.instances is None
        else pyramid(sample.instances, device, smaller=False),
        keypoints=sample.keypoints,
    )


def device_budget(device: torch.device) -> Budget:
    """Half of what a GPU has free; on a processor half of its memory."""
    if device.type == "cuda":
        return Budget(torch.cuda.mem_get_info(device)[0] // 2)
    return default_budget()


class Store:
    """The pictures and cut-out things of ``mixture`` on ``device``, while ``budget`` lasts.

    What no longer fits is uploaded anew each time it is drawn.
    """

    def __init__(
        self, mixture: Mixture, device: torch.device, budget: Budget | None = None
    ) -> None:
        self.mixture, self.device = mixture, device
        self.budget = device_budget(device) if budget is None else budget
        self._records: dict[Key, tuple[Record, Outline]] = {}
        self._things: dict[int, Pyramid] = {}

    def look(self, key: Key) -> tuple[Record, Outline]:
        """As `Shelf` says."""
        found = self._records.get(key)
        if found is None:
            sample = self.mixture.sample(key)
            found = upload(sample, self.device), outline(sample)
            if self.budget.take(found[0].nbytes):
                self._records[key] = found
        return found

    def thing_frame(self, number: int) -> tuple[int, int]:
        """As `Shelf` says."""
        return self.thing(number).shapes[0]

    def thing(self, number: int) -> Pyramid:
        """A cut-out thing of the mixture, RGBA."""
        found = self._things.get(number)
        if found is None:
            found = pyramid(self.mixture.objects[number], self.device)
            if self.budget.take(found.values.nbytes):
                self._things[number] = found
        return found
