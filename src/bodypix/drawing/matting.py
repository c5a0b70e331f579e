"""Soft edges: alpha from a segmentation, and the person's own colours under it."""

from __future__ import annotations

from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from bodypix.drawing.blur import blur
from bodypix.drawing.checks import Image, Segmentations, segmentation_list
from bodypix.drawing.masks import person_mask
from bodypix.errors import InvalidArgumentError
from bodypix.results import PartSegmentation, PersonSegmentation

Floats = NDArray[np.float32]

SOFT_RANGE: Final = (0.5, 0.9)
"""Probabilities that become alpha 0 and alpha 1: a band around the default threshold, 0.7."""

# Both sides' mean colours vary slowly, so they are worked out on a picture of half the size, in two
# passes with these box radii: the first reaches across an edge, the second follows its colours.
# (6, 2) had the smallest error on composites whose true foreground is known, edges 2 to 10 pixels
# wide; working at full size instead gained nothing.
_REDUCED = 2
_RADII = (6, 2)
_TINY = np.float32(1e-5)


def person_alpha(
    segmentation: Segmentations, edge_blur: float = 0.0, soft: bool = False
) -> NDArray[np.uint8] | None:
    """(H, W) uint8 alpha of all people in the segmentations; None for an empty list.

    Args:
        segmentation: a result, an (H, W) mask, or a list of these.
        edge_blur: standard deviation in pixels of a blur of the edge.
        soft: take the probability instead of the mask, spread over SOFT_RANGE.

    Raises:
        InvalidArgumentError: `soft` without a probability, or what `to_mask` refuses.
    """
    if soft:
        alphas = [_soft(element) for element in segmentation_list(segmentation)]
        if not alphas:
            return None
        alpha: NDArray[np.uint8] = np.maximum.reduce(alphas)
    else:
        mask = person_mask(segmentation)
        if mask is None:
            return None
        alpha = mask * np.uint8(255)
    return blur(alpha, edge_blur, "reflect")


def _soft(segmentation: object) -> NDArray[np.uint8]:
    probability = None
    if isinstance(segmentation, (PersonSegmentation, PartSegmentation)):
        probability = segmentation.probability
    if probability is None:
        raise InvalidArgumentError(
            "soft: expected a segmentation that has a probability; got none. One person out of "
            "several and plain arrays have none: use soft=False with edge_blur_amount."
        )
    low, high = SOFT_RANGE
    ramp = np.clip((probability - np.float32(low)) / np.float32(high - low), 0.0, 1.0)
    alpha: NDArray[np.uint8] = np.rint(ramp * 255.0).astype(np.uint8)
    return alpha


def foreground_colors(image: Image, alpha: NDArray[np.uint8]) -> Image:
    """The image with the background's colour taken out of its half-covered edge pixels.

    An edge pixel shows `I = alpha F + (1 - alpha) B`; F is what belongs on another background.
    Formula: two passes of the blur-fusion estimator of M. Forte, "Approximate Fast Foreground
    Colour Estimation", ICIP 2021: with F^ and B^ the alpha-weighted local means of both sides,
    `F = F^ + alpha (I - alpha F^ - (1 - alpha) B^)`.

    Args:
        image: (H, W, 3) uint8 RGB.
        alpha: (H, W) uint8.

    Returns:
        (H, W, 3) uint8 RGB; pixels whose alpha is 0 or 255 are the image's.
    """
    band = (alpha > 0) & (alpha < 255)
    box = _box(band, margin=2 * _REDUCED * sum(_RADII))
    if box is None:
        return image
    part, share, inside = image[box], alpha[box], band[box]
    size = (-(-share.shape[1] // _REDUCED), -(-share.shape[0] // _REDUCED))
    front, back = (
        np.asarray(cv2.resize(means, share.shape[::-1], interpolation=cv2.INTER_LINEAR))[inside]
        for means in _mean_colors(_shrunk(part, size), _shrunk(share, size) / np.float32(255))
    )
    weight = share[inside].astype(np.float32)[:, None] / np.float32(255)
    colors = front + weight * (part[inside] - weight * front - (1 - weight) * back)
    cleaned = image.copy()
    cleaned[box][inside] = np.rint(np.clip(colors, 0.0, 255.0)).astype(np.uint8)
    return cleaned


def _mean_colors(image: Floats, alpha: Floats) -> tuple[Floats, Floats]:
    """(h, w, 3) local mean colours of foreground and background, 0..255, of a small picture."""
    # Arrays of one shape multiply several times as fast as broadcast ones: alpha three times.
    alpha = np.asarray(cv2.merge([alpha] * 3), np.float32)
    beta = 1 - alpha
    front = back = image
    for radius in _RADII:
        alpha_mean = _mean(alpha, radius)
        front_mean = _mean(front * alpha, radius) / (alpha_mean + _TINY)
        back = _mean(back * beta, radius) / (1 + _TINY - alpha_mean)
        front = front_mean + alpha * (image - alpha * front_mean - beta * back)
        front = np.clip(front, 0.0, 255.0)
    return front_mean, back


def _mean(array: Floats, radius: int) -> Floats:
    """Box mean over (2 radius + 1) squared pixels."""
    side = 2 * radius + 1
    return np.asarray(cv2.blur(array, (side, side), borderType=cv2.BORDER_REFLECT), np.float32)


def _shrunk(array: Image, size: tuple[int, int]) -> Floats:
    return np.asarray(cv2.resize(array, size, interpolation=cv2.INTER_AREA), np.float32)


def _box(band: NDArray[np.bool_], margin: int) -> tuple[slice, slice] | None:
    """Rows and columns that hold every true pixel and a margin; None if there is none."""
    rows, columns = np.flatnonzero(band.any(axis=1)), np.flatnonzero(band.any(axis=0))
    if not rows.size:
        return None
    return (
        slice(max(0, int(rows[0]) - margin), int(rows[-1]) + 1 + margin),
        slice(max(0, int(columns[0]) - margin), int(columns[-1]) + 1 + margin),
    )
