"""Picture files as arrays; what cannot be read is an error that names the file."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np

from .sample import Bytes

LONG_SIDE = 1280  # pixels of a photo that are worth keeping: no crop shows more


def read_rgb(path: Path, mode: int = cv2.IMREAD_COLOR) -> Bytes:
    """(H, W, 3) RGB uint8, turned as its EXIF says. Raises ValueError."""
    image = cv2.imread(str(path), mode)
    if image is None:
        raise ValueError(f"{path}: unreadable picture")
    return np.ascontiguousarray(image[..., ::-1])


def read_rgb_of_size(path: Path, size: tuple[int, int]) -> Bytes:
    """As `read_rgb`, of (H, W) pixels as its labels say: turned as EXIF says or as stored.

    Some tools label the stored picture (COCO's own), others the turned one. Raises ValueError.
    """
    image = read_rgb(path)
    if image.shape[:2] != size:
        stored = read_rgb(path, cv2.IMREAD_COLOR | cv2.IMREAD_IGNORE_ORIENTATION)
        if stored.shape[:2] != size:
            raise ValueError(
                f"{path}: expected {size[1]}x{size[0]} pixels as its labels have,"
                f" got {image.shape[1]}x{image.shape[0]}"
            )
        image = stored
    return image


def shrink(image: Bytes, long_side: int = LONG_SIDE) -> Bytes:
    """A picture or mask, no longer than ``long_side`` on its longer side."""
    height, width = image.shape[:2]
    scale = long_side / max(height, width)
    if scale >= 1:
        return image
    size = (max(2, round(width * scale)), max(2, round(height * scale)))
    return cv2.resize(image, size, interpolation=cv2.INTER_AREA)  # type: ignore[return-value]
