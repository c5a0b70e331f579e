"""From what was found in a picture to the bytes that are sent."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, Field

from bodypix import drawing
from bodypix.results import PartSegmentation, PersonSegmentation, Pose
from bodypix.segmenter import BodyPix
from bodypix.serve.parameters import Output, Parameters, share_of

Segmentation = PersonSegmentation | PartSegmentation
Array = NDArray[np.uint8]

_MOST_PEOPLE_IN_A_PICTURE = 255


class ImageFacts(BaseModel):
    """The picture as it was segmented: turned as its EXIF data say."""

    width: int
    height: int


class ModelFacts(BaseModel):
    """The model that answered."""

    name: str
    version: str


class RleAnswer(BaseModel):
    """COCO's compressed run-length code, as pycocotools takes it."""

    size: list[int] = Field(description="Height, width.", examples=[[480, 640]])
    counts: str


class KeypointAnswer(BaseModel):
    """One point of a pose, in image pixels; it may lie outside of the picture."""

    name: str = Field(examples=["nose"])
    x: float
    y: float
    score: float


class PoseAnswer(BaseModel):
    """17 keypoints and the pose's own score."""

    score: float
    keypoints: list[KeypointAnswer]


class SegmentationAnswer(BaseModel):
    """Everybody together, or with `people` one person."""

    mask: RleAnswer
    box: list[int] | None = Field(
        None, description="x, y, width, height of the mask in pixels; missing for an empty mask."
    )
    score: float = Field(description="Of the pose, or the mean probability inside the mask.")
    pose: PoseAnswer | None = Field(None, description="With `people`.")
    parts: dict[str, RleAnswer] | None = Field(None, description="With `parts`, by part name.")


class JsonAnswer(BaseModel):
    """The answer to `output=json`."""

    image: ImageFacts
    model: ModelFacts
    segmentations: list[SegmentationAnswer] = Field(
        description="One entry for everybody, or with `people` one for each person; none where "
        "nobody is."
    )
    poses: list[PoseAnswer] | None = Field(None, description="With `poses`.")


@dataclass(frozen=True)
class Found:
    """A picture and what was found in it; `poses` is None unless they were asked for."""

    image: Array
    segmentations: Sequence[Segmentation]
    poses: Sequence[Pose] | None


def search(model: BodyPix, image: Array, wanted: Parameters) -> Found:
    """Segment one (H, W, 3) uint8 RGB picture as the parameters say."""
    options: dict[str, Any] = {
        "internal_resolution": share_of(wanted.internal_resolution),
        "segmentation_threshold": wanted.segmentation_threshold,
        "flip_horizontal": wanted.flip_horizontal,
        "max_detections": wanted.max_detections,
        "score_threshold": wanted.score_threshold,
        "nms_radius": wanted.nms_radius,
    }
    parts = wanted.parts or wanted.output in (Output.PARTS, Output.PART_IDS)
    segmentations: Sequence[Segmentation]
    if wanted.people or wanted.output is Output.PEOPLE:
        several = model.segment_multi_person_parts if parts else model.segment_multi_person
        segmentations = several(
            image,
            **options,
            min_keypoint_score=wanted.min_keypoint_score,
            refine_steps=wanted.refine_steps,
        )
    else:
        single = model.segment_person_parts if parts else model.segment_person
        segmentations = [single(image, **options)]
    poses = None
    if wanted.poses:
        # Weak poses are mostly noise; people were found with the same threshold.
        every = segmentations[0].all_poses if segmentations else []
        poses = [pose for pose in every if pose.score >= wanted.score_threshold]
    return Found(image, segmentations, poses)


def picture(found: Found, wanted: Parameters) -> Array:
    """The picture of an output other than JSON: (H, W) grey, (H, W, 3) RGB or (H, W, 4) RGBA."""
    if wanted.output is Output.PEOPLE:
        numbers = np.zeros(found.image.shape[:2], np.uint8)
        people = found.segmentations[:_MOST_PEOPLE_IN_A_PICTURE]
        for number, person in enumerate(people, start=1):
            numbers[person.mask != 0] = number
        return numbers
    (everybody,) = found.segmentations
    if wanted.output is Output.PROBABILITY:
        assert everybody.probability is not None  # only separate people have none
        levels: Array = np.rint(everybody.probability * 255.0).astype(np.uint8)
        return levels
    if wanted.output is Output.CUTOUT:
        cutout = drawing.cutout(found.image, everybody, soft=wanted.soft)
        cutout[cutout[..., 3] == 0] = 0  # or the hidden background could be brought back
        return cutout
    if wanted.output is Output.MASK:
        return everybody.mask * np.uint8(255)
    assert isinstance(everybody, PartSegmentation)
    if wanted.output is Output.PART_IDS:
        return (everybody.part_ids + 1).astype(np.uint8)
    colored = drawing.to_colored_part_mask(everybody, wanted.colors)
    assert colored is not None
    return colored[..., :3]


def encode_png(pixels: Array) -> bytes:
    """A grey, RGB or RGBA picture as PNG."""
    to_bgr = {3: cv2.COLOR_RGB2BGR, 4: cv2.COLOR_RGBA2BGRA}
    if pixels.ndim == 3:
        done, data = cv2.imencode(".png", cv2.cvtColor(pixels, to_bgr[pixels.shape[2]]))
    else:
        done, data = cv2.imencode(".png", pixels)
    assert done
    return data.tobytes()


def document(found: Found, wanted: Parameters, model: BodyPix) -> bytes:
    """The JSON of what was found."""
    height, width = found.image.shape[:2]
    answer = JsonAnswer(
        image=ImageFacts(width=width, height=height),
        model=ModelFacts(name=model.info.name, version=model.info.version),
        segmentations=[
            _segmentation(one) for one in found.segmentations if wanted.people or one.box
        ],
        poses=None if found.poses is None else [_pose(pose) for pose in found.poses],
    )
    return answer.model_dump_json(exclude_none=True).encode()


def _segmentation(found: Segmentation) -> SegmentationAnswer:
    score = 1.0
    if found.pose is not None:
        score = found.pose.score
    elif found.probability is not None:
        score = float(found.probability[found.mask != 0].mean())
    parts = None
    if isinstance(found, PartSegmentation):
        parts = {name: RleAnswer(**found.to_rle(name)) for name in found.parts}
    return SegmentationAnswer(
        mask=RleAnswer(**found.to_rle()),
        box=None if found.box is None else list(found.box),
        score=round(score, 4),
        pose=None if found.pose is None else _pose(found.pose),
        parts=parts,
    )


def _pose(pose: Pose) -> PoseAnswer:
    return PoseAnswer(
        score=round(pose.score, 4),
        keypoints=[
            KeypointAnswer(
                name=point.name,
                x=round(float(point.x), 2),
                y=round(float(point.y), 2),
                score=round(float(point.score), 4),
            )
            for point in pose.keypoints
        ],
    )
