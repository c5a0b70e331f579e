"""Everyday poses, each a range of joint angles; ``draw_pose`` picks one."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

Ranges = dict[str, tuple[float, float]]


@dataclass(frozen=True)
class Pose:
    """angles: degrees by joint (``joints.LIMITS``). lie: degrees the whole body is tipped back
    (-90 on the belly), side: tipped to a side. seated: something to sit on belongs below."""

    name: str
    angles: dict[str, float]
    lie: float = 0.0
    side: float = 0.0
    seated: bool = False


ARMS: dict[str, Ranges] = {
    "hang": {
        "shoulder_lift": (0, 18), "shoulder_plane": (-10, 90), "shoulder_turn": (-5, 35),
        "elbow": (4, 40), "forearm_turn": (-5, 45), "fingers": (5, 45),
    },
    "talk": {
        "shoulder_lift": (10, 60), "shoulder_plane": (0, 75), "shoulder_turn": (-30, 55),
        "elbow": (60, 135), "forearm_turn": (-60, 60), "wrist": (-25, 30), "fingers": (0, 60),
    },
    "desk": {
        "shoulder_lift": (18, 42), "shoulder_plane": (0, 40), "shoulder_turn": (5, 45),
        "elbow": (55, 100), "forearm_turn": (45, 80), "fingers": (5, 35),
    },
    "across": {
        "shoulder_lift": (24, 44), "shoulder_plane": (-5, 18), "shoulder_turn": (52, 80),
        "elbow": (92, 118), "forearm_turn": (20, 70), "fingers": (0, 40),
    },
    "hip": {
        "shoulder_lift": (28, 50), "shoulder_plane": (85, 115), "shoulder_turn": (40, 70),
        "elbow": (78, 110), "forearm_turn": (10, 60), "wrist": (0, 40), "fingers": (10, 60),
    },
    "ear": {
        "shoulder_lift": (30, 70), "shoulder_plane": (20, 65), "shoulder_turn": (-20, 20),
        "elbow": (128, 148), "forearm_turn": (-30, 30), "fingers": (30, 75),
    },
    "wave": {
        "shoulder_lift": (60, 120), "shoulder_plane": (50, 95), "shoulder_turn": (-60, -20),
        "elbow": (55, 130), "forearm_turn": (-30, 50), "fingers": (0, 30),
    },
    "reach": {
        "shoulder_lift": (60, 150), "shoulder_plane": (-10, 90), "shoulder_turn": (-20, 30),
        "elbow": (0, 45), "forearm_turn": (-30, 70), "wrist": (-20, 25), "fingers": (0, 50),
    },
    "up": {
        "shoulder_lift": (125, 165), "shoulder_plane": (20, 95), "shoulder_turn": (-30, 20),
        "elbow": (0, 90), "forearm_turn": (-40, 40), "fingers": (0, 70),
    },
    "chin": {
        "shoulder_lift": (30, 55), "shoulder_plane": (-10, 15), "shoulder_turn": (15, 40),
        "elbow": (125, 146), "forearm_turn": (-20, 50), "wrist": (-10, 30), "fingers": (20, 80),
    },
    "front": {  # holding a cup or a phone before the chest
        "shoulder_lift": (12, 40), "shoulder_plane": (-5, 35), "shoulder_turn": (15, 45),
        "elbow": (85, 125), "forearm_turn": (-15, 30), "fingers": (40, 75),
    },
    "lap": {
        "shoulder_lift": (12, 32), "shoulder_plane": (-5, 30), "shoulder_turn": (15, 45),
        "elbow": (40, 80), "forearm_turn": (30, 75), "fingers": (5, 50),
    },
}  # fmt: skip

LEGS: dict[str, Ranges] = {
    "stand": {
        "hip_lift": (0, 8), "hip_plane": (20, 110), "hip_turn": (-12, 5), "knee": (0, 12),
        "ankle": (-6, 2),
    },
    "wide": {
        "hip_lift": (12, 28), "hip_plane": (60, 110), "hip_turn": (-20, 0), "knee": (0, 25),
        "ankle": (-8, 5),
    },
    "ahead": {
        "hip_lift": (15, 38), "hip_plane": (-5, 12), "knee": (2, 25), "ankle": (-12, 5),
    },
    "behind": {
        "hip_lift": (8, 25), "hip_plane": (165, 180), "knee": (10, 55), "ankle": (0, 30),
    },
    "lifted": {
        "hip_lift": (40, 100), "hip_plane": (0, 40), "knee": (40, 120), "ankle": (0, 35),
    },
    "sit": {
        "hip_lift": (74, 100), "hip_plane": (2, 28), "hip_turn": (-20, 12), "knee": (65, 105),
        "ankle": (-12, 15),
    },
    "cross_sit": {
        "hip_lift": (88, 108), "hip_plane": (-18, -6), "hip_turn": (-5, 10), "knee": (75, 110),
        "ankle": (0, 25),
    },
    "tailor": {
        "hip_lift": (85, 105), "hip_plane": (38, 60), "hip_turn": (-40, -30), "knee": (115, 140),
        "ankle": (5, 30),
    },
    "crouch": {
        "hip_lift": (85, 118), "hip_plane": (8, 35), "knee": (110, 148), "ankle": (-25, -10),
    },
    "kneel": {
        "hip_lift": (0, 15), "hip_plane": (0, 30), "knee": (85, 110), "ankle": (25, 45),
    },
    "straight": {"hip_lift": (0, 15), "hip_plane": (0, 90), "knee": (0, 30), "ankle": (5, 40)},
    "bent": {"hip_lift": (30, 70), "hip_plane": (0, 40), "knee": (50, 110), "ankle": (0, 30)},
}  # fmt: skip

TRUNK: dict[str, Ranges] = {
    "upright": {
        "spine_bend": (-6, 14), "spine_side": (-6, 6), "spine_turn": (-12, 12),
        "neck_bend": (-12, 18), "neck_side": (-9, 9), "neck_turn": (-28, 28),
    },
    "leaning": {
        "spine_bend": (15, 55), "spine_side": (-12, 12), "spine_turn": (-25, 25),
        "neck_bend": (-25, 30), "neck_side": (-10, 10), "neck_turn": (-40, 40),
    },
    "turning": {
        "spine_bend": (-10, 20), "spine_side": (-15, 15), "spine_turn": (-40, 40),
        "neck_bend": (-25, 30), "neck_side": (-20, 20), "neck_turn": (-65, 65),
    },
    "rounded": {
        "spine_bend": (8, 32), "spine_side": (-6, 6), "spine_turn": (-10, 10),
        "neck_bend": (-5, 35), "neck_side": (-10, 10), "neck_turn": (-30, 30),
    },
}  # fmt: skip


@dataclass(frozen=True)
class Habit:
    """A way to be: what it is made of, and its weight in full-body scenes and at a webcam."""

    name: str
    trunks: str
    legs: tuple[str, ...]  # pairs
    arms: str
    wide: float
    close: float


HABITS = (
    Habit(
        "standing",
        "upright turning",
        ("stand stand", "stand wide"),
        "hang hang hip front ear chin",
        5,
        1,
    ),
    Habit("talking", "upright turning", ("stand stand", "wide stand"), "talk talk hang wave", 4, 5),
    Habit("walking", "upright", ("ahead behind",), "hang hang front", 4, 0.3),
    Habit("arms crossed", "upright", ("stand stand", "stand wide"), "across", 2, 2),
    Habit("reaching", "turning leaning", ("stand wide", "ahead stand"), "reach reach hang", 3, 1),
    Habit("cheering", "upright turning", ("stand wide", "lifted stand"), "up wave up", 1.5, 0.7),
    Habit(
        "sitting", "upright rounded", ("sit sit", "cross_sit sit"), "lap lap talk front chin", 4, 2
    ),
    Habit("at a desk", "rounded upright", ("sit sit",), "desk desk desk ear chin talk", 2, 6),
    Habit("on the floor", "rounded", ("tailor tailor", "tailor crouch"), "lap talk front", 1, 0.2),
    Habit("crouching", "leaning", ("crouch crouch", "crouch kneel"), "reach lap hang", 1.5, 0.1),
    Habit("bending", "leaning", ("stand stand", "ahead stand"), "reach hang hang", 1, 0.2),
    Habit(
        "lying", "upright", ("straight straight", "straight bent"), "hang talk up across", 1.2, 0.1
    ),
    Habit(
        "sport", "leaning turning", ("lifted stand", "ahead behind"), "reach wave up talk", 2, 0.2
    ),
)


def draw_pose(rng: np.random.Generator, *, close: bool) -> Pose:
    """A pose for a full-body scene, or for somebody ``close`` to a webcam."""
    weights = np.array([habit.close if close else habit.wide for habit in HABITS])
    habit = HABITS[rng.choice(len(HABITS), p=weights / weights.sum())]
    name, arms = habit.name, habit.arms.split()
    angles = _draw(rng, TRUNK[str(rng.choice(habit.trunks.split()))], "")
    pair = habit.legs[rng.integers(len(habit.legs))].split()
    rng.shuffle(pair)
    same = name in ("arms crossed", "at a desk") or rng.random() < 0.3
    kind = str(rng.choice(arms))
    for side, leg in zip("LR", pair, strict=True):
        angles |= _draw(rng, LEGS[leg], side)
        angles |= _draw(rng, ARMS[kind if same else str(rng.choice(arms))], side)
    lie = side_tip = 0.0
    if name == "lying":
        lie, side_tip = rng.choice([-90.0, 90.0, 90.0]), rng.choice([0.0, 0.0, 70.0, -70.0])
    elif name == "sport":
        lie = rng.uniform(-35, 10)
    return Pose(name, angles, lie, side_tip, name in ("sitting", "at a desk"))


def _draw(rng: np.random.Generator, ranges: Ranges, side: str) -> dict[str, float]:
    ending = f".{side}" if side else ""
    return {name + ending: float(rng.uniform(*limits)) for name, limits in ranges.items()}
