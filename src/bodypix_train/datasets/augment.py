"""Geometric and photometric augmentation; left and right stay the person's own under flips."""

from __future__ import annotations

from dataclasses import dataclass, replace

import cv2
import numpy as np
from numpy.typing import NDArray

from bodypix.body import MIRRORED_KEYPOINTS, MIRRORED_PARTS
from bodypix_train.targets import STRIDE, pose_targets

from .sample import Bytes, Sample

MIRROR = np.asarray(MIRRORED_PARTS)
MIRRORED_JOINTS = np.asarray(MIRRORED_KEYPOINTS)
PERSON_STRIDE, PARTS_STRIDE = 4, 8
EMPTY_TRIES = 6


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


@dataclass(frozen=True)
class Augmentation:
    """Ranges and probabilities; scales are the share of the picture's long side that is shown."""

    widest: float = 1.15
    closest: float = 0.4
    face_share: float = 0.3  # of the crops look at a face, like a webcam does
    person_share: float = 0.7  # of the others are centred on a person
    paste_share: float = 0.25  # of the crops get a cut-out person on top
    stretch: float = 1.35  # largest change of the aspect ratio
    empty_share: float = 0.0  # of the crops are looked for where nobody is
    object_share: float = 0.0  # of the crops get one to three cut-out things on top


def placement(
    sample: Sample, size: int, options: Augmentation, rng: np.random.Generator
) -> NDArray[np.float64]:
    """Affine map (2,3) from crop pixels to picture pixels."""
    height, width = sample.image.shape[:2]
    long_side = max(height, width)
    share = np.exp(rng.uniform(np.log(options.closest), np.log(options.widest)))
    x, y = rng.uniform(0.2, 0.8, 2)
    if sample.faces and rng.random() < options.face_share:
        face = sample.faces[rng.integers(len(sample.faces))]
        share = np.clip(face.diameter / rng.uniform(0.16, 0.5), 0.12, 1.2)
        x = face.x + share * rng.uniform(-0.3, 0.3)
        y = face.y + share * rng.uniform(-0.1, 0.35)
    elif rng.random() < options.person_share:
        rows, columns = np.nonzero(sample.person[::4, ::4] > 128)
        if len(rows):
            pick = rng.integers(len(rows))
            x = columns[pick] * 4 / sample.person.shape[1] + rng.normal(0, 0.15) * share
            y = rows[pick] * 4 / sample.person.shape[0] + rng.normal(0, 0.15) * share
    zoom = share * long_side / size
    stretch = np.exp(rng.uniform(-1, 1) * np.log(options.stretch))
    angle = np.deg2rad(rng.normal(0, 8) if rng.random() < 0.5 else 0)
    if rng.random() < 0.03:
        angle = np.deg2rad(rng.uniform(-90, 90))
    cos, sin = np.cos(angle) * zoom, np.sin(angle) * zoom
    linear = np.array([[cos * stretch, -sin], [sin, cos / stretch]])
    if rng.random() < 0.5:
        linear[:, 0] *= -1
    centre = np.array([x * (width - 1), y * (height - 1)])
    return np.hstack([linear, (centre - linear @ np.full(2, (size - 1) / 2))[:, None]])


def warp(
    grid: Bytes, matrix: NDArray[np.float64], frame: tuple[int, int], size: int, stride: int,
    border: tuple[int, int, int] = (0, 0, 0),
) -> Bytes:  # fmt: skip
    """Sample a grid at a crop's cells; it is corner aligned with a picture of ``frame`` (H, W)."""
    to_grid = np.array(
        [[(grid.shape[1] - 1) / (frame[1] - 1)], [(grid.shape[0] - 1) / (frame[0] - 1)]]
    )
    local = np.hstack([matrix[:, :2] * stride, matrix[:, 2:]]) * to_grid
    side = (size - 1) // stride + 1
    # Shrinking a lot would alias, so the grid is shrunk first; part maps are smooth already.
    many = grid.ndim == 3 and grid.shape[2] > 4  # cv2 takes at most four channels at once
    scale = float(np.sqrt(abs(np.linalg.det(local[:, :2]))))
    if scale > 1.6 and not many:
        small = (max(2, round(grid.shape[1] / scale)), max(2, round(grid.shape[0] / scale)))
        local *= np.array(
            [[(small[0] - 1) / (grid.shape[1] - 1)], [(small[1] - 1) / (grid.shape[0] - 1)]]
        )
        grid = cv2.resize(grid, small, interpolation=cv2.INTER_AREA)  # type: ignore[assignment]
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    if many:
        layers = [
            cv2.warpAffine(
                np.ascontiguousarray(grid[..., i : i + 4]), local, (side, side), flags=flags
            )
            for i in range(0, grid.shape[2], 4)
        ]
        return np.concatenate(layers, axis=2)  # type: ignore[return-value]
    return cv2.warpAffine(grid, local, (side, side), flags=flags, borderValue=border)  # type: ignore[return-value]


def crop(sample: Sample, size: int, options: Augmentation, rng: np.random.Generator) -> Crop:
    """A random geometric crop; a share of them, where it can be had, shows nobody."""
    if rng.random() < options.empty_share:
        anywhere = replace(options, face_share=0.0, person_share=0.0)
        for _ in range(EMPTY_TRIES):
            matrix = placement(sample, size, anywhere, rng)
            if warp(sample.person, matrix, frame_of(sample), size, 16).max() < 64:
                return crop_at(sample, matrix, size, rng)
    return crop_at(sample, placement(sample, size, options, rng), size, rng)


def frame_of(sample: Sample) -> tuple[int, int]:
    return sample.image.shape[0], sample.image.shape[1]


def crop_at(
    sample: Sample, matrix: NDArray[np.float64], size: int, rng: np.random.Generator
) -> Crop:
    """The crop that an affine map (2,3) from crop pixels to picture pixels shows."""
    frame = frame_of(sample)
    grey = int(rng.integers(0, 256)) if rng.random() < 0.5 else 0
    image = warp(sample.image, matrix, frame, size, 1, (grey, grey, grey))
    person = warp(sample.person, matrix, frame, size, PERSON_STRIDE)
    trust = warp(sample.trust, matrix, frame, size, PERSON_STRIDE, (255, 255, 255))
    side = (size - 1) // PARTS_STRIDE + 1
    parts = np.zeros((side, side, 24), np.uint8)
    if sample.parts is not None:
        parts = warp(sample.parts, matrix, frame, size, PARTS_STRIDE)
        if np.linalg.det(matrix[:, :2]) < 0:  # mirrored: the person's left is now on the right
            parts = parts[..., MIRROR]
    poses = poses_at(sample, matrix, size)
    return Crop(image, person, trust, parts, sample.parts is not None, poses)


def poses_at(
    sample: Sample, matrix: NDArray[np.float64], size: int
) -> dict[str, NDArray[np.float32]] | None:
    """Targets of the pose heads in the crop that ``matrix`` shows; None where they are unknown."""
    if sample.instances is None or sample.keypoints is None:
        return None
    side = (size - 1) // STRIDE + 1
    to_picture = np.hstack([matrix[:, :2] * STRIDE, matrix[:, 2:]])
    height, width = frame_of(sample)
    rows, columns = sample.instances.shape
    to_grid = np.array([[(columns - 1) / (width - 1)], [(rows - 1) / (height - 1)]])
    # Ids do not mix: the nearest one counts.
    owner = cv2.warpAffine(
        sample.instances,
        to_picture * to_grid,
        (side, side),
        flags=cv2.INTER_NEAREST | cv2.WARP_INVERSE_MAP,
    )
    keypoints = sample.keypoints.copy()
    to_crop = np.linalg.inv(matrix[:, :2])
    keypoints[..., :2] = (keypoints[..., :2] - matrix[:, 2]) @ to_crop.T
    if np.linalg.det(matrix[:, :2]) < 0:
        keypoints = keypoints[:, MIRRORED_JOINTS]
    return pose_targets(keypoints, owner)


def paste(front: Sample, back: Crop, options: Augmentation, rng: np.random.Generator) -> Crop:
    """Put the hand-labelled person of ``front`` over ``back``: exact edges on any background."""
    size = back.image.shape[0]
    frame = frame_of(front)
    matrix = placement(front, size, options, rng)
    soft = cv2.GaussianBlur(front.person, (3, 3), 0)
    alpha = warp(soft, matrix, frame, size, 1).astype(np.float32)[..., None] / 255  # type: ignore[arg-type]
    image = warp(front.image, matrix, frame, size, 1)
    mixed = (image * alpha + back.image * (1 - alpha)).astype(np.uint8)
    cover = warp(front.person, matrix, frame, size, PERSON_STRIDE)
    person = np.maximum(cover, back.person)
    trust = np.maximum(cover, back.trust)
    # Whoever is put on top has no pose labels, so the crop's are not complete any more.
    if front.parts is None or not back.has_parts:
        return Crop(mixed, person, trust, back.parts, back.has_parts and front.parts is not None)
    parts = warp(front.parts, matrix, frame, size, PARTS_STRIDE)
    if np.linalg.det(matrix[:, :2]) < 0:
        parts = parts[..., MIRROR]
    step = PARTS_STRIDE // PERSON_STRIDE
    parts = np.where(cover[::step, ::step, None] > 128, parts, back.parts)
    return Crop(mixed, person, trust, parts, True)


def clutter(thing: Bytes, back: Crop, rng: np.random.Generator) -> Crop:
    """Put a cut-out thing, (H,W,4) RGBA, over a crop: what it hides is nobody any more."""
    size = back.image.shape[0]
    height, width = thing.shape[:2]
    share = np.exp(rng.uniform(np.log(0.12), np.log(0.8)))
    zoom = max(height, width) / (share * size)
    angle = np.deg2rad(rng.normal(0, 20))
    cos, sin = np.cos(angle) * zoom, np.sin(angle) * zoom
    linear = np.array([[cos, -sin], [sin, cos]])
    if rng.random() < 0.5:
        linear[:, 0] *= -1
    middle = rng.uniform(0, size, 2)
    centre = np.array([(width - 1) / 2, (height - 1) / 2]) - linear @ middle
    matrix = np.hstack([linear, centre[:, None]])
    frame = (height, width)
    colours = warp(np.ascontiguousarray(thing[..., :3]), matrix, frame, size, 1)
    opaque = np.ascontiguousarray(thing[..., 3])
    alpha = warp(opaque, matrix, frame, size, 1)[..., None].astype(np.float32) / 255
    cover = warp(opaque, matrix, frame, size, PERSON_STRIDE)
    image = (colours * alpha + back.image * (1 - alpha)).astype(np.uint8)
    person = np.minimum(back.person, 255 - cover)
    return replace(back, image=image, person=person, trust=np.maximum(back.trust, cover))


def photometric(image: Bytes, rng: np.random.Generator) -> Bytes:
    """Light, colour, blur, noise and compression as cameras make them."""
    if rng.random() < 0.5:
        grey = cv2.cvtColor(cv2.cvtColor(image, cv2.COLOR_RGB2GRAY), cv2.COLOR_GRAY2RGB)
        keep = rng.uniform(0.3, 1.4) if rng.random() < 0.9 else 0.0
        image = cv2.addWeighted(image, keep, grey, 1 - keep, 0)  # type: ignore[assignment]
    levels = np.linspace(0, 1, 256)[:, None]
    gamma = np.exp(rng.normal(0, 0.25))
    gain = np.exp(rng.normal(0, 0.18)) * np.exp(rng.normal(0, 0.07, 3))
    shift = rng.normal(0, 0.05)
    table = np.clip(gain * levels**gamma + shift, 0, 1) * 255
    image = cv2.LUT(image, table.astype(np.uint8)[None])  # type: ignore[assignment]
    if rng.random() < 0.12:
        image = cv2.GaussianBlur(image, (0, 0), rng.uniform(0.4, 1.8))  # type: ignore[assignment]
    if rng.random() < 0.15:
        noise = rng.normal(0, rng.uniform(2, 14), image.shape)
        image = np.clip(image + noise, 0, 255).astype(np.uint8)
    if rng.random() < 0.2:
        quality = [cv2.IMWRITE_JPEG_QUALITY, int(rng.integers(25, 90))]
        image = cv2.imdecode(cv2.imencode(".jpg", image, quality)[1], cv2.IMREAD_COLOR)  # type: ignore[assignment]
    return image
