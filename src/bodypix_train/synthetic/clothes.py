"""Garments: shells over the body, ended by smooth cuts; skirts from the mesh's own helper.

Where a garment ends is said in the template's coordinates, which every body shares, so one
T-shirt fits all. What lies under a garment is cut away, so that it can never poke through.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from .assets import Assets, Floats, Ints
from .body import Body, Phenotype
from .materials import Material, MaterialTable
from .mesh import Mesh, make_mesh, smooth
from .partmap import PartMap

HIDDEN = 0.012  # metres by which a garment overlaps what it hides


@dataclass(frozen=True)
class Garment:
    """cut: (V,) metres inside its edge (negative: outside). gap: from the skin, metres.

    drape: rounds of smoothing, from 0 (tights) to 30 (a wide coat).
    """

    name: str
    cut: Floats
    material: Material
    gap: float = 0.006
    drape: int = 3
    shell: str = "body"


class Tailor:
    """Measures of the template, once; garments for it."""

    def __init__(self, assets: Assets) -> None:
        body = Body(assets, Phenotype())
        self.assets = assets
        at = assets.template
        names = assets.group_names
        self.faces: dict[str, Ints] = {
            name: np.flatnonzero(assets.groups == names.index(group)).astype(np.int32)
            for name, group in (
                ("body", "body"),
                ("skirt", "helper-skirt"),
            )
        }
        self.z = at[:, 2]
        self.x = at[:, 0]
        self.y = at[:, 1]
        self.crotch = float(body.joint("upperleg01.L")[2]) - 0.06
        self.waist = float(body.joint("spine04")[2])
        self.knee = float(body.joint("lowerleg01.L")[2])
        self.ankle = float(body.joint("foot.L")[2])
        self.neck = float(body.joint("neck01")[2])
        self.shoulder = body.joint("upperarm01.L")
        self.arm, self.arm_share = self._along_arm(body)
        head = np.array([bone in ("neck03", "head") for bone in assets.bones])
        self.head_share = (assets.weights * head[assets.weight_bones]).sum(axis=1)

    def _along_arm(self, body: Body) -> tuple[Floats, Floats]:
        """(V,) metres down the arm from the shoulder, negative in the trunk; share of arm bones."""
        bones = np.array(
            [
                b.startswith(("upperarm", "lowerarm", "wrist", "finger", "meta"))
                for b in self.assets.bones
            ]
        )
        share = (self.assets.weights * bones[self.assets.weight_bones]).sum(axis=1)
        shoulder, elbow, wrist = (
            body.joint(f"{bone}.L") for bone in ("upperarm01", "lowerarm01", "wrist")
        )
        point = self.assets.template * np.array([1, 1, 1], np.float32)
        point[:, 0] = np.abs(point[:, 0])
        upper, lower = elbow - shoulder, wrist - elbow
        length = np.linalg.norm(upper)
        above = (point - shoulder) @ upper / length
        below = length + (point - elbow) @ lower / np.linalg.norm(lower)
        blend = np.clip((above - length + 0.04) / 0.08, 0, 1)
        along = above * (1 - blend) + np.maximum(below, length - 0.04) * blend
        return (along * share - 0.12 * (1 - share)).astype(np.float32), share.astype(np.float32)

    def upper(
        self, sleeve: float, hem: float, collar: float, opening: float = -1.0, roll: float = 0.0
    ) -> Floats:
        """Cut of a top. sleeve: metres down the arm; hem: template height; collar: how much lower
        the neckline is at the front; opening: half width of the open front, or -1; roll: height
        of a roll-neck."""
        front = np.clip(-(self.y + 0.02) / 0.08, 0, 1)
        middle = np.clip(1 - np.abs(self.x) / 0.11, 0, 1)
        neckline = self.neck - 0.055 - (0.035 + collar * middle) * front + roll
        cut = np.minimum(neckline - self.z, sleeve - self.arm)
        cut = np.minimum(cut, 0.25 - self.head_share)
        trunk = np.where(self.arm_share > 0.5, 1.0, self.z - hem)
        cut = np.minimum(cut, trunk)
        if opening >= 0:
            wide = opening + 0.25 * np.clip(self.z - self.waist, 0, 0.12) * 0.5
            cut = np.minimum(cut, np.where(self.y < -0.02, np.abs(self.x) - wide, 1.0))
        return cut.astype(np.float32)

    def lower(self, waist: float, leg: float) -> Floats:
        """Cut of trousers from template height ``waist`` down to ``leg``."""
        cut = np.minimum(waist - self.z, self.z - leg)
        return np.where(self.arm_share > 0.2, -1, cut).astype(np.float32)

    def shoes(self, top: float) -> Floats:
        return np.where(self.arm_share > 0.2, -1, self.ankle + top - self.z).astype(np.float32)


def dress(
    tailor: Tailor,
    parts: PartMap,
    garments: list[Garment],
    points: Floats,
    normals: Floats,
    table: MaterialTable,
    owner: int,
) -> tuple[list[Mesh], Floats]:
    """The garments, innermost first, as meshes; and (V,) the cut of the skin below them."""
    assets = tailor.assets
    meshes = []
    for index, garment in enumerate(garments):
        faces = tailor.faces[garment.shell]
        cut = garment.cut
        for outer in garments[index + 1 :]:
            if outer.shell == "body":
                cut = np.minimum(cut, HIDDEN - outer.cut)
        corners = assets.faces[faces]
        kept = (cut[corners] > -0.06).any(axis=1)
        corners = corners[kept]
        if not len(corners):
            continue
        shell = points + normals * np.float32(garment.gap)
        if garment.drape:
            used = np.unique(corners)
            local = np.full(len(points), -1, np.int32)
            local[used] = np.arange(len(used))
            loose = smooth(shell[used], local[corners], garment.drape)
            shell = shell.copy()
            shell[used] = loose + normals[used] * np.float32(0.0012 * min(garment.drape, 12))
        meshes.append(
            make_mesh(
                shell,
                corners,
                table.add(garment.material),
                rest=assets.template,
                cut=cut,
                part=parts.parts[faces[kept]],
                owner=owner,
            )
        )
    bare = np.ones(len(points), np.float32)
    for garment in garments:
        if garment.shell == "body":
            bare = np.minimum(bare, HIDDEN - garment.cut)
    return meshes, bare
