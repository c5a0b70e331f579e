"""The table of effects that all commands share, and films made with it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from fractions import Fraction
from typing import Any

import numpy as np
import pytest

import bodypix
from bodypix import drawing
from bodypix.cli.kinds import Effect, MovingEffect
from bodypix.errors import InvalidArgumentError
from bodypix.media import Frame
from bodypix.media.backdrops import Backdrop
from bodypix.media.effects import EFFECTS, Found, Look, Needs, apply, needs
from bodypix.media.filming import Film, film_stages
from bodypix.options import InferenceOptions
from bodypix.results import PartSegmentation, PersonSegmentation
from helpers.colours import RED, WHITE, colour_network, picture

FULL = InferenceOptions(internal_resolution="full")
BLACK = (0, 0, 0)


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> bodypix.BodyPix:
    path = tmp_path_factory.mktemp("model") / "colours.onnx"
    path.write_bytes(colour_network())
    return bodypix.load(path, device="cpu", threads=1)


def frames(*images: Any) -> Iterator[Frame]:
    """Frames at 10 a second."""
    for index, image in enumerate(images):
        yield Frame(image, index, Fraction(index, 10), Fraction(1, 10))


def filmed(model: bodypix.BodyPix, film: Film, *images: Any) -> list[Any]:
    """The pictures of a film."""
    stages = film_stages(model, lambda: film)
    return [frame.image for frame in stages["draw"](stages["segment"](frames(*images)))]


def test_the_commands_offer_what_the_table_holds() -> None:
    assert {effect.value for effect in MovingEffect} == set(EFFECTS)
    assert {effect.value for effect in Effect} <= set(EFFECTS)


def test_needs_of_several_effects() -> None:
    assert needs([]) == Needs(parts=False, people=False, poses=False, alpha=False)
    assert needs(["bokeh", "skeleton"]) == Needs(False, False, poses=True, alpha=False)
    assert needs(["people", "pixelate"]) == Needs(parts=True, people=True, poses=False, alpha=False)
    assert needs(["blur-face", "cutout"]) == Needs(
        parts=True, people=False, poses=False, alpha=True
    )


@pytest.mark.parametrize(
    ("names", "message"),
    [(["glow"], "effect: expected one of 'bokeh'"), (["cutout", "bokeh"], "cutout as the last")],
)
def test_effects_that_cannot_be(names: list[str], message: str) -> None:
    with pytest.raises(InvalidArgumentError, match=message):
        needs(names)
    with pytest.raises(InvalidArgumentError, match=message):
        Film(names)


@pytest.mark.parametrize("name", list(EFFECTS))
def test_every_effect_on_a_film(model: bodypix.BodyPix, name: str) -> None:
    image = picture()
    (drawn,) = filmed(model, Film([name], options=FULL), image)
    assert drawn.shape == (160, 240, 4 if name == "cutout" else 3)
    assert drawn.dtype == np.uint8
    assert not np.array_equal(drawn, image) or name in ("blur-face", "mask", "bokeh")
    np.testing.assert_array_equal(image, picture())  # the frame itself stays as it was


def test_effects_on_a_film_without_people(model: bodypix.BodyPix) -> None:
    blank = np.zeros((160, 240, 3), np.uint8)
    for name in EFFECTS:
        (drawn,) = filmed(model, Film([name], options=FULL), blank)
        assert drawn.shape[:2] == blank.shape[:2], name
    (cut,) = filmed(model, Film(["cutout"], options=FULL), blank)
    assert not cut[..., 3].any()


def test_effects_one_over_the_other(model: bodypix.BodyPix) -> None:
    look = Look(background=WHITE)
    film = Film(["replace", "skeleton"], look, options=FULL)
    (drawn,) = filmed(model, film, picture())
    person = model.segment_person(picture(), internal_resolution="full")
    behind = drawing.replace_background(picture(), person, WHITE)
    strong = [pose for pose in person.all_poses if pose.score >= 0.4]
    expected = EFFECTS["skeleton"].draw(Found(behind, [person], False, strong), look)
    np.testing.assert_array_equal(drawn, expected)
    assert tuple(drawn[5, 5]) == WHITE


def test_no_effect_leaves_the_picture(model: bodypix.BodyPix) -> None:
    (drawn,) = filmed(model, Film([], options=FULL), picture())
    np.testing.assert_array_equal(drawn, picture())


def test_a_person_keeps_the_colour_of_their_number() -> None:
    image = np.zeros((40, 60, 3), np.uint8)
    left, right = np.zeros((2, 40, 60), np.uint8)
    left[:, :20], right[:, 40:] = 1, 1
    people = [PersonSegmentation(left, track=3), PersonSegmentation(right, track=30)]
    look = Look(opacity=1)
    both = apply(["people"], Found(image, people, True, []), look)
    alone = apply(["people"], Found(image, people[1:], True, []), look)
    swapped = apply(["people"], Found(image, people[::-1], True, []), look)
    np.testing.assert_array_equal(both, swapped)
    np.testing.assert_array_equal(both[:, 40:], alone[:, 40:])
    assert tuple(both[0, 0]) == drawing.people_colors(24)[2]
    assert tuple(both[0, 59]) == drawing.people_colors(24)[29 % 24]
    assert tuple(both[0, 30]) == BLACK


def test_parts_and_people_together() -> None:
    image, ids = np.zeros((8, 8, 3), np.uint8), np.full((8, 8), 12, np.int32)
    found = Found(image, [PartSegmentation(ids, track=1)], True, [])
    look = Look(opacity=1)
    assert tuple(apply(["people"], found, look)[0, 0]) == drawing.people_colors(1)[0]
    assert tuple(apply(["people", "parts"], found, look)[0, 0]) == bodypix.body.RAINBOW[12]
    assert tuple(apply(["parts", "people"], found, look)[0, 0]) == drawing.people_colors(1)[0]


def test_photos_have_colours_in_the_order_of_people() -> None:
    image, mask = np.zeros((8, 8, 3), np.uint8), np.ones((8, 8), np.uint8)
    drawn = apply(["people"], Found(image, [PersonSegmentation(mask)], True, []), Look(opacity=1))
    assert tuple(drawn[0, 0]) == drawing.people_colors(1)[0]


def test_blur_face_of_nobody_blurs_nothing() -> None:
    image = picture()
    nobody = PartSegmentation(np.full(image.shape[:2], -1, np.int32))
    for people in ([], [nobody]):
        drawn = apply(["blur-face"], Found(image, people, True, []), Look())
        np.testing.assert_array_equal(drawn, image)


def test_blur_follows_the_size() -> None:
    assert Look().blur_for((100, 200, 3)) == 3
    assert Look().blur_for((640, 480)) == 6.4
    assert Look(blur=1.5).blur_for((640, 480)) == 1.5
    assert Look().blur_for((100, 26_000, 3)) == 250


class Counting(Backdrop):
    """A background that is whiter from time to time."""

    def at(self, time: Fraction) -> tuple[int, int, int]:
        return (int(time * 100), 0, 0)


def test_the_background_moves(model: bodypix.BodyPix) -> None:
    film = Film(["replace"], backdrop=Counting(BLACK), options=FULL)
    drawn = filmed(model, film, picture(), picture(), picture())
    assert [int(image[5, 5, 0]) for image in drawn] == [0, 10, 20]


def test_a_film_may_change_on_the_way(model: bodypix.BodyPix) -> None:
    ways = [Film(["replace"], Look(background=color), options=FULL) for color in (WHITE, RED)]
    ways += [Film(["parts"], options=FULL), Film(["people"], options=FULL)]
    remaining = iter([ways[0], *ways])
    stages = film_stages(model, lambda: next(remaining))
    drawn = [frame.image for frame in stages["draw"](stages["segment"](frames(*[picture()] * 4)))]
    corners = [tuple(map(int, image[5, 5])) for image in drawn]
    assert corners == [WHITE, RED, BLACK, BLACK]
    assert not np.array_equal(drawn[2], drawn[3])
    assert ways[0].finds_like(ways[1])
    assert not ways[1].finds_like(ways[2])
    assert not ways[0].finds_like(replace(ways[0], smoothing=None))
