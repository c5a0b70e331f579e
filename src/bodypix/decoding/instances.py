"""Which person a pixel belongs to: instance masks by long offsets.

Every pixel of the person mask follows the long offsets (`long_offsets`) to where it thinks its
person's keypoints are, and joins the pose whose keypoints are nearest on average. Source: spec
section 5; PersonLab (Papandreou et al. 2018), section 3.3.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, Literal, NamedTuple, TypeAlias, get_args

import numpy as np
from numpy.typing import NDArray

from bodypix import body
from bodypix.decoding.lattice import paint_nearest
from bodypix.decoding.long_offsets import BilinearField, NearestField
from bodypix.errors import InvalidArgumentError
from bodypix.geometry import ImageSize, Padding
from bodypix.results import Pose

Matching: TypeAlias = Literal["all", "face"]
"""How pixels are matched with poses, see `assign_instances`."""

NOBODY: Final = -1
FACE_KEYPOINTS: Final = 5
FACE_MIN_KEYPOINT_SCORE: Final = 0.3
MAX_SQUARED_DISTANCE: Final = 1_000_000.0

_PIXELS_AT_ONCE: Final = 8192  # what a processor's cache holds with room to spare


class _Rules(NamedTuple):
    keypoints: int
    field: type[BilinearField] | type[NearestField]
    reach: float
    """Squared pixels: a pose as far as this or farther does not win."""


_RULES: Final[dict[str, _Rules]] = {
    "all": _Rules(body.KEYPOINTS, BilinearField, MAX_SQUARED_DISTANCE),
    "face": _Rules(FACE_KEYPOINTS, NearestField, np.inf),
}


def assign_instances(
    mask: NDArray[np.uint8],
    long_offsets: NDArray[np.float32],
    poses: Sequence[Pose],
    *,
    image_size: ImageSize,
    input_size: ImageSize,
    padding: Padding,
    output_stride: int,
    refine_steps: int = 10,
    min_keypoint_score: float = 0.3,
    matching: Matching = "all",
) -> NDArray[np.int16]:
    """Give every pixel of a person mask to the nearest pose.

    A pose's distance from a pixel is the mean, over the pose's keypoints that score above
    `min_keypoint_score`, of the squared distance between the keypoint and the place to which the
    pixel's long offsets lead. The nearest pose wins, the earlier one of equals; a pose without a
    usable keypoint never does.

    Two ways of matching, the original's two:

    * `"all"`: all 17 keypoints, offsets interpolated, nobody wins 1000 px away (its WebGL path;
      better, and what people saw in browsers). Owners are exact at the nodes of a lattice, coarse
      where neighbours agree and fine where they do not; between fine nodes that disagree, distances
      are interpolated. Against a pixel-by-pixel search this changes about 0.02% of pixels, all
      within four pixels of a border between people.
    * `"face"`: the nose, eyes and ears alone, offsets of the nearest cell, scores above 0.3
      whatever `min_keypoint_score` says (its CPU path, for comparing with it).

    Args:
        mask: (H, W) uint8 or bool, not 0 where a person is.
        long_offsets: (H', W', 34) float32: the raw head, network pixels, all dy then all dx.
        poses: in image pixels; those to choose from.
        image_size: (H, W).
        input_size: (h, w) of the network's input.
        padding: image pixels.
        output_stride: network pixels from one grid cell to the next.
        refine_steps: hops after the first.
        min_keypoint_score: keypoints need more than this to count.
        matching: `"all"` or `"face"`.

    Returns:
        (H, W) int16: index into `poses`, or -1 for nobody.

    Raises:
        InvalidArgumentError: an unknown way of matching, or arrays that do not fit.
    """
    rules = _RULES.get(matching)
    if rules is None:
        raise InvalidArgumentError(
            f"matching: expected {' or '.join(map(repr, get_args(Matching)))}, got {matching!r}."
        )
    if mask.shape != tuple(image_size):
        raise InvalidArgumentError(f"mask: expected shape {image_size}, got {mask.shape}.")
    if long_offsets.ndim != 3 or long_offsets.shape[2] != 2 * body.KEYPOINTS:
        raise InvalidArgumentError(
            f"long_offsets: expected shape (rows, columns, {2 * body.KEYPOINTS}), "
            f"got {long_offsets.shape}."
        )
    gate = FACE_MIN_KEYPOINT_SCORE if matching == "face" else min_keypoint_score
    people = _People(poses, rules, gate)
    if not people.keypoints:
        return np.full(mask.shape, NOBODY, dtype=np.int16)
    field = rules.field(
        long_offsets, people.keypoints, image_size, input_size, padding, output_stride
    )

    def distances(rows: NDArray[np.intp], columns: NDArray[np.intp]) -> NDArray[np.float32]:
        return people.distances(field.follow(rows, columns, refine_steps))

    person = mask.view(np.uint8)
    if matching == "all":
        owners = people.owners.take(paint_nearest(person, distances))
        np.copyto(owners, NOBODY, where=person == 0)
        return owners
    owners = np.full(mask.size, NOBODY, dtype=np.int16)
    pixels = np.flatnonzero(person)
    for start in range(0, len(pixels), _PIXELS_AT_ONCE):
        some = pixels[start : start + _PIXELS_AT_ONCE]
        owners[some] = people.owners[distances(*np.divmod(some, mask.shape[1])).argmin(axis=0)]
    return owners.reshape(mask.shape)


class _People:
    """The poses that can win, and how far a pixel's guesses are from them.

    Attributes:
        keypoints: ids of the keypoints that count for at least one of them.
        owners: (1 + poses,) int16: pose index by candidate; candidate 0 is nobody.
    """

    def __init__(self, poses: Sequence[Pose], rules: _Rules, gate: float) -> None:
        self._reach = np.float32(rules.reach)
        scores = np.array([pose.scores[: rules.keypoints] for pose in poses])
        usable = scores.reshape(len(poses), -1) > gate
        able = np.flatnonzero(usable.any(axis=1))
        self.keypoints: list[int] = np.flatnonzero(usable.any(axis=0)).tolist()
        self.owners = np.array([NOBODY, *able], dtype=np.int16)
        self._targets: list[tuple[NDArray[np.intp], NDArray[np.float32]]] = []
        for index in able:
            own = np.flatnonzero(usable[index, self.keypoints])
            x, y = poses[index].positions[self.keypoints][own].T
            self._targets.append((own, np.stack([y, x])[..., None].astype(np.float32)))

    def distances(self, guesses: NDArray[np.float32]) -> NDArray[np.float32]:
        """(1 + poses, n) mean squared distances from (2, K, n) guesses; row 0 is nobody's."""
        _, keypoints, count = guesses.shape
        distances = np.empty((len(self.owners), count), dtype=np.float32)
        distances[0] = self._reach
        for row, (own, target) in zip(distances[1:], self._targets, strict=True):
            apart = (guesses if len(own) == keypoints else guesses[:, own]) - target
            apart *= apart
            np.add.reduce(apart, axis=(0, 1), out=row)
            row /= len(own)
        # A guess that left the grid is NaN: the poses that need it cannot win.
        np.copyto(distances, np.inf, where=np.isnan(distances))
        return distances
