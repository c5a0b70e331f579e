"""Part logits to a part map, against the argmax over all 24 activated channels."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from bodypix import geometry
from bodypix.decoding.parts import part_map
from bodypix.geometry import Frame

# Scores nearer than this may tie in float32, and the two ways of computing order them freely.
TIE = 1e-6


def literal(logits: np.ndarray, mask: np.ndarray, frame: Frame) -> tuple[np.ndarray, np.ndarray]:
    scores = geometry.scale_and_crop_to_image(logits, frame, apply_sigmoid=True)
    return np.where(mask > 0, scores.argmax(axis=2), -1), scores


def assert_same(logits: np.ndarray, mask: np.ndarray, frame: Frame) -> None:
    got = part_map(logits, mask, frame)
    expected, scores = literal(logits, mask, frame)
    assert got.dtype == np.int32
    assert got.shape == frame.image_size
    np.testing.assert_array_equal(got < 0, mask == 0)
    y, x = np.nonzero(got != expected)
    margin = scores[y, x, expected[y, x]] - scores[y, x, got[y, x]]
    assert margin.size == 0 or margin.max() < TIE


def noise(frame: Frame, stride: int, seed: int, scale: float) -> np.ndarray:
    size = (*geometry.grid_size(frame.input_size, stride), 24)
    return (np.random.default_rng(seed).normal(size=size) * scale).astype(np.float32)


def smooth(frame: Frame, stride: int, seed: int) -> np.ndarray:
    """Regions, as a network's answers have them."""
    logits = noise(frame, stride, seed, 4.0)
    channels = [cv2.GaussianBlur(channel, (0, 0), 1.5) for channel in np.moveaxis(logits, 2, 0)]
    return np.ascontiguousarray(np.stack(channels, axis=2).reshape(logits.shape))


def random_mask(size: tuple[int, int], seed: int, share: float) -> np.ndarray:
    return (np.random.default_rng(seed).random(size) < share).astype(np.uint8)


@pytest.mark.parametrize("centred", [False, True])
@pytest.mark.parametrize("stride", [16, 8, 4])
@pytest.mark.parametrize("resolution", ["low", "medium", "full", 2.0])
@pytest.mark.parametrize("size", [(1, 1), (1, 70), (70, 1), (33, 47), (90, 120), (97, 60)])
def test_same_parts_as_the_formula(
    size: tuple[int, int], resolution: geometry.InternalResolution, stride: int, centred: bool
) -> None:
    frame = Frame.of(size, resolution, 16, centred=centred)
    for seed, logits in enumerate((noise(frame, stride, 1, 2.0), smooth(frame, stride, 2))):
        for share in (0.01, 0.5, 1.0):
            assert_same(logits, random_mask(size, seed, share), frame)


@pytest.mark.parametrize("centred", [False, True])
def test_same_parts_for_a_compact_person(centred: bool) -> None:
    frame = Frame.of((240, 320), "medium", 16, centred=centred)
    mask = np.zeros((240, 320), np.uint8)
    cv2.ellipse(mask, (170, 130), (60, 90), 20, 0, 360, 1, -1)
    for stride in (16, 8, 4):
        for seed in range(4):
            assert_same(smooth(frame, stride, seed), mask, frame)


def test_nobody() -> None:
    frame = Frame.of((48, 64), "full", 16)
    got = part_map(noise(frame, 16, 0, 1.0), np.zeros((48, 64), np.uint8), frame)
    assert got.dtype == np.int32
    assert (got == -1).all()


def test_ties_go_to_the_lowest_id() -> None:
    frame = Frame.of((48, 64), "full", 16)
    everyone = np.ones((48, 64), np.uint8)
    logits = np.zeros((*geometry.grid_size(frame.input_size, 16), 24), np.float32)
    assert (part_map(logits, everyone, frame) == 0).all()
    logits[..., [7, 9]] = 2.0
    assert (part_map(logits, everyone, frame) == 7).all()
    logits[0, 0, 20] = 5.0  # a cell that must be looked at closely still has the tie in it
    got = part_map(logits, everyone, frame)
    assert got[0, 0] == 20
    assert set(np.unique(got)) == {7, 20}


def test_a_channel_that_is_second_at_every_corner_can_win_between_them() -> None:
    """The saving must not look at the winners of corners alone."""
    frame = Frame.of((17, 17), "full", 16)
    logits = np.full((2, 2, 24), -9.0, np.float32)
    logits[:, 0, 3], logits[:, 1, 3] = 4.0, -4.0
    logits[:, 0, 5], logits[:, 1, 5] = -4.0, 4.0
    logits[..., 8] = 1.0
    got = part_map(logits, np.ones((17, 17), np.uint8), frame)
    assert got[8, 0] == 3
    assert got[8, 8] == 8
    assert got[8, 16] == 5
    assert_same(logits, np.ones((17, 17), np.uint8), frame)


def test_logits_are_left_alone() -> None:
    frame = Frame.of((48, 64), "full", 16)
    logits = noise(frame, 16, 3, 1.0)
    before = logits.copy()
    part_map(logits, np.ones((48, 64), np.uint8), frame)
    np.testing.assert_array_equal(logits, before)
