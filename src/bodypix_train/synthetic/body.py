"""A body: phenotype -> rest mesh and joints, joint rotations -> posed mesh (linear blend)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from .assets import AXES, EXPRESSIONS, ORIGINS, Assets, Floats


@dataclass(frozen=True)
class Phenotype:
    """Who somebody is, in anny's terms: every axis in [0, 1], origins in any proportion.

    Ages: 0 a baby, 1/3 a child of about ten, 2/3 a young adult, 1 old.
    """

    gender: float = 0.5
    age: float = 0.67
    muscle: float = 0.5
    weight: float = 0.5
    height: float = 0.5
    proportions: float = 0.5
    cupsize: float = 0.5
    firmness: float = 0.5
    african: float = 1.0
    asian: float = 1.0
    caucasian: float = 1.0


def anchor_weights(phenotype: Phenotype) -> dict[str, float]:
    """Weight of each anchor: linear between neighbours on an axis; origins sum to 1."""
    weights: dict[str, float] = {}
    for axis, anchors in AXES.items():
        position = np.clip(getattr(phenotype, axis), 0, 1) * (len(anchors) - 1)
        for index, anchor in enumerate(anchors):
            weights[anchor] = max(0.0, 1.0 - abs(float(position) - index))
    total = sum(getattr(phenotype, origin) for origin in ORIGINS)
    for origin in ORIGINS:
        weights[origin] = getattr(phenotype, origin) / total if total else 1 / 3
    return weights


class Body:
    """The rest mesh of one person; ``pose`` moves it."""

    def __init__(
        self, assets: Assets, phenotype: Phenotype, expression: dict[str, float] | None = None
    ) -> None:
        anchors = anchor_weights(phenotype)
        rest = assets.template.copy()
        for row, name in enumerate(assets.names):
            if name in EXPRESSIONS:
                weight = (expression or {}).get(name, 0.0)
            else:
                weight = float(np.prod([anchors[anchor] for anchor in name.split("-")]))
            if weight > 1e-4:
                rest += np.float32(weight) * assets.shapes[row]
        self.assets = assets
        self.rest = rest
        self.joints = np.zeros((len(assets.bones), 3), np.float32)
        np.add.at(
            self.joints,
            assets.joint_bones,
            assets.joint_weights[:, None] * rest[assets.joint_vertices],
        )

    def joint(self, bone: str) -> Floats:
        """(3,) rest position of a bone's head."""
        return self.joints[self.assets.bones.index(bone)]

    def transforms(self, rotations: dict[str, Floats]) -> Floats:
        """(B, 3, 4): from rest to posed space, by bone.

        ``rotations``: (3, 3) by bone name, in the axes of the rest pose, about the bone's head;
        what hangs on the bone follows. (anny's "local-ref" with the rest pose as reference.)
        """
        unknown = set(rotations) - set(self.assets.bones)
        if unknown:
            raise ValueError(f"rotations: no bone is named {sorted(unknown)[0]!r}")
        result = np.zeros((len(self.assets.bones), 3, 4), np.float32)
        for index, bone in enumerate(self.assets.bones):
            parent = self.assets.parents[index]
            turn = rotations.get(bone)
            above = result[parent] if parent >= 0 else np.eye(3, 4, dtype=np.float32)
            if turn is None:
                result[index] = above
                continue
            head = self.joints[index]
            result[index, :, :3] = above[:, :3] @ turn
            result[index, :, 3] = above[:, :3] @ (head - turn @ head) + above[:, 3]
        return result

    def skin(self, transforms: Floats, rest: Floats | None = None) -> Floats:
        """(V, 3) posed vertices; ``rest`` may be a changed rest mesh of the same vertices."""
        points = self.rest if rest is None else rest
        blended = np.einsum(
            "vk,vkij->vij", self.assets.weights, transforms[self.assets.weight_bones]
        )
        return np.einsum("vij,vj->vi", blended[:, :, :3], points) + blended[:, :, 3]
