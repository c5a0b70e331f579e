"""What an inference call can be asked for: options, defaults, ranges (spec section 3)."""

from __future__ import annotations

import numbers
import os
from dataclasses import dataclass, fields
from typing import Literal, get_args

import numpy as np

from bodypix.errors import InvalidArgumentError
from bodypix.geometry import InternalResolution, resolution_share

Matching = Literal["all", "face"]
"""How pixels find their person: by all 17 keypoints, or by 5 as the original does on a CPU."""

MAX_REFINE_STEPS = 20


@dataclass(frozen=True)
class InferenceOptions:
    """Options of the `segment_*` methods; None stands for the default.

    Attributes:
        internal_resolution: "low" (0.25), "medium" (0.5), "high" (0.75), "full" (1.0), or a number
            from 0.1 to 2.0: the share of the image's size at which the network works.
        segmentation_threshold: 0..1; person pixels have a probability strictly above it.
        flip_horizontal: True segments the mirrored image; answers are in the given image's frame.
        max_detections: at least 1; at most so many poses are decoded.
        score_threshold: 0..1; a pose needs a root keypoint of this score.
        nms_radius: above 0, network pixels; no two poses have a root nearer than this.
        min_keypoint_score: 0..1; keypoints below it do not help pixels find their person.
        refine_steps: 1..20; how often a pixel's offset to a keypoint is refined.
        matching: "all" or "face".

    Raises:
        InvalidArgumentError: a value out of range; the message names option, range and value.
    """

    internal_resolution: InternalResolution = "medium"
    segmentation_threshold: float = 0.7
    flip_horizontal: bool = False
    max_detections: int = 10
    score_threshold: float = 0.4
    nms_radius: float = 20.0
    min_keypoint_score: float = 0.3
    refine_steps: int = 10
    matching: Matching = "all"

    def __post_init__(self) -> None:
        for field in fields(self):
            if getattr(self, field.name) is None:
                object.__setattr__(self, field.name, field.default)
        resolution_share(self.internal_resolution)
        flip = self.flip_horizontal
        _require("flip_horizontal", isinstance(flip, (bool, np.bool_)), "True or False", flip)
        for name in ("segmentation_threshold", "score_threshold", "min_keypoint_score"):
            value = getattr(self, name)
            _require(name, is_real(value) and 0 <= value <= 1, "a number from 0 to 1", value)
        _require(
            "max_detections",
            is_whole(self.max_detections) and self.max_detections >= 1,
            "a whole number from 1",
            self.max_detections,
        )
        _require(
            "nms_radius",
            is_real(self.nms_radius) and self.nms_radius > 0,
            "a number above 0",
            self.nms_radius,
        )
        _require(
            "refine_steps",
            is_whole(self.refine_steps) and 1 <= self.refine_steps <= MAX_REFINE_STEPS,
            f"a whole number from 1 to {MAX_REFINE_STEPS}",
            self.refine_steps,
        )
        _require(
            "matching",
            self.matching in get_args(Matching),
            " or ".join(map(repr, get_args(Matching))),
            self.matching,
        )


def is_real(value: object) -> bool:
    """Whether a value is a number, whole or not; True and False are none."""
    return isinstance(value, numbers.Real) and not isinstance(value, bool)


def is_whole(value: object) -> bool:
    """Whether a value is a whole number, of Python's or numpy's; True and False are none."""
    return isinstance(value, numbers.Integral) and not isinstance(value, bool)


def frame_size(size: object) -> tuple[int, int]:
    """A width and a height in pixels.

    Raises:
        InvalidArgumentError: anything else than two whole numbers from 1.
    """
    if isinstance(size, (tuple, list)) and len(size) == 2:
        width, height = size
        if is_whole(width) and is_whole(height) and min(width, height) >= 1:
            return int(width), int(height)
    raise InvalidArgumentError(
        f"size: expected (width, height), whole numbers from 1, got {size!r}."
    )


def path_text(name: str, path: object) -> str:
    """A path as text.

    Raises:
        InvalidArgumentError: neither text nor a path object.
    """
    if isinstance(path, str):
        return path
    if isinstance(path, os.PathLike) and isinstance(text := os.fspath(path), str):
        return text
    raise InvalidArgumentError(f"{name}: expected text or a path, got {path!r}.")


def _require(name: str, holds: bool, expected: str, value: object) -> None:
    if not holds:
        raise InvalidArgumentError(f"{name}: expected {expected}, got {value!r}.")
