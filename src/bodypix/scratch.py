"""Working memory that is kept from call to call, one set for each thread.

A mask needs a few megabytes of intermediate arrays. Fresh from the operating system, every page of
them costs a fault, which together takes longer than the arithmetic on them.
"""

from __future__ import annotations

import math
import threading
from typing import Any, Final

import numpy as np
from numpy.typing import DTypeLike, NDArray

# Larger arrays are not kept: for large images the faults weigh less and the memory more.
_LARGEST_KEPT: Final = 8 << 20


class Scratch(threading.local):
    """Named blocks of memory; a name's content lasts until the same thread asks for it again."""

    def __init__(self) -> None:
        self._blocks: dict[str, NDArray[np.uint8]] = {}

    def array(self, name: str, shape: tuple[int, ...], dtype: DTypeLike) -> NDArray[Any]:
        """A C-contiguous array with undefined content. Never hand it out of the package."""
        size = math.prod(shape) * np.dtype(dtype).itemsize
        if size > _LARGEST_KEPT:
            return np.empty(shape, dtype)
        block = self._blocks.get(name)
        if block is None or block.size < size:
            block = self._blocks[name] = np.empty(size, np.uint8)
        return block[:size].view(dtype).reshape(shape)


SCRATCH: Final = Scratch()
