"""Where faces or people must not be seen, and how they are made unrecognisable.

Too much is hidden rather than too little: low thresholds, every sign of a face (its part of the
part map, and the keypoints of poses), and a margin around all of it.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final, Literal, TypeAlias, get_args

import cv2
import numpy as np
from numpy.typing import NDArray

from bodypix.drawing import checks
from bodypix.drawing.blur import blur
from bodypix.drawing.colors import ColorLike, rgb
from bodypix.drawing.compositing import mix
from bodypix.results import PartSegmentation, Pose

What: TypeAlias = Literal["faces", "people"]
How: TypeAlias = Literal["blur", "pixelate", "fill"]
Mask: TypeAlias = NDArray[np.uint8]

_FACE_PARTS: Final = ("left_face", "right_face")
_FACE_POINTS: Final = ("nose", "left_eye", "right_eye", "left_ear", "right_ear")
_LEAST_POINT_SCORE: Final = 0.3
_LEAST_POSE_SCORE: Final = 0.15
# A face is about as wide as its ears are apart, half as wide again as its eyes' outer corners, and
# less than half as wide as its shoulders (keypoints of eyes lie in their middle).
_RADIUS_BY_EARS, _RADIUS_BY_EYES, _RADIUS_BY_SHOULDERS = 0.75, 1.6, 0.35
# Of the picture: what is smaller is noise.
_LEAST_PERSON: Final = 0.001
# A face is left so many cells, or standard deviations of the blur, from side to side.
_CELLS_PER_FACE: Final = 6.0
_LEAST_CELL: Final = 8
# People hide in cells of this share of the picture's longer side.
_PERSON_CELL: Final = 0.03
_FEATHER: Final = 2.0


@dataclass(frozen=True)
class Sighting:
    """What must be hidden in one frame.

    `area` is (H, W) uint8, 1 where to hide. `extent` is the size in pixels of the largest face, or
    of people what their coarseness goes by; 0 where there is nothing to hide. `somebody`: a person
    was found, with or without a face.
    """

    area: Mask
    extent: float
    somebody: bool


def check_words(what: str, how: str) -> None:
    """Refuse unknown words for what to hide and how.

    Raises:
        InvalidArgumentError: another word.
    """
    checks.one_of("what", what, get_args(What))
    checks.one_of("how", how, get_args(How))


def find(people: PartSegmentation, what: What, margin: float) -> Sighting:
    """What to hide of the people in a picture.

    Args:
        people: everybody, with part ids and all poses, both found with low thresholds.
        what: "faces", or "people" from head to foot.
        margin: safety margin as a share of the size of what is hidden, 0 or more.
    """
    poses = [pose for pose in people.all_poses if pose.score >= _LEAST_POSE_SCORE]
    mask = people.mask
    somebody = bool(poses) or bool(np.count_nonzero(mask) >= _LEAST_PERSON * mask.size)
    if what == "people":
        size = _PERSON_CELL * max(mask.shape)
        area = _grown(mask, margin * size * _CELLS_PER_FACE / 2)
        return Sighting(area, size * _CELLS_PER_FACE if area.any() else 0.0, somebody)
    area, extent = _grown_faces(people.part(*_FACE_PARTS), margin)
    for pose in poses:
        extent = max(extent, _draw_face(area, pose, margin))
    return Sighting(area, extent, somebody)


def hide(
    image: NDArray[np.uint8], area: Mask, how: How, extent: float, color: ColorLike = "#000000"
) -> NDArray[np.uint8]:
    """A copy of an (H, W, 3) uint8 RGB image in which nobody can be recognised inside an area.

    Args:
        image: the picture.
        area: (H, W) uint8, 1 where to hide.
        how: "blur", "pixelate" or "fill". Only "fill" leaves nothing of the original.
        extent: size of the largest face in pixels; sets how coarse the picture becomes.
        color: of "fill".
    """
    box = _box(area, round(3 * _FEATHER))
    hidden = image.copy()
    if box is None:
        return hidden
    part, alpha = image[box], area[box] * np.uint8(255)
    cell = max(_LEAST_CELL, math.ceil(extent / _CELLS_PER_FACE))
    if how == "fill":
        cover = np.full_like(part, rgb(color))
    elif how == "pixelate":
        cover = _cells(part, cell)
    else:
        cover = blur(part, float(min(cell, 250)), "reflect")
        # The edge is soft outside the area only.
        alpha = np.maximum(alpha, blur(alpha, _FEATHER, "reflect"))
    hidden[box] = mix(cover, part, alpha)
    return hidden


def face_circle(pose: Pose) -> tuple[float, float, float] | None:
    """Centre x, y and radius in pixels of a circle around a pose's face; None where it shows none.

    From what is seen of nose, eyes and ears. The size follows the pair that says most: ears, eyes,
    else shoulders.
    """
    seen = [
        point
        for point in (pose.keypoint(name) for name in _FACE_POINTS)
        if point.score >= _LEAST_POINT_SCORE
    ]
    if not seen:
        return None
    radius = max(
        _distance(pose, "left_ear", "right_ear") * _RADIUS_BY_EARS,
        _distance(pose, "left_eye", "right_eye") * _RADIUS_BY_EYES,
        _distance(pose, "left_shoulder", "right_shoulder") * _RADIUS_BY_SHOULDERS,
    )
    x = sum(point.x for point in seen) / len(seen)
    y = sum(point.y for point in seen) / len(seen)
    farthest = max(math.hypot(point.x - x, point.y - y) for point in seen)
    radius = max(radius, 1.2 * farthest)
    return (x, y, radius) if radius >= 1.0 else None


def _distance(pose: Pose, first: str, second: str) -> float:
    """Pixels between two keypoints; 0 where one is not seen."""
    a, b = pose.keypoint(first), pose.keypoint(second)
    if min(a.score, b.score) < _LEAST_POINT_SCORE:
        return 0.0
    return math.hypot(a.x - b.x, a.y - b.y)


def _draw_face(area: Mask, pose: Pose, margin: float) -> float:
    """Fill the circle of a pose's face into the area; its diameter without the margin, or 0."""
    circle = face_circle(pose)
    if circle is None:
        return 0.0
    x, y, radius = circle
    center = (round(x), round(y))
    cv2.circle(area, center, math.ceil(radius * (1 + 2 * margin)), 1, cv2.FILLED)
    return 2 * radius


def _grown_faces(faces: Mask, margin: float) -> tuple[Mask, float]:
    """The faces of a part map with a margin around each, and the longer side of the largest."""
    area = np.zeros_like(faces)
    extent = 0.0
    count, labels, boxes, _ = cv2.connectedComponentsWithStats(faces, connectivity=8)
    for label in range(1, count):
        left, top, width, height, _ = (int(value) for value in boxes[label])
        size = max(width, height)
        reach = math.ceil(margin * size)
        box = (
            slice(max(0, top - reach), top + height + reach),
            slice(max(0, left - reach), left + width + reach),
        )
        area[box] |= _grown((labels[box] == label).view(np.uint8), reach)
        extent = max(extent, float(size))
    return area, extent


def _grown(mask: Mask, reach: float) -> Mask:
    """The mask and everything that is at most `reach` pixels from it."""
    if reach <= 0 or not mask.any():
        return mask.copy()
    distance = cv2.distanceTransform(mask ^ np.uint8(1), cv2.DIST_L2, cv2.DIST_MASK_5)
    return (distance <= reach).view(np.uint8)


def _cells(image: NDArray[np.uint8], cell: int) -> NDArray[np.uint8]:
    """The image in flat cells of their mean colours."""
    height, width = image.shape[:2]
    coarse = (max(1, round(width / cell)), max(1, round(height / cell)))
    small = cv2.resize(image, coarse, interpolation=cv2.INTER_AREA)
    return np.asarray(cv2.resize(small, (width, height), interpolation=cv2.INTER_NEAREST), np.uint8)


def _box(area: Mask, margin: int) -> tuple[slice, slice] | None:
    """Rows and columns that hold the whole area and a margin; None for an empty area."""
    left, top, width, height = cv2.boundingRect(area)
    if not width:
        return None
    return (
        slice(max(0, top - margin), top + height + margin),
        slice(max(0, left - margin), left + width + margin),
    )
