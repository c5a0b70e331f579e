"""Person logits to probability and mask, against the formula as it is written."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from bodypix import geometry
from bodypix.decoding import masks
from bodypix.decoding.masks import person_mask, person_probability
from bodypix.geometry import Frame

THRESHOLDS = [0.0, 1e-6, 0.3, 0.5, 0.7, 1 - 1e-7, 1.0]


def logits_for(frame: Frame, stride: int, seed: int, scale: float) -> np.ndarray:
    size = geometry.grid_size(frame.input_size, stride)
    return (np.random.default_rng(seed).normal(size=size) * scale).astype(np.float32)


def lone_person(frame: Frame, stride: int, seed: int) -> np.ndarray:
    """Nobody but for a few cells somewhere."""
    rng = np.random.default_rng(seed)
    logits = rng.uniform(-12, -9, geometry.grid_size(frame.input_size, stride)).astype(np.float32)
    y, x = (int(rng.integers(0, size)) for size in logits.shape)
    logits[y : y + 2, x : x + 3] = 4.0
    return logits


@pytest.mark.parametrize("stride", [16, 8, 4])
@pytest.mark.parametrize("resolution", ["low", "medium", "full", 2.0])
@pytest.mark.parametrize("size", [(1, 1), (1, 70), (70, 1), (33, 47), (160, 120), (97, 160)])
def test_probability_is_the_formulas(
    size: tuple[int, int], resolution: geometry.InternalResolution, stride: int
) -> None:
    frame = Frame.of(size, resolution, 16)
    for scale in (4.0, 60.0):
        logits = logits_for(frame, stride, 0, scale)
        got = person_probability(logits, frame)
        expected = geometry.scale_and_crop_to_image(logits, frame, apply_sigmoid=True)
        assert got.shape == size
        assert got.dtype == np.float32
        np.testing.assert_allclose(got, expected, rtol=0, atol=1e-5)


@pytest.mark.parametrize("threshold", THRESHOLDS)
@pytest.mark.parametrize("size", [(1, 1), (1, 70), (33, 47), (160, 120), (97, 160)])
def test_mask_is_the_probability_above_the_threshold(
    size: tuple[int, int], threshold: float
) -> None:
    for resolution in ("low", "medium", "full"):
        frame = Frame.of(size, resolution, 16)
        for stride in (16, 4):
            for seed in range(3):
                for logits in (
                    logits_for(frame, stride, seed, 5.0),
                    logits_for(frame, stride, seed, 60.0),
                    lone_person(frame, stride, seed),
                ):
                    probability = person_probability(logits, frame)
                    mask = person_mask(logits, frame, threshold)
                    assert mask.dtype == np.uint8
                    np.testing.assert_array_equal(mask, probability > np.float32(threshold))


def centred_logits(logits: np.ndarray, frame: Frame, stride: int) -> np.ndarray:
    axes = zip(
        frame.input_size,
        frame.image_size,
        (frame.padding[:2], frame.padding[2:]),
        strict=True,
    )
    taps = [geometry.centred_taps(*sizes, *padding, stride) for *sizes, padding in axes]
    return geometry.interpolate(logits, *taps)


@pytest.mark.parametrize("stride", [16, 8, 4])
@pytest.mark.parametrize("resolution", ["low", "medium", "high", "full", 2.0])
@pytest.mark.parametrize(
    "size", [(1, 1), (1, 70), (70, 1), (33, 47), (160, 120), (480, 640), (720, 1280)]
)
def test_centred_probability_is_the_formulas(
    size: tuple[int, int],
    resolution: geometry.InternalResolution,
    stride: int,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    frame = Frame.of(size, resolution, 16, centred=True)
    logits = logits_for(frame, stride, 0, 2.0)
    expected = centred_logits(logits, frame, stride)
    got = person_probability(logits, frame)
    assert got.shape == size
    assert got.dtype == np.float32
    # OpenCV may be off by an eighth of a pixel along each axis, on a slope that is this steep.
    steepest = sum(np.abs(np.diff(expected, axis=axis)).max(initial=0.0) for axis in range(2))
    off = masks._LARGEST_OFFSET * steepest / 4 + 1e-5
    np.testing.assert_allclose(got, geometry.sigmoid(expected), rtol=0, atol=off)

    monkeypatch.setattr(masks, "_LARGEST_OFFSET", -1.0)
    masks._enlargement.cache_clear()
    exact = person_probability(logits, frame)
    masks._enlargement.cache_clear()
    np.testing.assert_allclose(exact, geometry.sigmoid(expected), rtol=0, atol=1e-5)


def test_common_sizes_are_enlarged_by_opencv_and_without_an_offset() -> None:
    for size in ((480, 640), (720, 1280), (1080, 1920)):
        frame = Frame.of(size, "medium", 16, centred=True)
        grid = geometry.grid_size(frame.input_size, 4)
        assert masks._enlargement(grid, frame).first is not None
        ramp = np.add.outer(np.arange(grid[0]), np.arange(grid[1])).astype(np.float32)
        got = masks._image_logits(ramp, frame)
        np.testing.assert_allclose(got, centred_logits(ramp, frame, 4), rtol=0, atol=0.02)


@pytest.mark.parametrize("threshold", [*THRESHOLDS, 1e-40, 1 - 1e-12])
@pytest.mark.parametrize("size", [(1, 1), (1, 70), (33, 47), (160, 120), (480, 640)])
def test_centred_mask_is_the_probability_above_the_threshold(
    size: tuple[int, int], threshold: float
) -> None:
    limit = np.float32(threshold)
    for resolution in ("medium", "full"):
        frame = Frame.of(size, resolution, 16, centred=True)
        spread = logits_for(frame, 4, 1, 60.0)
        # Where rounding errors could bring the two apart.
        logit = float(np.clip(masks._logit(threshold), -80.0, 80.0))
        close = np.float32(logit) + logits_for(frame, 4, 2, 1e-6 * max(1.0, abs(logit)))
        for logits in (spread, close):
            mask = person_mask(logits, frame, threshold)
            assert mask.dtype == np.uint8
            probability = person_probability(logits, frame, threshold)
            np.testing.assert_array_equal(mask, probability > limit)
            values = geometry.sigmoid(masks._image_logits(logits, frame))
            np.testing.assert_allclose(probability, values, rtol=1e-6, atol=1e-37)


def test_centred_mask_of_a_broken_network_is_empty_where_it_is_broken() -> None:
    frame = Frame.of((160, 160), "full", 16, centred=True)
    logits = np.full((41, 41), 9.0, np.float32)
    logits[:10] = np.nan
    mask = person_mask(logits, frame, 0.7)
    assert not mask[:30].any()
    assert mask[50:].all()
    np.testing.assert_array_equal(mask, person_probability(logits, frame, 0.7) > np.float32(0.7))


def test_threshold_is_strict() -> None:
    frame = Frame.of((33, 33), "full", 16)
    zeros = np.zeros((3, 3), np.float32)
    assert not person_mask(zeros, frame, 0.5).any()
    assert person_mask(zeros, frame, 0.49999).all()
    assert not person_mask(zeros, frame, 0.7).any()


def test_a_value_of_the_probability_is_a_strict_threshold_too() -> None:
    frame = Frame.of((64, 80), "medium", 16)
    logits = logits_for(frame, 16, 5, 3.0)
    probability = person_probability(logits, frame)
    for value in np.quantile(probability, [0.1, 0.5, 0.9, 1.0], method="nearest"):
        np.testing.assert_array_equal(person_mask(logits, frame, float(value)), probability > value)


@pytest.mark.parametrize("centred", [False, True])
def test_a_person_at_the_very_edge_is_not_lost(centred: bool) -> None:
    frame = Frame.of((160, 160), "full", 16, centred=centred)
    for y, x in ((0, 0), (0, 10), (10, 0), (10, 10), (5, 10)):
        logits = np.full((11, 11), -9.0, np.float32)
        logits[y, x] = 9.0
        mask = person_mask(logits, frame, 0.7)
        assert mask[round(y / 10 * 159), round(x / 10 * 159)] == 1


@pytest.mark.parametrize("block", [1, 7, 1000])
def test_blocks_join_without_a_seam(monkeypatch: pytest.MonkeyPatch, block: int) -> None:
    frame = Frame.of((150, 70), "medium", 8)
    logits = logits_for(frame, 8, 1, 4.0)
    whole = person_probability(logits, frame)
    mask = person_mask(logits, frame, 0.6)
    monkeypatch.setattr(masks, "_BLOCK", block)
    masks._plan.cache_clear()
    np.testing.assert_array_equal(person_probability(logits, frame), whole)
    np.testing.assert_array_equal(person_mask(logits, frame, 0.6), mask)
    masks._plan.cache_clear()


@pytest.mark.parametrize("centred", [False, True])
def test_extreme_logits_warn_of_nothing(centred: bool) -> None:
    frame = Frame.of((33, 33), "full", 16, centred=centred)
    logits = np.array([[1e4, -1e4, 0]] * 3, np.float32)
    probability = person_probability(logits, frame)
    assert probability.min() >= 0.0
    assert probability.max() <= 1.0


@pytest.mark.parametrize("centred", [False, True])
def test_logits_may_be_a_view_and_are_left_alone(centred: bool) -> None:
    frame = Frame.of((48, 64), "full", 16, centred=centred)
    heads = np.random.default_rng(0).normal(size=(4, 5, 3)).astype(np.float32)
    before = heads.copy()
    got = person_probability(heads[..., 1], frame)
    np.testing.assert_array_equal(got, person_probability(heads[..., 1].copy(), frame))
    np.testing.assert_array_equal(heads, before)


def test_a_thread_does_not_disturb_another() -> None:
    from concurrent.futures import ThreadPoolExecutor

    frames = [Frame.of(size, "medium", 16) for size in ((480, 640), (333, 500), (97, 61))]
    jobs = [(logits_for(frame, 16, seed, 4.0), frame) for frame in frames for seed in range(8)]
    expected = [person_mask(logits, frame, 0.5) for logits, frame in jobs]
    with ThreadPoolExecutor(4) as pool:
        got = list(pool.map(lambda job: person_mask(*job, 0.5), jobs))
    for one, other in zip(got, expected, strict=True):
        np.testing.assert_array_equal(one, other)


def test_opencv_transposes_into_given_memory() -> None:
    """The decoding relies on it."""
    values, target = np.arange(6, dtype=np.float32).reshape(2, 3), np.empty((3, 2), np.float32)
    cv2.transpose(values, dst=target)
    np.testing.assert_array_equal(target, values.T)
