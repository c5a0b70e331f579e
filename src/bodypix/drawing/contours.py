"""The outline that `to_mask(..., draw_contour=True)` draws."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


def contour(foreground: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """(H, W) uint8 0/1: where the original's contour ends up, for an (H, W) uint8 0/1 foreground.

    The original scans the rows. A foreground pixel that is at least one pixel off every border
    and has a background pixel among its four *diagonal* neighbours paints those four; what falls
    on the row below is painted over when the scan gets there. So in closed form (spec section 7):
    a pixel is contour exactly if such a boundary pixel is at its lower left or its lower right.
    """
    height, width = foreground.shape
    outline = np.zeros((height, width), np.uint8)
    if height < 3 or width < 3:
        return outline
    inner = foreground[1:-1, 1:-1]
    surrounded = (
        foreground[:-2, :-2] & foreground[:-2, 2:] & foreground[2:, :-2] & foreground[2:, 2:]
    )
    boundary = inner & (surrounded ^ 1)
    outline[:-2, 2:] = boundary
    outline[:-2, :-2] |= boundary
    return outline
