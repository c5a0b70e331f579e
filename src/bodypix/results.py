"""What a call returns: keypoints, poses, a person's mask, a body-part map.

Masks are in image pixels, (height, width). What costs time and is not always read (probability
maps, poses beside a mask) is worked out when first read and then kept.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from os import PathLike
from typing import TYPE_CHECKING, Any, Generic, TypeVar

import numpy as np
from numpy.typing import NDArray

from bodypix import body
from bodypix.errors import ImageError, InvalidArgumentError
from bodypix.exports import (
    Rle,
    encode_rle,
    save_arrays,
    to_detections,
)
from bodypix.images import ImageLike, to_rgb

if TYPE_CHECKING:
    import supervision

_T = TypeVar("_T")
_N = TypeVar("_N", bound=np.generic)

Box = tuple[int, int, int, int]
"""x, y, width, height in image pixels."""


@dataclass(frozen=True)
class Keypoint:
    """One point of a pose: a name of `body.KEYPOINT_NAMES`, image pixels, a score from 0 to 1."""

    name: str
    x: float
    y: float
    score: float


@dataclass(frozen=True)
class Pose:
    """17 keypoints in the order of `body.KEYPOINT_NAMES`, and the pose's own score from 0 to 1.

    Keypoints may lie outside the image.

    Raises:
        InvalidArgumentError: not 17 keypoints.
    """

    score: float
    keypoints: list[Keypoint]

    def __post_init__(self) -> None:
        if len(self.keypoints) != body.KEYPOINTS:
            raise InvalidArgumentError(
                f"keypoints: expected {body.KEYPOINTS}, got {len(self.keypoints)}."
            )

    @property
    def positions(self) -> NDArray[np.float64]:
        """(17, 2) float64: x, y of every keypoint, image pixels."""
        return np.array([(point.x, point.y) for point in self.keypoints], dtype=np.float64)

    @property
    def scores(self) -> NDArray[np.float64]:
        """(17,) float64: score of every keypoint, 0..1."""
        return np.array([point.score for point in self.keypoints], dtype=np.float64)

    def keypoint(self, keypoint: str | int) -> Keypoint:
        """The keypoint of that name or id, for example `pose.keypoint("left_wrist").x`."""
        return self.keypoints[body.keypoint_id(keypoint)]


class _Lazy(Generic[_T]):
    """A value, or a function that makes it when it is first wanted."""

    __slots__ = ("_make", "_value")

    def __init__(self, value: _T | Callable[[], _T]) -> None:
        self._make: Callable[[], _T] | None = None
        self._value: _T
        if callable(value):
            self._make = value
        else:
            self._value = value

    def get(self) -> _T:
        # Two threads may both make it; they make the same thing, so no lock is needed.
        make = self._make
        if make is not None:
            self._value = make()
            self._make = None
        return self._value

    def __getstate__(self) -> tuple[_T]:
        return (self.get(),)  # in a tuple, because pickle takes no state of None

    def __setstate__(self, state: tuple[_T]) -> None:
        self._make, self._value = None, state[0]


class _Segmentation:
    """What person and part segmentations share."""

    _mask: NDArray[np.uint8]

    def __init__(
        self,
        *,
        probability: NDArray[np.float32] | Callable[[], NDArray[np.float32]] | None,
        pose: Pose | None,
        all_poses: Sequence[Pose] | Callable[[], list[Pose]],
        track: int | None,
    ) -> None:
        self._probability: _Lazy[NDArray[np.float32] | None] = _Lazy(probability)
        self._all_poses: _Lazy[list[Pose]] = _Lazy(
            all_poses if callable(all_poses) else list(all_poses)
        )
        self.pose = pose
        self.track = track

    @property
    def mask(self) -> NDArray[np.uint8]:
        """(H, W) uint8: 1 where the person is, else 0."""
        raise NotImplementedError

    @property
    def probability(self) -> NDArray[np.float32] | None:
        """(H, W) float32, 0..1: how sure the network is that a pixel is of a person.

        Worked out when first read. None for one person out of several: people are told apart by
        poses, which gives no probability.
        """
        return self._probability.get()

    @property
    def all_poses(self) -> list[Pose]:
        """Every pose that was found, of all people, in the order of decoding.

        Worked out when first read (the pose heads of the network run then). As in the JavaScript
        original, poses of low mean score are in the list.
        """
        return self._all_poses.get()

    @property
    def height(self) -> int:
        """Image height in pixels."""
        return int(self.mask.shape[0])

    @property
    def width(self) -> int:
        """Image width in pixels."""
        return int(self.mask.shape[1])

    @property
    def box(self) -> Box | None:
        """Smallest (x, y, width, height) that holds the mask; None where the mask is empty."""
        columns = np.flatnonzero(self.mask.any(axis=0))
        if not columns.size:
            return None
        rows = np.flatnonzero(self.mask.any(axis=1))
        x, y = int(columns[0]), int(rows[0])
        return x, y, int(columns[-1]) - x + 1, int(rows[-1]) - y + 1

    def cutout(self, image: ImageLike, *, soft: bool = False) -> NDArray[np.uint8]:
        """(H, W, 4) uint8 RGBA: the image where the person is, transparent elsewhere.

        Args:
            image: (H, W, 3) uint8 RGB array, PIL image, or path; of the size of the mask.
            soft: alpha from the probability instead of 0 or 255.

        Raises:
            ImageError: the image cannot be used, or is of another size.
            InvalidArgumentError: `soft` for a segmentation that has no probability.
        """
        pixels = to_rgb(image)
        if pixels.shape[:2] != self.mask.shape:
            raise ImageError(
                f"image: expected the size of the mask, {self.width}x{self.height}; got "
                f"{pixels.shape[1]}x{pixels.shape[0]}. Give the image that was segmented."
            )
        if soft:
            if self.probability is None:
                raise InvalidArgumentError(
                    "soft: one person out of several has no probability; use soft=False."
                )
            alpha = np.rint(self.probability * 255.0).astype(np.uint8)
        else:
            alpha = self.mask * np.uint8(255)
        return np.dstack((pixels, alpha))


class PersonSegmentation(_Segmentation):
    """Which pixels are of people (or, from the multi-person methods, of one person).

    Args:
        mask: (H, W) uint8, 0 or 1; or 0 and 255, as `save` writes it, which is read as 0 and 1.
        probability: (H, W) float32, 0..1, or a function that makes it; None where there is none.
        pose: the person's pose; None from the single-mask methods.
        all_poses: every pose found in the image, or a function that makes the list.
        track: the person's number in a moving picture, the same in every frame; None elsewhere.

    Raises:
        InvalidArgumentError: the mask is not (H, W) uint8, or holds other values; the probability
            is of another shape.
    """

    def __init__(
        self,
        mask: NDArray[np.uint8],
        *,
        probability: NDArray[np.float32] | Callable[[], NDArray[np.float32]] | None = None,
        pose: Pose | None = None,
        all_poses: Sequence[Pose] | Callable[[], list[Pose]] = (),
        track: int | None = None,
    ) -> None:
        super().__init__(probability=probability, pose=pose, all_poses=all_poses, track=track)
        found = binary(_checked("mask", mask, np.dtype(np.uint8)))
        if found is None:
            raise InvalidArgumentError(
                f"mask: expected 0 and 1, or 0 and 255; got values from {mask.min()} to "
                f"{mask.max()}. Threshold a grey picture first: (mask > 127).view(np.uint8)."
            )
        _check_shape(probability, found.shape)
        self._mask = found

    @property
    def mask(self) -> NDArray[np.uint8]:
        """(H, W) uint8: 1 where the person is, else 0."""
        return self._mask

    def save(self, path: str | PathLike[str]) -> None:
        """Write the mask: `.png` (0 and 255), `.npy`, or `.npz` (also holds the probability).

        Raises:
            InvalidArgumentError: another suffix.
            OutputError: the file cannot be written there.
        """
        arrays = {"mask": self.mask}
        save_arrays(path, self.mask * np.uint8(255), arrays, self._probability.get)

    def to_rle(self) -> Rle:
        """The mask as COCO's compressed run-length code: `{"size": [H, W], "counts": str}`."""
        return encode_rle(self.mask)

    def to_supervision(self) -> supervision.Detections:
        """`supervision.Detections`: one of class 0, "person", or none if the mask is empty.

        Raises:
            MissingExtraError: the package supervision is not installed.
        """
        return to_detections([(0, "person", self.mask)], self.pose.score if self.pose else None)

    def __repr__(self) -> str:
        return (
            f"PersonSegmentation({self.width}x{self.height}, "
            f"{np.count_nonzero(self.mask)} person pixels)"
        )


class PartSegmentation(_Segmentation):
    """Which body part every pixel is of.

    Args:
        part_ids: (H, W) int32, -1 where nobody is, else 0..23 (`body.PART_NAMES`).
        probability: (H, W) float32, 0..1: that the pixel is of a person, or a function that makes
            it; None where there is none.
        pose: the person's pose; None from the single-mask methods.
        all_poses: every pose found in the image, or a function that makes the list.
        track: the person's number in a moving picture, the same in every frame; None elsewhere.

    Raises:
        InvalidArgumentError: the part ids are not (H, W) int32, or out of range; the probability
            is of another shape.
    """

    def __init__(
        self,
        part_ids: NDArray[np.int32],
        *,
        probability: NDArray[np.float32] | Callable[[], NDArray[np.float32]] | None = None,
        pose: Pose | None = None,
        all_poses: Sequence[Pose] | Callable[[], list[Pose]] = (),
        track: int | None = None,
    ) -> None:
        super().__init__(probability=probability, pose=pose, all_poses=all_poses, track=track)
        self._part_ids = _checked("part_ids", part_ids, np.dtype(np.int32))
        if part_ids.min(initial=-1) < -1 or part_ids.max(initial=-1) >= body.PARTS:
            raise InvalidArgumentError(
                f"part_ids: expected -1 (nobody) to {body.PARTS - 1}; got {part_ids.min()} to "
                f"{part_ids.max()}. A part map that was saved as PNG holds part id + 1."
            )
        _check_shape(probability, part_ids.shape)
        # Bound to the array, not to self: a cycle would keep large arrays until the collector runs.
        self._mask_of_parts: _Lazy[NDArray[np.uint8]] = _Lazy(partial(_mask_of, self._part_ids))

    @property
    def part_ids(self) -> NDArray[np.int32]:
        """(H, W) int32: -1 where nobody is, else the part id 0..23 (`body.PART_NAMES`)."""
        return self._part_ids

    @property
    def mask(self) -> NDArray[np.uint8]:
        """(H, W) uint8: 1 where any part is, else 0."""
        return self._mask_of_parts.get()

    @property
    def parts(self) -> list[str]:
        """Names of the parts that have at least one pixel, in the order of their ids."""
        counts = np.bincount((self.part_ids + 1).ravel(), minlength=body.PARTS + 1)[1:]
        return [body.PART_NAMES[part] for part in np.flatnonzero(counts)]

    def part(self, *parts: str | int) -> NDArray[np.uint8]:
        """(H, W) uint8 mask of one part or of several together: `part("left_hand", "right_hand")`.

        Raises:
            InvalidArgumentError: no part has that name or id, or none is given.
        """
        if not parts:
            raise InvalidArgumentError("parts: expected at least one name or id, got none.")
        return np.isin(self.part_ids, [body.part_id(part) for part in parts]).view(np.uint8)

    def save(self, path: str | PathLike[str]) -> None:
        """Write the part map: `.png` (0 nobody, else part id + 1), `.npy` or `.npz` (ids as here).

        Raises:
            InvalidArgumentError: another suffix.
            OutputError: the file cannot be written there.
        """
        picture = (self.part_ids + 1).astype(np.uint8)
        save_arrays(path, picture, {"part_ids": self.part_ids}, self._probability.get)

    def to_rle(self, part: str | int | None = None) -> Rle:
        """COCO's compressed run-length code of one part, or of the whole person."""
        return encode_rle(self.mask if part is None else self.part(part))

    def to_supervision(self) -> supervision.Detections:
        """`supervision.Detections` with one detection for each part present; class id = part id.

        Raises:
            MissingExtraError: the package supervision is not installed.
        """
        masks = [(body.part_id(name), name, self.part(name)) for name in self.parts]
        return to_detections(masks, self.pose.score if self.pose else None)

    def __repr__(self) -> str:
        return f"PartSegmentation({self.width}x{self.height}, parts: {', '.join(self.parts)})"


def binary(values: NDArray[Any]) -> NDArray[np.uint8] | None:
    """(H, W) uint8 0/1 of a mask of 0 and 1, or of 0 and 255 as image files hold them; else None.

    May share memory with the integers it is made of.
    """
    low, high = int(values.min(initial=0)), int(values.max(initial=0))
    if low == 0 and high <= 1 and values.dtype == np.uint8:
        return values
    if low < 0 or (high > 1 and (high != 255 or np.any((values > 0) & (values < 255)))):
        return None
    return (values > 0).view(np.uint8)


def _mask_of(part_ids: NDArray[np.int32]) -> NDArray[np.uint8]:
    return (part_ids >= 0).view(np.uint8)


def _check_shape(probability: object, shape: tuple[int, ...]) -> None:
    if isinstance(probability, np.ndarray) and probability.shape != shape:
        raise InvalidArgumentError(
            f"probability: expected the mask's shape {shape}; got {probability.shape}."
        )


def _checked(field: str, array: NDArray[_N], dtype: np.dtype[_N]) -> NDArray[_N]:
    if not isinstance(array, np.ndarray) or array.ndim != 2 or array.dtype != dtype:
        got = f"{array.dtype} of shape {array.shape}" if isinstance(array, np.ndarray) else array
        raise InvalidArgumentError(f"{field}: expected {dtype} of shape (H, W), got {got}.")
    return array
