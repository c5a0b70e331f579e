"""Whatever a caller has for an image -> (H, W, 3) uint8 RGB.

Rules, the same for files, PIL images and arrays:

* grey becomes three equal channels;
* alpha is composited over black, the colour that the network's own padding has;
* 16-bit values (0..65535) are scaled to 0..255;
* float values must lie in 0..1 and are scaled to 0..255;
* files are turned as their EXIF orientation says. A PIL image is taken as its pixels are, so that
  masks fit it: apply `PIL.ImageOps.exif_transpose` first where it is to be turned.

Raises ImageError with what was expected for anything else.
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path
from typing import Any, Final, Protocol, TypeAlias

import cv2
import numpy as np
from numpy.typing import NDArray

from bodypix.errors import ImageError, InvalidArgumentError
from bodypix.image_headers import Header, read_header

DEFAULT_MAX_PIXELS: Final = 150_000_000
"""Files and PIL images of more pixels are refused before they are decoded."""

MAX_PIXELS_VARIABLE: Final = "BODYPIX_MAX_PIXELS"
"""Environment variable that replaces `DEFAULT_MAX_PIXELS`."""

# What is to be done with the decoded pixels, by EXIF orientation.
_TURNS: Final = {
    2: lambda image: image[:, ::-1],
    3: lambda image: image[::-1, ::-1],
    4: lambda image: image[::-1],
    5: lambda image: image.swapaxes(0, 1),
    6: lambda image: image.swapaxes(0, 1)[:, ::-1],
    7: lambda image: image[::-1, ::-1].swapaxes(0, 1),
    8: lambda image: image.swapaxes(0, 1)[::-1],
}


class PilImage(Protocol):
    """The part of PIL.Image.Image that is used; Pillow itself need not be installed."""

    @property
    def mode(self) -> str:
        """Pixel format, for example "RGB"."""

    @property
    def size(self) -> tuple[int, int]:
        """(width, height)."""

    @property
    def info(self) -> dict[Any, Any]:
        """Facts from the file."""

    def convert(self, mode: str) -> Any:
        """The image in another pixel format."""


ImageLike: TypeAlias = NDArray[Any] | PilImage | str | os.PathLike[str]
"""An array (H, W, 3) of uint8 RGB (and what the rules above allow), a PIL image, or a path."""


def to_rgb(image: ImageLike, *, max_pixels: int | None = None) -> NDArray[np.uint8]:
    """(H, W, 3) uint8 RGB, C-contiguous: the same array where it is that already.

    Args:
        image: an array, a PIL image, or the path of a picture file.
        max_pixels: refuse larger files and PIL images; default $BODYPIX_MAX_PIXELS, else
            `DEFAULT_MAX_PIXELS`. Arrays are in memory already and never refused.

    Raises:
        ImageError: no usable image; the message says why.
    """
    if isinstance(image, np.ndarray):
        return _from_array(image)
    if isinstance(image, (str, os.PathLike)):
        return read_image(image, max_pixels=max_pixels)
    if all(hasattr(image, name) for name in ("mode", "size", "convert")):
        return _from_pil(image, _pixel_limit(max_pixels))
    raise ImageError(
        "image: expected a numpy array, a PIL image or the path of a picture; got "
        f"{type(image).__name__}."
    )


def check_several(field: str, images: object, instead: str) -> None:
    """Refuse one picture where several are wanted: the rows of an array pass for pictures.

    Raises:
        InvalidArgumentError: an array other than (N, H, W, C), a PIL image, a path, no iterable.
    """
    if isinstance(images, np.ndarray):
        if images.ndim == 4:
            return
        got = f"an array of shape {images.shape}"
    elif isinstance(images, (str, bytes, os.PathLike)):
        got = repr(images)
    elif isinstance(images, Iterable):
        return
    else:
        got = type(images).__name__
    raise InvalidArgumentError(
        f"{field}: expected a list of pictures or an (N, H, W, 3) array, got {got}; {instead}."
    )


def read_image(path: str | os.PathLike[str], *, max_pixels: int | None = None) -> NDArray[np.uint8]:
    """Read a JPEG, PNG, WebP, GIF (first frame), BMP or TIFF file as (H, W, 3) uint8 RGB.

    Raises:
        ImageError: the file cannot be read, is no such picture, is cut off, or is too large.
    """
    try:
        data = Path(path).read_bytes()
    except (OSError, ValueError) as error:  # a NUL in the name is a ValueError
        reason = getattr(error, "strerror", None) or error
        raise ImageError(f"image: cannot read {os.fspath(path)!r} ({reason}).") from error
    return decode_image(data, max_pixels=max_pixels, name=repr(os.fspath(path)))


def decode_image(
    data: bytes, *, max_pixels: int | None = None, name: str = "the data"
) -> NDArray[np.uint8]:
    """Decode the content of a picture file; `name` is what error messages call it.

    Raises:
        ImageError: as `read_image`.
    """
    header = read_header(data)
    if header is None:
        content = "is empty" if not data else f"begins with {data[:8]!r}"
        raise ImageError(
            f"image: {name} {content}; expected a JPEG, PNG, WebP, GIF, BMP or TIFF picture."
        )
    _check_pixels(name, header.width, header.height, _pixel_limit(max_pixels))
    if not header.complete:
        raise ImageError(
            f"image: {name} is a {header.format} file that ends too early; fetch or copy it again."
        )
    pixels = _decode(data, header)
    if pixels is None:
        raise ImageError(f"image: {name} is a broken or unsupported {header.format} file.")
    if pixels.ndim == 3:
        # OpenCV's order is blue, green, red (, alpha).
        pixels = pixels[..., [2, 1, 0, 3][: pixels.shape[2]]]
    rgb = _from_array(pixels)
    turn = _TURNS.get(header.orientation)
    return rgb if turn is None else np.ascontiguousarray(turn(rgb))


def _decode(data: bytes, header: Header) -> NDArray[Any] | None:
    flags = cv2.IMREAD_UNCHANGED
    if header.format == "JPEG":
        # CMYK must become colour here; a JPEG has no alpha or 16 bits to lose.
        flags = cv2.IMREAD_COLOR | cv2.IMREAD_IGNORE_ORIENTATION
    try:
        return cv2.imdecode(np.frombuffer(data, np.uint8), flags)
    except cv2.error:
        return None


def _pixel_limit(max_pixels: int | None) -> int:
    if max_pixels is not None:
        return max_pixels
    text = os.environ.get(MAX_PIXELS_VARIABLE)
    if not text:
        return DEFAULT_MAX_PIXELS
    if not text.isdecimal() or int(text) < 1:
        raise InvalidArgumentError(
            f"{MAX_PIXELS_VARIABLE}: expected a whole number of pixels from 1, got {text!r}."
        )
    return int(text)


def _check_pixels(name: str, width: int, height: int, limit: int) -> None:
    if width < 1 or height < 1:
        raise ImageError(f"image: {name} has no pixels ({width}x{height}).")
    if width * height > limit:
        raise ImageError(
            f"image: {name} has {width}x{height} pixels, more than the limit of {limit}. Make it "
            f"smaller, or raise the limit with max_pixels or ${MAX_PIXELS_VARIABLE}."
        )


def _from_pil(image: PilImage, limit: int) -> NDArray[np.uint8]:
    _check_pixels("the PIL image", *image.size, limit)
    mode = image.mode
    if mode in ("I", "F"):
        raise ImageError(
            f"image: PIL mode {mode!r} has no fixed range of values; convert it to an array of "
            "uint8, of uint16 or of floats in 0..1."
        )
    try:
        if mode not in ("L", "RGB", "RGBA") and not mode.startswith("I;16"):
            if mode == "La":  # the only way from it
                image = image.convert("LA")
            transparent = mode in ("LA", "La", "PA", "RGBa") or "transparency" in image.info
            image = image.convert("RGBA" if transparent else "RGB")
        pixels = np.asarray(image)
    except (OSError, ValueError, SyntaxError) as error:  # PIL decodes late, here
        raise ImageError(f"image: the PIL image cannot be decoded ({error}).") from error
    return _from_array(pixels)


def _from_array(array: NDArray[Any]) -> NDArray[np.uint8]:
    if array.ndim not in (2, 3) or (array.ndim == 3 and array.shape[2] not in (1, 3, 4)):
        hint = ""
        if array.ndim == 3 and array.shape[0] in (1, 3, 4):
            hint = " Channels come last: use image.transpose(1, 2, 0)."
        elif array.ndim == 4:
            hint = " Give several images one by one, or to segment_batch."
        raise ImageError(
            f"image: expected shape (H, W, 3), (H, W, 4), (H, W, 1) or (H, W), got "
            f"{array.shape}.{hint}"
        )
    if not array.size:
        raise ImageError(f"image: expected at least one pixel, got shape {array.shape}.")
    pixels = _to_bytes(array)
    if pixels.ndim == 2 or pixels.shape[2] == 1:
        pixels = np.repeat(pixels.reshape(*pixels.shape[:2], 1), 3, axis=2)
    elif pixels.shape[2] == 4:
        colour, alpha = pixels[..., :3].astype(np.uint16), pixels[..., 3:].astype(np.uint16)
        pixels = ((colour * alpha + 127) // 255).astype(np.uint8)
    return np.ascontiguousarray(pixels)


def _to_bytes(array: NDArray[Any]) -> NDArray[np.uint8]:
    if array.dtype == np.uint8:
        return array
    if array.dtype.kind == "u" and array.dtype.itemsize == 2:  # in any byte order
        return ((array.astype(np.uint32) + 128) // 257).astype(np.uint8)
    if array.dtype.kind == "f":
        low, high = float(array.min()), float(array.max())
        # Written so that NaN fails.
        if not (low >= 0.0 and high <= 1.0):
            raise ImageError(
                "image: expected float values in 0..1, got "
                + (f"{low:g}..{high:g}" if low == low else "NaN")
                + ". Divide by 255 where they are 0..255; replace NaN and clip overshoots."
            )
        return np.rint(array * 255.0).astype(np.uint8)
    raise ImageError(
        f"image: expected dtype uint8, uint16 or float, got {array.dtype}. Use "
        "image.astype(np.uint8) where the values are 0..255."
    )
