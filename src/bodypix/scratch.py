"""Memory that is used again, because fresh memory from the operating system is slow.

A call needs some megabytes for intermediate arrays and for its answer. Fresh, every page of them
costs a fault, which together can take longer than the arithmetic. So intermediate arrays live in
`SCRATCH`, kept from call to call, and answers in memory that comes back when nobody holds them.
"""

from __future__ import annotations

import math
import threading
from collections import deque
from typing import Any, Final

import numpy as np
from numpy.typing import DTypeLike, NDArray

# Larger arrays are not kept: for large images the faults weigh less and the memory more.
_LARGEST_KEPT: Final = 8 << 20
# For smaller ones the C library does as well.
_SMALLEST_RECYCLED: Final = 1 << 16
_MOST_RECYCLED: Final = 8
# So many shapes of scratch arrays are remembered.
_MOST_SHAPES: Final = 256


class Scratch(threading.local):
    """Named blocks of memory; a name's content lasts until the same thread asks for it again."""

    def __init__(self) -> None:
        self._blocks: dict[str, NDArray[np.uint8]] = {}
        self._arrays: dict[tuple[str, tuple[int, ...]], NDArray[Any]] = {}

    def array(self, name: str, shape: tuple[int, ...], dtype: DTypeLike) -> NDArray[Any]:
        """A C-contiguous array with undefined content. Never hand it out of the package.

        A name always goes with the same dtype.
        """
        array = self._arrays.get((name, shape))
        return self._made(name, shape, dtype) if array is None else array

    def _made(self, name: str, shape: tuple[int, ...], dtype: DTypeLike) -> NDArray[Any]:
        size = math.prod(shape) * np.dtype(dtype).itemsize
        if size > _LARGEST_KEPT:
            return np.empty(shape, dtype)
        block = self._blocks.get(name)
        if block is None or block.size < size:
            block = self._blocks[name] = np.empty(size, np.uint8)
            self._forget(name)
        elif len(self._arrays) >= _MOST_SHAPES:
            self._arrays.clear()
        array = self._arrays[name, shape] = block[:size].view(dtype).reshape(shape)
        return array

    def _forget(self, name: str) -> None:
        """Drop the arrays in a block that was replaced."""
        self._arrays = {key: array for key, array in self._arrays.items() if key[0] != name}


SCRATCH: Final = Scratch()


# Its operations are atomic, and the oldest block leaves when one too many comes back.
_RETURNED: Final[deque[NDArray[np.uint8]]] = deque(maxlen=_MOST_RECYCLED)


class _Loan:
    """Lends its memory to an array; when the last view of that is gone, it gives it back."""

    __slots__ = ("__array_interface__", "_memory")

    def __init__(
        self, memory: NDArray[np.uint8], shape: tuple[int, ...], dtype: np.dtype[Any]
    ) -> None:
        self._memory = memory
        self.__array_interface__ = {
            "data": (memory.ctypes.data, False),
            "shape": shape,
            "typestr": dtype.str,
            "version": 3,
        }

    def __del__(self) -> None:
        _RETURNED.append(self._memory)


def recycled(shape: tuple[int, ...], dtype: DTypeLike) -> NDArray[Any]:
    """A C-contiguous array with undefined content, to be handed out like any other array."""
    kind = np.dtype(dtype)
    size = math.prod(shape) * kind.itemsize
    if not _SMALLEST_RECYCLED <= size <= _LARGEST_KEPT:
        return np.empty(shape, kind)
    return np.asarray(_Loan(_returned(size), shape, kind))


def _returned(size: int) -> NDArray[np.uint8]:
    for _ in range(_MOST_RECYCLED):
        try:
            memory = _RETURNED.popleft()
        except IndexError:
            break
        if memory.size == size:
            return memory
        _RETURNED.append(memory)
    return np.empty(size, np.uint8)
