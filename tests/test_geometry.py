"""Sizes, padding and the two resize conventions, against the tables of the specification."""

from __future__ import annotations

import numpy as np
import pytest

from bodypix import geometry
from bodypix.errors import InvalidArgumentError
from bodypix.geometry import Frame, Padding

# Image size, stride, resolution -> input size, padding, grid, pose scale (y, x).
VECTORS = [
    ((480, 640), 16, "medium", (241, 321), (0, 0, 0, 0), (16, 21), (1.991701, 1.993769)),
    ((480, 640), 16, "low", (113, 161), (0, 0, 22, 22), (8, 11), (4.247788, 4.248447)),
    ((480, 640), 16, "high", (353, 481), (0, 0, 7, 7), (23, 31), (1.359773, 1.359667)),
    ((480, 640), 32, "medium", (225, 321), (0, 0, 22, 22), (8, 11), (2.133333, 2.130841)),
    ((73, 73), 32, "medium", (33, 33), (0, 0, 0, 0), (2, 2), (2.212121, 2.212121)),
    ((861, 1049), 16, "medium", (417, 513), (0, 0, 5, 5), (27, 33), (2.064748, 2.064327)),
    ((694, 309), 32, "medium", (321, 129), (37, 37, 0, 0), (11, 5), (2.392523, 2.395349)),
]


@pytest.mark.parametrize(
    ("value", "expected"),
    [(0.5, 1), (1.5, 2), (2.5, 3), (-0.5, 0), (-1.5, -1), (2.4, 2), (-2.6, -3)],
)
def test_js_round(value: float, expected: int) -> None:
    assert geometry.js_round(value) == expected


@pytest.mark.parametrize(
    ("resolution", "stride", "expected"),
    [
        (1920, 8, 1921), (1280, 16, 1281), (719, 16, 705), (545, 16, 545), (225, 8, 225),
        (240, 8, 241), (1000, 16, 993), (993, 16, 993), (562, 8, 561), (240, 16, 241),
        (0.5, 16, 1), (1, 16, 1), (33, 32, 33), (36.5, 32, 33),
    ],
)  # fmt: skip
def test_valid_input_resolution(resolution: float, stride: int, expected: int) -> None:
    got = geometry.to_valid_input_resolution(resolution, stride)
    assert got == expected
    assert got % 2 == 1
    assert (got - 1) % stride == 0
    assert geometry.to_valid_input_resolution(got, stride) == got


@pytest.mark.parametrize(
    ("resolution", "stride", "size", "expected"),
    [
        ("full", 16, (1920, 1080), (1921, 1073)),
        ("high", 16, (400, 900), (289, 673)),
        ("medium", 32, (694, 309), (321, 129)),
        ("low", 8, (930, 1001), (233, 249)),
        (0.675, 16, (1450, 789), (977, 529)),
        (2, 16, (640, 480), (1281, 961)),
        (0.1, 16, (640, 480), (65, 49)),
    ],
)
def test_input_resolution(
    resolution: geometry.InternalResolution,
    stride: int,
    size: geometry.ImageSize,
    expected: geometry.ImageSize,
) -> None:
    assert geometry.to_input_resolution_height_and_width(resolution, stride, size) == expected


@pytest.mark.parametrize(
    "resolution", [2.01, 0.09, -1, 0, "huge", "Medium", "0.5", True, None, float("nan"), [0.5]]
)
def test_internal_resolution_out_of_range(resolution: object) -> None:
    with pytest.raises(InvalidArgumentError, match="internal_resolution: expected") as caught:
        geometry.resolution_share(resolution)  # type: ignore[arg-type]
    assert repr(resolution) in str(caught.value)


@pytest.mark.parametrize(
    ("size", "stride", "resolution", "input_size", "padding", "grid", "scale"), VECTORS
)
def test_vectors_of_the_specification(
    size: geometry.ImageSize,
    stride: int,
    resolution: geometry.InternalResolution,
    input_size: geometry.ImageSize,
    padding: tuple[int, int, int, int],
    grid: geometry.ImageSize,
    scale: tuple[float, float],
) -> None:
    frame = Frame.of(size, resolution, stride)
    assert frame.input_size == input_size
    assert frame.padding == Padding(*padding)
    assert geometry.grid_size(input_size, stride) == grid
    got = geometry.pose_scale(size, input_size, frame.padding)
    assert got == pytest.approx(scale, abs=1e-6)


def literal_resize(image: np.ndarray, size: tuple[int, int], align_corners: bool) -> np.ndarray:
    """The bilinear resize as tfjs's CPU kernel writes it, in double precision."""
    height, width = image.shape[:2]
    result = np.empty((*size, *image.shape[2:]))
    align_y, align_x = align_corners and size[0] > 1, align_corners and size[1] > 1
    ratio_y = (height - align_y) / (size[0] - align_y)
    ratio_x = (width - align_x) / (size[1] - align_x)
    for y in range(size[0]):
        top = int(y * ratio_y)
        bottom = min(height - 1, int(np.ceil(y * ratio_y)))
        for x in range(size[1]):
            left = int(x * ratio_x)
            right = min(width - 1, int(np.ceil(x * ratio_x)))
            fy, fx = y * ratio_y - top, x * ratio_x - left
            upper = image[top, left] + (image[top, right] - image[top, left]) * fx
            lower = image[bottom, left] + (image[bottom, right] - image[bottom, left]) * fx
            result[y, x] = upper + (lower - upper) * fy
    return result


SIZES = [
    ((7, 9), (5, 4)),
    ((7, 9), (15, 22)),
    ((7, 9), (7, 9)),
    ((1, 1), (3, 2)),
    ((6, 1), (1, 5)),
    ((1, 8), (4, 1)),
    ((2, 3), (33, 17)),
]


@pytest.mark.parametrize(("size", "target"), SIZES)
@pytest.mark.parametrize("channels", [(), (3,)])
def test_resizes_are_those_of_tfjs(
    size: tuple[int, int], target: tuple[int, int], channels: tuple[int, ...]
) -> None:
    image = np.random.default_rng(0).integers(0, 256, (*size, *channels)).astype(np.float64)
    legacy = geometry.resize_bilinear_legacy(image.astype(np.uint8), target)
    np.testing.assert_allclose(legacy, literal_resize(image, target, False), rtol=0, atol=1e-4)
    aligned = geometry.resize_bilinear_aligned(image.astype(np.float32), target)
    np.testing.assert_allclose(aligned, literal_resize(image, target, True), rtol=0, atol=1e-4)
    assert legacy.dtype == aligned.dtype == np.float32


def test_aligned_resize_keeps_corners() -> None:
    grid = np.array([[1, 2], [3, 4]], np.float32)
    large = geometry.resize_bilinear_aligned(grid, (33, 17))
    assert large[[0, 0, -1, -1], [0, -1, 0, -1]].tolist() == [1, 2, 3, 4]


def test_unpadded_crop_is_an_aligned_resize() -> None:
    frame = Frame((97, 65), (49, 33), Padding(0, 0, 0, 0))
    grid = np.random.default_rng(1).normal(size=(4, 3)).astype(np.float32)
    expected = geometry.resize_bilinear_aligned(
        geometry.resize_bilinear_aligned(grid, (49, 33)), (97, 65)
    )
    np.testing.assert_allclose(
        geometry.scale_and_crop_to_image(grid, frame), expected, rtol=0, atol=1e-6
    )


@pytest.mark.parametrize("size", [(160, 160), (83, 83), (416, 416), (640, 480), (57, 161)])
@pytest.mark.parametrize("resolution", ["low", "medium", "high", "full", 2.0])
def test_no_border_line_is_lost(
    size: geometry.ImageSize, resolution: geometry.InternalResolution
) -> None:
    """Where the original overshoots the last pixel it answers 0; here it never overshoots."""
    frame = Frame.of(size, resolution, 16)
    ones = np.ones(geometry.grid_size(frame.input_size, 16), np.float32)
    np.testing.assert_allclose(geometry.scale_and_crop_to_image(ones, frame), 1.0, atol=1e-6)


def test_taps_of_every_size_stay_inside() -> None:
    for size in range(1, 70):
        for target in range(1, 70):
            for taps in (
                geometry.legacy_taps(size, target),
                geometry.aligned_taps(size, target),
                geometry.crop_taps(size, target, 3, 5),
                geometry.centred_taps(size, target, 3, 5),
            ):
                assert taps.low.min() >= 0
                assert taps.high.max() < size
                assert taps.weight.min() >= 0.0
                assert taps.weight.max() <= 1.0 or size == 1


@pytest.mark.parametrize("size", [(1, 1), (1, 300), (300, 1), (33, 47), (2, 2)])
@pytest.mark.parametrize("stride", [8, 16, 32])
@pytest.mark.parametrize("resolution", [0.1, "medium", 2.0])
def test_smallest_images(
    size: geometry.ImageSize, stride: int, resolution: geometry.InternalResolution
) -> None:
    frame = Frame.of(size, resolution, stride)
    assert min(frame.input_size) >= 1
    assert min(frame.padding) >= 0
    grid = np.full(geometry.grid_size(frame.input_size, stride), 3.0, np.float32)
    scores = geometry.scale_and_crop_to_image(grid, frame, apply_sigmoid=True)
    assert scores.shape == size
    np.testing.assert_allclose(scores, 1 / (1 + np.exp(-3.0)), atol=1e-6)


@pytest.mark.parametrize("size", [(480, 640), (333, 500), (97, 61)])
@pytest.mark.parametrize("resolution", ["low", "medium", "full", 2.0])
def test_centred_frames_lead_back_to_where_a_pixel_came_from(
    size: geometry.ImageSize, resolution: geometry.InternalResolution
) -> None:
    frame = Frame.of(size, resolution, 16, centred=True)
    paddings = (frame.padding[:2], frame.padding[2:])
    axes = zip(frame.image_taps, frame.input_size, size, paddings, strict=True)
    for taps, inner, pixels, (before, after) in axes:
        padded = before + pixels + after
        # Each network pixel's place in the image, read where each image pixel lies in the network.
        source = (np.arange(inner) + 0.5) * (padded / inner) - 0.5 - before
        place = source[taps.low] + (source[taps.high] - source[taps.low]) * taps.weight
        inside = slice(padded // inner + 1, pixels - padded // inner - 1)
        np.testing.assert_allclose(place[inside], np.arange(pixels)[inside], rtol=0, atol=1e-3)


def test_sigmoid() -> None:
    values = np.array([-1000.0, -100.0, -1.0, 0.0, 1.0, 100.0, 1000.0], np.float32)
    scores = geometry.sigmoid(values)
    assert scores.dtype == np.float32
    np.testing.assert_allclose(scores, [0, 0, 0.26894143, 0.5, 0.7310586, 1, 1], atol=1e-7)
    assert values[0] == -1000.0


@pytest.mark.parametrize(
    ("size", "target", "inner", "padding"),
    [
        ((480, 640), (353, 257), (193, 257), (80, 80, 0, 0)),
        ((640, 480), (353, 257), (343, 257), (5, 5, 0, 0)),
        ((640, 240), (353, 257), (353, 133), (0, 0, 62, 62)),
    ],
)
def test_resize_and_pad_to(
    size: tuple[int, int],
    target: tuple[int, int],
    inner: tuple[int, int],
    padding: tuple[int, int, int, int],
) -> None:
    image = np.full((*size, 3), 200, np.uint8)
    result, got = geometry.resize_and_pad_to(image, target)
    assert result.shape == (*target, 3)
    assert got == Padding(*padding)
    assert (result != 0).any(axis=2).sum() == inner[0] * inner[1]


def test_resize_and_pad_to_flips() -> None:
    image = np.random.default_rng(0).integers(0, 256, (30, 40, 3), np.uint8)
    flipped, _ = geometry.resize_and_pad_to(image, (17, 33), flip_horizontal=True)
    expected, _ = geometry.resize_and_pad_to(np.ascontiguousarray(image[:, ::-1]), (17, 33))
    np.testing.assert_array_equal(flipped, expected)
