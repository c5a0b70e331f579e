"""From single pictures to film: probabilities that do not flicker, cuts, people with identities."""

from bodypix.temporal.cuts import CutDetector, is_cut
from bodypix.temporal.smoothing import (
    SmoothingOptions,
    SmoothingState,
    TemporalSmoother,
    smooth,
)
from bodypix.temporal.tracking import Tracker

__all__ = [
    "CutDetector",
    "SmoothingOptions",
    "SmoothingState",
    "TemporalSmoother",
    "Tracker",
    "is_cut",
    "smooth",
]
