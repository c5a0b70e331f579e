"""Which of the 24 parts every triangle of the body is: an asset of ours.

Limbs come from bone weights; front and back are the two sides of a limb's or the trunk's middle
line, seen with the arms hanging; the head is split at the person's midline. The left half is
decided and the right half copied from it, so the two mirror exactly. Made, and drawn, by

    python -m bodypix_train.synthetic.partmap docs/synthetic-parts.png
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from bodypix.body import MIRRORED_PARTS, PART_NAMES

from .assets import Assets, Floats
from .body import Body, Phenotype
from .joints import rotations

FILE = Path(__file__).parent / "parts.npz"

REGIONS = {
    "face": ("neck02", "neck03", "head"),
    "torso": ("root", "pelvis", "spine", "neck01", "clavicle", "shoulder01"),
    "upper_arm": ("upperarm",),
    "lower_arm": ("lowerarm",),
    "hand": ("wrist", "finger", "metacarpal"),
    "upper_leg": ("upperleg",),
    "lower_leg": ("lowerleg",),
    "feet": ("foot",),
}
"""Bones (by the beginning of their names) of each region."""

TWO_SIDED = ("torso", "upper_arm", "lower_arm", "upper_leg", "lower_leg")


@dataclass(frozen=True)
class PartMap:
    """parts (F,) uint8 part id of every triangle; vertices of the nose tip and the ears."""

    parts: NDArray[np.uint8]
    nose: int
    ears: tuple[int, int]  # left, right


def load_part_map() -> PartMap:
    """The committed asset."""
    with np.load(FILE) as file:
        return PartMap(file["parts"], int(file["nose"]), tuple(int(v) for v in file["ears"]))


def mirrored_vertices(template: Floats) -> NDArray[np.int32]:
    """(V,) the vertex on the other side of the body."""
    keys = np.round(template * 1e4).astype(np.int64)
    mirrored = keys * (-1, 1, 1)
    order = np.lexsort(keys.T)
    other = np.lexsort(mirrored.T)
    result = np.empty(len(template), np.int32)
    result[other] = order
    if (np.abs(keys[result] - mirrored) > 1).any():
        raise ValueError("template: expected a mesh that mirrors exactly")
    return result


def make_part_map(assets: Assets) -> PartMap:
    """Decide every triangle's part from weights and the standing body."""
    body = Body(assets, Phenotype())
    arms = {f"{name}.{side}": 0.0 for name in ("elbow", "forearm_turn") for side in "LR"}
    standing = body.skin(body.transforms(rotations(body, arms)))
    regions = _regions(assets)
    middle = _middle_lines(standing, regions, assets)

    polygons = assets.polygons
    count = polygons.max() + 1
    members = np.bincount(polygons, minlength=count)

    def mean(values: Floats) -> Floats:
        """Per polygon, of a value per vertex."""
        of_triangles = values[assets.faces].mean(axis=1)
        return np.bincount(polygons, of_triangles, minlength=count) / members

    votes = np.stack([mean(regions[:, k]) for k in range(len(REGIONS))], axis=1)
    region = votes.argmax(axis=1)
    of_group = np.zeros(count, np.int32)
    of_group[polygons] = assets.groups
    region[of_group == assets.group_names.index("helper-hair")] = 0  # long hair is head
    left = mean(assets.template[:, 0]) > 0
    front = mean(standing[:, 1] - middle) < 0
    chosen = np.empty(count, np.uint8)
    for index, name in enumerate(REGIONS):
        for side, on_side in (("left", left), ("right", ~left)):
            for face, on_face in (("front", front), ("back", ~front)):
                full = name if name == "torso" else f"{side}_{name}"
                full = f"{full}_{face}" if name in TWO_SIDED else full
                chosen[(region == index) & on_side & on_face] = PART_NAMES.index(full)
    chosen = _copy_left_to_right(chosen, left, assets)

    template = assets.template
    on_body = np.zeros(len(template), bool)
    on_body[assets.faces[assets.groups == assets.group_names.index("body")]] = True
    head = on_body & (regions[:, 0] > 0.9)
    level = template[head][:, 2].min() * 0.45 + template[head][:, 2].max() * 0.55
    ahead = np.where(head & (np.abs(template[:, 0]) < 0.01), template[:, 1], np.inf)
    aside = np.where(head & (np.abs(template[:, 2] - level) < 0.05), template[:, 0], -np.inf)
    ear = int(aside.argmax())
    ears = (ear, int(mirrored_vertices(template)[ear]))
    return PartMap(chosen[polygons], int(ahead.argmin()), ears)


def _regions(assets: Assets) -> Floats:
    """(V, R) share of every region in a vertex' bone weights."""
    share = np.zeros((len(assets.template), len(REGIONS)), np.float32)
    for index, beginnings in enumerate(REGIONS.values()):
        ours = np.array([bone.startswith(beginnings) for bone in assets.bones])
        share[:, index] = (assets.weights * ours[assets.weight_bones]).sum(axis=1)
    return share


def _middle_lines(standing: Floats, regions: Floats, assets: Assets) -> Floats:
    """(V,) y of the middle between front and back, at a vertex' height in its region and side."""
    middle = np.zeros(len(standing), np.float32)
    region = regions.argmax(axis=1)
    body = np.zeros(len(standing), bool)
    body[assets.faces[assets.groups == assets.group_names.index("body")]] = True
    for index, name in enumerate(REGIONS):
        if name not in TWO_SIDED:
            continue
        for side in (1, -1):
            ours = (region == index) & (standing[:, 0] * side >= 0)
            z, y = standing[ours & body, 2], standing[ours & body, 1]
            levels = np.linspace(z.min(), z.max(), 14)
            reach = 0.8 * (levels[1] - levels[0])
            lines = [
                0.5 * (y[np.abs(z - level) <= reach].min() + y[np.abs(z - level) <= reach].max())
                for level in levels
            ]
            middle[ours] = np.interp(standing[ours, 2], levels, lines)
    return middle


def _copy_left_to_right(
    chosen: NDArray[np.uint8], left: NDArray[np.bool_], assets: Assets
) -> NDArray[np.uint8]:
    mirror = mirrored_vertices(assets.template)
    corners: dict[int, set[int]] = {}
    for triangle, polygon in zip(assets.faces, assets.polygons, strict=True):
        corners.setdefault(int(polygon), set()).update(int(v) for v in triangle)
    by_corners = {frozenset(vertices): polygon for polygon, vertices in corners.items()}
    swap = np.array(MIRRORED_PARTS, np.uint8)
    result = chosen.copy()
    for polygon in np.flatnonzero(left):
        other = by_corners[frozenset(int(mirror[v]) for v in corners[int(polygon)])]
        result[other] = swap[chosen[polygon]]
    return result


def _main() -> None:
    import sys

    from .assets import load_assets
    from .partpicture import draw_part_map

    assets = load_assets()
    made = make_part_map(assets)
    np.savez_compressed(FILE, parts=made.parts, nose=made.nose, ears=np.array(made.ears))
    for path in sys.argv[1:]:
        draw_part_map(assets, made, Path(path))


if __name__ == "__main__":
    _main()
