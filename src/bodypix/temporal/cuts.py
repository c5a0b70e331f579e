"""Scene cuts: does a frame show something else than the frame before?

Light may change a lot from frame to frame (flashes, exposure, fades) and so may the place of
things (fast limbs, a shaken camera). What stays through both is local structure: where a block of
the picture is lighter and where darker than its own mean. A cut is a frame that shares it neither
in place nor shifted. Limits: a cut between two takes of one camera on one background is none by
this rule (only the people differ), and a dissolve is none either.
"""

from __future__ import annotations

from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

Scene = NDArray[np.float32]
"""(48, 64) float32: the luma of a frame, 0..255, shrunk by averaging whatever its shape."""

_ROWS, _COLUMNS, _BLOCK = 6, 8, 8
# A block with less variance (levels squared) is flat: nothing in it can be recognised.
_FLAT: Final = 6.0
# With fewer blocks than this that are not flat in either frame there is nothing to judge by.
_FEWEST_BLOCKS: Final = 6
# Over the test clips the share of blocks that correlate above `_ALIKE` is at most 0.25 across
# cuts; it is at least 0.57 eight frames apart in one take, and 0.68 at five times the brightness.
_ALIKE: Final = 0.5
_SHARE: Final = 0.35
# A camera that turns fast leaves few blocks in place, but its picture is the old one, shifted.
_SHIFTED: Final = 0.6
_MARGIN: Final = (10, 13)
"""Rows and columns of a scene that the shift may be: a fifth of the picture."""


def scene_of(image: NDArray[np.uint8]) -> Scene:
    """The scene of an (H, W, 3) uint8 RGB frame or thumbnail."""
    size = (_COLUMNS * _BLOCK, _ROWS * _BLOCK)
    small = cv2.resize(image, size, interpolation=cv2.INTER_AREA)
    return np.asarray(cv2.cvtColor(small, cv2.COLOR_RGB2GRAY), np.float32)


def is_cut(previous: Scene, current: Scene) -> bool:
    """Whether two scenes are of different takes.

    1. Both are divided into 6 x 8 blocks; those count whose variance is at least 6 in both.
    2. With fewer than 6 of these: no cut, for nothing can be compared.
    3. No cut if at least 0.35 of them have a correlation (of the 64 luma values) above 0.5.
    4. No cut if the middle of `previous` (all but a fifth on each side) correlates above 0.6 with
       any part of `current` of its size: the camera moved.
    """
    before, after = _blocks(previous), _blocks(current)
    before_variance, after_variance = np.square(before).mean(1), np.square(after).mean(1)
    counted = np.minimum(before_variance, after_variance) >= _FLAT
    if np.count_nonzero(counted) < _FEWEST_BLOCKS:
        return False
    norm = np.sqrt(before_variance[counted] * after_variance[counted])
    alike = (before * after).mean(1)[counted] > _ALIKE * norm
    if np.mean(alike) >= _SHARE:
        return False
    rows, columns = _MARGIN
    middle = previous[rows:-rows, columns:-columns]
    return float(cv2.matchTemplate(current, middle, cv2.TM_CCOEFF_NORMED).max()) <= _SHIFTED


def is_featureless(scene: Scene) -> bool:
    """Whether a scene is too flat to compare others with: black, white, out of focus."""
    textured = np.square(_blocks(scene)).mean(1) >= _FLAT
    return int(np.count_nonzero(textured)) < _FEWEST_BLOCKS


def following(previous: Scene | None, current: Scene) -> Scene:
    """The scene to compare the next frame with: the current one, unless it shows nothing.

    So a white flash is no cut, and a cut by way of black is found when the picture is back.
    """
    return previous if previous is not None and is_featureless(current) else current


class CutDetector:
    """Tells for each frame of a film whether it begins a new take.

    >>> detector = CutDetector()
    >>> detector.update(np.zeros((48, 64, 3), np.uint8))
    False
    """

    def __init__(self) -> None:
        self._scene: Scene | None = None

    def update(self, image: NDArray[np.uint8]) -> bool:
        """Take the next frame, (H, W, 3) uint8 RGB of any size; True if it is the first of a take.

        The very first frame answers False.
        """
        scene = scene_of(image)
        cut = self._scene is not None and is_cut(self._scene, scene)
        self._scene = following(self._scene, scene)
        return cut

    def reset(self) -> None:
        """Forget the film so far."""
        self._scene = None


def _blocks(scene: Scene) -> NDArray[np.float32]:
    """(48, 64) float32: the blocks of a scene, each less its mean."""
    blocks = scene.reshape(_ROWS, _BLOCK, _COLUMNS, _BLOCK).swapaxes(1, 2)
    flat = blocks.reshape(_ROWS * _COLUMNS, _BLOCK * _BLOCK)
    centred: NDArray[np.float32] = flat - flat.mean(1, keepdims=True)
    return centred
