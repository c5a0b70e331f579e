"""Load options: the original's order, words and defaults (spec section 1)."""

from __future__ import annotations

from typing import Any

import pytest

from bodypix.checkpoints.options import LoadOptions
from bodypix.errors import BodyPixError, InvalidArgumentError


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({}, ("MobileNetV1", 16, 0.75, 4)),
        ({"output_stride": 8}, ("MobileNetV1", 8, 1.0, 4)),
        ({"multiplier": 0.5}, ("MobileNetV1", 16, 0.5, 4)),
        ({"multiplier": 1}, ("MobileNetV1", 16, 1.0, 4)),
        ({"quant_bytes": 2}, ("MobileNetV1", 16, 1.0, 2)),
        ({"architecture": "MobileNetV1"}, ("MobileNetV1", 16, 1.0, 4)),
        ({"architecture": "ResNet50"}, ("ResNet50", 16, 1.0, 4)),
        ({"architecture": "ResNet50", "output_stride": 32}, ("ResNet50", 32, 1.0, 4)),
        ({"output_stride": 32}, ("MobileNetV1", 32, 1.0, 4)),
        ({"output_stride": 16.0}, ("MobileNetV1", 16, 1.0, 4)),
        ({"model_url": "x/model.json"}, ("MobileNetV1", 16, 1.0, 4)),
    ],
)
def test_defaults(given: dict[str, Any], expected: tuple[Any, ...]) -> None:
    options = LoadOptions.from_arguments(**given)
    found = (
        options.architecture,
        options.output_stride,
        options.multiplier,
        options.quant_bytes,
    )
    assert found == expected
    assert [type(value) for value in found] == [str, int, float, int]
    assert options.model_url == given.get("model_url")


@pytest.mark.parametrize(
    ("given", "message"),
    [
        (
            {"architecture": "ResNet101"},
            "Invalid architecture ResNet101. Should be one of MobileNetV1,ResNet50",
        ),
        (
            {"output_stride": 4},
            "Invalid output_stride 4. Should be one of 8,16,32 for architecture MobileNetV1.",
        ),
        (
            {"architecture": "ResNet50", "output_stride": 8},
            "Invalid output_stride 8. Should be one of 16,32 for architecture ResNet50.",
        ),
        (
            {"multiplier": 0.25},
            "Invalid multiplier 0.25. Should be one of 0.5,0.75,1 for architecture MobileNetV1.",
        ),
        (
            {"architecture": "ResNet50", "multiplier": 0.5},
            "Invalid multiplier 0.5. Should be one of 1 for architecture ResNet50.",
        ),
        (
            {"quant_bytes": 3},
            "Invalid quant_bytes 3. Should be one of 1,2,4 for architecture MobileNetV1.",
        ),
        (
            {"quant_bytes": True},
            "Invalid quant_bytes True. Should be one of 1,2,4 for architecture MobileNetV1.",
        ),
        (
            {"output_stride": "16"},
            "Invalid output_stride 16. Should be one of 8,16,32 for architecture MobileNetV1.",
        ),
        (
            {"multiplier": 2.0},
            "Invalid multiplier 2. Should be one of 0.5,0.75,1 for architecture MobileNetV1.",
        ),
        (
            {"multiplier": float("nan")},
            "Invalid multiplier nan. Should be one of 0.5,0.75,1 for architecture MobileNetV1.",
        ),
        (
            {"architecture": ["ResNet50"]},
            "Invalid architecture ['ResNet50']. Should be one of MobileNetV1,ResNet50",
        ),
        # The others are checked although a model_url takes the place of the file.
        (
            {"model_url": "x.json", "quant_bytes": 8},
            "Invalid quant_bytes 8. Should be one of 1,2,4 for architecture MobileNetV1.",
        ),
    ],
)
def test_messages(given: dict[str, Any], message: str) -> None:
    with pytest.raises(InvalidArgumentError) as caught:
        LoadOptions.from_arguments(**given)
    assert str(caught.value) == message
    assert isinstance(caught.value, ValueError)
    assert isinstance(caught.value, BodyPixError)


def test_the_first_wrong_option_is_named() -> None:
    """Order: architecture, output_stride, multiplier, quant_bytes."""
    wrong: dict[str, Any] = {
        "architecture": "X",
        "output_stride": 1,
        "multiplier": 9,
        "quant_bytes": 9,
    }
    for key in list(wrong):
        with pytest.raises(InvalidArgumentError, match=f"^Invalid {key} "):
            LoadOptions(**wrong)
        del wrong[key]
    assert LoadOptions(**wrong) == LoadOptions()
