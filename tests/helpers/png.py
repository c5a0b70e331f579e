"""PNG files in memory."""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np


def png(image: np.ndarray[Any, Any]) -> bytes:
    """A PNG of an RGB or grey picture."""
    done, data = cv2.imencode(".png", image if image.ndim == 2 else image[..., ::-1])
    assert done
    return data.tobytes()


def decoded(content: bytes) -> np.ndarray[Any, Any]:
    """A PNG as it is, colours as RGB or RGBA."""
    image = cv2.imdecode(np.frombuffer(content, np.uint8), cv2.IMREAD_UNCHANGED)
    assert image is not None
    if image.ndim == 2:
        return image
    return image[..., [2, 1, 0, 3][: image.shape[2]]]
