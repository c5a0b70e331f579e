"""Results as COCO's results format: a JSON list that pycocotools' `loadRes` reads as it is."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from bodypix.cli.inputs import Job
from bodypix.media.effects import Found, Segmentation
from bodypix.results import PartSegmentation, Pose

PERSON_CATEGORY = 1
"""COCO's category id of a person."""


def image_ids(jobs: Sequence[Job]) -> dict[Path, int]:
    """An id for every picture, by its path.

    COCO's own (`000000000139.jpg` is 139) where all names are distinct numbers, else 1, 2, 3, ...
    in the order of the batch.
    """
    stems = [job.source.stem for job in jobs]
    if all(stem.isascii() and stem.isdigit() for stem in stems):
        numbers = [int(stem) for stem in stems]
        if len(set(numbers)) == len(numbers):
            return {job.source: number for job, number in zip(jobs, numbers, strict=True)}
    return {job.source: place for place, job in enumerate(jobs, start=1)}


def entries(found: Found, source: Path, image_id: int) -> list[dict[str, Any]]:
    """One entry for each person, or one for everybody; none where nobody is.

    Keys: `image_id`, `file_name`, `category_id`, `segmentation` (compressed RLE), `bbox` (x, y,
    width, height in pixels), `score` (of the pose for separate people, else the mean probability
    inside the mask); for separate people `keypoints` (17 times x, y, score); where poses were
    looked for without separating people `poses` (a list of `score` and `keypoints`); where parts
    were looked for `parts` (name to RLE).
    """
    result = []
    for segmentation in found.segmentations:
        box = segmentation.box
        if box is None and not found.people:
            continue  # a person without pixels of their own still has keypoints
        entry: dict[str, Any] = {
            "image_id": image_id,
            "file_name": str(source),
            "category_id": PERSON_CATEGORY,
            "segmentation": segmentation.to_rle(),
            "bbox": list(box or (0, 0, 0, 0)),
            "score": _score(segmentation),
        }
        if segmentation.pose is not None:
            entry["keypoints"] = _keypoints(segmentation.pose)
        elif found.poses:
            entry["poses"] = [
                {"score": round(pose.score, 4), "keypoints": _keypoints(pose)}
                for pose in found.poses
            ]
        if isinstance(segmentation, PartSegmentation):
            entry["parts"] = {part: segmentation.to_rle(part) for part in segmentation.parts}
        result.append(entry)
    return result


def _score(segmentation: Segmentation) -> float:
    if segmentation.pose is not None:
        return round(segmentation.pose.score, 4)
    if segmentation.probability is None:
        return 1.0
    return round(float(segmentation.probability[segmentation.mask != 0].mean()), 4)


def _keypoints(pose: Pose) -> list[float]:
    """x, y, score of every keypoint in one list; the score stands where COCO has visibility."""
    return [
        round(float(value), digits)
        for point in pose.keypoints
        for value, digits in ((point.x, 2), (point.y, 2), (point.score, 4))
    ]
