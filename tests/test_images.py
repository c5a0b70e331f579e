"""Whatever a caller has for an image: the right pixels or a clear error."""

from __future__ import annotations

import struct
import zlib
from pathlib import Path

import cv2
import numpy as np
import pytest

from bodypix import images
from bodypix.errors import ImageError, InvalidArgumentError
from bodypix.image_headers import Header, read_header
from bodypix.images import decode_image, read_image, to_rgb

RNG = np.random.default_rng(0)
RGB = RNG.integers(0, 256, (12, 20, 3), np.uint8)
# JPEG blurs noise; a smooth picture comes back nearly as it was.
SMOOTH = cv2.resize(RNG.integers(0, 256, (3, 4, 3), np.uint8), (64, 48))


def encoded(suffix: str, rgb: np.ndarray, *parameters: int) -> bytes:
    pixels = rgb if rgb.ndim == 2 else rgb[..., [2, 1, 0, 3][: rgb.shape[2]]]
    ok, data = cv2.imencode(suffix, pixels, parameters)
    assert ok
    return data.tobytes()


def png_chunk(kind: bytes, content: bytes) -> bytes:
    return (
        struct.pack(">I", len(content))
        + kind
        + content
        + struct.pack(">I", zlib.crc32(kind + content))
    )


def exif(orientation: int, order: str = ">") -> bytes:
    mark = b"MM\x00*" if order == ">" else b"II*\x00"
    entry = struct.pack(order + "HHIHH", 274, 3, 1, orientation, 0)
    return mark + struct.pack(order + "IH", 8, 1) + entry + bytes(4)


def with_exif(jpeg: bytes, orientation: int, order: str = ">") -> bytes:
    content = b"Exif\x00\x00" + exif(orientation, order)
    return jpeg[:2] + b"\xff\xe1" + struct.pack(">H", len(content) + 2) + content + jpeg[2:]


def turned(rgb: np.ndarray, orientation: int) -> np.ndarray:
    """A stored picture that is to be turned by `orientation`, as it should be seen."""
    upright = {
        1: lambda a: a,
        2: np.fliplr,
        3: lambda a: np.rot90(a, 2),
        4: np.flipud,
        5: lambda a: np.swapaxes(a, 0, 1),
        6: lambda a: np.rot90(a, -1),
        7: lambda a: np.rot90(np.swapaxes(a, 0, 1), 2),
        8: lambda a: np.rot90(a, 1),
    }
    return upright[orientation](rgb)


# Arrays.


def test_rgb_bytes_pass_as_they_are() -> None:
    assert to_rgb(RGB) is RGB


def test_views_become_contiguous() -> None:
    got = to_rgb(RGB[:, ::-1])
    assert got.flags.c_contiguous
    np.testing.assert_array_equal(got, RGB[:, ::-1])


@pytest.mark.parametrize("grey", [RGB[..., 0], RGB[..., :1]])
def test_grey_becomes_three_equal_channels(grey: np.ndarray) -> None:
    got = to_rgb(grey)
    assert got.shape == (12, 20, 3)
    for channel in range(3):
        np.testing.assert_array_equal(got[..., channel], RGB[..., 0])


def test_alpha_is_composited_over_black() -> None:
    rgba = np.zeros((1, 3, 4), np.uint8)
    rgba[..., :3] = 200
    rgba[0, :, 3] = (0, 128, 255)
    assert to_rgb(rgba)[0, :, 0].tolist() == [0, 100, 200]


def test_16_bits_are_scaled() -> None:
    got = to_rgb(np.array([[0, 257, 65535, 128, 129]], np.uint16))
    assert got[0, :, 0].tolist() == [0, 1, 255, 0, 1]


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
def test_floats_from_0_to_1_are_scaled(dtype: type) -> None:
    got = to_rgb(np.array([[0.0, 0.5, 1.0]], dtype))
    assert got[0, :, 0].tolist() == [0, 128, 255]


@pytest.mark.parametrize(
    ("array", "message"),
    [
        (np.full((4, 4, 3), np.nan), "got NaN"),
        (np.full((4, 4, 3), 255.0), r"got 255\.\.255.*Divide by 255"),
        (np.array([[0.5, -0.1]]), r"got -0\.1\.\.0\.5"),
        (np.zeros((0, 5, 3), np.uint8), "at least one pixel"),
        (np.zeros((5, 0), np.uint8), "at least one pixel"),
        (np.zeros((3, 40, 50), np.uint8), "transpose"),
        (np.zeros((1, 40, 50, 3), np.uint8), "segment_batch"),
        (np.zeros((40, 50, 2), np.uint8), r"\(40, 50, 2\)"),
        (np.zeros(40, np.uint8), "expected shape"),
        (np.zeros((4, 4, 3), np.int64), r"got int64.*astype"),
        (np.zeros((4, 4), bool), "got bool"),
        (np.zeros((4, 4, 3), object), "got object"),
    ],
)
def test_arrays_that_are_no_images(array: np.ndarray, message: str) -> None:
    with pytest.raises(ImageError, match=message):
        to_rgb(array)


@pytest.mark.parametrize("thing", [None, 5, [[0, 0]], b"bytes"])
def test_things_that_are_no_images(thing: object) -> None:
    with pytest.raises(ImageError, match=f"got {type(thing).__name__}"):
        to_rgb(thing)  # type: ignore[arg-type]


# Files.


@pytest.mark.parametrize("suffix", [".png", ".bmp", ".tiff", ".webp"])
def test_lossless_formats(suffix: str, tmp_path: Path) -> None:
    path = tmp_path / ("picture" + suffix)
    path.write_bytes(encoded(suffix, RGB, cv2.IMWRITE_WEBP_QUALITY, 101))
    for source in (path, str(path)):
        np.testing.assert_array_equal(to_rgb(source), RGB)


def test_the_content_counts_not_the_name(tmp_path: Path) -> None:
    path = tmp_path / "really.jpg"
    path.write_bytes(encoded(".png", RGB))
    np.testing.assert_array_equal(read_image(path), RGB)


def test_16_bit_png() -> None:
    got = decode_image(encoded(".png", RGB.astype(np.uint16) * 257))
    np.testing.assert_array_equal(got, RGB)


def test_grey_png() -> None:
    got = decode_image(encoded(".png", RGB[..., 1]))
    np.testing.assert_array_equal(got, np.repeat(RGB[..., 1:2], 3, axis=2))


def test_png_with_alpha() -> None:
    alpha = np.where(np.arange(20) < 10, 0, 255).astype(np.uint8)
    rgba = np.dstack((RGB, np.tile(alpha, (12, 1))))
    got = decode_image(encoded(".png", rgba))
    assert not got[:, :10].any()
    np.testing.assert_array_equal(got[:, 10:], RGB[:, 10:])


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("order", ["<", ">"])
def test_exif_orientation_of_a_jpeg(orientation: int, order: str) -> None:
    plain = encoded(".jpg", SMOOTH)
    got = decode_image(with_exif(plain, orientation, order))
    np.testing.assert_array_equal(got, turned(decode_image(plain), orientation))
    assert got.flags.c_contiguous


@pytest.mark.parametrize("orientation", [1, 3, 6])
def test_exif_orientation_of_a_png(orientation: int) -> None:
    png = encoded(".png", RGB)
    data = png[:33] + png_chunk(b"eXIf", exif(orientation)) + png[33:]
    np.testing.assert_array_equal(decode_image(data), turned(RGB, orientation))


@pytest.mark.parametrize("orientation", [0, 9, 300])
def test_nonsense_orientation_is_ignored(orientation: int) -> None:
    plain = encoded(".jpg", SMOOTH)
    np.testing.assert_array_equal(decode_image(with_exif(plain, orientation)), decode_image(plain))


def test_broken_exif_is_ignored() -> None:
    plain = encoded(".jpg", SMOOTH)
    broken = plain[:2] + b"\xff\xe1\x00\x0cExif\x00\x00MM\x00*" + plain[2:]
    np.testing.assert_array_equal(decode_image(broken), decode_image(plain))


@pytest.mark.parametrize("suffix", [".jpg", ".png", ".webp"])
@pytest.mark.parametrize("share", [0.3, 0.7, 0.95])
def test_truncated_files(suffix: str, share: float, tmp_path: Path) -> None:
    noise = RNG.integers(0, 256, (200, 300, 3), np.uint8)
    data = encoded(suffix, noise)
    path = tmp_path / ("cut" + suffix)
    path.write_bytes(data[: int(len(data) * share)])
    with pytest.raises(ImageError, match=r"cut.*ends too early"):
        read_image(path)


def test_a_jpeg_cut_off_after_its_thumbnail_is_truncated() -> None:
    """The end marker of an embedded picture is not that of the file."""
    thumbnail = encoded(".jpg", SMOOTH)
    block = b"\xff\xe1" + struct.pack(">H", len(thumbnail) + 2) + thumbnail
    plain = encoded(".jpg", SMOOTH)
    data = plain[:2] + block + plain[2:]
    assert decode_image(data).shape == SMOOTH.shape
    with pytest.raises(ImageError, match="ends too early"):
        decode_image(data[:-40])


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"Dear Sir or Madam", "begins with b'Dear Sir'"),
        (b"", "is empty"),
        (b"\xff\xd8\xff", "JPEG"),
    ],
)
def test_other_files_named_png(content: bytes, message: str, tmp_path: Path) -> None:
    path = tmp_path / "letter.png"
    path.write_bytes(content)
    with pytest.raises(ImageError, match=message) as caught:
        read_image(path)
    assert "letter.png" in str(caught.value)


def test_png_with_broken_pixels() -> None:
    data = bytearray(encoded(".png", RNG.integers(0, 256, (60, 60, 3), np.uint8)))
    data[60:400] = bytes(340)
    with pytest.raises(ImageError, match="broken"):
        decode_image(bytes(data))


@pytest.mark.parametrize("name", ["missing.png", ".", "x" * 300, "a\0b"])
def test_unreadable_paths(name: str, tmp_path: Path) -> None:
    with pytest.raises(ImageError, match="cannot read"):
        read_image(tmp_path / name)


def bomb(width: int, height: int) -> bytes:
    """A PNG whose header claims a size; decoding it would fail, allocating would hurt."""
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n"
        + png_chunk(b"IHDR", header)
        + png_chunk(b"IDAT", zlib.compress(bytes(1000)))
        + png_chunk(b"IEND", b"")
    )


def test_a_bomb_is_refused_before_decoding(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(images.cv2, "imdecode", None)
    with pytest.raises(ImageError, match=r"20000x20000 pixels.*limit of 150000000"):
        decode_image(bomb(20000, 20000))


def test_the_limit_can_be_changed(monkeypatch: pytest.MonkeyPatch) -> None:
    data = encoded(".png", RGB)
    with pytest.raises(ImageError, match="limit of 200"):
        decode_image(data, max_pixels=200)
    monkeypatch.setenv(images.MAX_PIXELS_VARIABLE, "200")
    with pytest.raises(ImageError, match="limit of 200"):
        decode_image(data)
    assert decode_image(data, max_pixels=240).shape == RGB.shape
    for text in ("many", "-5", "0"):
        monkeypatch.setenv(images.MAX_PIXELS_VARIABLE, text)
        with pytest.raises(InvalidArgumentError, match="BODYPIX_MAX_PIXELS: expected a whole num"):
            decode_image(data)


# PIL images, and files that only Pillow can make.


def test_sixteen_bits_in_any_byte_order() -> None:
    wide = RGB[..., 0].astype(np.uint16) * 257
    np.testing.assert_array_equal(to_rgb(wide.astype(">u2")), to_rgb(wide))
    pil = pytest.importorskip("PIL.Image")
    image = pil.frombytes("I;16B", wide.shape[::-1], wide.astype(">u2").tobytes())
    np.testing.assert_array_equal(to_rgb(image), to_rgb(wide))


def test_premultiplied_grey() -> None:
    pil = pytest.importorskip("PIL.Image")
    image = pil.new("LA", (3, 2), (200, 128)).convert("La")
    assert np.abs(to_rgb(image).astype(int) - 100).max() <= 1


@pytest.mark.parametrize("mode", ["RGB", "L", "RGBA", "P", "CMYK", "1", "LA", "YCbCr", "I;16"])
def test_pil_modes(mode: str) -> None:
    pil = pytest.importorskip("PIL.Image")
    if mode == "I;16":
        image = pil.fromarray(RGB[..., 0].astype(np.uint16) * 257)
    else:
        image = pil.fromarray(SMOOTH).convert("L" if mode == "LA" else "RGB").convert(mode)
    got = to_rgb(image)
    assert got.dtype == np.uint8
    assert got.shape == (image.height, image.width, 3)
    if mode == "I;16":
        np.testing.assert_array_equal(got[..., 0], RGB[..., 0])
    elif mode != "LA":
        np.testing.assert_array_equal(got, np.asarray(image.convert("RGB")))


def test_transparent_palette() -> None:
    pil = pytest.importorskip("PIL.Image")
    image = pil.new("P", (4, 2), 1)
    image.putpalette([10, 20, 30, 200, 150, 100])
    image.putpixel((0, 0), 0)
    image.info["transparency"] = 0
    got = to_rgb(image)
    assert got[0, 0].tolist() == [0, 0, 0]
    assert got[1, 1].tolist() == [200, 150, 100]


@pytest.mark.parametrize("mode", ["I", "F"])
def test_pil_modes_without_a_range(mode: str) -> None:
    pil = pytest.importorskip("PIL.Image")
    with pytest.raises(ImageError, match=f"PIL mode '{mode}'"):
        to_rgb(pil.new(mode, (4, 4)))


def test_truncated_pil_image(tmp_path: Path) -> None:
    pil = pytest.importorskip("PIL.Image")
    path = tmp_path / "cut.jpg"
    path.write_bytes(encoded(".jpg", RNG.integers(0, 256, (90, 90, 3), np.uint8))[:2000])
    with pil.open(path) as image, pytest.raises(ImageError, match="PIL image cannot be decoded"):
        to_rgb(image)


def test_pil_images_are_limited_too() -> None:
    pil = pytest.importorskip("PIL.Image")
    with pytest.raises(ImageError, match="more than the limit of 10"):
        to_rgb(pil.new("RGB", (4, 4)), max_pixels=10)


def test_cmyk_jpeg(tmp_path: Path) -> None:
    pil = pytest.importorskip("PIL.Image")
    path = tmp_path / "print.jpg"
    colours = np.array([(250, 20, 20), (20, 250, 20), (20, 20, 250), (128, 128, 128)], np.uint8)
    rgb = np.repeat(np.repeat(colours[None], 16, axis=0), 16, axis=1)
    pil.fromarray(rgb).convert("CMYK").save(path, quality=98)
    with pil.open(path) as image:
        expected = np.asarray(image.convert("RGB")).astype(int)
    got = read_image(path).astype(int)
    assert np.abs(got[:, 4::16] - expected[:, 4::16]).max() <= 6
    assert np.abs(got[:, 4::16] - rgb[:, 4::16]).max() <= 12


@pytest.mark.parametrize("suffix", ["png", "gif", "tiff", "webp", "bmp", "jpeg"])
def test_files_as_pillow_writes_them(suffix: str, tmp_path: Path) -> None:
    pil = pytest.importorskip("PIL.Image")
    path = tmp_path / f"picture.{suffix}"
    pil.fromarray(SMOOTH).save(path)
    with pil.open(path) as image:
        expected = np.asarray(image.convert("RGB")).astype(int)
    if suffix == "gif" and cv2.imdecode(np.fromfile(path, np.uint8), cv2.IMREAD_COLOR) is None:
        pytest.skip("this OpenCV reads no GIF")
    assert np.abs(read_image(path) - expected).max() <= 3


@pytest.mark.parametrize("orientation", [1, 3, 6, 8])
@pytest.mark.parametrize("suffix", ["tiff", "webp"])
def test_orientation_of_other_formats(orientation: int, suffix: str, tmp_path: Path) -> None:
    pil = pytest.importorskip("PIL.Image")
    path = tmp_path / f"turned.{suffix}"
    picture = pil.fromarray(RGB)
    tags = picture.getexif()
    tags[274] = orientation
    picture.save(path, exif=tags, **({"lossless": True} if suffix == "webp" else {}))
    np.testing.assert_array_equal(read_image(path), turned(RGB, orientation))


# Headers.


@pytest.mark.parametrize("suffix", [".jpg", ".png", ".webp", ".bmp", ".tiff"])
def test_headers_tell_the_size(suffix: str) -> None:
    header = read_header(encoded(suffix, SMOOTH))
    assert header is not None
    assert (header.width, header.height) == (64, 48)
    assert header.complete
    assert header.orientation == 1


def test_header_of_a_gif_and_of_a_lossless_webp() -> None:
    assert read_header(b"GIF89a" + struct.pack("<HH", 640, 480)) == Header("GIF", 640, 480)
    lossless = read_header(encoded(".webp", SMOOTH, cv2.IMWRITE_WEBP_QUALITY, 101))
    assert lossless == Header("WebP", 64, 48)


def test_no_prefix_of_a_file_crashes_the_header_reader() -> None:
    files = [encoded(suffix, SMOOTH) for suffix in (".jpg", ".png", ".webp", ".bmp", ".tiff")]
    files.append(with_exif(files[0], 6))
    for data in files:
        for end in range(min(len(data), 600)):
            read_header(data[:end])
