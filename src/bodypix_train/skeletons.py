"""Skeletons of the people in a photo by MediaPipe's pose network: where each limb is and how deep.

The network sees one upright person in a square (Bazarevsky et al. 2020). BodyPix's poses say where
to look first; its own hips and size then say where to look again, as in MediaPipe's tracker.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import cv2
import numpy as np
from numpy.typing import NDArray

from .people_teachers import MAX_PEOPLE, SIDE, Graph, View, upright, view_of

POINTS = 39  # 33 of the body, then where to look next and palms
HIPS, REACH = 33, 34  # middle of the hips, and a point on the circle around the whole body
SHOULDERS, HIP_PAIR, MOUTH, EARS = (11, 12), (23, 24), (9, 10), (7, 8)
TRUNK = (11, 12, 23, 24)
TELLING = (0, 11, 12, 15, 16, 23, 24)  # by which two skeletons of one person are known
SAME = 0.35  # of the trunk: nearer skeletons are the same person's
MIN_REACH = 12  # pixels
ALIKE = 0.2  # of the radius: views no farther apart than this show the same


@dataclass(frozen=True)
class Skeleton:
    """``points`` (39, 5): x, y and depth in image pixels (less is nearer), visibility, presence."""

    points: NDArray[np.float64]
    score: float

    @property
    def size(self) -> float:
        """About the length of the trunk in image pixels, from whichever way shows it longest."""
        at = self.points[:, :2]
        shoulders, hips = at[list(SHOULDERS)].mean(0), at[list(HIP_PAIR)].mean(0)
        thighs = sum(float(np.linalg.norm(at[a] - at[a + 2])) for a in HIP_PAIR)
        return max(
            float(np.linalg.norm(shoulders - hips)),
            1.3 * float(np.linalg.norm(at[11] - at[12])),
            0.6 * thighs,
            0.9 * float(np.linalg.norm(at[list(MOUTH)].mean(0) - shoulders)),
        )


def look(image: NDArray[np.uint8], view: View, network: Graph) -> Skeleton | None:
    """The skeleton that the pose network sees in a view; None if it sees nobody there."""
    crop, matrix = upright(image, view)
    outputs = network(crop)
    score = next(float(output[0]) for output in outputs if output.shape == (1,))
    raw = next((output for output in outputs if output.shape == (5 * POINTS,)), None)
    if score <= 0.5 or raw is None:
        return None
    points = raw.reshape(POINTS, 5).astype(np.float64)
    back = cv2.invertAffineTransform(matrix)
    points[:, :2] = points[:, :2] @ back[:, :2].T + back[:, 2]
    points[:, 2] *= 2 * view.radius / SIDE
    points[:, 3:] = 1 / (1 + np.exp(-points[:, 3:]))
    return Skeleton(points, score)


def look_again(view: View, skeleton: Skeleton) -> View | None:
    """Where the skeleton itself says that its person is.

    None where it is too small, and where that is as good as where it was looked for.
    """
    hips, reach = skeleton.points[HIPS, :2], skeleton.points[REACH, :2]
    right, down = reach - hips
    radius = 1.25 * float(np.hypot(right, down))
    if radius < MIN_REACH:
        return None
    angle = float(np.degrees(np.arctan2(right, -down)))
    turned = abs((angle - view.angle + 180) % 360 - 180)
    moved = float(np.hypot(*(hips - view.centre)))
    if max(moved, abs(radius - view.radius), np.radians(turned) * radius) < ALIKE * view.radius:
        return None
    return replace(view, centre=(float(hips[0]), float(hips[1])), radius=radius, angle=angle)


def skeletons(
    image: NDArray[np.uint8], poses: Sequence[NDArray[np.float64]], network: Graph
) -> list[Skeleton]:
    """One skeleton per person of (H, W, 3) RGB, the surest first.

    ``poses`` (17, 3) of x, y, score in image pixels, best first; those past MAX_PEOPLE are left.
    """
    found = []
    views = [view_of(pose, image.shape[:2]) for pose in poses]  # type: ignore[arg-type]
    for view in [view for view in views if view is not None][:MAX_PEOPLE]:
        first = look(image, view, network)
        again = look_again(view, first) if first else None
        found.append((again and look(image, again, network)) or first)
    seen = [skeleton for skeleton in found if skeleton is not None]
    seen.sort(key=lambda s: -s.score * s.points[list(TRUNK), 3].mean())
    kept: list[Skeleton] = []
    for skeleton in seen:
        if all(apart(skeleton, other) > SAME for other in kept):
            kept.append(skeleton)
    return kept


def apart(one: Skeleton, other: Skeleton) -> float:
    """Mean distance of telling points, in trunks of the larger."""
    points = list(TELLING)
    between = np.linalg.norm(one.points[points, :2] - other.points[points, :2], axis=1).mean()
    return float(between) / max(one.size, other.size, 1e-6)
