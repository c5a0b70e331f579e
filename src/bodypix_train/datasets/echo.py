"""Batches that are learned from more than once, where making them takes longer than learning."""

from __future__ import annotations

import random
from collections.abc import Iterable, Iterator
from typing import TypeVar

Item = TypeVar("Item")

POOL = 24  # items that wait for another turn, so that a turn comes long after the one before


def echoed(stream: Iterable[Item], times: int, seed: int, pool: int = POOL) -> Iterator[Item]:
    """Every item of ``stream`` at once and ``times`` - 1 times more, later on, among others.

    Data echoing (Choi et al. 2019): it helps as long as echoes are as good as new ones, which
    random crops of photos are while the network does not know them by heart. The first ``pool``
    items come without echoes between them, and each waits for half as many others at least.
    """
    if times == 1:
        yield from stream
        return
    rng = random.Random(seed)
    waiting: list[Item] = []
    for item in stream:
        yield item
        waiting += [item] * (times - 1)
        while len(waiting) > pool * (times - 1):
            yield waiting.pop(rng.randrange(len(waiting) // 2))
