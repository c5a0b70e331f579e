"""One whole person: drawn by lot, dressed, posed and placed in the world."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from bodypix.body import KEYPOINT_NAMES

from .assets import Assets, Floats
from .body import Body, Phenotype
from .clothes import Tailor, dress
from .head import Barber
from .joints import rotations, turn
from .looks import Looks, draw_looks, skin_material
from .materials import Material, MaterialTable, linear
from .mesh import Mesh, make_mesh, vertex_normals
from .outfits import cloth_color, draw_outfit
from .partmap import PartMap, load_part_map
from .poses import Pose, draw_pose
from .solids import Solid, box, turned

LIMB_KEYPOINTS = {
    "shoulder": "upperarm01", "elbow": "lowerarm01", "wrist": "wrist",
    "hip": "upperleg01", "knee": "lowerleg01", "ankle": "foot",
}  # fmt: skip
"""Bone whose head is the keypoint."""

DEPTHS = {
    "nose": 0.03, "eye": 0.03, "ear": 0.07, "shoulder": 0.14, "elbow": 0.1, "wrist": 0.07,
    "hip": 0.22, "knee": 0.13, "ankle": 0.1,
}  # fmt: skip
DEPTH_OF_KEYPOINT = np.array([DEPTHS[n.rpartition("_")[2]] for n in KEYPOINT_NAMES], np.float32)
"""(17,) metres that a keypoint may lie behind the surface it is seen through (clothes included)."""


class Casting:
    """What all people share: the base mesh, its part map, measures. Made once per process."""

    def __init__(self, assets: Assets) -> None:
        self.assets = assets
        self.parts: PartMap = load_part_map()
        self.tailor = Tailor(assets)
        self.barber = Barber(self.tailor, self.parts)


@dataclass(frozen=True)
class Person:
    """A person in the world.

    keypoints (17, 3) metres, COCO order; points (V, 3) of the body (helpers included); height of
    the body's top above its lowest point in metres.
    """

    meshes: list[Mesh]
    things: list[Mesh]  # what they hold, sit on or carry: not part of the person
    keypoints: Floats
    points: Floats
    pose: Pose
    looks: Looks
    phenotype: Phenotype


def draw_phenotype(rng: np.random.Generator) -> Phenotype:
    """All ages from six years on, mostly adults; all builds."""
    age = float(
        rng.choice(
            [rng.uniform(0.2, 0.5), rng.uniform(0.55, 0.8), rng.uniform(0.8, 1)],
            p=[0.14, 0.62, 0.24],
        )
    )
    gender = float(np.clip(rng.choice([0.08, 0.92]) + rng.normal(0, 0.12), 0, 1))
    african, asian, caucasian = rng.dirichlet([0.6, 0.6, 0.6])
    return Phenotype(
        gender=gender,
        age=age,
        muscle=float(rng.beta(2.5, 2.5)),
        weight=float(rng.beta(2.2, 2.2)),
        height=float(np.clip(rng.normal(0.4, 0.16), 0.05, 0.95)),
        proportions=float(rng.uniform(0.2, 1)),
        cupsize=float(rng.beta(2, 2)),
        firmness=float(rng.uniform(0.2, 0.9)),
        african=float(african),
        asian=float(asian),
        caucasian=float(caucasian),
    )


def draw_person(
    rng: np.random.Generator, casting: Casting, table: MaterialTable, owner: int, *, close: bool,
    place: tuple[float, float] = (0.0, 0.0), facing: float = 0.0,
) -> Person:  # fmt: skip
    """``place``: metres on the floor; ``facing``: degrees, 0 looks towards -y."""
    phenotype = draw_phenotype(rng)
    looks = draw_looks(rng, female=phenotype.gender, age=phenotype.age)
    pose = draw_pose(rng, close=close)
    body = Body(casting.assets, phenotype, _draw_expression(rng))
    transforms = body.transforms(rotations(body, pose.angles))
    world = turn("z", facing) @ turn("y", pose.side) @ turn("x", -pose.lie)
    transforms = np.einsum("ij,bjk->bik", world, transforms)
    points = body.skin(transforms)
    used = casting.assets.faces[casting.tailor.faces["body"]]
    on_body = np.unique(used)
    middle = body.joint("root") @ world.T
    move = np.array([place[0] - middle[0], place[1] - middle[1], -points[on_body, 2].min()])
    transforms[:, :, 3] += move
    points = (points + move).astype(np.float32)

    normals = vertex_normals(points, casting.assets.faces)
    barber, tailor = casting.barber, casting.tailor
    garments = draw_outfit(rng, tailor, female=phenotype.gender)
    hat = barber.headwear(rng, looks)
    if hat is not None:
        garments.append(hat)
    meshes, bare = dress(tailor, casting.parts, garments, points, normals, table, owner)
    bare = np.minimum(bare, barber.under_hair(looks))
    head = transforms[casting.assets.bones.index("head")]
    hidden = hat.cut if hat is not None else None
    meshes += barber.hair_meshes(looks, body, transforms, points, normals, hidden, table, owner)
    meshes += barber.fixed_meshes(rng, looks, body, head, hat, table, owner)
    meshes += barber.eye_meshes(looks, points, body.rest, table, owner)
    meshes.append(
        make_mesh(
            points,
            used,
            table.add(skin_material(looks)),
            normals=normals,
            rest=casting.assets.template,
            tint=barber.tint(looks),
            cut=bare,
            part=casting.parts.parts[tailor.faces["body"]],
            owner=owner,
            one_sided=True,
        )
    )
    things = _carried(rng, casting, body, transforms, pose, table)
    keypoints = _keypoints(casting, body, transforms, points)
    return Person(meshes, things, keypoints, points[on_body], pose, looks, phenotype)


def _draw_expression(rng: np.random.Generator) -> dict[str, float]:
    closed = rng.uniform(0.6, 1) if rng.random() < 0.08 else rng.uniform(0, 0.3)
    return {
        "mouth-open": rng.uniform(0.2, 0.9) if rng.random() < 0.25 else 0.0,
        "mouth-corner-puller": rng.uniform(0, 1) if rng.random() < 0.5 else 0.0,
        "mouth-pursing": rng.uniform(0, 0.6) if rng.random() < 0.1 else 0.0,
        "eye-left-closure": closed,
        "eye-right-closure": closed,
        "eyebrows-left-up": (brows := rng.uniform(0, 0.7)),
        "eyebrows-right-up": brows,
    }


def _keypoints(casting: Casting, body: Body, transforms: Floats, points: Floats) -> Floats:
    result = np.zeros((len(KEYPOINT_NAMES), 3), np.float32)
    bones = casting.assets.bones
    for index, name in enumerate(KEYPOINT_NAMES):
        side, _, kind = name.rpartition("_")
        letter = {"left": "L", "right": "R"}.get(side, "")
        if kind == "nose":
            result[index] = points[casting.parts.nose]
        elif kind == "ear":
            result[index] = points[casting.parts.ears["LR".index(letter)]]
        elif kind == "eye":
            result[index] = points[casting.barber.eye_vertices["LR".index(letter)]].mean(axis=0)
        else:
            bone = f"{LIMB_KEYPOINTS[kind]}.{letter}"
            turned_by = transforms[bones.index(bone)]
            result[index] = turned_by[:, :3] @ body.joint(bone) + turned_by[:, 3]
    return result


def _carried(
    rng: np.random.Generator, casting: Casting, body: Body, transforms: Floats, pose: Pose,
    table: MaterialTable,
) -> list[Mesh]:  # fmt: skip
    """Things in hands, on the back and below: phones, cups, bags, stools."""
    bones = casting.assets.bones
    meshes: list[Mesh] = []

    def add(solid: Solid, material: Material, frame: Floats) -> None:
        points, faces = solid
        posed = points @ frame[:, :3].T + frame[:, 3]
        meshes.append(make_mesh(posed, faces, table.add(material), rest=points))

    side = str(rng.choice(["L", "R"]))
    wrist, knuckle = body.joint(f"wrist.{side}"), body.joint(f"finger3-1.{side}")
    across = body.joint(f"finger5-1.{side}") - body.joint(f"finger2-1.{side}")
    along = (knuckle - wrist) / np.linalg.norm(knuckle - wrist)
    across = across - (across @ along) * along
    across /= np.linalg.norm(across)
    palm = np.cross(along, across) * (1 if side == "L" else -1)
    frame = transforms[bones.index(f"wrist.{side}")]
    hold = np.concatenate(
        [
            frame[:, :3] @ np.stack([across, palm, along], axis=1),
            (frame[:, :3] @ (knuckle + 0.03 * palm + 0.01 * along) + frame[:, 3])[:, None],
        ],
        axis=1,
    ).astype(np.float32)
    lot = rng.random()
    if lot < 0.1:
        add(box((0.074, 0.009, 0.15)), Material(cloth_color(rng), shine=0.3), hold)
    elif lot < 0.17:
        cup = turned(
            [(0.0, -0.05), (0.032, -0.05), (0.04, 0.06), (0.036, 0.06), (0.03, -0.04), (0, -0.04)]
        )
        upright = hold.copy()
        upright[:, :3] = np.eye(3)
        add(cup, Material(cloth_color(rng), shine=0.2), upright)
    elif lot < 0.21:
        add(box((0.15, 0.02, 0.21)), Material(cloth_color(rng)), hold)
    elif lot < 0.26 and pose.name in ("standing", "walking", "talking"):
        hang = hold.copy()
        hang[:, :3] = turn("z", rng.uniform(0, 180))
        hang[2, 3] -= 0.3
        add(box((rng.uniform(0.25, 0.42), 0.13, 0.3)), Material(cloth_color(rng), bump=0.2), hang)
    if rng.random() < 0.06:
        spine = body.joint("spine01")
        back = box((0.3, 0.16, 0.42), spine + np.array([0, 0.17, -0.12], np.float32))
        add(back, Material(cloth_color(rng), bump=0.3), transforms[bones.index("spine02")])
    if pose.seated:
        meshes += _seat(rng, body, transforms, bones, table)
    return meshes


def _seat(
    rng: np.random.Generator, body: Body, transforms: Floats, bones: tuple[str, ...],
    table: MaterialTable,
) -> list[Mesh]:  # fmt: skip
    root = transforms[bones.index("root")]
    at = root[:, :3] @ body.joint("root") + root[:, 3]
    top = max(float(at[2]) - 0.14, 0.1)
    ahead = root[:, :3] @ np.array([0, -1, 0], np.float32)
    angle = float(np.degrees(np.arctan2(ahead[0], -ahead[1])))
    spin = turn("z", angle)
    material = table.add(Material(cloth_color(rng), linear(90, 60, 40), bump=0.1))
    wide = rng.uniform(0.42, 0.6)
    solids = [box((wide, 0.46, 0.07), (0, -0.1, top - 0.035))]
    if rng.random() < 0.5:
        solids.append(box((wide * 0.9, 0.4, top - 0.07), (0, -0.1, (top - 0.07) / 2)))
    else:
        solids += [
            box((0.04, 0.04, top), (x * (wide / 2 - 0.03), -0.1 + y * 0.2, top / 2))
            for x in (-1, 1)
            for y in (-1, 1)
        ]
    if rng.random() < 0.7:
        solids.append(box((wide, 0.06, rng.uniform(0.35, 0.7)), (0, 0.24, top + 0.3)))
    meshes = []
    for points, faces in solids:
        posed = points @ spin.T + np.array([at[0], at[1], 0], np.float32)
        meshes.append(make_mesh(posed.astype(np.float32), faces, material, rest=points))
    return meshes
