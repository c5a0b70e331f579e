"""Which person a pixel belongs to: instance masks by long offsets.

Every pixel of the person mask follows the long offsets (`long_offsets`) to where it thinks its
person's keypoints are, and joins the pose whose keypoints are nearest on average. Source: spec
section 5; PersonLab (Papandreou et al. 2018), section 3.3.
"""

from __future__ import annotations

from collections.abc import Sequence
from operator import attrgetter
from typing import Final, NamedTuple, get_args

import numpy as np
from numpy.typing import NDArray

from bodypix import body
from bodypix.decoding.lattice import owner_type, paint_nearest
from bodypix.decoding.long_offsets import BilinearField, NearestField
from bodypix.errors import InvalidArgumentError
from bodypix.geometry import Frame
from bodypix.options import Matching
from bodypix.results import Pose

NOBODY: Final = -1
FACE_KEYPOINTS: Final = 5
FACE_MIN_KEYPOINT_SCORE: Final = 0.3
MAX_SQUARED_DISTANCE: Final = 1_000_000.0

_PIXELS_AT_ONCE: Final = 8192  # what a processor's cache holds with room to spare

_Y_X_SCORE: Final = attrgetter("y", "x", "score")


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
    frame: Frame,
    output_stride: int,
    refine_steps: int = 10,
    min_keypoint_score: float = 0.3,
    matching: Matching = "all",
) -> NDArray[np.signedinteger]:
    """Give every pixel of a person mask to the nearest pose.

    A pose's distance from a pixel is the mean, over the pose's keypoints that score above
    `min_keypoint_score`, of the squared distance between the keypoint and the place to which the
    pixel's long offsets lead. The nearest pose wins, the earlier one of equals; a pose without a
    usable keypoint never does.

    Two ways of matching, the original's two:

    * `"all"`: all 17 keypoints, offsets interpolated, nobody wins 1000 px away (its WebGL path;
      better, and what people saw in browsers). Owners are found on a lattice, coarse where
      neighbours agree and fine where they do not (`lattice`). Against a search pixel by pixel this
      changed 0.02% of the pixels of 103 photos, at borders between people, nine in ten by a pixel.
    * `"face"`: the nose, eyes and ears alone, offsets of the nearest cell, scores above 0.3
      whatever `min_keypoint_score` says (its CPU path, for comparing with it).

    Args:
        mask: (H, W) uint8 or bool, not 0 where a person is.
        long_offsets: (H', W', 34) float32: the raw head, network pixels, all dy then all dx.
        poses: in image pixels; those to choose from.
        frame: sizes and padding.
        output_stride: network pixels from one grid cell to the next.
        refine_steps: hops after the first.
        min_keypoint_score: keypoints need more than this to count.
        matching: `"all"` or `"face"`.

    Returns:
        (H, W) int8, or int16 for more than 128 poses: index into `poses`, or -1 for nobody.

    Raises:
        InvalidArgumentError: an unknown way of matching, or arrays that do not fit.
    """
    rules = _RULES.get(matching)
    if rules is None:
        raise InvalidArgumentError(
            f"matching: expected {' or '.join(map(repr, get_args(Matching)))}, got {matching!r}."
        )
    if mask.shape != frame.image_size or mask.dtype not in (np.uint8, np.bool_):
        raise InvalidArgumentError(
            f"mask: expected uint8 or bool of shape {frame.image_size}, "
            f"got {mask.dtype} of shape {mask.shape}."
        )
    if long_offsets.ndim != 3 or long_offsets.shape[2] != 2 * body.KEYPOINTS:
        raise InvalidArgumentError(
            f"long_offsets: expected shape (rows, columns, {2 * body.KEYPOINTS}), "
            f"got {long_offsets.shape}."
        )
    gate = FACE_MIN_KEYPOINT_SCORE if matching == "face" else min_keypoint_score
    people = _People(poses, rules, gate)
    if not people.keypoints:
        return np.full(mask.shape, NOBODY, dtype=np.int8)
    field = rules.field(long_offsets, people.keypoints, frame, output_stride)

    def distances(rows: NDArray[np.intp], columns: NDArray[np.intp]) -> NDArray[np.float32]:
        return people.distances(field.follow(rows, columns, refine_steps))

    person = mask.view(np.uint8)
    if matching == "all":
        return paint_nearest(person, people.owners, distances)
    by_candidate = np.array(people.owners, dtype=owner_type(max(people.owners)))
    owners = np.full(mask.size, NOBODY, dtype=by_candidate.dtype)
    pixels = np.flatnonzero(person)
    for start in range(0, len(pixels), _PIXELS_AT_ONCE):
        some = pixels[start : start + _PIXELS_AT_ONCE]
        owners[some] = by_candidate[distances(*np.divmod(some, mask.shape[1])).argmin(axis=0)]
    return owners.reshape(mask.shape)


class _People:
    """The poses that can win, and how far a pixel's guesses are from them.

    Attributes:
        keypoints: ids of the keypoints that count for at least one of them.
        owners: pose index by candidate; candidate 0 is nobody.
    """

    def __init__(self, poses: Sequence[Pose], rules: _Rules, gate: float) -> None:
        self._reach = np.float32(rules.reach)
        points = np.array(
            [list(map(_Y_X_SCORE, pose.keypoints[: rules.keypoints])) for pose in poses]
        ).reshape(len(poses), rules.keypoints, 3)
        usable = points[..., 2] > gate
        able = np.flatnonzero(usable.any(axis=1)).tolist()
        keypoints = np.flatnonzero(usable.any(axis=0))
        self.keypoints: list[int] = keypoints.tolist()
        self.owners: list[int] = [NOBODY, *able]
        targets = points[:, keypoints, :2].astype(np.float32).transpose(0, 2, 1)[..., None]
        self._targets: list[tuple[NDArray[np.intp], NDArray[np.float32]]] = []
        for index in able:
            own = np.flatnonzero(usable[index, keypoints])
            self._targets.append((own, targets[index][:, own]))

    def distances(self, guesses: NDArray[np.float32]) -> NDArray[np.float32]:
        """(1 + poses, n) mean squared distances from (2, K, n) guesses; row 0 is nobody's."""
        _, keypoints, count = guesses.shape
        distances = np.empty((len(self.owners), count), dtype=np.float32)
        distances[0] = self._reach
        for row, (own, target) in zip(distances[1:], self._targets, strict=True):
            apart = (guesses if len(own) == keypoints else guesses[:, own]) - target
            np.einsum("akn,akn->n", apart, apart, out=row)
            row /= len(own)
        # A guess that left the grid is NaN: the poses that need it cannot win.
        np.copyto(distances, np.inf, where=np.isnan(distances))
        return distances
