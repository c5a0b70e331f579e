"""The order in which pose candidates are looked at, ties included.

The JavaScript original keeps candidates in a binary heap whose storage starts at 0 while its
arithmetic (parent `i // 2`, children `2i` and `2i + 1`) is that of storage starting at 1. It sorts
correctly by score; among equal scores its order is peculiar, and which of two equal candidates
becomes a pose can depend on it. Source: spec section 4, step 2.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray


class MaxHeap:
    """The original's priority queue over (score, item) pairs; `pop` gives the best item."""

    def __init__(self) -> None:
        self._entries: list[tuple[float, int]] = []

    def __len__(self) -> int:
        return len(self._entries)

    def push(self, score: float, item: int) -> None:
        """Add an item: it swims up past every parent that is strictly smaller."""
        entries = self._entries
        entries.append((score, item))
        node = len(entries) - 1
        while node > 0 and entries[node // 2][0] < score:
            entries[node], entries[node // 2] = entries[node // 2], entries[node]
            node //= 2

    def pop(self) -> int:
        """Take out the best item: the last one replaces it and sinks.

        Raises:
            IndexError: the queue is empty.
        """
        entries = self._entries
        entries[0], entries[-1] = entries[-1], entries[0]
        _, best = entries.pop()
        node, last = 0, len(entries) - 1
        while (child := 2 * node) <= last:
            if child < last and entries[child][0] < entries[child + 1][0]:
                child += 1
            if not entries[node][0] < entries[child][0]:
                break
            entries[node], entries[child] = entries[child], entries[node]
            node = child
        return best


def queue_order(scores: NDArray[np.floating]) -> Iterator[int]:
    """Indices of (n,) scores, pushed in order 0..n-1, in the order in which the queue gives them.

    >>> [int(i) for i in queue_order(np.array([0.5, 0.9, 0.9, 0.7, 0.9]))]
    [1, 2, 4, 3, 0]
    """
    descending = np.argsort(-scores, kind="stable")
    ranked = scores[descending]
    # Scores that all differ leave only one order; the heap's own is needed for ties alone.
    if not np.any(ranked[1:] == ranked[:-1]):
        yield from descending.tolist()
        return
    heap = MaxHeap()
    for index, score in enumerate(scores.tolist()):
        heap.push(score, index)
    while heap:
        yield heap.pop()
