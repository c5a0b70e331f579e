"""A film in which nobody can be recognised, and an account of how sure that is.

Three steps: find what to hide in each frame, join it with what is hidden shortly before and after
(so that a face missed for a moment stays hidden, and fast movement does not leave it uncovered),
and draw. The account counts what was *found*; nobody can count what was overlooked.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from bodypix.drawing import checks
from bodypix.drawing.colors import ColorLike, rgb
from bodypix.geometry import InternalResolution
from bodypix.media.frames import Frame
from bodypix.media.hiding import How, Mask, Sighting, What, check_words, find, hide
from bodypix.media.pipeline import Stage
from bodypix.media.segmenting import FrameSegmenter
from bodypix.options import InferenceOptions
from bodypix.results import PartSegmentation
from bodypix.segmenter import BodyPix

MOST_SECONDS: Final = 2.0
"""The longest margin in time: frames wait in memory for what comes after them."""


@dataclass(frozen=True)
class HidingOptions:
    """What to hide and how.

    Attributes:
        what: "faces", or "people" from head to foot.
        how: "blur", "pixelate" or "fill".
        color: of "fill".
        margin: safety margin in space: 0..1, a share of the size of what is hidden.
        seconds: safety margin in time: 0..2; what is hidden in a frame is hidden so long before
            and after it.
        threshold: 0..1; pixels count as a person above this probability. Lower than for effects:
            rather too much than too little.
        internal_resolution: size the network sees; larger finds smaller faces.

    Raises:
        InvalidArgumentError: a value out of its range.
    """

    what: What = "faces"
    how: How = "blur"
    color: ColorLike = "#000000"
    margin: float = 0.15
    seconds: float = 0.2
    threshold: float = 0.3
    internal_resolution: InternalResolution = "high"

    def __post_init__(self) -> None:
        check_words(self.what, self.how)
        rgb(self.color)
        checks.number("margin", self.margin, 0.0, 1.0)
        checks.number("seconds", self.seconds, 0.0, MOST_SECONDS)


@dataclass
class Account:
    """What was found where, by the numbers and times of frames.

    Attributes:
        frames: how many there were.
        nobody: numbers of frames in which nobody was found.
        no_face: numbers of frames in which somebody was found, but nothing to hide.
        by_time: numbers of frames in which nothing to hide was found, but something is hidden,
            because it was found shortly before or after.
        open: numbers of frames in which nothing is hidden at all.
        times: when each of these frames is shown, in seconds.
    """

    frames: int = 0
    nobody: list[int] = field(default_factory=list)
    no_face: list[int] = field(default_factory=list)
    by_time: list[int] = field(default_factory=list)
    open: list[int] = field(default_factory=list)
    times: dict[int, Fraction] = field(default_factory=dict)

    def add(self, seen: Seen, covered: bool) -> None:
        """Note one frame; `covered`: something is hidden in it."""
        number = seen.frame.index
        self.frames += 1
        if not seen.somebody:
            self.nobody.append(number)
        elif not seen.extent:
            self.no_face.append(number)
        if not seen.extent:
            (self.by_time if covered else self.open).append(number)
        if not (seen.somebody and seen.extent):
            self.times[number] = seen.frame.time

    def spans(self, numbers: list[int]) -> list[dict[str, Any]]:
        """Runs of frames as `first`, `last` (numbers) and `from`, `to` (seconds)."""
        runs: list[list[int]] = []
        for number in numbers:
            if runs and runs[-1][1] == number - 1:
                runs[-1][1] = number
            else:
                runs.append([number, number])
        return [
            {
                "first": first,
                "last": last,
                "from": round(float(self.times[first]), 3),
                "to": round(float(self.times[last]), 3),
            }
            for first, last in runs
        ]

    def to_dict(self) -> dict[str, Any]:
        """The account as JSON takes it; docs/video.md explains the keys."""
        kinds: Mapping[str, list[int]] = {
            "nobody_found": self.nobody,
            "somebody_without_face": self.no_face,
            "hidden_by_time_margin_only": self.by_time,
            "nothing_hidden": self.open,
        }
        return {
            "frames": self.frames,
            **{
                name: {"frames": len(numbers), "spans": self.spans(numbers)}
                for name, numbers in kinds.items()
            },
        }


class Anonymizer:
    """The stages that hide faces or people in one film, and the account of it.

    >>> anonymizer = Anonymizer(bodypix.load(), HidingOptions())   # doctest: +SKIP
    >>> run(source, anonymizer.stages(), [sink])                   # doctest: +SKIP
    >>> anonymizer.account.nobody                                  # doctest: +SKIP
    []
    """

    def __init__(self, model: BodyPix, options: HidingOptions | None = None) -> None:
        self.options = options or HidingOptions()
        self.account = Account()
        self._segmenter = FrameSegmenter(
            model,
            parts=True,
            poses=True,
            options=InferenceOptions(
                internal_resolution=self.options.internal_resolution,
                segmentation_threshold=self.options.threshold,
                score_threshold=0.2,
            ),
        )

    def stages(self) -> dict[str, Stage]:
        """For `pipeline.run`."""
        return {"segment": self._find, "draw": self._hide}

    def _find(self, frames: Iterator[Frame]) -> Iterator[Seen]:
        for frame in frames:
            people = self._segmenter(frame.image)
            assert isinstance(people, PartSegmentation)
            yield Seen.of(frame, find(people, self.options.what, self.options.margin))

    def _hide(self, frames: Iterator[Seen]) -> Iterator[Frame]:
        options = self.options
        for seen, area, extent in widened(frames, options.seconds):
            self.account.add(seen, covered=extent > 0)
            image = hide(seen.frame.image, area, options.how, extent, options.color)
            yield seen.frame.replaced(image)


@dataclass(frozen=True, eq=False)
class Seen:
    """A frame that waits for what comes after it, and what was seen in it.

    `bits` is the area to hide, one bit a pixel; `extent` and `somebody` are those of `Sighting`.
    """

    frame: Frame
    bits: NDArray[np.uint8]
    extent: float
    somebody: bool

    @classmethod
    def of(cls, frame: Frame, sighting: Sighting) -> Seen:
        """Pack what was seen."""
        return cls(frame, np.packbits(sighting.area), sighting.extent, sighting.somebody)


def widened(frames: Iterable[Seen], seconds: float) -> Iterator[tuple[Seen, Mask, float]]:
    """Each frame with all that is hidden in frames at most `seconds` before or after it.

    Yields:
        The frame, the joined area as (H, W) uint8 of 0 and 1, and the largest extent.
    """
    reach = Fraction(seconds)
    window: deque[Seen] = deque()
    waiting: deque[Seen] = deque()
    for seen in frames:
        window.append(seen)
        waiting.append(seen)
        while seen.frame.time - waiting[0].frame.time > reach:
            yield _joined(waiting.popleft(), window, reach)
    while waiting:
        yield _joined(waiting.popleft(), window, reach)


def _joined(seen: Seen, window: deque[Seen], reach: Fraction) -> tuple[Seen, Mask, float]:
    """One frame's answer; drops from the window what no later frame needs."""
    time = seen.frame.time
    while window[0].frame.time < time - reach:
        window.popleft()
    near = [other for other in window if other.frame.time <= time + reach]
    bits = np.bitwise_or.reduce([other.bits for other in near])
    height, width = seen.frame.image.shape[:2]
    area = np.unpackbits(bits, count=height * width).reshape(height, width)
    return seen, area, max(other.extent for other in near)
