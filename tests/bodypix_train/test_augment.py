"""Labels follow the picture, and left stays the person's own left."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from bodypix_train.datasets import augment
from bodypix_train.datasets.plan import (
    Augmentation,
    Outline,
    crop_placement,
    draw_light,
    outline,
    placement,
    thing_placement,
)
from bodypix_train.datasets.sample import Sample
from bodypix_train.datasets.warp import warp

SIZE = 97


def whole(sample: Sample, mirrored: bool) -> np.ndarray:
    """The affine map that shows the whole picture, mirrored or not."""
    height, width = sample.image.shape[:2]
    matrix = np.array([[(width - 1) / (SIZE - 1), 0, 0], [0, (height - 1) / (SIZE - 1), 0]], float)
    if mirrored:
        matrix[0] = [-matrix[0, 0], 0, width - 1]
    return matrix


def crop_of(sample: Sample, options: Augmentation, rng: np.random.Generator) -> augment.Crop:
    return augment.crop_at(sample, crop_placement(outline(sample), SIZE, options, rng), SIZE)


@pytest.mark.parametrize("mirrored", [False, True])
def test_left_stays_the_persons_own(sample: Sample, mirrored: bool) -> None:
    crop = augment.crop_at(sample, whole(sample, mirrored), SIZE)
    ids = crop.parts.argmax(axis=2)
    middle = ids.shape[0] // 2
    left, right = ids[middle, 4], ids[middle, 7]
    # Part 0 is on the picture's left; in a mirror the same place holds the person's other side.
    assert (left, right) == (0, 1)
    assert crop.person[0, 0] == 0
    assert crop.person[SIZE // 8, SIZE // 8] == 255


def test_targets_lie_on_the_persons_pixels(sample: Sample) -> None:
    rng = np.random.default_rng(1)
    for _ in range(30):
        crop = crop_of(sample, Augmentation(), rng)
        bright = crop.image[::4, ::4, 0].astype(int) - crop.image[::4, ::4, 2] > 50
        person = crop.person > 127
        # The figure is reddish and nothing else is; half a cell of blur is allowed at its edge.
        assert np.count_nonzero(bright != person) <= 0.15 * person.size
        assert crop.image.shape == (SIZE, SIZE, 3)
        assert crop.person.shape == crop.trust.shape == (25, 25)
        assert crop.parts.shape == (13, 13, 24)


def test_shrunk_labels_stay_in_place() -> None:
    """Where a person is in a picture, there its cells are in a crop that shows it much smaller."""
    person = np.zeros((301, 401), np.uint8)
    person[200:260, 300:380] = 255
    frame, zoom = (601, 801), 6.0
    matrix = np.array([[zoom, 0, 300.0], [0, zoom, 100.0]])
    shown = warp(person, matrix, frame, SIZE, 4).astype(float)
    rows, columns = np.mgrid[:25, :25]
    middle = (339.5 * 2, 229.5 * 2)
    x, y = ((shown * at).sum() / shown.sum() * 4 for at in (columns, rows))
    assert (x * zoom + 300, y * zoom + 100) == pytest.approx(middle, abs=2)


def test_empty_crops_show_nobody(sample: Sample) -> None:
    """In a wide picture with one figure at its edge there is room without it."""
    wide = Sample(
        "wide",
        np.pad(sample.image, ((0, 200), (0, 300), (0, 0))),
        np.pad(sample.person, ((0, 200), (0, 300))),
        np.pad(sample.trust, ((0, 200), (0, 300)), constant_values=255),
    )
    rng = np.random.default_rng(4)
    seen = {}
    for share in (0.0, 1.0):
        crops = [crop_of(wide, Augmentation(empty_share=share), rng) for _ in range(40)]
        seen[share] = sum(crop.person.max() >= 128 for crop in crops)
    assert seen[0.0] > 20
    assert seen[1.0] < seen[0.0] / 2  # not every try finds such a place


def test_close_ups_are_filled_by_a_part_of_somebody() -> None:
    person = np.zeros((50, 40), np.uint8)
    person[10:40, 5:15] = 255  # 60% of the height
    person[45:48, 30:33] = 255  # somebody else, far away
    picture = Outline((400, 320), person, ())
    options = Augmentation(person_share=1.0, close_share=1.0, stretch=1.0)
    rng = np.random.default_rng(3)
    matrices = [placement(picture, SIZE, options, rng) for _ in range(200)]
    shown = np.array([np.sqrt(abs(np.linalg.det(m[:, :2]))) * SIZE / 400 for m in matrices])
    near = np.array([(m @ (SIZE / 2, SIZE / 2, 1))[0] < 200 for m in matrices])
    assert 0.9 < near.mean() < 1
    assert shown[near].min() == pytest.approx(0.2)  # closer would only be blurred
    assert 0.4 < shown[near].max() <= 0.75 * 0.6 + 1e-6
    assert shown[~near] == pytest.approx(0.2)


def test_paste_adds_the_person(sample: Sample) -> None:
    rng = np.random.default_rng(2)
    empty = Sample(
        "empty", np.zeros((80, 80, 3), np.uint8), np.zeros((41, 41), np.uint8),
        np.full((41, 41), 255, np.uint8), np.zeros((11, 11, 24), np.uint8),
    )  # fmt: skip
    back = crop_of(empty, Augmentation(), rng)
    areas = []
    for _ in range(10):
        matrix = placement(outline(sample), SIZE, Augmentation(), rng)
        pasted = augment.paste(sample, matrix, back)
        areas.append(np.count_nonzero(pasted.person > 127))
        assert pasted.has_parts
    assert max(areas) > 50


def test_clutter_hides_the_person(sample: Sample) -> None:
    back = augment.crop_at(sample, whole(sample, False), SIZE)
    thing = np.full((30, 30, 4), (10, 200, 10, 255), np.uint8)
    hidden = 0
    for seed in range(10):
        matrix = thing_placement((30, 30), SIZE, np.random.default_rng(seed))
        crop = augment.clutter(thing, matrix, back)
        green = (crop.image[::4, ::4] == (10, 200, 10)).all(axis=2)
        # A cell at the thing's edge shows some of what is beside it.
        assert crop.person[green].max(initial=0) < 128
        assert np.count_nonzero(crop.person[green]) <= 0.1 * np.count_nonzero(green)
        assert (crop.person <= back.person).all()
        hidden += np.count_nonzero(back.person) - np.count_nonzero(crop.person)
    assert hidden > 0
    assert back.person.any()


def test_what_lies_wholly_on_somebody_is_worn(sample: Sample) -> None:
    person = np.zeros_like(sample.person)
    person[24:] = 255
    back = augment.crop_at(replace(sample, person=person), whole(sample, False), SIZE)
    badge = np.full((16, 16, 4), (10, 200, 10, 255), np.uint8)
    for top, worn in ((60, True), (16, False)):  # inside, and over the edge
        crop = augment.clutter(badge, np.array([[1.0, 0, -30], [0, 1.0, -top]]), back)
        assert (crop.image[top + 8, 38] == (10, 200, 10)).all()
        assert np.array_equal(crop.person, back.person) == worn


def test_light_keeps_shape_and_type(sample: Sample) -> None:
    rng = np.random.default_rng(3)
    for _ in range(20):
        image = augment.photograph(sample.image, draw_light(rng))
        assert image.shape == sample.image.shape
        assert image.dtype == np.uint8


def test_same_seed_same_crop(sample: Sample) -> None:
    crops = [crop_of(sample, Augmentation(), np.random.default_rng(7)) for _ in range(2)]
    assert np.array_equal(crops[0].image, crops[1].image)
    assert np.array_equal(crops[0].parts, crops[1].parts)


@pytest.mark.parametrize("mirrored", [False, True])
def test_keypoints_follow_the_picture(sample: Sample, mirrored: bool) -> None:
    keypoints = np.zeros((1, 17, 3), np.float32)
    keypoints[0, 9] = (16, 40, 2)  # left wrist, at the figure's left edge
    joined = replace(sample, instances=(sample.person > 0).astype(np.uint8), keypoints=keypoints)
    crop = augment.crop_at(joined, whole(sample, mirrored), SIZE)
    assert crop.poses is not None
    wrist = 10 if mirrored else 9  # seen in a mirror it is a right one
    rows, columns = np.nonzero(crop.poses["near"][..., wrist])
    dy, dx = (crop.poses["short_offsets"][rows, columns, i] for i in (wrist, wrist + 17))
    x = (63 - 16 if mirrored else 16) * 96 / 63
    assert np.allclose(columns * 16 + dx, x, atol=1e-3)
    assert np.allclose(rows * 16 + dy, 40 * 96 / 95, atol=1e-3)
    assert not crop.poses["near"][..., 19 - wrist].any()
    shown = crop.poses["long_offsets_weight"][..., wrist] > 0
    assert np.array_equal(shown, crop.person[::4, ::4] > 127)


def test_poses_are_unknown_once_somebody_is_put_on_top(sample: Sample) -> None:
    joined = replace(
        sample,
        instances=(sample.person > 0).astype(np.uint8),
        keypoints=np.zeros((1, 17, 3), np.float32),
    )
    matrix = whole(sample, False)
    back = augment.crop_at(joined, matrix, SIZE)
    assert back.poses is not None
    assert augment.paste(sample, matrix, back).poses is None
