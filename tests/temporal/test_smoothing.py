"""Smoothing: its formula, stillness where nothing moves, no lag where something does."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from bodypix.errors import InvalidArgumentError
from bodypix.temporal import SmoothingOptions, TemporalSmoother, smooth
from helpers.films import HEIGHT, WIDTH, answers, film, scene

THRESHOLD = 0.7


def smoothed(probabilities, frames, **options) -> list[np.ndarray]:
    smoother = TemporalSmoother(SmoothingOptions(**options))
    return [smoother(p, frame) for p, frame in zip(probabilities, frames, strict=True)]


def flicker(probabilities) -> float:
    """Mean change of the mask from frame to frame."""
    masks = np.stack(probabilities) > THRESHOLD
    return float((masks[1:] != masks[:-1]).mean())


def iou(one: np.ndarray, other: np.ndarray) -> float:
    return float((one & other).sum() / (one | other).sum())


def as_written(state, probability, image, strength=0.9, still=5.0, moving=15.0):
    """The formula of the module's docstring, line by line."""
    height, width = probability.shape
    longest = max(height, width)
    factor = max(1.0, longest / min(max(320, longest // 2), 480))
    size = (int(width / factor + 0.5), int(height / factor + 0.5))
    p = cv2.resize(probability, size, interpolation=cv2.INTER_AREA)
    g = cv2.resize(image.astype(np.float32), size, interpolation=cv2.INTER_AREA)
    if state is None:
        return (p, p, g), probability

    def ramp(x, low, high):
        return np.clip((x - low) / (high - low), 0, 1)

    s, q, r = state
    c = cv2.blur(np.abs(g - r).max(axis=2), (3, 3), borderType=cv2.BORDER_REPLICATE)
    sample = np.sort(c[::4, ::4].ravel())
    m = ramp(c - min(12, sample[sample.size // 4]), still, moving)
    b = ramp(np.abs(np.median([p, q, s], axis=0) - s), 0.25, 0.75)
    w = 1 - strength + strength * np.maximum(m, b)
    new = s + w * (p - s)
    answer = probability + cv2.resize(new - p, (width, height), interpolation=cv2.INTER_LINEAR)
    return (new, p, r + w[..., None] * (g - r)), np.clip(answer, 0, 1)


@pytest.mark.parametrize("size", [(120, 160), (97, 61), (480, 640), (300, 500), (720, 960), (3, 2)])
@pytest.mark.parametrize("options", [{}, {"strength": 0.6, "still": 2.0, "moving": 30.0}])
def test_the_formula(size, options) -> None:
    random = np.random.default_rng(1)
    ground = scene(5, *size)
    state = expected_state = None
    for _ in range(4):
        low = random.random((5, 7), np.float32)
        probability = np.clip(cv2.resize(low, size[::-1]) * 1.4 - 0.2, 0, 1)
        spot = cv2.resize(random.integers(0, 50, (4, 5, 3), np.uint8), size[::-1])
        image = cv2.add(ground, spot)
        state, answer = smooth(state, probability, image, SmoothingOptions(cuts=False, **options))
        expected_state, expected = as_written(expected_state, probability, image, **options)
        # A picture that is shrunk is rounded to whole levels on the way, once or twice.
        most, mean = (0.08, 0.003) if max(size) > 320 else (1e-5, 1e-6)
        assert np.abs(answer - expected).max() < most
        assert np.abs(answer - expected).mean() < mean


def test_a_still_picture_does_not_flicker() -> None:
    places = [80.0] * 30
    own, frames = answers(places, jitter=0.12), film(places)
    assert flicker(smoothed(own, frames)) < 0.25 * flicker(own)


@pytest.mark.parametrize("light", [0, 10])
@pytest.mark.parametrize("noise", [5, 9])
def test_noise_and_flickering_light_are_no_movement(noise, light) -> None:
    places = [80.0] * 20
    own = answers(places, jitter=0.12)
    frames = [
        cv2.add(frame, np.full_like(frame, light * (index % 2)))
        for index, frame in enumerate(film(places, noise=noise))
    ]
    assert flicker(smoothed(own, frames)) < 0.4 * flicker(own)


@pytest.mark.parametrize("speed", [0.5, 2, 6, 15])
def test_movement_is_followed_at_once(speed) -> None:
    places = [40 + speed * index for index in range(min(20, int(80 / speed)))]
    after = smoothed(answers(places), film(places))[-1] > THRESHOLD
    now = answers(places)[-1] > THRESHOLD
    assert iou(after, now) > 0.97
    if speed >= 2:
        before = answers(places)[-2] > THRESHOLD
        assert iou(after, now) > iou(after, before) + 0.02


def test_movement_without_contrast_is_one_frame_late() -> None:
    places = [50.0] * 5 + [100.0] * 3
    masks = [p > THRESHOLD for p in smoothed(answers(places), film(places, contrast=False))]
    assert iou(masks[5], masks[4]) > 0.9
    assert iou(masks[6], answers([100])[0] > THRESHOLD) > 0.9


def test_a_single_wrong_frame_is_not_believed() -> None:
    places = [80.0] * 12
    own = answers(places)
    own[6] = np.zeros_like(own[6])
    masks = [p > THRESHOLD for p in smoothed(own, film(places))]
    assert iou(masks[6], masks[5]) > 0.9
    assert iou(masks[7], masks[5]) > 0.9


def test_slow_changes_add_up() -> None:
    """A shadow that grows by half a level a frame is no movement until it has grown."""
    ground = scene(3).astype(np.float32)
    half = np.zeros((HEIGHT, WIDTH), np.float32)
    half[:, : WIDTH // 2] = 1.0
    seen, unseen = np.full_like(half, 0.95), np.full_like(half, 0.3)
    smoother = TemporalSmoother(SmoothingOptions(strength=0.99))
    for _ in range(5):
        smoother(seen, ground.astype(np.uint8))
    for index in range(30):
        shaded = ground - 1.5 * index * half[..., None]
        answer = smoother(
            np.where(half > 0, unseen, seen), np.clip(shaded, 0, 255).astype(np.uint8)
        )
    assert answer[:, : WIDTH // 2 - 8].max() < 0.5
    assert answer[:, WIDTH // 2 + 8 :].min() > 0.9


def test_the_beginning() -> None:
    (own,), (frame,) = answers([60]), film([60])
    state, answer = smooth(None, own, frame)
    np.testing.assert_array_equal(answer, own)
    assert state.frames == 1
    state, _ = smooth(state, own, frame)
    assert state.frames == 2


def test_a_cut_starts_anew() -> None:
    own, other = answers([60])[0], answers([100])[0]
    state, _ = smooth(None, own, scene(1))
    cut, answer = smooth(state, other, scene(2))
    np.testing.assert_array_equal(answer, other)
    assert cut.frames == 1
    held, _ = smooth(state, other, scene(2), SmoothingOptions(cuts=False))
    assert held.frames == 2


def test_another_size_starts_anew() -> None:
    state, _ = smooth(None, answers([60])[0], scene(1))
    small = np.full((30, 40), 0.5, np.float32)
    state, answer = smooth(state, small, scene(1, 30, 40))
    np.testing.assert_array_equal(answer, small)
    assert (state.frames, state.size) == (1, (30, 40))


def test_strength_zero_changes_nothing() -> None:
    places = [50.0, 60.0, 70.0]
    own = answers(places, jitter=0.2)
    for before, after in zip(own, smoothed(own, film(places), strength=0.0), strict=True):
        np.testing.assert_allclose(after, before, atol=1e-6)


def test_state_and_arguments_are_left_alone() -> None:
    places = [50.0, 56.0, 62.0]
    own, frames = answers(places, jitter=0.1), film(places)
    copies = [array.copy() for array in (*own, *frames)]
    state, _ = smooth(None, own[0], frames[0])
    first = smooth(state, own[1], frames[1])[1].copy()
    smooth(state, own[2], frames[2])
    np.testing.assert_array_equal(smooth(state, own[1], frames[1])[1], first)
    for array, copy in zip((*own, *frames), copies, strict=True):
        np.testing.assert_array_equal(array, copy)
    own[0][:] = 0.0  # a caller may use its memory again
    np.testing.assert_array_equal(smooth(state, own[1], frames[1])[1], first)


def test_the_smoother_keeps_the_state() -> None:
    places = [50.0, 56.0, 62.0]
    own, frames = answers(places, jitter=0.1), film(places)
    smoother, state = TemporalSmoother(), None
    assert smoother.frames == 0
    for number, (p, frame) in enumerate(zip(own, frames, strict=True), 1):
        state, expected = smooth(state, p, frame)
        np.testing.assert_array_equal(smoother(p, frame), expected)
        assert smoother.frames == number
        assert 0 <= expected.min() <= expected.max() <= 1
    smoother.reset()
    np.testing.assert_array_equal(smoother(own[1], frames[1]), own[1])


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"strength": 1.0}, "strength: expected"),
        ({"strength": -0.1}, "strength: expected"),
        ({"strength": "0.9"}, "strength: expected"),
        ({"strength": True}, "strength: expected"),
        ({"still": "x"}, "still, moving: expected"),
        ({"moving": None}, "still, moving: expected"),
        ({"strength": float("nan")}, "strength: expected"),
        ({"still": 20.0}, "still, moving: expected"),
        ({"moving": 300.0}, "still, moving: expected"),
        ({"still": -1.0}, "still, moving: expected"),
    ],
)
def test_options_out_of_range(options, message) -> None:
    with pytest.raises(InvalidArgumentError, match=message):
        SmoothingOptions(**options)


def test_refusals() -> None:
    (own,), (frame,) = answers([60]), film([60])
    with pytest.raises(InvalidArgumentError, match=r"probability: expected float32.*float64"):
        smooth(None, own.astype(np.float64), frame)
    with pytest.raises(InvalidArgumentError, match=r"probability: expected .*\(0, 4\)"):
        smooth(None, np.zeros((0, 4), np.float32), np.zeros((0, 4, 3), np.uint8))
    with pytest.raises(InvalidArgumentError, match="image: expected uint8 RGB"):
        smooth(None, own, frame[1:])
    with pytest.raises(InvalidArgumentError, match="image: expected uint8 RGB"):
        smooth(None, own, frame.astype(np.float32))


def test_what_is_no_array() -> None:
    with pytest.raises(InvalidArgumentError, match="probability: expected an array, got NoneType"):
        TemporalSmoother()(None, np.zeros((4, 4, 3), np.uint8))  # type: ignore[arg-type]
