"""A batch of crops made of their plans on a device, as `augment.render` makes one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from bodypix.body import KEYPOINTS, PARTS
from bodypix_train.datasets.augment import (
    MIRROR,
    PARTS_STRIDE,
    PERSON_STRIDE,
    WORN,
    keypoints_at,
    mirrored,
)
from bodypix_train.datasets.plan import Plan
from bodypix_train.datasets.warp import Matrix, cells
from bodypix_train.targets import STRIDE

from .light import photograph
from .poses import pose_targets
from .resample import View, bilinear, nearest
from .store import Record, Store

NEST = (
    PARTS_STRIDE // PERSON_STRIDE
)  # every so many cells of the person's grid is one of the parts'


@dataclass
class Crops:
    """n crops of side S, on a device: float32, NCHW, in levels 0..255.

    image (n,3,S,S) RGB; person and trust (n,1,S/4,S/4); parts (n,24,S/8,S/8), known where
    ``has_parts`` says so.
    """

    image: Tensor
    person: Tensor
    trust: Tensor
    parts: Tensor
    has_parts: list[bool]


def render(
    plans: Sequence[Plan[Record]], size: int, store: Store, generator: torch.Generator
) -> Crops:
    """The crops of side ``size`` that the plans describe; ``generator`` makes the noise."""
    crops = show(plans, size, store.device)
    rows = [row for row, plan in enumerate(plans) if plan.front is not None]
    if rows:
        paste(crops, rows, [plan.front for plan in plans if plan.front is not None], size)
    most = max(len(plan.things) for plan in plans)
    for turn in range(most):  # those of one crop one after the other, each over the last
        rows = [row for row, plan in enumerate(plans) if len(plan.things) > turn]
        clutter(crops, rows, [plans[row].things[turn] for row in rows], size, store)
    crops.image = photograph(crops.image, [plan.light for plan in plans], generator)
    return crops


def show(plans: Sequence[Plan[Record]], size: int, device: torch.device) -> Crops:
    """What lies below: pictures with their own labels."""
    images, people, trusts = [], [], []
    for plan in plans:
        record, matrix = plan.picture, plan.matrix
        images.append((record.image, matrix, record.frame))
        people.append((record.person, matrix, record.frame))
        trusts.append((record.trust, matrix, record.frame))
    grey = torch.tensor([[float(plan.grey)] for plan in plans]).to(device)
    side = cells(size, PARTS_STRIDE)
    crops = Crops(
        image=bilinear(images, size, 1, grey),
        person=bilinear(people, size, PERSON_STRIDE),
        trust=bilinear(trusts, size, PERSON_STRIDE, 255.0),
        parts=torch.zeros(len(plans), PARTS, side, side, device=device),
        has_parts=[plan.picture.parts is not None for plan in plans],
    )
    rows = [row for row, known in enumerate(crops.has_parts) if known]
    if rows:
        shown = [(plans[row].picture, plans[row].matrix) for row in rows]
        crops.parts[torch.tensor(rows, device=device)] = parts_of(shown, size)
    return crops


def parts_of(shown: Sequence[tuple[Record, Matrix]], size: int) -> Tensor:
    """The parts (n,24,S/8,S/8) of records that know them; left stays the person's own."""
    views: list[View] = [
        (record.parts, matrix, record.frame) for record, matrix in shown if record.parts is not None
    ]
    parts = bilinear(views, size, PARTS_STRIDE)
    turned = torch.tensor([mirrored(matrix) for _, matrix in shown], device=parts.device)
    swapped = parts.index_select(1, torch.as_tensor(MIRROR, device=parts.device))
    return torch.where(turned[:, None, None, None], swapped, parts)


def paste(
    crops: Crops, rows: Sequence[int], fronts: Sequence[tuple[Record, Matrix]], size: int
) -> None:
    """Put hand-labelled people over the crops in ``rows``: see `augment.paste`."""
    device = crops.image.device
    at = torch.tensor(rows, device=device)
    soft = [(record.soft or record.person, matrix, record.frame) for record, matrix in fronts]
    alpha = bilinear(soft, size, 1) / 255
    images = bilinear([(r.image, matrix, r.frame) for r, matrix in fronts], size, 1)
    crops.image[at] = (images * alpha + crops.image[at] * (1 - alpha)).floor()
    people = [(record.person, matrix, record.frame) for record, matrix in fronts]
    cover = bilinear(people, size, PERSON_STRIDE)
    crops.person[at] = torch.maximum(cover, crops.person[at])
    crops.trust[at] = torch.maximum(cover, crops.trust[at])
    both = [
        i for i, row in enumerate(rows) if crops.has_parts[row] and fronts[i][0].parts is not None
    ]
    if both:
        below = torch.tensor([rows[i] for i in both], device=device)
        covered = cover[torch.tensor(both, device=device)][..., ::NEST, ::NEST] > 128
        parts = parts_of([fronts[i] for i in both], size)
        crops.parts[below] = torch.where(covered, parts, crops.parts[below])
    for row, (record, _) in zip(rows, fronts, strict=True):
        crops.has_parts[row] = crops.has_parts[row] and record.parts is not None


def clutter(
    crops: Crops, rows: Sequence[int], things: Sequence[tuple[int, Matrix]], size: int, store: Store
) -> None:
    """Put cut-out things over the crops in ``rows``: see `augment.clutter`."""
    at = torch.tensor(rows, device=store.device)
    grids = [(store.thing(number), matrix) for number, matrix in things]
    views = [(grid, matrix, grid.shapes[0]) for grid, matrix in grids]
    over = bilinear(views, size, 1)
    alpha = over[:, 3:] / 255
    crops.image[at] = (over[:, :3] * alpha + crops.image[at] * (1 - alpha)).floor()
    cover = bilinear(views, size, PERSON_STRIDE)[:, 3:]
    person = crops.person[at]
    area, on = cover.sum((1, 2, 3)), torch.minimum(person, cover).sum((1, 2, 3))
    worn = (on > WORN * area)[:, None, None, None]
    crops.person[at] = torch.where(worn, person, torch.minimum(person, 255 - cover))
    crops.trust[at] = torch.maximum(crops.trust[at], cover)


def poses_of(plans: Sequence[Plan[Record]], size: int, device: torch.device) -> dict[str, Tensor]:
    """The pose targets of a batch (see `targets`); empty where no crop has any."""
    side = cells(size, STRIDE)
    # Whoever is put on top has no pose labels, so the crop's are not complete any more.
    rows = [
        row
        for row, plan in enumerate(plans)
        if plan.picture.instances is not None and plan.front is None
    ]
    if not rows:
        return {}
    views: list[View] = []
    moved = {}
    for row in rows:
        record, matrix = plans[row].picture, plans[row].matrix
        if record.instances is not None and record.keypoints is not None:
            views.append((record.instances, matrix, record.frame))
            moved[row] = keypoints_at(record.keypoints, matrix)
    people = max(1, *(len(joints) for joints in moved.values()))
    keypoints = np.zeros((len(plans), people, KEYPOINTS, 3), np.float32)
    for row, joints in moved.items():
        keypoints[row, : len(joints)] = joints
    owner = torch.zeros(len(plans), side, side, dtype=torch.long, device=device)
    owner[torch.tensor(rows, device=device)] = nearest(views, size, STRIDE)
    known = torch.tensor([float(row in moved) for row in range(len(plans))], device=device)
    return pose_targets(torch.from_numpy(keypoints).to(device), owner, known)
