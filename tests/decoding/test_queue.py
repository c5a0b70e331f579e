"""The original's queue: sorted by score, and its own order among equals."""

from __future__ import annotations

import numpy as np
import pytest

from bodypix.decoding.queue import MaxHeap, queue_order
from helpers.literal_decoding import heap_order


@pytest.mark.parametrize(
    ("scores", "order"),
    [
        ([0.5] * 8, [0, 7, 6, 5, 4, 3, 2, 1]),
        ([0.5, 0.9, 0.9, 0.7, 0.9], [1, 2, 4, 3, 0]),
        ([0.1, 0.4, 0.2, 0.3], [1, 3, 2, 0]),
        ([0.7], [0]),
        ([], []),
    ],
)
def test_order(scores: list[float], order: list[int]) -> None:
    assert list(queue_order(np.array(scores))) == order


@pytest.mark.parametrize("levels", [1, 2, 3, 10])
def test_ties_follow_the_original(levels: int) -> None:
    random = np.random.default_rng(levels)
    for size in range(1, 40):
        scores = random.integers(0, levels, size) / levels
        assert list(queue_order(scores)) == heap_order(scores.tolist())


def test_distinct_scores_come_sorted() -> None:
    scores = np.random.default_rng(0).permutation(200).astype(np.float32)
    assert list(queue_order(scores)) == np.argsort(-scores).tolist() == heap_order(scores.tolist())


def test_pushing_and_popping_in_turn() -> None:
    heap = MaxHeap()
    for item, score in enumerate([3.0, 1.0, 2.0]):
        heap.push(score, item)
    assert [heap.pop(), heap.pop()] == [0, 2]
    heap.push(5.0, 9)
    assert len(heap) == 2
    assert [heap.pop(), heap.pop()] == [9, 1]
    with pytest.raises(IndexError):
        heap.pop()
