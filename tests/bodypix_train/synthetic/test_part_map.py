"""The 24-part map: whole, mirrored, sane, the person's own left, and what the script makes."""

from __future__ import annotations

import numpy as np
import pytest

from bodypix.body import MIRRORED_PARTS, PART_NAMES
from bodypix_train.synthetic.body import Body, Phenotype
from bodypix_train.synthetic.camera import Camera
from bodypix_train.synthetic.partmap import load_part_map, make_part_map, mirrored_vertices

# Share of the body's skin: lower and upper bounds, both sides and both faces together.
SHARES = {
    "face": (0.06, 0.13),
    "torso": (0.24, 0.42),
    "upper_arm": (0.05, 0.12),
    "lower_arm": (0.04, 0.09),
    "hand": (0.03, 0.08),
    "upper_leg": (0.14, 0.25),
    "lower_leg": (0.09, 0.17),
    "feet": (0.04, 0.09),
}


@pytest.fixture(scope="module")
def parts():
    return load_part_map().parts


def areas(assets) -> np.ndarray:
    a, b, c = (assets.template[assets.faces[:, k]] for k in range(3))
    return 0.5 * np.linalg.norm(np.cross(b - a, c - a), axis=1)


def on_body(assets) -> np.ndarray:
    return assets.groups == assets.group_names.index("body")


def test_every_triangle_has_a_part(assets, parts):
    assert parts.shape == (len(assets.faces),)
    assert set(np.unique(parts[on_body(assets)])) == set(range(24))


def test_the_committed_map_is_what_the_script_makes(assets, parts):
    made = make_part_map(assets)
    np.testing.assert_array_equal(made.parts, parts)
    assert (made.nose, made.ears) == (load_part_map().nose, load_part_map().ears)


def test_left_and_right_mirror_exactly(assets, parts):
    mirror = mirrored_vertices(assets.template)
    part_of: dict[int, tuple[frozenset[int], int]] = {}
    for triangle, polygon, part in zip(assets.faces, assets.polygons, parts, strict=True):
        corners, _ = part_of.get(int(polygon), (frozenset(), 0))
        part_of[int(polygon)] = (corners | {int(v) for v in triangle}, int(part))
    by_corners = dict(part_of.values())
    assert len(by_corners) > 10_000
    for corners, part in by_corners.items():
        assert by_corners[frozenset(int(mirror[v]) for v in corners)] == MIRRORED_PARTS[part]


def test_polygons_are_not_split(assets, parts):
    low = np.full(assets.polygons.max() + 1, 255)
    high = np.zeros_like(low)
    np.minimum.at(low, assets.polygons, parts)
    np.maximum.at(high, assets.polygons, parts)
    there = np.unique(assets.polygons)
    np.testing.assert_array_equal(low[there], high[there])


@pytest.mark.parametrize("region", SHARES)
def test_areas_are_sane(assets, parts, region):
    ours = on_body(assets)
    area = np.bincount(parts[ours], areas(assets)[ours], minlength=24)
    members = [k for k, name in enumerate(PART_NAMES) if region in name]
    low, high = SHARES[region]
    assert low < area[members].sum() / area.sum() < high
    for name in PART_NAMES:
        if region in name and name.endswith("_front"):
            front, back = (
                area[PART_NAMES.index(n)] for n in (name, name.replace("_front", "_back"))
            )
            assert 0.6 < front / back < 1.7


def test_left_is_the_person_s_own(assets, parts):
    middle = assets.template[assets.faces].mean(axis=1)
    for part, name in enumerate(PART_NAMES):
        here = middle[(parts == part) & on_body(assets)]
        if name.startswith("left_"):
            assert here[:, 0].min() > 0
        elif name.startswith("right_"):
            assert here[:, 0].max() < 0


@pytest.mark.parametrize(
    ("angle", "seen", "unseen"), [(0, "front", "back"), (180, "back", "front")]
)
def test_a_person_who_faces_us_has_the_left_hand_on_our_right(assets, parts, angle, seen, unseen):
    pytest.importorskip("warp")
    from bodypix_train.synthetic.materials import Material, MaterialTable
    from bodypix_train.synthetic.mesh import make_mesh
    from bodypix_train.synthetic.raster import Lights, render

    body = Body(assets, Phenotype())
    ours = on_body(assets)
    table = MaterialTable()
    row = table.add(Material((1, 1, 1)))
    mesh = make_mesh(body.rest, assets.faces[ours], row, part=parts[ours], owner=0, one_sided=True)
    away = np.array([np.sin(np.radians(angle)), -np.cos(np.radians(angle)), 0], np.float32)
    camera = Camera(5 * away, np.zeros(3, np.float32), 28)
    one = np.ones(3, np.float32)
    lights = Lights(away, one, away, one, one, one, 1.0)
    part = render(mesh, table, camera.matrix, camera.position, lights, 200, 200).part

    def column(name: str) -> float:
        return float(np.nonzero(part == PART_NAMES.index(name))[1].mean())

    facing = 1 if angle == 0 else -1
    for limb in ("hand", "face", "feet", f"upper_leg_{seen}"):
        assert facing * (column(f"left_{limb}") - column(f"right_{limb}")) > 4
    count = np.bincount(part.ravel(), minlength=256)
    front, back = (count[PART_NAMES.index(f"torso_{side}")] for side in (seen, unseen))
    assert front > 20 * back
