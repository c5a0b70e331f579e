"""The lots of a picture: who, where, seen how, in what light, before and behind what."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from .assets import Floats
from .backdrop import Room, draw_room
from .camera import Camera
from .joints import turn
from .materials import WOOD, Material, MaterialTable, linear
from .mesh import Mesh, make_mesh
from .outfits import cloth_color
from .person import Casting, Person, draw_person
from .raster import Lights
from .solids import Solid, box, turned

FRAMINGS = ("webcam", "upper", "full", "crop")
SIZES = ((384, 288), (288, 384), (384, 216), (320, 320), (384, 256), (256, 384))
"""(width, height) of pictures whose longer side is 384."""


@dataclass(frozen=True)
class Scene:
    """Everything drawn by lot, ready to be rendered. room: None for a photograph behind."""

    framing: str
    people: list[Person]
    things: list[Mesh]
    table: MaterialTable
    camera: Camera
    lights: Lights
    room: Room | None
    width: int
    height: int


def draw_scene(
    rng: np.random.Generator, casting: Casting, *, side: int, behind: Floats | None = None
) -> Scene:  # fmt: skip
    """``side``: pixels of the longer side; ``behind``: mean linear colour of a photo, if any."""
    framing = str(rng.choice(FRAMINGS, p=[0.34, 0.22, 0.32, 0.12]))
    width, height = (round(v * side / 384) for v in SIZES[_size_index(rng, framing)])
    table = MaterialTable()
    close = framing == "webcam"
    count = (
        int(rng.choice([1, 2], p=[0.86, 0.14]))
        if close
        else int(rng.choice([1, 2, 3, 4, 5], p=[0.42, 0.26, 0.16, 0.09, 0.07]))
    )
    people = []
    for owner in range(count):
        place = (0.0, 0.0)
        if owner:
            sideways = rng.uniform(0.35, 1.1) * rng.choice([-1, 1]) * (1 + 0.35 * owner)
            place = (sideways, rng.uniform(-0.3, 1.4) + (0.4 if close else 0))
        facing = rng.normal(0, 22) if close or rng.random() < 0.45 else rng.uniform(-180, 180)
        people.append(
            draw_person(rng, casting, table, owner, close=close, place=place, facing=facing)
        )
    camera = _draw_camera(rng, people, framing, width / height)
    things = [mesh for person in people for mesh in person.things]
    things += _foreground(rng, people, framing, camera, table)
    room = None
    if behind is None:
        room = draw_room(rng, float(np.linalg.norm(camera.position[:2])))
        things += _furniture(rng, room, camera, table)
    return Scene(
        framing,
        people,
        things,
        table,
        camera,
        _draw_lights(rng, camera, behind),
        room,
        width,
        height,
    )


def _size_index(rng: np.random.Generator, framing: str) -> int:
    weights = {
        "webcam": [4, 1.5, 3, 1, 1, 0.5],
        "upper": [2, 2, 2, 1.5, 1.5, 1],
        "full": [1.5, 3, 1.5, 1.5, 1, 2],
        "crop": [1, 1, 1, 1, 1, 1],
    }[framing]
    return int(rng.choice(len(SIZES), p=np.array(weights) / np.sum(weights)))


def _draw_camera(
    rng: np.random.Generator, people: list[Person], framing: str, aspect: float
) -> Camera:
    main = people[0]
    face, hips = main.keypoints[0], main.keypoints[11:13].mean(axis=0)
    chest = main.keypoints[5:7].mean(axis=0)
    azimuth = rng.normal(0, 18)
    above = rng.normal(4, 10)
    if framing == "webcam":
        fov = rng.uniform(55, 84)
        distance = rng.uniform(0.42, 1.0)
        target = face + rng.uniform(0.0, 0.75) * (chest - face) + rng.normal(0, 0.05, 3)
        above = rng.normal(-2, 9)
        seen = np.array([face])
    elif framing == "upper":
        fov = rng.uniform(35, 75)
        target = 0.5 * (face + hips) + rng.normal(0, 0.08, 3)
        seen = np.concatenate([person.keypoints[:13] for person in people[: rng.integers(1, 4)]])
        distance = 0.0
    elif framing == "full":
        fov = float(np.exp(rng.uniform(np.log(18), np.log(75))))
        if rng.random() < 0.22:
            above = rng.uniform(15, 60)
        group = people if rng.random() < 0.75 else people[:1]
        seen = np.concatenate([person.points[::7] for person in group])
        target = 0.5 * (seen.min(axis=0) + seen.max(axis=0)) + rng.normal(0, 0.12, 3)
        distance = 0.0
    else:
        fov = rng.uniform(25, 70)
        target = main.keypoints[rng.integers(17)] + rng.normal(0, 0.1, 3)
        seen = target + rng.uniform(0.2, 0.6) * rng.uniform(-1, 1, (12, 3))
        distance = 0.0
    elevation = np.radians(above)
    around = np.radians(azimuth)
    away = np.array(
        [np.sin(around) * np.cos(elevation), -np.cos(around) * np.cos(elevation), np.sin(elevation)]
    )
    if not distance:
        distance = _fit(seen, target, away, fov, aspect) * rng.uniform(0.82, 1.35)
        if framing == "full" and rng.random() < 0.15:
            distance *= rng.uniform(1.3, 2.2)
    position = target + away * distance
    position[2] = max(position[2], 0.12)
    return Camera(
        position.astype(np.float32),
        target.astype(np.float32),
        float(fov),
        float(rng.normal(0, 3.5)),
    )


def _fit(points: Floats, target: Floats, away: Floats, fov: float, aspect: float) -> float:
    """Distance from ``target`` at which all ``points`` are just inside the picture."""
    right = np.cross(-away, (0, 0, 1))
    right /= np.linalg.norm(right)
    down = np.cross(-away, right)
    tangent = np.tan(np.radians(fov / 2))
    offset = points - target
    nearer = offset @ away
    across = np.abs(offset @ right) / tangent
    along = np.abs(offset @ down) / (tangent / aspect)
    return float(max((np.maximum(across, along) + nearer).max(), 0.35))


def _draw_lights(rng: np.random.Generator, camera: Camera, behind: Floats | None) -> Lights:
    """Key light from anywhere above, often from the camera's side; colours warm to cold."""
    toward = -camera.axes[2]
    spin = turn("z", rng.normal(0, 60) if rng.random() < 0.75 else rng.uniform(-180, 180))
    sun = spin @ np.array([toward[0], toward[1], 0]) + np.array([0, 0, rng.uniform(0.25, 1.6)])
    sun /= np.linalg.norm(sun)
    fill = turn("z", rng.uniform(60, 300)) @ sun * [1, 1, 0.3]
    fill /= np.linalg.norm(fill)
    warm = rng.normal(0, 0.16)
    key = np.array([1 + warm, 1.0, 1 - 1.2 * warm])
    hard = rng.uniform(0.15, 0.85)  # share of the key light
    level = rng.uniform(0.75, 1.25)
    ambient = np.array([1 - 0.5 * warm, 1.0, 1 + 0.6 * warm])
    if behind is not None:
        tone = behind / max(float(behind.mean()), 1e-3)
        ambient = ambient * (0.5 + 0.5 * tone)
        key = key * (0.75 + 0.25 * tone)
        level *= float(np.clip(behind.mean() / 0.22, 0.45, 1.5)) ** 0.7
    return Lights(
        sun.astype(np.float32),
        (1.5 * hard * level * key).astype(np.float32),
        fill.astype(np.float32),
        (rng.uniform(0, 0.35) * level * ambient).astype(np.float32),
        (1.0 * (1.1 - hard) * level * ambient).astype(np.float32),
        (rng.uniform(0.25, 0.6) * (1.1 - hard) * level * ambient).astype(np.float32),
        float(rng.uniform(0.8, 4.0)),
    )


def _solid(material: int, solid: Solid, spin: Floats, at: Floats, *, casts: bool = True) -> Mesh:
    points, faces = solid
    posed = (points @ spin.T + at).astype(np.float32)
    return make_mesh(posed, faces, material, rest=points, casts=casts)


def _foreground(
    rng: np.random.Generator, people: list[Person], framing: str, camera: Camera,
    table: MaterialTable,
) -> list[Mesh]:  # fmt: skip
    """A desk with things on it between the camera and the first person, or a chair in the way."""
    main = people[0]
    hips = main.keypoints[11:13].mean(axis=0)
    toward = camera.position - hips
    toward[2] = 0
    toward = toward / max(float(np.linalg.norm(toward)), 1e-3)
    spin = turn("z", float(np.degrees(np.arctan2(toward[0], -toward[1]))))
    meshes: list[Mesh] = []
    at_desk = main.pose.name == "at a desk" or (framing == "webcam" and rng.random() < 0.2)
    # A desk is above the lap, and below the eye of a camera that stands on it.
    lap, eye = float(hips[2]), float(camera.position[2])
    top = min(lap + rng.uniform(0.14, 0.26), eye - 0.06 if framing == "webcam" else np.inf)
    if at_desk and top > lap + 0.05 and rng.random() < 0.85:
        material = table.add(
            Material(
                cloth_color(rng), cloth_color(rng), WOOD if rng.random() < 0.6 else 0, shine=0.1
            )
        )
        middle = hips * [1, 1, 0] + toward * rng.uniform(0.52, 0.72)
        base = np.array([middle[0], middle[1], 0], np.float32)
        meshes.append(
            _solid(material, box((rng.uniform(1.0, 1.8), 0.6, 0.04), (0, 0, top)), spin, base)
        )
        for _ in range(int(rng.integers(0, 5))):
            spot = np.array(
                [rng.uniform(-0.6, 0.6), rng.uniform(-0.26, 0.2), top + 0.02], np.float32
            )
            meshes += _desk_thing(rng, table, spin, base + spin @ spot)
    elif framing != "webcam" and rng.random() < 0.16:
        near = hips * [1, 1, 0] + toward * rng.uniform(0.4, 1.0) + rng.normal(0, 0.4, 3) * [1, 1, 0]
        tall = rng.uniform(0.25, 0.9) * max(float(hips[2]), 0.3)
        material = table.add(Material(cloth_color(rng), cloth_color(rng), WOOD, bump=0.1))
        size = (rng.uniform(0.2, 1.0), rng.uniform(0.2, 0.6), tall)
        around = turn("z", rng.uniform(0, 180))
        meshes.append(
            _solid(material, box(size, (0, 0, tall / 2)), around, near.astype(np.float32))
        )
    return meshes


def _desk_thing(
    rng: np.random.Generator, table: MaterialTable, spin: Floats, at: Floats
) -> list[Mesh]:
    kind = rng.random()
    row = table.add(Material(cloth_color(rng), shine=0.15))
    if kind < 0.3:  # a laptop, open towards its owner
        lid = turn("x", rng.uniform(-20, 10))
        shell = table.add(
            Material(linear(*[(180, 182, 186), (40, 40, 44)][rng.integers(2)]), shine=0.3)
        )
        points, faces = box((0.33, 0.008, 0.22), (0, 0, 0.11))
        return [
            _solid(shell, box((0.33, 0.23, 0.015)), spin, at),
            _solid(
                shell,
                ((points @ lid.T).astype(np.float32), faces),
                spin,
                at + spin @ np.array([0, -0.115, 0.0], np.float32),
            ),
        ]
    if kind < 0.65:
        high = rng.uniform(0.08, 0.26)
        wide = rng.uniform(0.03, 0.045)
        return [
            _solid(
                row,
                turned([(0, 0), (wide, 0), (wide, high * 0.8), (wide * 0.6, high), (0, high)]),
                spin,
                at,
            )
        ]
    if kind < 0.85:
        high = rng.uniform(0.02, 0.12)
        return [_solid(row, box((0.2, 0.26, high), (0, 0, high / 2)), spin, at)]
    high = rng.uniform(0.15, 0.4)
    return [_solid(row, box((rng.uniform(0.1, 0.45), 0.05, high), (0, 0, high / 2)), spin, at)]


def _furniture(
    rng: np.random.Generator, room: Room, camera: Camera, table: MaterialTable
) -> list[Mesh]:
    """Boxes along the walls: shelves, sofas, tables; never between the camera and the middle."""
    meshes = []
    for _ in range(int(rng.integers(0, 7))):
        size = np.array([rng.uniform(0.3, 1.8), rng.uniform(0.3, 0.8), rng.uniform(0.3, 2.0)])
        at = rng.uniform(room.low, room.high)
        axis = int(rng.integers(2))
        at[axis] = (room.low if rng.random() < 0.5 else room.high)[axis]
        at[2] = size[2] / 2
        ahead = (at - camera.position)[:2] @ camera.axes[2][:2]
        reach = float(np.linalg.norm(camera.position[:2])) + 0.9
        if ahead < reach:
            continue
        kind = WOOD if rng.random() < 0.5 else 0
        row = table.add(Material(cloth_color(rng), cloth_color(rng), kind, bump=0.05))
        spin = turn("z", 90.0 * axis)
        # No shadows from afar: they would cost the people's theirs resolution.
        meshes.append(_solid(row, box(size), spin, at.astype(np.float32), casts=False))
    return meshes
