"""Which person of this frame is which person of the frames before."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from bodypix.errors import InvalidArgumentError
from bodypix.results import PartSegmentation, PersonSegmentation
from bodypix.shrinking import grid_size, shrunk
from bodypix.temporal.assignment import best_pairs

# Masks are compared on a grid with at most so many cells along the longer side.
_GRID: Final = 64
# Keypoints count from this score on, and poses with at least so many of them in common.
_LEAST_SCORE: Final = 0.3
_FEWEST_KEYPOINTS: Final = 3
# A keypoint may be off by a quarter of the person's size (the root of the mask's area), and by a
# tenth of that more for each frame in which the person was not found.
_TOLERANCE: Final = 0.25
_LOOSER: Final = 0.1
# How fast somebody is: the mean of the last step and of what was known. Out of sight people slow
# down by this factor each frame.
_INERTIA: Final = 0.5
_SLOWING: Final = 0.95


@dataclass(frozen=True)
class _Look:
    """What a person is recognised by in one frame.

    mask: (h, w) float32, 0..1; cell: image pixels (x, y) in a cell; points: (17, 2) image pixels
    and which of them count, `known`; center and size of the mask in image pixels.
    """

    mask: NDArray[np.float32]
    cell: NDArray[np.float64]
    points: NDArray[np.float64]
    known: NDArray[np.bool_]
    center: NDArray[np.float64]
    size: float


@dataclass
class _Track:
    """A person that was found; `velocity` in image pixels a frame, `missed` frames since then."""

    identity: int
    look: _Look
    velocity: NDArray[np.float64] = field(default_factory=lambda: np.zeros(2))
    missed: int = 0

    def shift(self) -> NDArray[np.float64]:
        """(2,) x, y: where the person should be by now, relative to where it was found."""
        steps = sum(_SLOWING**step for step in range(self.missed + 1))
        return self.velocity * steps


class Tracker:
    """Gives every person of a film a number that stays theirs from frame to frame.

    Each person of a frame is compared with those known from the frames before, moved on at their
    speed: `similarity = (IoU + K) / 2`, where IoU is that of the masks and K the mean over the
    keypoints that both poses show of `exp(-d^2 / (2 (0.25 size)^2))` (as COCO's object keypoint
    similarity, with one tolerance for all keypoints); without poses it is the IoU. The pairs of the
    largest total similarity are taken.

    Args:
        memory: frames for which somebody who is not found is remembered, 0 or more.
        least_similarity: 0..1; less alike people are never taken for the same.

    Raises:
        InvalidArgumentError: a number out of its range.

    >>> tracker = Tracker()
    >>> someone = PersonSegmentation(np.ones((8, 8), np.uint8))
    >>> tracker.update([someone]), tracker.update([someone])
    ([1], [1])
    """

    def __init__(self, memory: int = 30, least_similarity: float = 0.15) -> None:
        if memory < 0:
            raise InvalidArgumentError(f"memory: expected 0 frames or more, got {memory!r}.")
        if not 0.0 <= least_similarity <= 1.0:
            raise InvalidArgumentError(
                f"least_similarity: expected a number from 0 to 1, got {least_similarity!r}."
            )
        self._memory = memory
        self._least = least_similarity
        self._tracks: list[_Track] = []
        self._last = 0

    def update(
        self, people: Sequence[PersonSegmentation] | Sequence[PartSegmentation]
    ) -> list[int]:
        """The numbers of the next frame's people, in their order; new people get new numbers.

        Numbers begin with 1 and are never used again, not even after `reset`.

        Args:
            people: one segmentation for each person, as `segment_multi_person` returns; may be
                empty. All masks of a film have one size; another size begins anew.

        Raises:
            InvalidArgumentError: something else.
        """
        _check(people)
        looks = [_look(person) for person in people]
        if looks and any(track.look.mask.shape != looks[0].mask.shape for track in self._tracks):
            self.reset()
        numbers = [0] * len(looks)
        found = self._matches(looks)
        for track, index in found:
            _follow(track, looks[index])
            numbers[index] = track.identity
        seen = {track.identity for track, _ in found}
        for track in self._tracks:
            track.missed += track.identity not in seen
        self._tracks = [track for track in self._tracks if track.missed <= self._memory]
        for index, look in enumerate(looks):
            if not numbers[index]:
                self._last += 1
                numbers[index] = self._last
                self._tracks.append(_Track(self._last, look))
        return numbers

    def reset(self) -> None:
        """Forget everybody, as at a cut."""
        self._tracks = []

    def _matches(self, looks: list[_Look]) -> list[tuple[_Track, int]]:
        if not self._tracks or not looks:
            return []
        values = np.array([_similarities(track, looks) for track in self._tracks])
        # Who is not alike enough counts nothing, so that no better pair is given up for it.
        values[values < self._least] = 0.0
        return [
            (self._tracks[row], column)
            for row, column in best_pairs(values)
            if values[row, column] > 0.0
        ]


def _check(people: object) -> None:
    """Refuse what is no list of segmentations."""
    several = isinstance(people, (list, tuple))
    for person in people if several else (people,):  # type: ignore[attr-defined]
        if not (several and isinstance(person, (PersonSegmentation, PartSegmentation))):
            raise InvalidArgumentError(
                "people: expected a list of segmentations, as segment_multi_person returns; got "
                f"{type(person).__name__}."
            )


def _look(person: PersonSegmentation | PartSegmentation) -> _Look:
    mask = person.mask
    height, width = mask.shape
    small = shrunk(mask * np.uint8(255), grid_size(height, width, _GRID))
    cells = small.astype(np.float32) / np.float32(255)
    cell = np.array([width / small.shape[1], height / small.shape[0]])
    moments = cv2.moments(small)
    area = max(moments["m00"] / 255, 1e-9)
    center = np.array([moments["m10"], moments["m01"]]) / (255 * area) + 0.5
    pose = person.pose
    return _Look(
        cells,
        cell,
        np.zeros((17, 2)) if pose is None else pose.positions,
        np.zeros(17, bool) if pose is None else pose.scores >= _LEAST_SCORE,
        center * cell,
        float(np.sqrt(area * cell.prod())),
    )


def _similarities(track: _Track, looks: Sequence[_Look]) -> list[float]:
    """How alike each person of a frame is to one of the frames before, 0..1."""
    then, shift = track.look, track.shift()
    dx, dy = shift / then.cell
    rows, columns = then.mask.shape
    moved = cv2.warpAffine(then.mask, np.array([[1.0, 0.0, dx], [0.0, 1.0, dy]]), (columns, rows))
    points = then.points + shift
    similarities = []
    for look in looks:
        union = float(np.maximum(moved, look.mask).sum())
        overlap = float(np.minimum(moved, look.mask).sum()) / union if union else 0.0
        common = then.known & look.known
        if np.count_nonzero(common) >= _FEWEST_KEYPOINTS:
            apart = np.square(points[common] - look.points[common]).sum(1)
            size = max(then.size, look.size, 1.0)
            tolerance = _TOLERANCE * (1.0 + _LOOSER * track.missed) * size
            near = float(np.exp(-apart / (2.0 * tolerance**2)).mean())
            overlap = (overlap + near) / 2.0
        similarities.append(overlap)
    return similarities


def _follow(track: _Track, look: _Look) -> None:
    """Bring a track to where its person was found."""
    common = track.look.known & look.known
    if np.count_nonzero(common) >= _FEWEST_KEYPOINTS:
        # The median: one arm's movement is not the person's.
        step = np.median(look.points[common] - track.look.points[common], axis=0)
    else:
        step = look.center - track.look.center
    track.velocity = _INERTIA * track.velocity + (1.0 - _INERTIA) * step / (track.missed + 1)
    track.look = look
    track.missed = 0
