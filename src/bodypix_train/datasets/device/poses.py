"""The pose heads' targets of a whole batch, as `targets.pose_targets` makes them of one crop."""

from __future__ import annotations

import torch
from torch import Tensor

from bodypix_train.targets import CHILDREN, PARENTS, RADIUS, STRIDE


def pose_targets(keypoints: Tensor, owner: Tensor, known: Tensor) -> dict[str, Tensor]:
    """Targets and weights (n, C, G, G) by the names and in the order of `targets.pose_targets`.

    Args:
        keypoints: (n, P, 17, 3), P at least 1: x, y in crop pixels and the flag; rows of people
            that a picture does not have are 0.
        owner: (n, G, G) int64: which person a cell shows, 1..P; 0 nobody.
        known: (n,) 0 where the poses of a picture are unknown: all its weights are 0.
    """
    people, side = keypoints.shape[1], owner.shape[1]
    at = torch.arange(side, dtype=torch.float32, device=owner.device) * STRIDE
    grid = (-1, -1, -1, side, side)
    labelled = (keypoints[..., 2] > 0)[..., None, None]
    dx = (keypoints[..., 0, None, None] - at).expand(grid)
    dy = (keypoints[..., 1, None, None] - at[:, None]).expand(grid)
    distance = torch.hypot(dx, dy).where(labelled, torch.inf)
    closest, nearest = distance.min(1)
    known = known[:, None, None, None]
    near = (closest <= RADIUS).float() * known
    shown = (owner > 0)[:, None].float()
    own = (owner - 1).clamp(0, people - 1)[:, None].expand_as(nearest)
    flags = labelled.float().expand(grid)
    parents = torch.as_tensor(PARENTS, device=owner.device)
    children = torch.as_tensor(CHILDREN, device=owner.device)
    every = torch.arange(keypoints.shape[2], device=owner.device)

    def pick(values: Tensor, person: Tensor, channels: Tensor) -> Tensor:
        """(n, C, G, G) of one person for every channel and cell; values are (n, P, 17, G, G)."""
        return values.index_select(2, channels).gather(1, person[:, None])[:, 0]

    def head(person: Tensor, channels: Tensor) -> Tensor:
        return torch.cat([pick(dy, person, channels), pick(dx, person, channels)], 1)

    own_flags = pick(flags, own, every)
    from_parent, from_child = nearest.index_select(1, parents), nearest.index_select(1, children)
    return {
        "heatmaps": near,
        "heatmaps_weight": torch.where((shown > 0) & (near == 0), own_flags, 1) * known,
        "short_offsets": head(nearest, every),
        "near": near,
        "displacement_fwd": head(from_parent, children),
        "displacement_fwd_weight": near.index_select(1, parents)
        * pick(flags, from_parent, children),
        "displacement_bwd": head(from_child, parents),
        "displacement_bwd_weight": near.index_select(1, children)
        * pick(flags, from_child, parents),
        "long_offsets": head(own, every),
        "long_offsets_weight": shown * own_flags * known,
    }
