"""One labelled picture, whatever its source."""

from __future__ import annotations

from dataclasses import dataclass, field

import cv2
import numpy as np
from numpy.typing import NDArray

from bodypix.body import KEYPOINTS

Bytes = NDArray[np.uint8]


@dataclass(frozen=True)
class Face:
    """A face by its centre and diameter, both as fractions of the picture's width and height."""

    x: float
    y: float
    diameter: float


@dataclass(frozen=True)
class Sample:
    """A picture with soft labels; all grids are corner aligned with the picture.

    | field  | shape        | meaning                                               |
    | ------ | ------------ | ----------------------------------------------------- |
    | image  | (H, W, 3)    | RGB, uint8                                            |
    | person | (h, w)       | person probability, 255 = 1                           |
    | trust  | (h, w)       | how far ``person`` is to be believed, 255 = fully     |
    | parts  | (h', w', 24) | parts' shares, 255 = 1; None: parts are unknown         |

    Where the people are known one by one, both of these are given, else both are None:

    | field     | shape      | meaning                                                          |
    | --------- | ---------- | ---------------------------------------------------------------- |
    | instances | (h", w")   | 0 nobody, 1..P the people, uint8                                 |
    | keypoints | (P, 17, 3) | x, y in picture pixels; 0 not labelled, 1 hidden, 2 visible      |

    Of a person whose row is all 0 no pose is taught; a crowd is such a person too.
    """

    name: str
    image: Bytes
    person: Bytes
    trust: Bytes
    parts: Bytes | None = None
    exact: bool = False  # labelled by hand: good enough to cut the person out
    faces: tuple[Face, ...] = field(default=())
    instances: Bytes | None = None
    keypoints: NDArray[np.float32] | None = None

    def __post_init__(self) -> None:
        if self.image.ndim != 3 or self.image.shape[2] != 3:
            raise ValueError(f"{self.name}: image must be (H, W, 3), got {self.image.shape}")
        if self.person.shape != self.trust.shape or self.person.ndim != 2:
            raise ValueError(
                f"{self.name}: person and trust must be (h, w) alike,"
                f" got {self.person.shape} and {self.trust.shape}"
            )
        if (self.instances is None) != (self.keypoints is None):
            raise ValueError(f"{self.name}: instances and keypoints must be given together")
        if self.keypoints is not None and self.keypoints.shape[1:] != (KEYPOINTS, 3):
            raise ValueError(
                f"{self.name}: keypoints must be (P, 17, 3), got {self.keypoints.shape}"
            )

    @property
    def nbytes(self) -> int:
        """Memory that the arrays take."""
        arrays = (
            self.image, self.person, self.trust, self.parts, self.instances, self.keypoints
        )  # fmt: skip
        return sum(array.nbytes for array in arrays if array is not None)


def find_faces(parts: Bytes) -> tuple[Face, ...]:
    """Faces as connected areas of the two face channels (0 and 1), which share what is certain."""
    face = (parts[..., :2].sum(axis=2, dtype=np.int32) > 128).astype(np.uint8)
    count, _, stats, centres = cv2.connectedComponentsWithStats(face)
    height, width = face.shape
    return tuple(
        Face(
            float(centres[i, 0]) / (width - 1),
            float(centres[i, 1]) / (height - 1),
            float(np.sqrt(stats[i, cv2.CC_STAT_AREA])) / max(width, height),
        )
        for i in range(1, count)
        if stats[i, cv2.CC_STAT_AREA] >= 6
    )
