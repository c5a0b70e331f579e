"""Walking the pose tree over the network's grid: from one keypoint of a person to the other 16.

A hop goes from a point along a displacement head to somewhere near the next keypoint and is then
sharpened twice by the short offsets: the nearest cell's position plus that cell's offset (spec
section 4, step 4). So every point of a pose is some cell plus its short offset, and the cell
nearest to such a point can be known beforehand for all of them: a hop is a few look-ups.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Final

import numpy as np
from numpy.typing import NDArray

from bodypix import body
from bodypix.errors import InvalidArgumentError

OFFSET_REFINE_STEPS: Final = 2

_EDGES: Final = len(body.POSE_EDGES)
_BACKWARD: Final = 0
_FORWARD: Final = 1


def _walk_from(root: int) -> tuple[tuple[int, int, int, int], ...]:
    """Hops (direction, edge, source, target) by which a pose grows from one known keypoint.

    Edges last to first, child to parent, then first to last, parent to child; a hop is made where
    its source is known and its target is not.
    """
    upward = [
        (_BACKWARD, edge, child, parent) for edge, (parent, child) in enumerate(body.POSE_EDGES)
    ]
    downward = [
        (_FORWARD, edge, parent, child) for edge, (parent, child) in enumerate(body.POSE_EDGES)
    ]
    known = {root}
    hops = []
    for hop in (*reversed(upward), *downward):
        _, _, source, target = hop
        if source in known and target not in known:
            known.add(target)
            hops.append(hop)
    return tuple(hops)


_WALKS: Final = tuple(_walk_from(root) for root in range(body.KEYPOINTS))


class PoseGrid:
    """All that a walk looks up, by flat index (row, column, keypoint).

    Args:
        heatmap_scores: (H', W', 17), 0..1.
        short_offsets: (H', W', 34), network pixels.
        displacement_fwd: (H', W', 32), network pixels, parent to child.
        displacement_bwd: (H', W', 32), network pixels, child to parent.
        output_stride: network pixels from one grid cell to the next.

    Attributes:
        scores: (H', W', 17): the heatmaps.
        positions: (n, 2) x, y: the cell sharpened by its short offset, network pixels.

    Raises:
        InvalidArgumentError: heads that do not belong together.
    """

    def __init__(
        self,
        heatmap_scores: NDArray[np.float32],
        short_offsets: NDArray[np.float32],
        displacement_fwd: NDArray[np.float32],
        displacement_bwd: NDArray[np.float32],
        output_stride: int,
    ) -> None:
        check_heads(
            heatmap_scores,
            short_offsets=(short_offsets, 2 * body.KEYPOINTS),
            displacement_fwd=(displacement_fwd, 2 * _EDGES),
            displacement_bwd=(displacement_bwd, 2 * _EDGES),
        )
        self._rows, self._columns, _ = heatmap_scores.shape
        self._stride = output_stride
        self.scores = heatmap_scores
        self.positions: NDArray[np.float64] = sharpened(short_offsets, output_stride).reshape(-1, 2)
        # Half a cell more, clamped and truncated, is the nearest cell (halves go up).
        nearest = self.positions * (1.0 / output_stride)
        nearest += 0.5
        np.maximum(nearest, 0.0, out=nearest)
        np.minimum(nearest, _last_cells(self._rows, self._columns), out=nearest)
        column, row = nearest.astype(np.intp).T
        self._cells: NDArray[np.intp] = row * self._columns + column
        # A walk is a chain of single look-ups, each depending on the last; memoryviews give Python
        # numbers several times as fast as arrays do.
        self._xy = self.positions.reshape(-1).data
        self._nearest = self._cells.data
        self._displacements = (_flat(displacement_bwd), _flat(displacement_fwd))

    def walk(self, root: int) -> list[int]:
        """Flat index of each of the 17 points of the pose that grows from one of them."""
        nearest, xy, stride = self._nearest, self._xy, self._stride
        last_row, last_column = self._rows - 1, self._columns - 1
        indices = [root] * body.KEYPOINTS
        for direction, edge, source, target in _WALKS[root % body.KEYPOINTS]:
            at = indices[source]
            displacements = self._displacements[direction]
            channel = nearest[at] * (2 * _EDGES) + edge
            # Truncation is as good as floor here: below 0 the clamp makes 0 of either.
            column = int((xy[2 * at] + displacements[channel + _EDGES]) / stride + 0.5)
            row = int((xy[2 * at + 1] + displacements[channel]) / stride + 0.5)
            column = 0 if column < 0 else min(column, last_column)
            row = 0 if row < 0 else min(row, last_row)
            cell = row * self._columns + column
            for _ in range(OFFSET_REFINE_STEPS - 1):
                cell = nearest[cell * body.KEYPOINTS + target]
            indices[target] = cell * body.KEYPOINTS + target
        return indices

    def point_scores(self, roots: NDArray[np.intp], walks: NDArray[np.intp]) -> NDArray[np.float64]:
        """(n, 17) scores of n poses, given by their roots (n,) and walks (n, 17).

        A root has the score of its own cell, other points that of the cell nearest to them.
        """
        by_cell = self.scores.reshape(-1, body.KEYPOINTS)
        scores = by_cell[self._cells[walks], np.arange(body.KEYPOINTS)].astype(np.float64)
        scores[np.arange(len(roots)), roots % body.KEYPOINTS] = self.scores.reshape(-1)[roots]
        return scores


def sharpened(short_offsets: NDArray[np.float32], output_stride: int) -> NDArray[np.float64]:
    """(H', W', 17, 2) x, y of every cell plus its short offset for every keypoint."""
    rows, columns, _ = short_offsets.shape
    dy_dx = short_offsets.reshape(rows, columns, 2, body.KEYPOINTS)
    dx_dy = dy_dx[:, :, ::-1].transpose(0, 1, 3, 2)
    return np.add(_cell_positions(rows, columns, output_stride), dx_dy, order="C")


@lru_cache(maxsize=8)
def _cell_positions(rows: int, columns: int, output_stride: int) -> NDArray[np.float64]:
    """(H', W', 17, 2) x, y of every cell, the same for every keypoint."""
    y, x = np.indices((rows, columns), dtype=np.float64) * output_stride
    return np.repeat(np.stack([x, y], axis=-1)[:, :, np.newaxis], body.KEYPOINTS, axis=2)


@lru_cache(maxsize=8)
def _last_cells(rows: int, columns: int) -> NDArray[np.float64]:
    """(n, 2) last column and row, over and over (a whole array takes numpy's fast path)."""
    return np.tile((columns - 1.0, rows - 1.0), (rows * columns * body.KEYPOINTS, 1))


def _flat(array: NDArray[np.float32]) -> memoryview:
    return np.ascontiguousarray(array, dtype=np.float32).reshape(-1).data


def check_heads(
    heatmap_scores: NDArray[np.float32], **others: tuple[NDArray[np.float32], int]
) -> None:
    """Raise InvalidArgumentError unless all heads, with so many channels, have one grid."""
    if heatmap_scores.ndim != 3 or heatmap_scores.shape[2] != body.KEYPOINTS:
        raise InvalidArgumentError(
            f"heatmap_scores: expected shape (rows, columns, {body.KEYPOINTS}), "
            f"got {heatmap_scores.shape}."
        )
    for name, (head, channels) in others.items():
        expected = (*heatmap_scores.shape[:2], channels)
        if head.shape != expected:
            raise InvalidArgumentError(
                f"{name}: expected shape {expected}, the grid of heatmap_scores, got {head.shape}."
            )
