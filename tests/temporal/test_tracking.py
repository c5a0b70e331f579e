"""People keep their numbers: moving, missed, crossing, merged, coming and going."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from bodypix import body
from bodypix.errors import InvalidArgumentError
from bodypix.results import Keypoint, PartSegmentation, PersonSegmentation, Pose
from bodypix.temporal import Tracker

HEIGHT, WIDTH = 240, 480
POINTS = np.random.default_rng(6).uniform((-18, -70), (18, 70), (body.KEYPOINTS, 2))


def person(x: float, y: float = 120, *, pose: bool = True, seed: int = 0) -> PersonSegmentation:
    """Somebody about 40 x 150 pixels, keypoints off by a few pixels as networks have them."""
    mask = np.zeros((HEIGHT, WIDTH), np.uint8)
    cv2.ellipse(mask, (round(x), round(y)), (20, 75), 0, 0, 360, 1, cv2.FILLED)
    return PersonSegmentation(mask, pose=_pose(x, y, seed) if pose else None)


def _pose(x: float, y: float, seed: int) -> Pose:
    random = np.random.default_rng(seed)
    points = POINTS + np.array([x, y]) + random.normal(0, 2, POINTS.shape)
    scores = random.uniform(0.2, 1.0, body.KEYPOINTS)
    return Pose(
        0.9,
        [
            Keypoint(name, float(px), float(py), float(score))
            for name, (px, py), score in zip(body.KEYPOINT_NAMES, points, scores, strict=True)
        ],
    )


@pytest.mark.parametrize("pose", [True, False])
@pytest.mark.parametrize("speed", [0, 3, 12])
def test_a_walk(pose, speed) -> None:
    tracker = Tracker()
    numbers = [tracker.update([person(60 + speed * t, pose=pose, seed=t)]) for t in range(25)]
    assert numbers == [[1]] * 25


def test_the_order_of_people_does_not_matter() -> None:
    tracker, random = Tracker(), np.random.default_rng(0)
    places = [60, 180, 300, 420]
    first = tracker.update([person(x) for x in places])
    assert first == [1, 2, 3, 4]
    for t in range(10):
        order = random.permutation(4)
        numbers = tracker.update([person(places[i] + 3 * t, seed=t) for i in order])
        assert numbers == [first[i] for i in order]


@pytest.mark.parametrize("gap", [1, 4, 10])
@pytest.mark.parametrize("speed", [0, 6])
def test_somebody_missed_for_a_while(gap, speed) -> None:
    tracker = Tracker()
    for t in range(12):
        tracker.update([person(60 + speed * t, seed=t), person(400, seed=t)])
    for t in range(12, 12 + gap):
        assert tracker.update([person(400, seed=t)]) == [2]
    back = 12 + gap
    assert tracker.update([person(60 + speed * back, seed=back), person(400)]) == [1, 2]


@pytest.mark.parametrize("hidden", [0, 3, 8])
@pytest.mark.parametrize("pose", [True, False])
def test_two_people_cross(hidden, pose) -> None:
    """They walk through one another; meanwhile the one behind is not found."""
    tracker, speed, frames = Tracker(), 8, 41
    numbers = []
    for t in range(frames):
        left, right = 80 + speed * t, 400 - speed * t
        found = [person(left, pose=pose, seed=t)]
        if abs(t - frames // 2) >= hidden / 2:
            found.append(person(right, 126, pose=pose, seed=t + 100))
        numbers.append(tracker.update(found))
    assert numbers[0] == numbers[-1] == [1, 2]
    assert all(some[0] == 1 for some in numbers)


def test_two_people_that_are_seen_as_one_for_a_moment() -> None:
    tracker = Tracker()
    for t in range(30):
        left, right = person(150 + 4 * t, seed=t), person(350 - 4 * t, seed=t)
        if 20 <= t < 24:
            together = PersonSegmentation(left.mask | right.mask, pose=left.pose)
            assert tracker.update([together]) == [1]
        else:
            assert tracker.update([left, right]) == [1, 2]


def test_newcomers_and_people_who_leave() -> None:
    tracker = Tracker(memory=3)
    assert tracker.update([]) == []
    assert tracker.update([person(60)]) == [1]
    assert tracker.update([person(60), person(300)]) == [1, 2]
    for _ in range(4):
        assert tracker.update([person(300)]) == [2]
    assert tracker.update([person(60), person(300)]) == [3, 2]


def test_somebody_elsewhere_is_somebody_else() -> None:
    tracker = Tracker()
    tracker.update([person(60)])
    assert tracker.update([person(400)]) == [2]


def test_reset_and_another_size() -> None:
    tracker = Tracker()
    assert tracker.update([person(60)]) == [1]
    tracker.reset()
    assert tracker.update([person(60)]) == [2]
    assert tracker.update([PersonSegmentation(np.ones((20, 30), np.uint8))]) == [3]


def test_part_maps_and_empty_masks() -> None:
    parts = PartSegmentation(np.where(person(60).mask > 0, 12, -1).astype(np.int32))
    nobody = PersonSegmentation(np.zeros((HEIGHT, WIDTH), np.uint8))
    tracker = Tracker()
    assert tracker.update([parts, nobody]) == [1, 2]
    assert tracker.update([parts]) == [1]


def test_options_out_of_range() -> None:
    with pytest.raises(InvalidArgumentError, match="memory: expected 0 frames or more, got -1"):
        Tracker(memory=-1)
    with pytest.raises(InvalidArgumentError, match="least_similarity: expected"):
        Tracker(least_similarity=1.5)


@pytest.mark.parametrize(
    ("people", "name"),
    [
        (PersonSegmentation(np.zeros((2, 2), np.uint8)), "PersonSegmentation"),
        ([np.zeros((2, 2), np.uint8)], "ndarray"),
        (None, "NoneType"),
    ],
)
def test_what_is_no_list_of_people(people, name) -> None:
    with pytest.raises(InvalidArgumentError, match=f"people: expected a list .*got {name}"):
        Tracker().update(people)
