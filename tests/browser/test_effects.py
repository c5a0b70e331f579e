"""Every effect changes the pixels it should, and no others, as Python draws them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from bodypix import body, drawing
from helpers.demo_page import Demo, Painted

Image = NDArray[np.uint8]

UNSURE = 0.02
"""Share of pixels away from edges that may be mixed: where the model hardly says yes or no."""


@pytest.fixture
def shown(demo: Demo, photo: Path) -> Demo:
    """The page with the photo."""
    demo.open(photo)
    return demo


def differ(drawn: Image, expected: Image) -> NDArray[np.bool_]:
    """(H, W): pixels more than 3 levels apart in any channel."""
    return (np.abs(drawn[..., :3].astype(int) - expected[..., :3]) > 3).any(axis=-1)


def zones(mask: Image, pixels: int) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Inside and outside of a mask, away from its edge."""
    kernel = np.ones((2 * pixels + 1,) * 2, np.uint8)
    return cv2.erode(mask, kernel) == 1, cv2.dilate(mask, kernel) == 0


def person(painted: Painted) -> Image:
    (found,) = painted.found
    return (found >= 0).astype(np.uint8) if found.dtype == np.int32 else found


def colored(painted: Painted, scale: str = "rainbow") -> Image:
    """(H, W, 4) uint8: parts in their colours, clear elsewhere."""
    (parts,) = painted.found
    layer = drawing.to_colored_part_mask(parts, scale)
    layer[parts < 0] = 0
    return layer


@pytest.mark.parametrize("scale", ["rainbow", "warm", "spectral"])
def test_parts_are_coloured(shown: Demo, scale: str) -> None:
    painted = shown.choose("parts", colorScale=scale, opacity=0.6)
    expected = drawing.draw_mask(painted.frame, colored(painted, scale), 0.6)
    assert len(np.unique(painted.found[0])) > 4
    assert differ(painted.drawn, expected).mean() < 0.001


@pytest.mark.parametrize("covers", ["background", "person"])
def test_a_mask_covers_the_background_or_the_person(shown: Demo, covers: str) -> None:
    painted = shown.choose("mask", opacity=0.5, maskCovers=covers)
    mask = person(painted)
    color = (0, 0, 0, 255) if covers == "background" else (124, 92, 232, 255)
    layer = np.zeros((*mask.shape, 4), np.uint8)
    layer[mask == (covers == "person")] = color
    assert differ(painted.drawn, drawing.draw_mask(painted.frame, layer, 0.5)).mean() < 0.001


def test_a_mask_can_be_blurred(shown: Demo) -> None:
    painted = shown.choose("mask", maskBlur=6)
    layer = drawing.to_mask(person(painted))
    expected = drawing.draw_mask(painted.frame, layer, 0.7, 6, kernel="boxes")
    assert differ(painted.drawn, expected).mean() < 0.01


def test_pixels_of_parts_are_large(shown: Demo) -> None:
    painted = shown.choose("pixelate", pixelCell=16, opacity=1)
    (parts,) = painted.found
    _, outside = zones(person(painted), 16)
    assert not differ(painted.drawn, painted.frame)[outside].any()
    centres = parts[8::16, 8::16]
    palette = np.array(body.RAINBOW)
    cells = painted.drawn[4::16, 4::16, :3].astype(int)
    assert (cells[centres >= 0] == palette[centres[centres >= 0]]).all()
    assert differ(painted.drawn, painted.frame)[person(painted) == 1].mean() > 0.5


def test_bokeh_blurs_the_background_alone(shown: Demo) -> None:
    painted = shown.choose("bokeh", backgroundBlur=6, edgeBlur=0)
    inside, outside = zones(person(painted), 12)
    expected = drawing.draw_bokeh_effect(painted.frame, person(painted), 6, 0, kernel="boxes")
    assert differ(painted.drawn, painted.frame)[inside].mean() < UNSURE
    assert differ(painted.drawn, expected)[outside].mean() < UNSURE
    assert differ(painted.drawn, painted.frame)[outside].mean() > 0.2


def test_the_background_becomes_a_colour(shown: Demo) -> None:
    painted = shown.choose("replace", background="color", backgroundColor="#1020f0", edgeBlur=0)
    inside, outside = zones(person(painted), 12)
    assert differ(painted.drawn, painted.frame)[inside].mean() < UNSURE
    assert (
        differ(painted.drawn, np.full_like(painted.frame, (16, 32, 240)))[outside].mean() < UNSURE
    )


def test_the_background_becomes_a_picture(shown: Demo, tmp_path: Path) -> None:
    picture = np.zeros((300, 900, 3), np.uint8)
    picture[:, :450], picture[:, 450:] = (200, 10, 30), (20, 180, 60)
    path = tmp_path / "flag.png"
    cv2.imwrite(str(path), picture[..., ::-1])
    shown.page.set_input_files("#backdrop-file", path)
    shown.page.wait_for_function(
        "() => document.getElementById('backdrop-name').textContent === 'flag.png'"
    )
    painted = shown.choose("replace", background="picture", edgeBlur=0)
    inside, outside = zones(person(painted), 12)
    expected = np.where(np.arange(512)[None, :, None] < 256, picture[0, 0], picture[0, -1])
    expected = np.broadcast_to(expected, painted.frame.shape)
    assert differ(painted.drawn, painted.frame)[inside].mean() < UNSURE
    assert differ(painted.drawn, expected)[outside].mean() < UNSURE


def test_a_cut_out_is_clear_around_the_person(shown: Demo) -> None:
    painted = shown.choose("cutout", edgeBlur=0)
    inside, outside = zones(person(painted), 12)
    assert (painted.drawn[inside, 3] < 250).mean() < UNSURE
    solid = inside & (painted.drawn[..., 3] == 255)
    assert not differ(painted.drawn, painted.frame)[solid].any()
    assert (painted.drawn[outside, 3] > 0).mean() < UNSURE


def test_the_face_is_blurred_and_other_parts_when_ticked(shown: Demo) -> None:
    painted = shown.choose("face", partBlur=8, edgeBlur=0)
    (parts,) = painted.found
    expected = drawing.blur_body_part(painted.frame, parts, (0, 1), 8, 0, kernel="boxes")
    assert differ(painted.drawn, expected).mean() < 0.01
    assert not differ(painted.drawn, painted.frame)[~np.isin(parts, (0, 1))].any()

    shown.page.check("input[aria-label='Torso, front']")
    painted = shown.choose("face", partBlur=9, edgeBlur=0)
    torso, _ = zones((parts == 12).astype(np.uint8), 3)
    assert differ(painted.drawn, painted.frame)[torso].mean() > 0.1


def test_poses_are_drawn_at_their_keypoints(shown: Demo) -> None:
    painted = shown.choose("pose")
    changed = differ(painted.drawn, painted.frame)
    nose = painted.poses[0]["keypoints"][0]
    assert nose["score"] > 0.5
    x, y = (round(nose["position"][axis]) for axis in "xy")
    assert changed[y - 2 : y + 3, x - 2 : x + 3].all()
    assert 0.001 < changed.mean() < 0.1


def test_a_skeleton_lies_over_an_effect(shown: Demo) -> None:
    painted = shown.choose("parts", skeleton=True, opacity=0)
    assert 0.001 < differ(painted.drawn, painted.frame).mean() < 0.1


def test_mirror_and_original(shown: Demo) -> None:
    plain = shown.choose("mask").drawn
    shown.page.keyboard.press("m")
    mirrored = shown.choose("mask", opacity=0.7).drawn
    assert not differ(mirrored[:, ::-1], plain).any()
    shown.page.keyboard.down("x")
    original = shown.page.evaluate("document.getElementById('compare').ariaPressed")
    shown.page.keyboard.up("x")
    assert original == "true"
    assert shown.page.get_attribute("#compare", "aria-pressed") == "false"


def test_nobody_shows_the_plain_picture(shown: Demo) -> None:
    empty: Any = shown.choose("parts", threshold=1)
    assert (empty.found[0] == -1).all()
    assert not differ(empty.drawn, empty.frame).any()


def test_people_one_by_one(shown: Demo) -> None:
    painted = shown.choose("mask", people="each", maskCovers="person", opacity=1)
    assert len(painted.found) == len(painted.poses) >= 1
    color = painted.drawn[painted.found[0] == 1, :3]
    assert (color == (124, 92, 232)).all()
