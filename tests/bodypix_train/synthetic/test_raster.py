"""The renderer on scenes small enough to know the answer."""

from __future__ import annotations

import numpy as np
import pytest

pytest.importorskip("warp")

from bodypix_train.synthetic.camera import Camera
from bodypix_train.synthetic.materials import Material, MaterialTable
from bodypix_train.synthetic.mesh import NOBODY, join, make_mesh, vertex_normals
from bodypix_train.synthetic.raster import Lights, project, render
from bodypix_train.synthetic.solids import ball, box, tube, turned

SIZE = 64


def vector(*values: float) -> np.ndarray:
    return np.array(values, np.float32)


AHEAD = Camera(vector(0, 0, 0), vector(0, 1, 0), 90)
LIGHTS = Lights(
    vector(0, -0.8, 0.6), vector(1, 1, 1), vector(0, -1, 0), vector(0, 0, 0),
    vector(0.2, 0.2, 0.2), vector(0.2, 0.2, 0.2), 1.0,
)  # fmt: skip


def square(depth: float, half: float, *, part: int, owner: int, cut=None):
    points = vector(-half, depth, -half, half, depth, -half, half, depth, half, -half, depth, half)
    faces = np.array([[0, 1, 2], [0, 2, 3]], np.int32)
    return make_mesh(points.reshape(4, 3), faces, 0, part=part, owner=owner, cut=cut)


def shoot(*meshes):
    table = MaterialTable()
    table.add(Material((0.5, 0.5, 0.5)))
    return render(join(meshes), table, AHEAD.matrix, AHEAD.position, LIGHTS, SIZE, SIZE)


def test_covers_the_right_pixels_at_the_right_depth():
    seen = shoot(square(2, 1, part=7, owner=0))
    expected = np.full((SIZE, SIZE), NOBODY)
    expected[16:48, 16:48] = 7
    np.testing.assert_array_equal(seen.part, expected)
    np.testing.assert_allclose(seen.depth[expected == 7], 2, rtol=1e-5)
    assert np.isinf(seen.depth[0, 0])
    assert seen.owner[0, 0] == -1


@pytest.mark.parametrize("order", [(0, 1), (1, 0)])
def test_the_nearer_wins_in_any_order(order):
    squares = [square(2, 0.5, part=1, owner=0), square(4, 4, part=2, owner=1)]
    seen = shoot(*(squares[k] for k in order))
    assert seen.part[32, 32] == 1
    assert seen.owner[32, 32] == 0
    assert seen.part[4, 4] == 2


def test_what_is_cut_away_is_not_there():
    half = square(2, 1, part=3, owner=0, cut=vector(-1, 1, 1, -1))
    seen = shoot(half)
    assert (seen.part[16:48, 33:48] == 3).all()
    assert (seen.part[16:48, 16:31] == NOBODY).all()


def test_what_is_behind_the_camera_is_not_seen():
    seen = shoot(square(-2, 1, part=3, owner=0), square(3, 0.2, part=4, owner=0))
    assert set(np.unique(seen.part)) == {4, NOBODY}


def test_things_cast_shadows():
    ground = make_mesh(
        vector(-3, 1, -1, 3, 1, -1, 3, 9, -1, -3, 9, -1).reshape(4, 3),
        np.array([[0, 1, 2], [0, 2, 3]], np.int32), 0,
    )  # fmt: skip
    points, faces = box((0.6, 0.6, 0.6), (0, 4, 0.2))
    lit = shoot(ground).color[38, 32]
    shadowed = shoot(ground, make_mesh(points, faces, 0)).color
    assert shadowed[34:44, 32].min() < 0.5 * lit.min()


@pytest.mark.parametrize(
    "solid",
    [box((1, 2, 3)), ball(), turned([(0, 0), (1, 0), (1, 1), (0, 1)]),
     tube(np.array([[0, 0, 0], [1, 0, 0], [2, 0.2, 0.0]]), 0.1)],
)  # fmt: skip
def test_solids_face_outwards(solid):
    points, faces = solid
    a, b, c = (points[faces[:, k]].astype(float) for k in range(3))
    volume = np.einsum("ij,ij->i", a, np.cross(b, c)).sum() / 6
    assert volume > 0


def test_normals_of_a_ball_point_outwards():
    points, faces = ball(2.0)
    normals = vertex_normals(points, faces)
    top = np.abs(points[:, 2]) < 1.9
    assert ((normals * points).sum(axis=1)[top] > 1.8).all()


def test_projects_right_and_down():
    x, y, inverse = project(vector(1, 2, 0.5)[None], AHEAD.matrix, SIZE, SIZE)[0]
    assert (x, y, inverse) == pytest.approx((48, 24, 0.5), abs=1e-4)


def test_rays_meet_what_is_projected():
    camera = Camera(vector(1, -2, 1.5), vector(0.2, 0.4, 1), 70, roll=8)
    rays = camera.rays(SIZE, 48)
    place = camera.position + 3 * rays[10, 50]
    x, y, inverse = project(place[None], camera.matrix, SIZE, 48)[0]
    assert (x, y, 1 / inverse) == pytest.approx((50.5, 10.5, 3), abs=1e-3)
