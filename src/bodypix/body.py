"""The vocabulary: 24 body parts, 17 keypoints, the pose tree, mirrored ids, colour scales.

Constants and two look-ups, nothing else. Left and right are always the person's own.
Source: spec sections 4 and 6 (the tables of the JavaScript original, body-pix 2.2.0 and 1.1.2).
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

from bodypix.errors import InvalidArgumentError

PART_NAMES: Final[tuple[str, ...]] = (
    "left_face",
    "right_face",
    "left_upper_arm_front",
    "left_upper_arm_back",
    "right_upper_arm_front",
    "right_upper_arm_back",
    "left_lower_arm_front",
    "left_lower_arm_back",
    "right_lower_arm_front",
    "right_lower_arm_back",
    "left_hand",
    "right_hand",
    "torso_front",
    "torso_back",
    "left_upper_leg_front",
    "left_upper_leg_back",
    "right_upper_leg_front",
    "right_upper_leg_back",
    "left_lower_leg_front",
    "left_lower_leg_back",
    "right_lower_leg_front",
    "right_lower_leg_back",
    "left_feet",
    "right_feet",
)
"""Name of every part; the index is the part id of BodyPix 2."""

V1_PART_NAMES: Final[tuple[str, ...]] = (
    "leftFace",
    "rightFace",
    "rightUpperLegFront",
    "rightLowerLegBack",
    "rightUpperLegBack",
    "leftLowerLegFront",
    "leftUpperLegFront",
    "leftUpperLegBack",
    "leftLowerLegBack",
    "rightFeet",
    "rightLowerLegFront",
    "leftFeet",
    "torsoFront",
    "torsoBack",
    "rightUpperArmFront",
    "rightUpperArmBack",
    "rightLowerArmBack",
    "leftLowerArmFront",
    "leftUpperArmFront",
    "leftUpperArmBack",
    "leftLowerArmBack",
    "rightHand",
    "rightLowerArmFront",
    "leftHand",
)
"""Name of every part in BodyPix 1; the index is the part id of BodyPix 1."""

KEYPOINT_NAMES: Final[tuple[str, ...]] = (
    "nose",
    "left_eye",
    "right_eye",
    "left_ear",
    "right_ear",
    "left_shoulder",
    "right_shoulder",
    "left_elbow",
    "right_elbow",
    "left_wrist",
    "right_wrist",
    "left_hip",
    "right_hip",
    "left_knee",
    "right_knee",
    "left_ankle",
    "right_ankle",
)
"""Name of every keypoint; the index is the keypoint id (the same order as COCO's)."""

PARTS: Final = len(PART_NAMES)
KEYPOINTS: Final = len(KEYPOINT_NAMES)

POSE_EDGES: Final[tuple[tuple[int, int], ...]] = (
    (0, 1),
    (1, 3),
    (0, 2),
    (2, 4),
    (0, 5),
    (5, 7),
    (7, 9),
    (5, 11),
    (11, 13),
    (13, 15),
    (0, 6),
    (6, 8),
    (8, 10),
    (6, 12),
    (12, 14),
    (14, 16),
)
"""Tree edges (parent keypoint, child keypoint); the index is the displacement channel."""

SKELETON: Final[tuple[tuple[int, int], ...]] = (
    (11, 5),
    (7, 5),
    (7, 9),
    (11, 13),
    (13, 15),
    (12, 6),
    (8, 6),
    (8, 10),
    (12, 14),
    (14, 16),
    (5, 6),
    (11, 12),
)
"""Pairs of keypoint ids that a drawn skeleton joins."""

Color = tuple[int, int, int]
"""Red, green, blue, each 0..255."""

RAINBOW: Final[tuple[Color, ...]] = (
    (110, 64, 170),
    (143, 61, 178),
    (178, 60, 178),
    (210, 62, 167),
    (238, 67, 149),
    (255, 78, 125),
    (255, 94, 99),
    (255, 115, 75),
    (255, 140, 56),
    (239, 167, 47),
    (217, 194, 49),
    (194, 219, 64),
    (175, 240, 91),
    (135, 245, 87),
    (96, 247, 96),
    (64, 243, 115),
    (40, 234, 141),
    (28, 219, 169),
    (26, 199, 194),
    (33, 176, 213),
    (47, 150, 224),
    (65, 125, 224),
    (84, 101, 214),
    (99, 81, 195),
)
"""The original library's default colour of every part id."""

WARM: Final[tuple[Color, ...]] = (
    (110, 64, 170),
    (106, 72, 183),
    (100, 81, 196),
    (92, 91, 206),
    (84, 101, 214),
    (75, 113, 221),
    (66, 125, 224),
    (56, 138, 226),
    (48, 150, 224),
    (40, 163, 220),
    (33, 176, 213),
    (29, 188, 205),
    (26, 199, 194),
    (26, 210, 182),
    (28, 219, 169),
    (33, 227, 155),
    (41, 234, 141),
    (51, 240, 128),
    (64, 243, 116),
    (79, 246, 105),
    (96, 247, 97),
    (115, 246, 91),
    (134, 245, 88),
    (155, 243, 88),
)
"""The demo's "warm" scale (purple over blue to green, in spite of its name)."""

SPECTRAL: Final[tuple[Color, ...]] = (
    (158, 1, 66),
    (181, 26, 71),
    (202, 50, 74),
    (219, 73, 74),
    (232, 94, 73),
    (242, 117, 75),
    (248, 142, 83),
    (251, 167, 96),
    (253, 190, 112),
    (254, 210, 129),
    (254, 227, 149),
    (254, 240, 166),
    (251, 248, 176),
    (243, 249, 172),
    (231, 245, 163),
    (213, 238, 159),
    (190, 229, 160),
    (164, 218, 163),
    (137, 207, 165),
    (110, 192, 168),
    (86, 173, 174),
    (70, 150, 179),
    (67, 127, 180),
    (77, 103, 173),
)
"""The demo's "spectral" scale."""

COLOR_SCALES: Final[dict[str, tuple[Color, ...]]] = {
    "rainbow": RAINBOW,
    "warm": WARM,
    "spectral": SPECTRAL,
}


def _swap_sides(name: str) -> str:
    """The name of the same thing on the other side of the body."""
    if name.startswith("left_"):
        return "right_" + name.removeprefix("left_")
    if name.startswith("right_"):
        return "left_" + name.removeprefix("right_")
    return name


def _mirrored(names: Sequence[str]) -> tuple[int, ...]:
    return tuple(names.index(_swap_sides(name)) for name in names)


def _snake_case(name: str) -> str:
    return re.sub(r"(?<=[a-z])(?=[A-Z])", "_", name).lower()


MIRRORED_PARTS: Final[tuple[int, ...]] = _mirrored(PART_NAMES)
"""Part id on the other side of the body, by part id; its own inverse."""

MIRRORED_KEYPOINTS: Final[tuple[int, ...]] = _mirrored(KEYPOINT_NAMES)
"""Keypoint id on the other side of the body, by keypoint id; its own inverse."""

V1_TO_V2_PARTS: Final[tuple[int, ...]] = tuple(
    PART_NAMES.index(_snake_case(name)) for name in V1_PART_NAMES
)
"""BodyPix 2 part id, by BodyPix 1 part id."""

V2_TO_V1_PARTS: Final[tuple[int, ...]] = tuple(V1_TO_V2_PARTS.index(part) for part in range(PARTS))
"""BodyPix 1 part id, by BodyPix 2 part id."""

# The original's READMEs write foot where its code writes feet.
_PART_IDS: Final[dict[str, int]] = {
    **{name: part for part, name in enumerate(PART_NAMES)},
    "left_foot": PART_NAMES.index("left_feet"),
    "right_foot": PART_NAMES.index("right_feet"),
}
_KEYPOINT_IDS: Final[dict[str, int]] = {name: index for index, name in enumerate(KEYPOINT_NAMES)}


def part_id(part: str | int) -> int:
    """Id (0..23) of a part given by id, snake_case name or the original's camelCase name.

    `left_foot` and `right_foot` are taken as other names of `left_feet` and `right_feet`.

    Raises:
        InvalidArgumentError: no part has that name or id.

    >>> part_id("left_hand"), part_id("rightFoot"), part_id(12)
    (10, 23, 12)
    """
    if isinstance(part, str):
        found = _PART_IDS.get(_snake_case(part))
        if found is not None:
            return found
        raise InvalidArgumentError(
            f"part: expected one of {', '.join(PART_NAMES)}; got {part!r}. "
            "Names are listed in bodypix.body.PART_NAMES."
        )
    return _checked_id("part", part, PARTS)


def keypoint_id(keypoint: str | int) -> int:
    """Id (0..16) of a keypoint given by id, snake_case name or the original's camelCase name.

    Raises:
        InvalidArgumentError: no keypoint has that name or id.
    """
    if isinstance(keypoint, str):
        found = _KEYPOINT_IDS.get(_snake_case(keypoint))
        if found is not None:
            return found
        raise InvalidArgumentError(
            f"keypoint: expected one of {', '.join(KEYPOINT_NAMES)}; got {keypoint!r}. "
            "Names are listed in bodypix.body.KEYPOINT_NAMES."
        )
    return _checked_id("keypoint", keypoint, KEYPOINTS)


def _checked_id(field: str, value: int, count: int) -> int:
    if isinstance(value, bool) or not hasattr(value, "__index__") or not 0 <= value < count:
        raise InvalidArgumentError(
            f"{field}: expected a name or an id from 0 to {count - 1}; got {value!r}."
        )
    return value.__index__()
