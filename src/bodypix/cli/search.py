"""What is looked for in a picture, and the one call of the model that finds it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bodypix.media.effects import Found, Segmentation
from bodypix.segmenter import BodyPix


@dataclass(frozen=True)
class Search:
    """The options of `bodypix image` that go to the model."""

    parts: bool = False
    people: bool = False
    poses: bool = False
    internal_resolution: str | float = "medium"
    threshold: float = 0.7
    max_people: int = 10
    score_threshold: float = 0.4
    flip_horizontal: bool = False

    def run(self, model: BodyPix, image: NDArray[np.uint8]) -> Found:
        """Segment one (H, W, 3) uint8 RGB picture."""
        options: dict[str, Any] = {
            "internal_resolution": self.internal_resolution,
            "segmentation_threshold": self.threshold,
            "flip_horizontal": self.flip_horizontal,
            "max_detections": self.max_people,
            "score_threshold": self.score_threshold,
        }
        if self.people:
            several = model.segment_multi_person_parts if self.parts else model.segment_multi_person
            people: Sequence[Segmentation] = several(image, **options)
            return Found(image, people, True, [one.pose for one in people if one.pose is not None])
        single = model.segment_person_parts if self.parts else model.segment_person
        everybody: Segmentation = single(image, **options)
        # The list holds poses of any mean score, as in the original; weak ones are mostly noise.
        poses = (
            [pose for pose in everybody.all_poses if pose.score >= self.score_threshold]
            if self.poses
            else []
        )
        return Found(image, [everybody], False, poses)
