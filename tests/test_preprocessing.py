"""The network's input, against the resize as `geometry` writes it."""

from __future__ import annotations

import numpy as np
import pytest

from bodypix import geometry, preprocessing
from bodypix.geometry import Frame

RNG = np.random.default_rng(0)


def expected_input(image: np.ndarray, frame: Frame, kind: str) -> np.ndarray:
    padded = geometry.pad(image, frame.padding)
    resized = geometry.resize_bilinear_legacy(padded, frame.input_size)
    if kind == "mobilenet":
        return resized / 127.5 - 1.0
    return resized + np.array([-123.15, -115.90, -103.06], np.float32)


@pytest.mark.parametrize("kind", ["mobilenet", "resnet50"])
@pytest.mark.parametrize("resolution", ["low", "medium", 0.337, "full", 2.0])
@pytest.mark.parametrize("size", [(1, 1), (1, 90), (90, 1), (33, 47), (160, 161), (480, 640)])
def test_same_numbers_as_the_formula(
    size: tuple[int, int], resolution: geometry.InternalResolution, kind: str
) -> None:
    frame = Frame.of(size, resolution, 16)
    image = RNG.integers(0, 256, (*size, 3), np.uint8)
    got = preprocessing.to_network_input(image, frame, kind)
    assert got.shape == (*frame.input_size, 3)
    assert got.dtype == np.float32
    tolerance = 1e-5 if kind == "mobilenet" else 1e-3
    np.testing.assert_allclose(got, expected_input(image, frame, kind), rtol=0, atol=tolerance)


def expected_bytes(image: np.ndarray, frame: Frame) -> np.ndarray:
    padded = geometry.pad(image, frame.padding).astype(np.float32)
    sizes = zip(padded.shape[:2], frame.input_size, strict=True)
    rows, columns = (geometry.centred_taps(size, target, 0, 0) for size, target in sizes)
    return geometry.interpolate(padded, rows, columns)


@pytest.mark.parametrize("kind", ["mobilenet", "resnet50"])
@pytest.mark.parametrize("resolution", ["low", "medium", 0.337, "full", 2.0])
@pytest.mark.parametrize("size", [(1, 1), (1, 90), (90, 1), (33, 47), (160, 161), (480, 640)])
def test_centred_input_is_the_formulas_in_bytes(
    size: tuple[int, int], resolution: geometry.InternalResolution, kind: str
) -> None:
    frame = Frame.of(size, resolution, 16, centred=True)
    image = RNG.integers(0, 256, (*size, 3), np.uint8)
    got = preprocessing.to_network_input(image, frame, kind)
    assert got.dtype == np.float32
    if kind == "mobilenet":
        got = (got + 1.0) * 127.5
    else:
        got = got - np.array([-123.15, -115.90, -103.06], np.float32)
    np.testing.assert_allclose(got, np.rint(got), rtol=0, atol=1e-4)
    np.testing.assert_allclose(got, expected_bytes(image, frame), rtol=0, atol=1.01)


def test_padding_is_black() -> None:
    frame = Frame.of((480, 640), "low", 16)
    assert frame.padding.left == 22
    got = preprocessing.to_network_input(np.full((480, 640, 3), 255, np.uint8), frame, "mobilenet")
    assert got[:, 0].max() == got[:, -1].max() == -1.0
    assert got[:, 80].min() == pytest.approx(1.0, abs=1e-6)


def test_groups_of_rows_join_without_a_seam(monkeypatch: pytest.MonkeyPatch) -> None:
    image = RNG.integers(0, 256, (97, 61, 3), np.uint8)
    frame = Frame.of((97, 61), "full", 8)
    whole = preprocessing.to_network_input(image, frame, "mobilenet")
    monkeypatch.setattr(preprocessing, "_GROUP_VALUES", 61 * 3 * 5)
    np.testing.assert_array_equal(preprocessing.to_network_input(image, frame, "mobilenet"), whole)


def test_columns_are_exact_should_opencv_sample_elsewhere(monkeypatch: pytest.MonkeyPatch) -> None:
    image = RNG.integers(0, 256, (49, 64, 3), np.uint8)
    frame = Frame.of((49, 64), "medium", 16)
    expected = preprocessing.to_network_input(image, frame, "mobilenet")

    def last_pixel(ramp: np.ndarray, size: tuple[int, int], **_: object) -> np.ndarray:
        return np.full((1, size[0]), ramp[0, -1])

    preprocessing._columns.cache_clear()
    monkeypatch.setattr(preprocessing.cv2, "resize", last_pixel)
    got = preprocessing.to_network_input(image, frame, "mobilenet")
    preprocessing._columns.cache_clear()
    np.testing.assert_allclose(got, expected, rtol=0, atol=1e-6)


def test_results_do_not_share_memory() -> None:
    frame = Frame.of((33, 47), "full", 16)
    white, black = (np.full((33, 47, 3), value, np.uint8) for value in (255, 0))
    first = preprocessing.to_network_input(white, frame, "mobilenet")
    kept = first.copy()
    preprocessing.to_network_input(black, frame, "mobilenet")
    np.testing.assert_array_equal(first, kept)
