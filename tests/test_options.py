"""Options of inference calls."""

from __future__ import annotations

import numpy as np
import pytest

from bodypix.errors import InvalidArgumentError
from bodypix.options import InferenceOptions


def test_defaults_are_the_originals() -> None:
    options = InferenceOptions()
    assert options.internal_resolution == "medium"
    assert options.segmentation_threshold == 0.7
    assert options.flip_horizontal is False
    assert options.max_detections == 10
    assert options.score_threshold == 0.4
    assert options.nms_radius == 20.0
    assert options.min_keypoint_score == 0.3
    assert options.refine_steps == 10


def test_none_stands_for_the_default() -> None:
    nothing = InferenceOptions(
        internal_resolution=None,  # type: ignore[arg-type]
        segmentation_threshold=None,  # type: ignore[arg-type]
        max_detections=None,  # type: ignore[arg-type]
        matching=None,  # type: ignore[arg-type]
    )
    assert nothing == InferenceOptions()


@pytest.mark.parametrize(
    "options",
    [
        {"segmentation_threshold": 0},
        {"segmentation_threshold": 1},
        {"score_threshold": np.float32(0.25)},
        {"max_detections": np.int64(3)},
        {"nms_radius": 1},
        {"refine_steps": 20},
        {"matching": "face"},
        {"internal_resolution": 0.1},
    ],
)
def test_values_in_range(options: dict[str, object]) -> None:
    InferenceOptions(**options)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("name", "value", "expected"),
    [
        ("internal_resolution", 3, "number from 0.1 to 2.0"),
        ("segmentation_threshold", -0.01, "a number from 0 to 1"),
        ("segmentation_threshold", 1.01, "a number from 0 to 1"),
        ("segmentation_threshold", "0.5", "a number from 0 to 1"),
        ("segmentation_threshold", float("nan"), "a number from 0 to 1"),
        ("segmentation_threshold", True, "a number from 0 to 1"),
        ("score_threshold", 2, "a number from 0 to 1"),
        ("min_keypoint_score", -1, "a number from 0 to 1"),
        ("max_detections", 0, "a whole number from 1"),
        ("max_detections", 2.5, "a whole number from 1"),
        ("nms_radius", 0, "a number above 0"),
        ("nms_radius", -3.0, "a number above 0"),
        ("refine_steps", 0, "a whole number from 1 to 20"),
        ("refine_steps", 21, "a whole number from 1 to 20"),
        ("matching", "hands", "'all' or 'face'"),
        ("flip_horizontal", "no", "True or False"),
    ],
)
def test_errors_name_option_range_and_value(name: str, value: object, expected: str) -> None:
    with pytest.raises(InvalidArgumentError, match=f"^{name}: expected .*{expected}") as caught:
        InferenceOptions(**{name: value})  # type: ignore[arg-type]
    assert repr(value) in str(caught.value)
    assert isinstance(caught.value, ValueError)
