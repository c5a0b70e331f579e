"""Labels -> targets of the pose heads (Papandreou et al. 2018, PersonLab, sections 3.1 and 3.2).

All grids are corner aligned: cell i lies on crop pixel 16 i. Heads of two parts hold all dy, then
all dx, as decoding reads them.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from bodypix.body import KEYPOINTS, POSE_EDGES

Array = NDArray[np.float32]

STRIDE = 16
RADIUS = 32.0  # crop pixels around a keypoint in which the network is to speak of it
PARENTS = np.array([parent for parent, _ in POSE_EDGES])
CHILDREN = np.array([child for _, child in POSE_EDGES])


def pose_targets(keypoints: Array, owner: NDArray[np.integer]) -> dict[str, Array]:
    """Targets and weights of the pose heads for one crop.

    Args:
        keypoints: (P, 17, 3): x, y in crop pixels and a flag: 0 not labelled, 1 hidden, 2 visible.
        owner: (G, G): which person a cell shows, 1..P; 0 nobody.

    Returns:
        Arrays (G, G, C), each head beside its weight (0 where nothing is known):

        | name                                 | C  | meaning                                    |
        | ------------------------------------ | -- | ------------------------------------------ |
        | heatmaps                             | 17 | 1 within RADIUS of a keypoint              |
        | heatmaps_weight                      | 17 | 0 on people whose keypoint is not labelled |
        | short_offsets, near                  | 34, 17 | from a cell to the nearest keypoint    |
        | displacement_fwd, ..._weight         | 32, 16 | from a parent's disk to its child      |
        | displacement_bwd, ..._weight         | 32, 16 | from a child's disk to its parent      |
        | long_offsets, ..._weight             | 34, 17 | from a person's cell to its keypoints  |
    """
    side = owner.shape[0]
    at = np.arange(side, dtype=np.float32) * STRIDE
    cell_x, cell_y = at[None, :], at[:, None]
    people = len(keypoints)
    known = keypoints[..., 2] > 0
    # (P, 17, G, G): how far every keypoint is from every cell.
    dx = keypoints[..., 0][..., None, None] - np.broadcast_to(cell_x, owner.shape)
    dy = keypoints[..., 1][..., None, None] - np.broadcast_to(cell_y, owner.shape)
    distance = np.where(known[..., None, None], np.hypot(dx, dy), np.inf)
    near = np.zeros((side, side, KEYPOINTS), np.float32)
    nearest = np.zeros((KEYPOINTS, side, side), np.intp)
    if people:
        nearest = distance.argmin(0)
        near = (distance.min(0) <= RADIUS).transpose(1, 2, 0).astype(np.float32)
    shown = owner > 0
    whose = np.maximum(owner.astype(np.intp) - 1, 0)

    def pick(values: Array, person: NDArray[np.intp], keypoint: NDArray[np.intp]) -> Array:
        """(C, G, G) values (P, 17, G, G) of one person and keypoint for every channel and cell."""
        if not people:
            return np.zeros((len(keypoint), side, side), np.float32)
        rows, columns = np.arange(side)[:, None], np.arange(side)[None, :]
        return values[person, keypoint[:, None, None], rows, columns]

    def head(person: NDArray[np.intp], keypoint: NDArray[np.intp]) -> Array:
        pair = [pick(dy, person, keypoint), pick(dx, person, keypoint)]
        return np.concatenate(pair).transpose(1, 2, 0).astype(np.float32)

    def labelled(person: NDArray[np.intp], keypoint: NDArray[np.intp]) -> Array:
        grid = np.broadcast_to(known[..., None, None], (people, KEYPOINTS, side, side))
        return pick(grid, person, keypoint).transpose(1, 2, 0).astype(np.float32)  # type: ignore[arg-type]

    every = np.arange(KEYPOINTS)
    own = np.broadcast_to(whose, (KEYPOINTS, side, side))
    known_here = labelled(own, every)
    return {
        "heatmaps": near,
        "heatmaps_weight": np.where(shown[..., None] & (near == 0), known_here, 1).astype(
            np.float32
        ),
        "short_offsets": head(nearest, every),
        "near": near,
        "displacement_fwd": head(nearest[PARENTS], CHILDREN),
        "displacement_fwd_weight": near[..., PARENTS] * labelled(nearest[PARENTS], CHILDREN),
        "displacement_bwd": head(nearest[CHILDREN], PARENTS),
        "displacement_bwd_weight": near[..., CHILDREN] * labelled(nearest[CHILDREN], PARENTS),
        "long_offsets": head(own, every),
        "long_offsets_weight": shown[..., None].astype(np.float32) * known_here,
    }


def no_pose_targets(side: int) -> dict[str, Array]:
    """Targets of a crop whose poses are unknown: every weight is 0."""
    targets = pose_targets(np.zeros((0, KEYPOINTS, 3), np.float32), np.zeros((side, side), int))
    return {**targets, "heatmaps_weight": np.zeros_like(targets["heatmaps_weight"])}
