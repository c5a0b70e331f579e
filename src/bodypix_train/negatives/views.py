"""Pictures of one file: a photo and crops of it, or what a camera sees within a panorama."""

from __future__ import annotations

import base64
import re
import tempfile
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from bodypix_train.errors import TrainingError

Image = NDArray[np.uint8]

PHOTO_SIDE, THING_SIDE = 640, 400  # longer side in pixels, at most
VIEW = (640, 480)  # of a panorama
VIEW_ANGLE = 80.0  # degrees from left to right
PANORAMA_SIDE = 2048
BRIGHT = 0.7  # of white: what the brightest seventh of a panorama begins with
CROPS = (0.35, 0.6)  # of width and height


def decode(name: str, content: bytes) -> NDArray[np.generic] | None:
    """A file's pixels (H, W) or (H, W, C) in BGR or BGRA, uint8, or float32 for EXR; or None."""
    if ".exr" in name:
        return _decode_exr(name, content)
    image = cv2.imdecode(np.frombuffer(content, np.uint8), cv2.IMREAD_UNCHANGED)
    if image is not None and image.dtype == np.uint16:
        image = (image // 257).astype(np.uint8)
    return image


def _decode_exr(name: str, content: bytes) -> NDArray[np.float32] | None:
    try:
        import OpenEXR
    except ImportError:
        raise TrainingError(
            f"{name}: EXR files need the package OpenEXR; install it: `pip install OpenEXR`"
        ) from None
    if name.endswith(".js"):  # a script that exports the file as a data URL
        found = re.search(rb"base64,([A-Za-z0-9+/=]+)", content)
        if not found:
            return None
        content = base64.b64decode(found.group(1))
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "panorama.exr"
        path.write_bytes(content)
        try:
            channels = OpenEXR.File(str(path)).channels()
        except RuntimeError:  # no such file, or half of one
            return None
    for together in ("RGB", "RGBA"):
        if together in channels:
            rgb = channels[together].pixels[..., :3]
            break
    else:
        if not channels.keys() >= set("RGB"):
            return None
        rgb = np.stack([channels[name].pixels for name in "RGB"], axis=-1)
    return np.ascontiguousarray(rgb[..., ::-1], dtype=np.float32)


def photos(image: NDArray[np.generic], count: int) -> list[Image]:
    """``count`` pictures (BGR): views all around in a panorama, else the whole and crops of it."""
    flat = _developed(image) if image.dtype == np.float32 else _opaque(image.astype(np.uint8))
    height, width = flat.shape[:2]
    if width == 2 * height and count > 1:
        return _views(flat, count)
    rng = np.random.default_rng(0)
    out = [flat]
    for _ in range(count - 1):
        share = rng.uniform(*CROPS)
        rows, columns = int(height * share), int(width * share)
        top, left = rng.integers(0, height - rows + 1), rng.integers(0, width - columns + 1)
        out.append(flat[top : top + rows, left : left + columns])
    return [at_most(crop, PHOTO_SIDE) for crop in out]


def thing(image: NDArray[np.generic]) -> Image | None:
    """A cut-out thing (BGRA), or None where the file has no transparency."""
    if image.ndim != 3 or image.shape[2] != 4 or image.dtype != np.uint8:
        return None
    return at_most(image.astype(np.uint8), THING_SIDE)


def at_most(image: Image, side: int) -> Image:
    scale = side / max(image.shape[:2])
    if scale >= 1:
        return image
    return cv2.resize(image, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)  # type: ignore[return-value]


def _developed(light: NDArray[np.generic]) -> Image:
    """What a camera makes of light: exposure, a soft shoulder, gamma."""
    light = light.astype(np.float32)
    light = light / (np.percentile(light.mean(2), 85) + 1e-6) * BRIGHT
    return (np.clip(light / (1 + 0.4 * light), 0, 1) ** (1 / 2.2) * 255).astype(np.uint8)


def _opaque(image: Image) -> Image:
    """Three channels; transparency lets white through."""
    if image.ndim == 2:
        image = cv2.cvtColor(image, cv2.COLOR_GRAY2BGR)  # type: ignore[assignment]
    if image.shape[2] == 3:
        return image
    alpha = image[..., 3:] / 255
    return (image[..., :3] * alpha + 255 * (1 - alpha)).astype(np.uint8)


def _views(panorama: Image, count: int) -> list[Image]:
    """Level views of an equirectangular panorama."""
    panorama = at_most(panorama, PANORAMA_SIDE)
    height, width = panorama.shape[:2]
    x, y = np.meshgrid(*(np.arange(side) - side / 2 for side in VIEW))
    focal = VIEW[0] / 2 / np.tan(np.radians(VIEW_ANGLE / 2))
    rows = (np.arctan2(y, np.hypot(x, focal)) / np.pi + 0.5) * height
    out = []
    for view in range(count):
        turned = np.arctan2(x, focal) / (2 * np.pi) + view / count + 0.5
        columns = turned % 1 * width
        out.append(
            cv2.remap(
                panorama, columns.astype(np.float32), rows.astype(np.float32),
                cv2.INTER_LINEAR, borderMode=cv2.BORDER_WRAP,
            )
        )  # fmt: skip
    return out  # type: ignore[return-value]
