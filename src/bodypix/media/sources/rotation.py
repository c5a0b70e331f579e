"""How a display matrix, as phones write it, turns the decoded picture upright."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class Turn:
    """Swap rows and columns or not, then mirror rows or columns or both."""

    transpose: bool = False
    mirror_x: bool = False
    mirror_y: bool = False

    @classmethod
    def of_matrix(cls, data: bytes) -> Turn:
        """Read FFmpeg's AV_FRAME_DATA_DISPLAYMATRIX (libavutil/display.h).

        Nine int32 (a b u, c d v, x y w) bring a decoded pixel (p, q), q downwards, to
        (a p + c q + x, b p + d q + y). Angles that are no quarter turn go to the nearest.
        """
        a, b, _, c, d, _ = np.frombuffer(data, np.int32, 6).tolist()
        if abs(b) + abs(c) > abs(a) + abs(d):
            return cls(transpose=True, mirror_x=c < 0, mirror_y=b < 0)
        return cls(mirror_x=a < 0, mirror_y=d < 0)

    def size(self, width: int, height: int) -> tuple[int, int]:
        """(width, height) after the turn."""
        return (height, width) if self.transpose else (width, height)

    def apply(self, image: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """The (H, W, C) picture turned; the same array where there is nothing to do."""
        # By OpenCV, since numpy copies transposed bytes slowly.
        turned: NDArray[Any] = image
        if self.transpose:
            turned = cv2.transpose(turned)
        if self.mirror_x or self.mirror_y:
            code = -1 if self.mirror_x and self.mirror_y else int(self.mirror_x)
            turned = cv2.flip(turned, code)
        return np.asarray(turned, np.uint8)
