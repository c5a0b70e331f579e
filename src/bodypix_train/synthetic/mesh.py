"""Triangles with everything the renderer wants to know of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]
NOBODY = 255  # part of triangles that are not a person


@dataclass(frozen=True)
class Mesh:
    """V vertices and F triangles, in world space.

    | field     | shape  | meaning                                                       |
    | --------- | ------ | ------------------------------------------------------------- |
    | points    | (V, 3) | metres                                                        |
    | normals   | (V, 3) | unit                                                          |
    | rest      | (V, 3) | where patterns are looked up, metres                          |
    | tint      | (V, 3) | multiplies the material's colour                              |
    | cut       | (V,)   | negative: not there                                           |
    | casts     | (V,)   | casts a shadow                                                |
    | faces     | (F, 3) | counter-clockwise seen from outside                           |
    | part      | (F,)   | part id, 255: not a person                                    |
    | owner     | (F,)   | index of the person, -1: a thing                              |
    | material  | (F,)   | row of the material table                                     |
    | one_sided | (F,)   | 1: not seen from behind                                       |
    """

    points: Floats
    normals: Floats
    rest: Floats
    tint: Floats
    cut: Floats
    casts: NDArray[np.bool_]
    faces: NDArray[np.int32]
    part: NDArray[np.uint8]
    owner: NDArray[np.int32]
    material: NDArray[np.int32]
    one_sided: NDArray[np.uint8]


def make_mesh(
    points: Floats,
    faces: NDArray[np.int32],
    material: int,
    *,
    normals: Floats | None = None,
    rest: Floats | None = None,
    tint: Floats | None = None,
    cut: Floats | None = None,
    part: NDArray[np.uint8] | int = NOBODY,
    owner: int = -1,
    one_sided: bool = False,
    casts: bool = True,
) -> Mesh:
    """A mesh of one material; what is not given is plain. Vertices without faces are dropped."""
    used, compact = np.unique(faces, return_inverse=True)
    faces = compact.reshape(faces.shape).astype(np.int32)
    points = np.ascontiguousarray(points[used], dtype=np.float32)
    count = len(used)

    def pick(values: Floats | None, default: Floats) -> Floats:
        return default if values is None else np.ascontiguousarray(values[used], np.float32)

    return Mesh(
        points,
        vertex_normals(points, faces) if normals is None else pick(normals, points),
        pick(rest, points),
        pick(tint, np.ones((count, 3), np.float32)),
        pick(cut, np.ones(count, np.float32)),
        np.full(count, casts),
        faces,
        np.broadcast_to(np.asarray(part, np.uint8), len(faces)),
        np.full(len(faces), owner, np.int32),
        np.full(len(faces), material, np.int32),
        np.full(len(faces), one_sided, np.uint8),
    )


def join(meshes: Sequence[Mesh]) -> Mesh:
    """One mesh of many."""
    columns = {f.name: [getattr(mesh, f.name) for mesh in meshes] for f in fields(Mesh)}
    starts = np.cumsum([0, *(len(mesh.points) for mesh in meshes[:-1])])
    columns["faces"] = [mesh.faces + start for mesh, start in zip(meshes, starts, strict=True)]
    return Mesh(**{name: np.concatenate(column) for name, column in columns.items()})


def vertex_normals(points: Floats, faces: NDArray[np.int32]) -> Floats:
    """(V, 3) unit normals, every triangle weighted by its area."""
    a, b, c = (points[faces[:, k]] for k in range(3))
    flat = np.cross(b - a, c - a)
    total = np.stack(
        [
            np.bincount(faces.ravel(), np.repeat(flat[:, k], 3), minlength=len(points))
            for k in range(3)
        ],
        axis=1,
    )
    length = np.linalg.norm(total, axis=1, keepdims=True)
    return (total / np.maximum(length, 1e-12)).astype(np.float32)


def smooth(
    points: Floats, faces: NDArray[np.int32], rounds: int, keep: Floats | None = None
) -> Floats:
    """Move every vertex to the mean of its neighbours, ``rounds`` times (cloth over a body).

    ``keep``: (V,) 0 moves fully, 1 stays.
    """
    edges = np.concatenate([faces[:, [0, 1]], faces[:, [1, 2]], faces[:, [2, 0]]])
    start, end = np.concatenate([edges, edges[:, ::-1]]).T
    count = np.maximum(np.bincount(start, minlength=len(points)), 1)[:, None]
    share = 1.0 if keep is None else (1 - keep)[:, None]
    for _ in range(rounds):
        mean = np.stack(
            [np.bincount(start, points[end, k], minlength=len(points)) for k in range(3)], axis=1
        )
        points = (points + share * (mean / count - points)).astype(np.float32)
    return points
