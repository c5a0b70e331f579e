"""Crops made of their plans on the processor; left and right stay the person's own under flips."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import cv2
import numpy as np
from numpy.typing import NDArray

from bodypix.body import MIRRORED_KEYPOINTS, MIRRORED_PARTS
from bodypix_train.targets import STRIDE, pose_targets

from .plan import Light, Plan
from .sample import Bytes, Sample
from .warp import Matrix, cells, warp, warp_ids

MIRROR = np.asarray(MIRRORED_PARTS)
MIRRORED_JOINTS = np.asarray(MIRRORED_KEYPOINTS)
PERSON_STRIDE, PARTS_STRIDE = 4, 8
WORN = 0.97  # of a thing's area on people, from which it is part of them


@dataclass(frozen=True)
class Crop:
    """A training crop of side S = 16k+1 with its targets on corner-aligned grids.

    image (S,S,3) RGB uint8; person and trust (S/4,S/4), parts (S/8,S/8,24) uint8, 255 = 1;
    ``has_parts`` is False where parts are unknown. ``poses`` are the targets of the pose heads on
    the coarse grid (see `targets`), None where they are unknown.
    """

    image: Bytes
    person: Bytes
    trust: Bytes
    parts: Bytes
    has_parts: bool
    poses: dict[str, NDArray[np.float32]] | None = None


def render(plan: Plan[Sample], size: int, things: Sequence[Bytes]) -> Crop:
    """The crop of side ``size`` that a plan describes; ``things`` are those it numbers."""
    crop = crop_at(plan.picture, plan.matrix, size, plan.grey)
    if plan.front is not None:
        crop = paste(*plan.front, crop)
    for number, matrix in plan.things:
        crop = clutter(things[number], matrix, crop)
    return replace(crop, image=photograph(crop.image, plan.light))


def frame_of(picture: Sample | Bytes) -> tuple[int, int]:
    """(H, W) of a picture or a sample's."""
    image = picture.image if isinstance(picture, Sample) else picture
    return image.shape[0], image.shape[1]


def mirrored(matrix: Matrix) -> bool:
    """Whether a map turns the picture over: the person's left is then on the other side."""
    return bool(np.linalg.det(matrix[:, :2]) < 0)


def crop_at(sample: Sample, matrix: Matrix, size: int, grey: int = 0) -> Crop:
    """The crop that an affine map (2,3) from crop pixels to picture pixels shows."""
    frame = frame_of(sample)
    image = warp(sample.image, matrix, frame, size, 1, (grey, grey, grey))
    person = warp(sample.person, matrix, frame, size, PERSON_STRIDE)
    trust = warp(sample.trust, matrix, frame, size, PERSON_STRIDE, (255, 255, 255))
    side = cells(size, PARTS_STRIDE)
    parts = np.zeros((side, side, 24), np.uint8)
    if sample.parts is not None:
        parts = parts_at(sample.parts, matrix, frame, size)
    poses = poses_at(sample, matrix, size)
    return Crop(image, person, trust, parts, sample.parts is not None, poses)


def parts_at(parts: Bytes, matrix: Matrix, frame: tuple[int, int], size: int) -> Bytes:
    """Parts in the crop that ``matrix`` shows."""
    shown = warp(parts, matrix, frame, size, PARTS_STRIDE)
    return shown[..., MIRROR] if mirrored(matrix) else shown


def poses_at(sample: Sample, matrix: Matrix, size: int) -> dict[str, NDArray[np.float32]] | None:
    """Targets of the pose heads in the crop that ``matrix`` shows; None where they are unknown."""
    if sample.instances is None or sample.keypoints is None:
        return None
    owner = warp_ids(sample.instances, matrix, frame_of(sample), size, STRIDE)
    return pose_targets(keypoints_at(sample.keypoints, matrix), owner)


def keypoints_at(keypoints: NDArray[np.float32], matrix: Matrix) -> NDArray[np.float32]:
    """Keypoints (P, 17, 3) in the pixels of the crop that ``matrix`` shows."""
    moved = keypoints.copy()
    moved[..., :2] = (moved[..., :2] - matrix[:, 2]) @ np.linalg.inv(matrix[:, :2]).T
    return moved[:, MIRRORED_JOINTS] if mirrored(matrix) else moved


def soft_edges(person: Bytes) -> Bytes:
    """A hand-drawn mask as it is used to cut somebody out."""
    return cv2.GaussianBlur(person, (3, 3), 0)  # type: ignore[return-value]


def paste(front: Sample, matrix: Matrix, back: Crop) -> Crop:
    """Put the hand-labelled person of ``front`` over ``back``: exact edges on any background."""
    size = back.image.shape[0]
    frame = frame_of(front)
    soft = soft_edges(front.person)
    alpha = warp(soft, matrix, frame, size, 1).astype(np.float32)[..., None] / 255
    image = warp(front.image, matrix, frame, size, 1)
    mixed = (image * alpha + back.image * (1 - alpha)).astype(np.uint8)
    cover = warp(front.person, matrix, frame, size, PERSON_STRIDE)
    person = np.maximum(cover, back.person)
    trust = np.maximum(cover, back.trust)
    # Whoever is put on top has no pose labels, so the crop's are not complete any more.
    if front.parts is None or not back.has_parts:
        return Crop(mixed, person, trust, back.parts, back.has_parts and front.parts is not None)
    parts = parts_at(front.parts, matrix, frame, size)
    step = PARTS_STRIDE // PERSON_STRIDE
    parts = np.where(cover[::step, ::step, None] > 128, parts, back.parts)
    return Crop(mixed, person, trust, parts, True)


def clutter(thing: Bytes, matrix: Matrix, back: Crop) -> Crop:
    """Put a cut-out thing, (H,W,4) RGBA, over a crop: what it hides is nobody any more.

    What lies wholly on people is worn, like a badge or a print, and leaves no hole in them.
    """
    size = back.image.shape[0]
    frame = frame_of(thing)
    colours = warp(np.ascontiguousarray(thing[..., :3]), matrix, frame, size, 1)
    opaque = np.ascontiguousarray(thing[..., 3])
    alpha = warp(opaque, matrix, frame, size, 1)[..., None].astype(np.float32) / 255
    cover = warp(opaque, matrix, frame, size, PERSON_STRIDE)
    image = (colours * alpha + back.image * (1 - alpha)).astype(np.uint8)
    worn = np.minimum(back.person, cover).sum() > WORN * cover.sum()
    person = back.person if worn else np.minimum(back.person, 255 - cover)
    return replace(back, image=image, person=person, trust=np.maximum(back.trust, cover))


def photograph(image: Bytes, light: Light) -> Bytes:
    """The crop (S,S,3) as a camera would have taken it."""
    if light.colour != 1:
        grey = cv2.cvtColor(cv2.cvtColor(image, cv2.COLOR_RGB2GRAY), cv2.COLOR_GRAY2RGB)
        image = cv2.addWeighted(image, light.colour, grey, 1 - light.colour, 0)  # type: ignore[assignment]
    image = cv2.LUT(image, light.table[None])  # type: ignore[assignment]
    if light.blur:
        image = cv2.GaussianBlur(image, (0, 0), light.blur)  # type: ignore[assignment]
    if light.noise:
        noise = np.random.default_rng(light.seed).normal(0, light.noise, image.shape)
        image = np.clip(image + noise, 0, 255).astype(np.uint8)
    if light.quality:
        quality = [cv2.IMWRITE_JPEG_QUALITY, light.quality]
        file = cv2.imencode(".jpg", image[..., ::-1], quality)[1]
        image = np.ascontiguousarray(cv2.imdecode(file, cv2.IMREAD_COLOR)[..., ::-1])  # type: ignore[index]
    return image
