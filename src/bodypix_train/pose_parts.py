"""Which part a pixel of a photo shows, judged by skeletons and by the published network together.

The published network takes arms over the body for torso, and sleeves and trousers for whatever is
next to them. A skeleton knows better where limbs are, but not how wide. A small network of ours
learns from rendered people, whose parts are known, what both say together: for each cell of the
parts grid it sees where the cell lies along and beside every bone, and the shares of parts that
the published network gives it. Left and right, and mirror images, are treated alike.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from zipfile import BadZipFile

import numpy as np
from numpy.typing import NDArray

from bodypix.body import MIRRORED_PARTS, PARTS
from bodypix.files import write_whole

from .errors import TrainingError
from .people_teachers import Array
from .skeletons import EARS, HIP_PAIR, MOUTH, POINTS, SHOULDERS, TRUNK, Skeleton

MIRROR = np.asarray(MIRRORED_PARTS)
# Middles of points, appended to the network's 39.
MIDDLES = (SHOULDERS, HIP_PAIR, MOUTH, EARS, (17, 19), (18, 20))
NECK, HIPS, LIPS, HEAD, LEFT_FINGERS, RIGHT_FINGERS = range(POINTS, POINTS + len(MIDDLES))
NOSE = 0
BONES = np.array([
    (11, 13), (12, 14), (13, 15), (14, 16), (15, LEFT_FINGERS), (16, RIGHT_FINGERS), (15, 21),
    (16, 22), (23, 25), (24, 26), (25, 27), (26, 28), (27, 31), (28, 32), (29, 31), (30, 32),
    (11, 23), (12, 24), (NECK, HIPS), (11, 12), (23, 24), (NECK, LIPS), (HEAD, NOSE),
])  # fmt: skip
# The order of points in a mirror image.
SWAPPED = np.arange(POINTS + len(MIDDLES))
for left, right in [
    (1, 4), (2, 5), (3, 6), (7, 8), (9, 10), *((i, i + 1) for i in range(11, 32, 2)),
    (LEFT_FINGERS, RIGHT_FINGERS),
]:  # fmt: skip
    SWAPPED[[left, right]] = right, left
WAYS = 13  # numbers that say which way a body faces
FEATURES = 6 * len(BONES) + WAYS + PARTS
NEAR = 0.15  # trunks; how near counts as on a bone
REACH = 1.2  # trunks from all bones, beyond which a skeleton says nothing
TRUST = 0.7  # of this judgement; the rest is the published network's own
LEAST = 0.002  # share of a part; smaller ones are all the same


def extended(skeleton: Skeleton) -> NDArray[np.float64]:
    """Points (45, 5) with the middles; of these, what is least visible counts."""
    points = skeleton.points
    middles = [
        [*points[list(pair), :3].mean(0), *points[list(pair), 3:].min(0)] for pair in MIDDLES
    ]
    return np.vstack([points, middles])


def mirror_image(points: NDArray[np.float64], width: int) -> NDArray[np.float64]:
    """Points (45, 5) in the mirror image of a picture ``width`` wide."""
    turned = points.copy()
    turned[:, 0] = width - 1 - turned[:, 0]
    return turned[SWAPPED]


def bone_features(
    points: NDArray[np.float64], size: float, at: NDArray[np.float64]
) -> tuple[Array, Array]:
    """What pixels ``at`` (n, 2) are to a skeleton of trunk ``size``: (n, F), and how far (n,).

    For each bone: closeness, distance, which side, how far along, depth there, visibility; then
    which way the body faces. Lengths are in trunks.
    """
    start, end = points[BONES[:, 0]], points[BONES[:, 1]]
    along = end[:, :2] - start[:, :2]
    length = np.maximum((along**2).sum(1), (0.02 * size) ** 2)
    offset = at[:, None] - start[None, :, :2]  # (n, B, 2)
    share = (offset * along).sum(2) / length
    inside = np.clip(share, 0, 1)
    distance = np.linalg.norm(offset - inside[..., None] * along, axis=2) / size
    side = (offset[..., 0] * along[:, 1] - offset[..., 1] * along[:, 0]) / np.sqrt(length) / size
    trunk = points[list(TRUNK), 2].mean()
    depth = (start[:, 2] * (1 - inside) + end[:, 2] * inside - trunk) / size
    visible = np.broadcast_to(np.minimum(start[:, 3], end[:, 3]), distance.shape)
    each = [
        np.exp(-((distance / NEAR) ** 2)), np.minimum(distance, 2), np.clip(side, -1, 1),
        np.clip(share, -1, 2), np.clip(depth, -2, 2), visible,
    ]  # fmt: skip
    way = np.broadcast_to(facing(points, size), (len(at), WAYS))
    features = np.concatenate([*each, way], 1).astype(np.float32)
    return features, distance.min(1).astype(np.float32)


def facing(points: NDArray[np.float64], size: float) -> NDArray[np.float64]:
    """(WAYS,) numbers that tell front from back, and how the body is turned and tilted."""
    at, deep, seen = points[:, :2], points[:, 2], points[:, 3]
    up = at[NECK] - at[HIPS]
    up = up / max(float(np.linalg.norm(up)), 1e-6)
    right = np.array([-up[1], up[0]])
    nose = at[NOSE] - at[HEAD]
    lengths = [
        (at[11] - at[12]) @ right, (at[23] - at[24]) @ right, deep[NOSE] - deep[HEAD],
        deep[NOSE] - deep[NECK], nose @ right, nose @ up, deep[11] - deep[12],
        deep[23] - deep[24],
    ]  # fmt: skip
    return np.clip([*(v / size for v in lengths), seen[NOSE], seen[7], seen[8], *up], -2, 2)


def cell_features(
    shares: Array, people: Sequence[Skeleton], frame: tuple[int, int], *, mirrored: bool = False
) -> tuple[Array, Array]:
    """Features (h*w, F) of each cell of ``shares`` (h, w, 24), and its distance (h*w,) in trunks.

    A cell belongs to the skeleton whose bones are nearest. ``frame`` is (H, W) of the picture;
    ``mirrored`` tells of its mirror image instead. There must be somebody.
    """
    height, width = shares.shape[:2]
    rows, columns = np.linspace(0, frame[0] - 1, height), np.linspace(0, frame[1] - 1, width)
    at = np.stack(np.meshgrid(columns, rows), -1).reshape(-1, 2)
    if mirrored:
        shares = shares[:, ::-1][..., MIRROR]
    nearest = np.full(len(at), np.inf, np.float32)
    chosen: Array | None = None
    for person in people:
        points = extended(person)
        if mirrored:
            points = mirror_image(points, frame[1])
        features, distance = bone_features(points, person.size, at)
        if chosen is None:
            chosen = np.zeros_like(features)
        closer = distance < nearest
        chosen[closer] = features[closer]
        nearest = np.minimum(nearest, distance)
    assert chosen is not None
    logs = np.log(np.maximum(shares.reshape(-1, PARTS), LEAST)) / 2
    return np.hstack([chosen, logs.astype(np.float32)]), nearest


@dataclass(frozen=True)
class PartJudge:
    """The small network: ``layers`` are (matrix, bias), with ReLU between them."""

    mean: Array
    deviation: Array
    layers: tuple[tuple[Array, Array], ...]

    def shares(self, features: Array) -> Array:
        """Shares of parts (n, 24), which add up to 1."""
        x = (features - self.mean) / self.deviation
        for number, (matrix, bias) in enumerate(self.layers):
            x = x @ matrix + bias
            if number + 1 < len(self.layers):
                x = np.maximum(x, 0)
        powers = np.exp(x - x.max(1, keepdims=True))
        return powers / powers.sum(1, keepdims=True)  # type: ignore[no-any-return]

    def refine(self, shares: Array, people: Sequence[Skeleton], frame: tuple[int, int]) -> Array:
        """``shares`` (h, w, 24) with more say for skeletons the nearer their bones are."""
        if not people:
            return shares
        features, distance = cell_features(shares, people, frame)
        judged = self.shares(features).reshape(shares.shape)
        turned = self.shares(cell_features(shares, people, frame, mirrored=True)[0])
        judged = (judged + turned.reshape(shares.shape)[:, ::-1][..., MIRROR]) / 2
        trust = TRUST * np.clip(REACH - distance, 0, 1).reshape(*shares.shape[:2], 1)
        return (trust * judged + (1 - trust) * shares).astype(np.float32)

    def save(self, path: Path) -> None:
        """Write an .npz, whole or not at all."""
        arrays = {"mean": self.mean, "deviation": self.deviation}
        for number, (matrix, bias) in enumerate(self.layers):
            arrays |= {f"matrix{number}": matrix, f"bias{number}": bias}
        write_whole(path, lambda file: np.savez(file, **arrays))  # type: ignore[arg-type]

    @classmethod
    def load(cls, path: Path) -> PartJudge:
        """Raises TrainingError where the file is not one that `save` wrote."""
        try:
            with path.open("rb") as raw, np.load(raw) as file:  # np.load leaves a bad file open
                arrays = dict(file)
            count = sum(name.startswith("matrix") for name in arrays)
            layers = tuple((arrays[f"matrix{n}"], arrays[f"bias{n}"]) for n in range(count))
            judge = cls(arrays["mean"], arrays["deviation"], layers)
            if judge.mean.shape != (FEATURES,):
                raise ValueError(f"{judge.mean.size} features instead of {FEATURES}")
            return judge
        except (OSError, ValueError, KeyError, BadZipFile) as error:
            raise TrainingError(
                f"{path}: expected the part judge that bodypix-train label writes, got {error!r};"
                " delete it and label again"
            ) from error
