"""From a coarse probability to an alpha matte that follows the picture's own edges.

The network's grid is several pixels wide, so its probability ends softly where the picture ends
sharply, and knows nothing of single fingers and strands. Where it is unsure, a guided filter takes
its place: in every small window alpha is a linear function of the pixel's colour, `alpha = a . I +
b`, with the a and b that fit the probability best. K. He, J. Sun, X. Tang, "Guided Image
Filtering", ECCV 2010, equations 19 to 21 (colour guide), worked out on a small picture as in their
"Fast Guided Filter", 2015, and applied at full size.
"""

from __future__ import annotations

from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from bodypix.drawing.checks import Image, flat, rgb_image, same_size
from bodypix.errors import InvalidArgumentError
from bodypix.options import is_real
from bodypix.scratch import SCRATCH, recycled
from bodypix.shrinking import grid_size, shrunk

Floats = NDArray[np.float32]

GRID: Final = 120
"""Most cells along the longer side of the small picture."""

# Windows of (2 radius + 1) squared cells; `_EPSILON` (of colours 0..1) is the variance below which
# a colour difference says nothing. Both had the least error on composites whose alpha is known.
_RADIUS: Final = 4
_EPSILON: Final = 3e-4
# The probabilities that stand for alpha 0 and 1 are so far from the threshold, but within 0..1.
_SOFT: Final = 0.3
_LEAST_SOFT: Final = 0.02
# Less far from one half than this the network is unsure. Elsewhere it is believed, so that a face
# as bright as the wall behind it gets no holes.
_DOUBTFUL: Final = 0.45
# A fit never reaches 0 and 1 quite; what is nearer than this counts as there.
_CLIPPED: Final = 0.1


def refine_alpha(probability: Floats, image: Image, threshold: float = 0.5) -> Floats:
    """The alpha matte of a probability and the picture it belongs to.

    Args:
        probability: (H, W) float32, 0..1.
        image: (H, W, 3) uint8 RGB.
        threshold: 0..1, the probability at which alpha is about one half.

    Returns:
        (H, W) float32, 0..1.

    Raises:
        ImageError: the image is not (H, W, 3) uint8.
        InvalidArgumentError: the probability is not float32 or not of the image's size, or the
            threshold is out of its range.
    """
    image = rgb_image(image)
    advice = "a mask is none, but `mask.astype(np.float32)` does"
    probability = flat(probability, "probability", np.float32, advice)
    same_size(image, probability, "image", "probability")
    if not (is_real(threshold) and 0.0 <= threshold <= 1.0):
        raise InvalidArgumentError(f"threshold: expected a number from 0 to 1, got {threshold!r}.")
    height, width = probability.shape
    size = grid_size(height, width, GRID)
    soft = max(_LEAST_SOFT, min(_SOFT, threshold, 1.0 - threshold))
    small = shrunk(probability, size)
    target = np.clip((small - np.float32(threshold - soft)) / np.float32(2 * soft), 0.0, 1.0)
    slopes, offset = _coefficients(shrunk(image, size), target)
    share = _doubt(small)
    slopes = [slope * share for slope in slopes]
    offset = target + share * (offset - target)
    # What stretches the clipped ends back to 0 and 1 is worked out where the pixels are few.
    scale = 1.0 / (1.0 - 2.0 * _CLIPPED)
    alpha: Floats = recycled((height, width), np.float32)
    _enlarge((offset - _CLIPPED) * scale, alpha)
    plane: Floats = SCRATCH.array("matte plane", (height, width), np.float32)
    for channel, slope in enumerate(slopes):
        _enlarge(slope * scale, plane)
        np.multiply(plane, image[..., channel], out=plane)
        np.add(alpha, plane, out=alpha)
    return np.clip(alpha, 0.0, 1.0, out=alpha)


def _doubt(probability: Floats) -> Floats:
    """(h, w) float32, 0..1: where the network leaves room for the picture's own edges."""
    unsure = (np.abs(probability - np.float32(0.5)) < _DOUBTFUL).astype(np.float32)
    return np.asarray(cv2.blur(unsure, (3, 3)), np.float32)


def _coefficients(guide: Image, target: Floats) -> tuple[list[Floats], Floats]:
    """Slopes for R, G, B and the offset, each (h, w) float32, averaged over the windows.

    Args:
        guide: (h, w, 3) uint8.
        target: (h, w) float32, what is to be fitted.
    """
    planes = [plane.astype(np.float32) for plane in cv2.split(guide)]
    means = [_mean(plane) for plane in planes]
    target_mean = _mean(target)
    pr, pg, pb = (
        _mean(plane * target) - mean * target_mean
        for plane, mean in zip(planes, means, strict=True)
    )
    (rr, rg, rb), (gg, gb), (bb,) = (
        [_mean(planes[one] * planes[other]) - means[one] * means[other] for other in range(one, 3)]
        for one in range(3)
    )
    epsilon = np.float32(_EPSILON * 255.0**2)
    rr, gg, bb = rr + epsilon, gg + epsilon, bb + epsilon
    # (covariance of colours)^-1 (covariance with the target), by cofactors: a general solver takes
    # ten times as long for so many small matrices.
    crr, cgg, cbb = gg * bb - gb * gb, rr * bb - rb * rb, rr * gg - rg * rg
    crg, crb, cgb = rb * gb - rg * bb, rg * gb - rb * gg, rg * rb - rr * gb
    determinant = rr * crr + rg * crg + rb * crb
    slopes = [
        (crr * pr + crg * pg + crb * pb) / determinant,
        (crg * pr + cgg * pg + cgb * pb) / determinant,
        (crb * pr + cgb * pg + cbb * pb) / determinant,
    ]
    offset = target_mean
    for slope, mean in zip(slopes, means, strict=True):
        offset = offset - slope * mean
    return [_mean(slope) for slope in slopes], _mean(offset)


def _mean(plane: Floats) -> Floats:
    side = 2 * _RADIUS + 1
    return np.asarray(cv2.blur(plane, (side, side), borderType=cv2.BORDER_REFLECT), np.float32)


def _enlarge(plane: Floats, target: Floats) -> None:
    cv2.resize(plane, target.shape[::-1], dst=target, interpolation=cv2.INTER_LINEAR)
