"""The original's pose and instance decoding, step by step: slow, plain, sharing nothing with src.

Pixels are vectorised here, since a loop over them would take minutes; nothing else is.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

EDGES = (
    (0, 1), (1, 3), (0, 2), (2, 4), (0, 5), (5, 7), (7, 9), (5, 11),
    (11, 13), (13, 15), (0, 6), (6, 8), (8, 10), (6, 12), (12, 14), (14, 16),
)  # fmt: skip


@dataclass
class LiteralPose:
    score: float
    points: list[tuple[float, float, float]]  # x, y, score


def js_round(value: float) -> int:
    return math.floor(value + 0.5)


def heap_order(scores: list[float]) -> list[int]:
    """The original's MaxHeap, statement by statement."""
    queue: list[int] = []
    last = -1

    def less(i: int, j: int) -> bool:
        return scores[queue[i]] < scores[queue[j]]

    def exchange(i: int, j: int) -> None:
        queue[i], queue[j] = queue[j], queue[i]

    for index in range(len(scores)):
        last += 1
        queue.append(index)
        k = last
        while k > 0 and less(k // 2, k):
            exchange(k, k // 2)
            k //= 2
    order = []
    while last >= 0:
        order.append(queue[0])
        exchange(0, last)
        last -= 1
        queue.pop()
        k = 0
        while 2 * k <= last:
            j = 2 * k
            if j < last and less(j, j + 1):
                j += 1
            if not less(k, j):
                break
            exchange(k, j)
            k = j
    return order


def decode_poses(
    heatmaps: NDArray[np.float32],
    offsets: NDArray[np.float32],
    forward: NDArray[np.float32],
    backward: NDArray[np.float32],
    stride: int,
    max_detections: int,
    score_threshold: float,
    nms_radius: float,
) -> list[LiteralPose]:
    height, width, keypoints = heatmaps.shape
    candidates = []
    for y in range(height):
        for x in range(width):
            for k in range(keypoints):
                score = float(heatmaps[y, x, k])
                if score < score_threshold:
                    continue
                window = heatmaps[max(y - 1, 0) : y + 2, max(x - 1, 0) : x + 2, k]
                if not (window > heatmaps[y, x, k]).any():
                    candidates.append((score, y, x, k))

    def cell(x: float, y: float) -> tuple[int, int]:
        row = min(max(js_round(y / stride), 0), height - 1)
        return row, min(max(js_round(x / stride), 0), width - 1)

    def sharpened(row: int, column: int, k: int) -> tuple[float, float]:
        dy, dx = offsets[row, column, k], offsets[row, column, k + keypoints]
        return column * stride + float(dx), row * stride + float(dy)

    def hop(
        source: tuple[float, float, float], vectors: NDArray[np.float32], edge: int, k: int
    ) -> tuple[float, float, float]:
        row, column = cell(source[0], source[1])
        x = source[0] + float(vectors[row, column, edge + len(EDGES)])
        y = source[1] + float(vectors[row, column, edge])
        for _ in range(2):
            x, y = sharpened(*cell(x, y), k)
        return x, y, float(heatmaps[(*cell(x, y), k)])

    def near(poses: list[LiteralPose], k: int, x: float, y: float) -> bool:
        return any(
            (p.points[k][0] - x) ** 2 + (p.points[k][1] - y) ** 2 <= nms_radius**2 for p in poses
        )

    poses: list[LiteralPose] = []
    for index in heap_order([candidate[0] for candidate in candidates]):
        if len(poses) >= max_detections:
            break
        score, row, column, root = candidates[index]
        x, y = sharpened(row, column, root)
        if near(poses, root, x, y):
            continue
        points: list[tuple[float, float, float] | None] = [None] * keypoints
        points[root] = (x, y, score)
        for edge in reversed(range(len(EDGES))):
            target, source = EDGES[edge]
            if points[source] is not None and points[target] is None:
                points[target] = hop(points[source], backward, edge, target)
        for edge in range(len(EDGES)):
            source, target = EDGES[edge]
            if points[source] is not None and points[target] is None:
                points[target] = hop(points[source], forward, edge, target)
        total = sum(p[2] for k, p in enumerate(points) if not near(poses, k, p[0], p[1]))
        poses.append(LiteralPose(total / keypoints, points))
    return poses


def assign(
    mask: NDArray[np.uint8],
    long_offsets: NDArray[np.float32],
    poses: NDArray[np.float64],  # (P, 17, 3) x, y, score in image pixels
    input_size: tuple[int, int],
    padding: tuple[int, int, int, int],  # top, bottom, left, right
    stride: int,
    refine_steps: int,
    gate: float,
    face: bool,
) -> NDArray[np.int64]:
    """Owner of every pixel, -1 for nobody: the WebGL path, or the CPU path if `face`."""
    height, width = mask.shape
    rows, columns, _ = long_offsets.shape
    top, bottom, left, right = padding
    scale_y = input_size[0] / (top + bottom + height)
    scale_x = input_size[1] / (left + right + width)
    ys, xs = (axis.astype(np.float64) for axis in np.nonzero(mask))

    def grid(
        y: NDArray[np.float64], x: NDArray[np.float64]
    ) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        return (
            ((top + y + 1.0) * scale_y - 1.0) / stride,
            ((left + x + 1.0) * scale_x - 1.0) / stride,
        )

    def bilinear(k: int, y: NDArray[np.float64], x: NDArray[np.float64]) -> NDArray[np.float64]:
        gy, gx = grid(y, x)
        gy, gx = np.clip(gy, 0, rows - 1), np.clip(gx, 0, columns - 1)
        y0, x0 = gy.astype(int), gx.astype(int)
        y1, x1 = np.minimum(y0 + 1, rows - 1), np.minimum(x0 + 1, columns - 1)
        fy, fx = gy - y0, gx - x0
        plane = long_offsets[..., k]
        above = plane[y0, x0] * (1 - fx) + plane[y0, x1] * fx
        below = plane[y1, x0] * (1 - fx) + plane[y1, x1] * fx
        return above * (1 - fy) + below * fy

    def nearest(k: int, y: NDArray[np.float64], x: NDArray[np.float64]) -> NDArray[np.float64]:
        gy, gx = (np.floor(axis + 0.5) for axis in grid(y, x))
        # Above the grid the original reads before the start of its array and has no number. Left
        # of the grid it reads the end of the row before; that one slip is not repeated here.
        missing = ~(gy >= 0)
        row = np.where(missing, 0, gy).astype(int)
        column = np.maximum(np.where(np.isnan(gx), 0, gx), 0).astype(int)
        return np.where(missing, np.nan, long_offsets[row, column, k])

    def follow(k: int) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        sample = nearest if face else bilinear
        y, x = ys + sample(k, ys, xs), xs + sample(k + 17, ys, xs)
        for _ in range(refine_steps):
            at_y, at_x = np.minimum(y, height - 1), np.minimum(x, width - 1)
            if face:
                y, x = at_y, at_x
            else:
                at_y, at_x = np.floor(at_y + 0.5), np.floor(at_x + 0.5)
            y, x = y + sample(k, at_y, at_x), x + sample(k + 17, at_y, at_x)
        return y, x

    guesses = [follow(k) for k in range(5 if face else 17)]
    best = np.full(len(ys), np.inf if face else 1e6)
    owner = np.full(len(ys), -1)
    for index, pose in enumerate(poses):
        used = [k for k in range(len(guesses)) if pose[k, 2] > gate]
        if not used:
            continue
        total = sum(
            (guesses[k][0] - pose[k, 1]) ** 2 + (guesses[k][1] - pose[k, 0]) ** 2 for k in used
        )
        wins = total / len(used) < best
        best[wins], owner[wins] = (total / len(used))[wins], index
    owners = np.full(mask.shape, -1)
    owners[mask != 0] = owner
    return owners
