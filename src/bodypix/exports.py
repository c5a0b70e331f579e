"""Segmentations in other people's formats: files, COCO run-length codes, supervision."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypedDict

import cv2
import numpy as np
from numpy.typing import NDArray

from bodypix.errors import InvalidArgumentError, MissingExtraError
from bodypix.files import write_whole

if TYPE_CHECKING:
    import supervision

LabelledMask = tuple[int, str, NDArray[np.uint8]]
"""Class id, class name, (H, W) uint8 mask of 0 and 1."""


class Rle(TypedDict):
    """COCO's compressed run-length code of a mask, as pycocotools and results files take it."""

    size: list[int]
    counts: str


def encode_rle(mask: NDArray[np.uint8]) -> Rle:
    """COCO's compressed run-length code of an (H, W) mask of 0 and 1.

    Runs go down the columns and begin with a (possibly empty) run of zeros. From the fourth run on
    a run is written as its difference to the run two before, in groups of five bits, lowest first:
    bit 5 says that more follow, and 48 makes it printable (`rleToString` in COCO's maskApi.c).
    """
    height, width = mask.shape
    column_major = np.ascontiguousarray(mask.T).ravel()
    changes = np.flatnonzero(np.diff(column_major, prepend=np.uint8(0)))
    runs = np.diff(changes, prepend=0, append=mask.size)
    values = runs.astype(np.int64)
    values[3:] -= runs[1:-2]

    groups: list[NDArray[np.int64]] = []
    open_ones = np.ones(len(values), dtype=bool)
    while open_ones.any():
        low = values & 0x1F
        values = values >> 5
        more = np.where(low & 0x10, values != -1, values != 0)
        groups.append(np.where(open_ones, low + 48 + 0x20 * more, -1))
        open_ones &= more
    characters = np.stack(groups, axis=1).ravel()
    counts = characters[characters >= 0].astype(np.uint8).tobytes().decode("ascii")
    return {"size": [height, width], "counts": counts}


def save_arrays(
    path: str | os.PathLike[str],
    picture: NDArray[np.uint8],
    arrays: Mapping[str, NDArray[Any]],
    probability: Callable[[], NDArray[np.float32] | None],
) -> None:
    """Write a segmentation: the picture as `.png`, or the arrays as `.npy` (the first) or `.npz`.

    The file appears under its name only when it is complete.

    Raises:
        InvalidArgumentError: another suffix.
        OutputError: the file cannot be written there.
    """
    target = Path(path)
    suffix = target.suffix.lower()
    if suffix == ".png":
        _, png = cv2.imencode(".png", picture)
        write_whole(target, lambda file: file.write(png.tobytes()))
    elif suffix == ".npy":
        write_whole(target, lambda file: np.save(file, next(iter(arrays.values()))))
    elif suffix == ".npz":
        everything: dict[str, Any] = dict(arrays)
        if (soft := probability()) is not None:
            everything["probability"] = soft
        write_whole(target, lambda file: np.savez_compressed(file, **everything))
    else:
        raise InvalidArgumentError(
            f"path: expected a name ending in .png, .npy or .npz; got {str(target)!r}."
        )


def to_detections(
    masks: Sequence[LabelledMask], confidence: float | None
) -> supervision.Detections:
    """`supervision.Detections` of the masks that are not empty.

    Raises:
        MissingExtraError: the package supervision is not installed.
    """
    try:
        import supervision
    except ImportError as error:
        raise MissingExtraError(
            "to_supervision: needs the package supervision; install it with "
            "`pip install supervision`."
        ) from error
    present = [item for item in masks if item[2].any()]
    if not present:
        return supervision.Detections.empty()
    stack = np.stack([mask for _, _, mask in present]).astype(bool)
    return supervision.Detections(
        xyxy=supervision.mask_to_xyxy(stack).astype(np.float32),
        mask=stack,
        class_id=np.array([class_id for class_id, _, _ in present]),
        confidence=None if confidence is None else np.full(len(present), confidence),
        data={"class_name": np.array([name for _, name, _ in present])},
    )
