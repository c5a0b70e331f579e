"""The film around the hiding: margins in time, and the account of what was found."""

from __future__ import annotations

import json
from collections.abc import Sequence
from fractions import Fraction
from typing import Any

import numpy as np
import pytest

import bodypix
from bodypix.errors import InvalidArgumentError
from bodypix.media import Frame
from bodypix.media.anonymizing import Account, Anonymizer, HidingOptions, Seen, widened
from bodypix.media.hiding import Sighting
from bodypix.media.pipeline import run
from helpers.colours import colour_network, picture
from helpers.fake_media import FakeSink, FakeSource

BLANK = np.zeros((160, 240, 3), np.uint8)


def seen(time: float, columns: Sequence[int] = (), somebody: bool = True, index: int = 0) -> Seen:
    """A small frame in which these columns must be hidden."""
    area = np.zeros((3, 10), np.uint8)
    area[:, list(columns)] = 1
    frame = Frame(np.zeros((3, 10, 3), np.uint8), index, Fraction(time))
    return Seen.of(frame, Sighting(area, float(10 * len(columns)), somebody))


def hidden(frames: Sequence[Seen], seconds: float) -> list[tuple[list[int], float]]:
    """The columns that are hidden in each frame, and the extent."""
    return [
        (np.flatnonzero(area[0]).tolist(), extent) for _, area, extent in widened(frames, seconds)
    ]


def test_a_frame_hides_what_its_neighbours_hide() -> None:
    frames = [seen(0), seen(1, [4]), seen(2), seen(3), seen(4, [8, 9])]
    assert hidden(frames, 1) == [([4], 10), ([4], 10), ([4], 10), ([8, 9], 20), ([8, 9], 20)]
    assert hidden(frames, 0) == [([], 0), ([4], 10), ([], 0), ([], 0), ([8, 9], 20)]
    assert hidden(frames, 2)[2] == ([4, 8, 9], 20)
    assert hidden([], 1) == []


def test_time_counts_and_not_frames() -> None:
    frames = [seen(0, [1]), seen(0.5), seen(0.75), seen(5), seen(5.25, [2])]
    assert [columns for columns, _ in hidden(frames, 0.5)] == [[1], [1], [], [2], [2]]


def test_no_frame_waits_longer_than_it_must() -> None:
    given = []

    def frames() -> Any:
        for index in range(10):
            given.append(index)
            yield seen(index, index=index)

    ahead = [len(given) - item.frame.index for item, _, _ in widened(frames(), 2)]
    assert max(ahead) == 4  # itself, the two in its reach, and the one that is past it


def test_the_account() -> None:
    account = Account()
    for index, (columns, somebody, covered) in enumerate(
        [
            ([3], True, True),
            ([], False, False),
            ([], False, False),
            ([], True, True),
            ([], False, True),
            ([3], True, True),
            ([], True, False),
        ]
    ):
        account.add(seen(index / 4, columns, somebody, index), covered=covered)
    assert account.frames == 7
    assert account.nobody == [1, 2, 4]
    assert account.no_face == [3, 6]
    assert account.by_time == [3, 4]
    assert account.open == [1, 2, 6]
    assert account.spans(account.nobody) == [
        {"first": 1, "last": 2, "from": 0.25, "to": 0.5},
        {"first": 4, "last": 4, "from": 1.0, "to": 1.0},
    ]
    content = json.loads(json.dumps(account.to_dict()))
    assert content["frames"] == 7
    assert content["nobody_found"]["frames"] == 3
    assert content["somebody_without_face"]["spans"][1]["first"] == 6
    assert content["hidden_by_time_margin_only"]["frames"] == 2
    assert content["nothing_hidden"]["frames"] == 3


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"what": "hands"}, "what"),
        ({"how": "smear"}, "how"),
        ({"color": "reddish"}, "color"),
        ({"margin": -0.1}, "margin: expected a number from 0 to 1"),
        ({"seconds": 3}, "seconds: expected a number from 0 to 2"),
    ],
)
def test_options_out_of_range(options: dict[str, Any], message: str) -> None:
    with pytest.raises(InvalidArgumentError, match=message):
        HidingOptions(**options)


class Film(FakeSource):
    """The picture of one person, and at some places a blank one."""

    size = (240, 160)

    def __init__(self, count: int, blank: set[int]) -> None:
        super().__init__(count)
        self._blank = blank

    def __iter__(self) -> Any:
        for frame in super().__iter__():
            yield frame.replaced(BLANK if frame.index in self._blank else picture())


class Keeping(FakeSink):
    """Keeps the pictures."""

    def __init__(self) -> None:
        super().__init__()
        self.images: list[Any] = []

    def write(self, frame: Frame) -> None:
        super().write(frame)
        self.images.append(frame.image)


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> bodypix.BodyPix:
    path = tmp_path_factory.mktemp("model") / "colours.onnx"
    path.write_bytes(colour_network())
    return bodypix.load(path, device="cpu", threads=1)


def test_a_film_with_people_and_gaps(model: bodypix.BodyPix) -> None:
    blank = {0, 1, 2, 3, 4, 5, 9, 14, 15, 16, 17, 18, 19}
    options = HidingOptions(
        what="people", how="fill", color="#00ff00", seconds=0.08, internal_resolution=1.0
    )
    anonymizer = Anonymizer(model, options)
    sink = Keeping()
    report = run(Film(20, blank), anonymizer.stages(), [sink])  # 25 frames a second
    assert report.frames == 20
    assert sink.written == list(range(20))
    covered = [tuple(image[80, 64]) == (0, 255, 0) for image in sink.images]
    # Two frames before and after, so the gap at 9 is covered as well.
    assert covered == [4 <= index <= 15 for index in range(20)]
    for index, image in enumerate(sink.images):
        person = np.zeros((160, 240), bool)
        person[32:128, 24:104] = index not in blank
        assert (image[person] == (0, 255, 0)).all(), index
        assert not image[:10, 200:].any()
    account = anonymizer.account
    assert account.nobody == sorted(blank)
    assert account.by_time == [4, 5, 9, 14, 15]
    assert account.open == [0, 1, 2, 3, 16, 17, 18, 19]
