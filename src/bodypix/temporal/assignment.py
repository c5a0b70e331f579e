"""Who goes with whom: the pairs of rows and columns of the largest total value."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray


def best_pairs(values: NDArray[np.float64]) -> list[tuple[int, int]]:
    """The (row, column) pairs whose values add up to the most; each row and column at most once.

    Args:
        values: (M, N) float64, finite.

    Returns:
        min(M, N) pairs, in the order of rows.

    Formula: the Hungarian method (H. Kuhn, 1955) with prices of rows and columns, as shortest
    augmenting paths (R. Jonker, A. Volgenant, 1987): rows squared times columns steps.

    >>> best_pairs(np.array([[0.9, 0.8], [0.8, 0.1]]))
    [(0, 1), (1, 0)]
    """
    if values.shape[0] > values.shape[1]:
        return sorted((row, column) for column, row in best_pairs(values.T))
    # Plain lists: for a handful of people they are several times as fast as arrays.
    costs = (-values).tolist()
    columns = values.shape[1]
    row_price, column_price = [0.0] * len(costs), [0.0] * (columns + 1)
    # owner[j] is the row that column j is given to; the last column is where each new row starts.
    owner = [-1] * (columns + 1)
    for row in range(len(costs)):
        owner[columns] = row
        slack, before = [math.inf] * columns, [columns] * columns
        column, visited = columns, [columns]
        left = list(range(columns))
        while owner[column] >= 0:
            current = owner[column]
            for other in left:
                cost = costs[current][other] - row_price[current] - column_price[other]
                if cost < slack[other]:
                    slack[other], before[other] = cost, column
            column = min(left, key=slack.__getitem__)
            step = slack[column]
            for seen in visited:
                row_price[owner[seen]] += step
                column_price[seen] -= step
            for other in left:
                slack[other] -= step
            visited.append(column)
            left.remove(column)
        while column != columns:
            owner[column] = owner[before[column]]
            column = before[column]
    return sorted((row, column) for column, row in enumerate(owner[:columns]) if row >= 0)
