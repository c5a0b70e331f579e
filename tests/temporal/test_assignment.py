"""The best pairs, against trying all of them."""

from __future__ import annotations

from itertools import permutations

import numpy as np
import pytest

from bodypix.temporal.assignment import best_pairs


@pytest.mark.parametrize("seed", range(40))
def test_no_other_pairs_are_worth_more(seed) -> None:
    random = np.random.default_rng(seed)
    rows, columns = (int(count) for count in random.integers(1, 6, 2))
    values = random.random((rows, columns))
    if seed % 2:
        values = values.round(1)  # with ties
    pairs = best_pairs(values)
    assert len(pairs) == len({row for row, _ in pairs}) == min(rows, columns)
    assert len({column for _, column in pairs}) == len(pairs)
    assert pairs == sorted(pairs)
    wide = values if rows <= columns else values.T
    best = max(
        sum(wide[row, column] for row, column in enumerate(order))
        for order in permutations(range(wide.shape[1]), wide.shape[0])
    )
    assert sum(values[pair] for pair in pairs) == pytest.approx(best)


def test_nobody() -> None:
    assert best_pairs(np.zeros((0, 3))) == []
    assert best_pairs(np.zeros((3, 0))) == []
