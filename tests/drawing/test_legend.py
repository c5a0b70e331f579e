"""The legend and its lettering."""

from __future__ import annotations

import numpy as np
import pytest

from bodypix import body
from bodypix.drawing import draw_legend
from bodypix.drawing.text import draw_text, text_width
from bodypix.errors import InvalidArgumentError


@pytest.mark.parametrize("scale", list(body.COLOR_SCALES))
def test_every_color_is_in_it(scale: str) -> None:
    seen = {tuple(pixel) for pixel in draw_legend(scale).reshape(-1, 3).tolist()}
    assert set(body.COLOR_SCALES[scale]) <= seen


@pytest.mark.parametrize("scale", [0.25, 1.0, 2.5])
@pytest.mark.parametrize("columns", [1, 2, 3, 24, 99])
def test_sizes(scale: float, columns: int) -> None:
    legend = draw_legend(scale=scale, columns=columns)
    one = draw_legend(scale=1.0, columns=columns)
    assert legend.dtype == np.uint8
    assert legend.shape[0] == pytest.approx(one.shape[0] * scale, abs=1)
    assert legend.shape[1] == pytest.approx(one.shape[1] * scale, abs=1)
    # nothing touches the margin
    ground = legend[0, 0]
    edge = max(2, int(20 * scale))
    for strip in (legend[:edge], legend[-edge:], legend[:, :edge], legend[:, -edge:]):
        assert (strip == ground).all()


def test_some_parts_in_the_given_order() -> None:
    legend = draw_legend(parts=["right_feet", 0], columns=1, title="")
    color = [*body.RAINBOW[23]]
    rows = np.flatnonzero((legend == color).all(axis=2).any(axis=1))
    other = np.flatnonzero((legend == [*body.RAINBOW[0]]).all(axis=2).any(axis=1))
    assert rows.max() < other.min()


def test_one_part() -> None:
    np.testing.assert_array_equal(draw_legend(parts="left_hand"), draw_legend(parts=[10]))
    np.testing.assert_array_equal(draw_legend(parts=10), draw_legend(parts=[10]))
    np.testing.assert_array_equal(draw_legend(None), draw_legend("rainbow"))


def test_dark_and_without_a_title() -> None:
    light, dark = draw_legend(title=""), draw_legend(title="", dark=True)
    assert light.shape == dark.shape
    assert light[0, 0].tolist() == [255, 255, 255]
    assert dark[0, 0].max() < 64
    assert light.shape[0] < draw_legend().shape[0]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"parts": []}, "parts: expected at least one part"),
        ({"parts": ["tail"]}, "got 'tail'"),
        ({"part_colors": [(0, 0, 0)]}, "No color could be found for part id 23"),
        ({"scale": 0}, "scale: expected a number from 0.25 to 16; got 0"),
        ({"columns": 0}, "columns"),
    ],
)
def test_refusals(options, message) -> None:
    with pytest.raises(InvalidArgumentError, match=message):
        draw_legend(**options)


def test_letters() -> None:
    def ink(text: str) -> np.ndarray:
        canvas = np.zeros((60, 400, 3), np.uint8)
        draw_text(canvas, text, 5, 45, 40, (255, 255, 255))
        return canvas[..., 0] > 0

    for character in map(chr, range(33, 127)):
        assert ink(character).any(), character
    assert not ink(" ").any()
    # the hole of an o is open, and the baseline is where it was asked for
    rows, columns = np.nonzero(ink("o"))
    middle = (rows.min() + rows.max()) // 2, (columns.min() + columns.max()) // 2
    assert not ink("o")[middle]
    assert abs(np.nonzero(ink("E"))[0].max() - 45) <= 1
    np.testing.assert_array_equal(ink("é"), ink("?"))
    assert np.nonzero(ink("width"))[1].max() <= 5 + text_width("width", 40)
    assert text_width("ab", 10) == pytest.approx(text_width("a", 10) + text_width("b", 10))
    assert text_width("", 10) == 0
