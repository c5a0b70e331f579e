"""Joint angles in degrees, as an anatomist gives them, within limits -> rotations of bones.

Zero is a person who stands straight, arms hanging, palms to the thighs, looking ahead. Left and
right share one set of names and signs: what is positive on one side is its mirror on the other.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np

from .assets import Floats
from .body import Body

LIMITS: dict[str, tuple[float, float]] = {
    # the whole spine, shared by its bones: forward, to the own left, turn to the own left
    "spine_bend": (-20, 65),
    "spine_side": (-25, 25),
    "spine_turn": (-40, 40),
    "neck_bend": (-40, 45),
    "neck_side": (-30, 30),
    "neck_turn": (-70, 70),
    # how far the arm is lifted, in which plane (0 ahead, 90 sideways), inward turn about itself
    "shoulder_lift": (0, 165),
    "shoulder_plane": (-45, 125),
    "shoulder_turn": (-60, 85),
    "shoulder_shrug": (-8, 25),
    "elbow": (0, 148),
    "forearm_turn": (-75, 80),  # palm down from thumb up, with the elbow bent
    "wrist": (-60, 70),
    "fingers": (0, 95),
    "hip_lift": (0, 120),
    "hip_plane": (-25, 180),  # 0 ahead, 90 sideways, 180 back
    "hip_turn": (-40, 45),
    "knee": (0, 150),
    "ankle": (-25, 45),  # toes down
}
"""Range of every angle. Angles of limbs are given for a side: "elbow.L", "elbow.R"."""

BACKWARD_HIP = 25.0
"""A leg lifted backwards goes no further than this."""

Angles = Mapping[str, float]
Of = Callable[[str], float]


def limited(angles: Angles) -> dict[str, float]:
    """The angles, each cut to its limits. Raises ValueError where a name is unknown."""
    result = {}
    for name, value in angles.items():
        kind = name.split(".")[0]
        if kind not in LIMITS:
            raise ValueError(f"angles: expected names of {', '.join(LIMITS)}; got {name!r}")
        low, high = LIMITS[kind]
        result[name] = float(np.clip(value, low, high))
    for side in "LR":
        plane = result.get(f"hip_plane.{side}", 0.0)
        if plane > 90 and f"hip_lift.{side}" in result:
            share = (plane - 90) / 90
            most = LIMITS["hip_lift"][1] * (1 - share) + BACKWARD_HIP * share
            result[f"hip_lift.{side}"] = min(result[f"hip_lift.{side}"], most)
    return result


def turn(axis: str | Floats, degrees: float) -> Floats:
    """(3, 3) rotation about x, y, z or a unit vector (Rodrigues)."""
    vector = np.eye(3)["xyz".index(axis)] if isinstance(axis, str) else np.asarray(axis)
    angle = np.radians(degrees)
    x, y, z = vector
    cross = np.array([[0, -z, y], [z, 0, -x], [-y, x, 0]])
    matrix = np.eye(3) + np.sin(angle) * cross + (1 - np.cos(angle)) * (cross @ cross)
    return matrix.astype(np.float32)


def shortest(start: Floats, end: Floats) -> Floats:
    """(3, 3) the smallest rotation that takes the direction ``start`` to ``end``."""
    a, b = start / np.linalg.norm(start), end / np.linalg.norm(end)
    axis = np.cross(a, b)
    sine = np.linalg.norm(axis)
    if sine < 1e-6:
        return np.eye(3, dtype=np.float32)
    return turn(axis / sine, float(np.degrees(np.arctan2(sine, a @ b))))


def rotations(body: Body, angles: Angles) -> dict[str, Floats]:
    """Rotations for ``Body.transforms``; angles beyond their limits are cut."""
    given = limited(angles)
    result: dict[str, Floats] = {}
    for bone in ("spine05", "spine04", "spine03", "spine02", "spine01"):
        result[bone] = _trunk(given, "spine", 1 / 5)
    for bone in ("neck01", "neck02", "neck03", "head"):
        result[bone] = _trunk(given, "neck", 1 / 4)
    for side, sign in (("L", 1.0), ("R", -1.0)):

        def of(name: str, side: str = side) -> float:
            return given.get(f"{name}.{side}", 0.0)

        _arm(body, result, of, side, sign)
        _leg(body, result, of, side, sign)
    return result


def _trunk(given: Angles, name: str, share: float) -> Floats:
    bend, side, around = (share * given.get(f"{name}_{k}", 0.0) for k in ("bend", "side", "turn"))
    return turn("z", around) @ turn("y", side) @ turn("x", bend)


def _swing(lift: float, plane: float, sign: float) -> Floats:
    """Lift a hanging limb forward, in a plane turned outward by ``plane``, without twisting it."""
    return turn("z", sign * plane) @ turn("x", -lift) @ turn("z", -sign * plane)


def _arm(body: Body, result: dict[str, Floats], of: Of, side: str, sign: float) -> None:
    shoulder, elbow, wrist = (
        body.joint(f"{bone}.{side}") for bone in ("upperarm01", "lowerarm01", "wrist")
    )
    hang = shortest(elbow - shoulder, np.array([0, 0, -1.0]))
    fore = hang @ (wrist - elbow)
    # Rest pose: the forearm is bent somewhat. Turn the arm until it is bent straight ahead.
    ahead = turn("z", float(-np.degrees(np.arctan2(fore[0], -fore[1]))))
    hang = ahead @ hang
    fore = ahead @ fore
    bent = float(np.degrees(np.arctan2(-fore[1], -fore[2])))
    # The shoulder blade takes part of a high lift.
    lift = of("shoulder_lift")
    raised = of("shoulder_shrug") + 0.18 * max(lift - 60, 0)
    result[f"clavicle.{side}"] = turn("y", -sign * raised)
    swing = _swing(max(lift - 0.8 * (raised - of("shoulder_shrug")), 0), of("shoulder_plane"), sign)
    # Arms hang a little away from the body, or they would cross the hips.
    away = turn("y", -sign * 7 * max(0.0, 1 - lift / 40))
    result[f"upperarm01.{side}"] = away @ swing @ turn("z", -sign * of("shoulder_turn")) @ hang
    result[f"lowerarm01.{side}"] = hang.T @ turn("x", bent - of("elbow")) @ hang
    bone = (wrist - elbow) / np.linalg.norm(wrist - elbow)
    # From the index to the little finger: straight back where the palm looks at the thigh.
    knuckles = body.joint(f"finger5-1.{side}") - body.joint(f"finger2-1.{side}")
    across = turn("x", bent) @ hang @ knuckles
    neutral = float(np.degrees(np.arctan2(across[1], across[0]))) - 90
    twist = neutral + sign * of("forearm_turn")
    result[f"lowerarm02.{side}"] = turn(bone, 0.5 * twist)
    hinge = knuckles / np.linalg.norm(knuckles)
    result[f"wrist.{side}"] = turn(bone, 0.5 * twist) @ turn(hinge, sign * of("wrist"))
    curl = of("fingers")
    for finger in "2345":
        for joint, share in (("1", 0.8), ("2", 1.0), ("3", 0.7)):
            result[f"finger{finger}-{joint}.{side}"] = turn(hinge, sign * share * curl)
    for joint, share in (("2", 0.35), ("3", 0.5)):
        result[f"finger1-{joint}.{side}"] = turn(hinge, sign * share * curl)


def _leg(body: Body, result: dict[str, Floats], of: Of, side: str, sign: float) -> None:
    hip, knee, ankle = (
        body.joint(f"{bone}.{side}") for bone in ("upperleg01", "lowerleg01", "foot")
    )
    thigh, shin = knee - hip, ankle - knee
    hang = shortest(thigh, np.array([sign * 0.02, 0, -1.0]))
    swing = _swing(of("hip_lift"), of("hip_plane"), sign)
    result[f"upperleg01.{side}"] = swing @ turn("z", -sign * of("hip_turn")) @ hang
    straight = shortest(hang @ shin, np.array([0, 0.05, -1.0]))
    result[f"lowerleg01.{side}"] = hang.T @ turn("x", of("knee")) @ straight @ hang
    result[f"foot.{side}"] = turn("x", of("ankle"))
