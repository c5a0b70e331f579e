"""Answers kept in little memory, so that the report asks no network a second time."""

from __future__ import annotations

import zlib
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class Stored:
    """An (H, W) map of small whole numbers (-128..127), packed: a mask takes about a kilobyte."""

    shape: tuple[int, ...]
    packed: bytes

    @classmethod
    def of(cls, values: NDArray[np.integer] | NDArray[np.bool_]) -> Stored:
        return cls(values.shape, zlib.compress(values.astype(np.int8).tobytes(), 1))

    def unpack(self) -> NDArray[np.int8]:
        return np.frombuffer(zlib.decompress(self.packed), np.int8).reshape(self.shape)
