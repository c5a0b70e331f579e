"""What is drawn by lot for a training crop, before any pixel is made.

The processor (`augment`) and the GPU (`device`) make the same crop of the same plan.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Generic, TypeVar

import cv2
import numpy as np
from numpy.typing import NDArray

from bodypix_train.fields import above_0, number, share

from .sample import Bytes, Face, Sample
from .warp import Matrix, warp

EMPTY_TRIES = 6
NOBODY = 64  # a person label below this, of 255, shows nobody
CLOSEST = 0.2  # share of a picture's long side: what is closer is only blurred
COARSE = 4  # every so many cells of the person's grid are looked at


@dataclass(frozen=True)
class Augmentation:
    """Ranges and probabilities; scales are the share of the picture's long side that is shown."""

    widest: float = 1.15
    closest: float = 0.4
    face_share: float = 0.3  # of the crops look at a face, like a webcam does
    person_share: float = 0.7  # of the others are centred on a person
    close_share: float = 0.0  # of those are filled by a part of it, often without a face
    paste_share: float = 0.25  # of the crops get a cut-out person on top
    stretch: float = 1.35  # largest change of the aspect ratio
    empty_share: float = 0.0  # of the crops are looked for where nobody is
    object_share: float = 0.0  # of the crops get one to three cut-out things on top


FIELDS = {  # of an Augmentation in a recipe
    "widest": above_0(),
    "closest": above_0(),
    "face_share": share(),
    "person_share": share(),
    "close_share": share(),
    "paste_share": share(),
    "stretch": number("a number from 1", low=1),
    "empty_share": share(),
    "object_share": share(),
}


@dataclass(frozen=True)
class Outline:
    """What has to be known of a picture to place a crop in it.

    ``frame`` is its (H, W); ``person`` (h, w) uint8 says coarsely where people are, 255 = surely.
    """

    frame: tuple[int, int]
    person: Bytes
    faces: tuple[Face, ...]


def outline(sample: Sample) -> Outline:
    """The outline of a sample; it holds none of the sample's own arrays."""
    height, width = sample.image.shape[:2]
    return Outline((height, width), sample.person[::COARSE, ::COARSE].copy(), sample.faces)


@dataclass(frozen=True)
class Light:
    """What light and camera do to a crop, in this order.

    | field   | meaning                                                                |
    | ------- | ---------------------------------------------------------------------- |
    | colour  | share of the colours that is left: 1 all, 0 grey, above 1 more         |
    | table   | (256, 3) uint8: new level of every level of red, green and blue        |
    | blur    | standard deviation of a Gaussian blur in pixels; 0: none               |
    | noise   | standard deviation of the noise in levels; 0: none                     |
    | seed    | of the noise                                                           |
    | quality | of JPEG; 0: not compressed                                             |
    """

    colour: float
    table: Bytes
    blur: float
    noise: float
    seed: int
    quality: int


Picture = TypeVar("Picture")


@dataclass(frozen=True)
class Plan(Generic[Picture]):
    """One crop: a picture and the map (2,3) from crop pixels to its pixels, and what is put on top.

    ``grey`` is the level outside of the picture, ``front`` a cut-out person with its own map,
    ``things`` numbers of cut-out things with theirs. A picture is whatever the maker of pixels
    reads them from.
    """

    picture: Picture
    matrix: Matrix
    grey: int
    front: tuple[Picture, Matrix] | None
    things: tuple[tuple[int, Matrix], ...]
    light: Light


def placement(
    picture: Outline, size: int, options: Augmentation, rng: np.random.Generator
) -> Matrix:
    """Affine map (2,3) from crop pixels to picture pixels."""
    height, width = picture.frame
    long_side = max(height, width)
    share = np.exp(rng.uniform(np.log(options.closest), np.log(options.widest)))
    x, y = rng.uniform(0.2, 0.8, 2)
    if picture.faces and rng.random() < options.face_share:
        face = picture.faces[rng.integers(len(picture.faces))]
        share = np.clip(face.diameter / rng.uniform(0.16, 0.5), 0.12, 1.2)
        x = face.x + share * rng.uniform(-0.3, 0.3)
        y = face.y + share * rng.uniform(-0.1, 0.35)
    elif rng.random() < options.person_share:
        rows, columns = np.nonzero(picture.person > 128)
        if len(rows):
            pick = rng.integers(len(rows))
            if options.close_share and rng.random() < options.close_share:
                extent = extent_at(picture, int(rows[pick]), int(columns[pick]))
                share = max(extent * rng.uniform(0.3, 0.75), CLOSEST)
            x = columns[pick] / picture.person.shape[1] + rng.normal(0, 0.15) * share
            y = rows[pick] / picture.person.shape[0] + rng.normal(0, 0.15) * share
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


def extent_at(picture: Outline, row: int, column: int) -> float:
    """The longer side of the connected people around a cell, a share of the picture's."""
    _, owner, stats, _ = cv2.connectedComponentsWithStats((picture.person > 128).astype(np.uint8))
    sides = stats[owner[row, column], [cv2.CC_STAT_HEIGHT, cv2.CC_STAT_WIDTH]]
    pixels = sides / picture.person.shape * picture.frame
    return float(pixels.max() / max(picture.frame))


def crop_placement(
    picture: Outline, size: int, options: Augmentation, rng: np.random.Generator
) -> Matrix:
    """The same; a share of the crops, where it can be had, shows nobody."""
    if rng.random() < options.empty_share:
        anywhere = replace(options, face_share=0.0, person_share=0.0)
        for _ in range(EMPTY_TRIES):
            matrix = placement(picture, size, anywhere, rng)
            if warp(picture.person, matrix, picture.frame, size, 16).max() < NOBODY:
                return matrix
    return placement(picture, size, options, rng)


def thing_placement(frame: tuple[int, int], size: int, rng: np.random.Generator) -> Matrix:
    """Affine map (2,3) from crop pixels to those of a cut-out thing of ``frame`` (H, W)."""
    height, width = frame
    share = np.exp(rng.uniform(np.log(0.12), np.log(0.8)))
    zoom = max(height, width) / (share * size)
    angle = np.deg2rad(rng.normal(0, 20))
    cos, sin = np.cos(angle) * zoom, np.sin(angle) * zoom
    linear = np.array([[cos, -sin], [sin, cos]])
    if rng.random() < 0.5:
        linear[:, 0] *= -1
    middle = rng.uniform(0, size, 2)
    centre = np.array([(width - 1) / 2, (height - 1) / 2]) - linear @ middle
    return np.hstack([linear, centre[:, None]])


def draw_grey(rng: np.random.Generator) -> int:
    """The level outside of a picture: black as often as any other."""
    return int(rng.integers(0, 256)) if rng.random() < 0.5 else 0


def draw_light(rng: np.random.Generator) -> Light:
    """Light, colour, blur, noise and compression as cameras make them."""
    colour = 1.0
    if rng.random() < 0.5:
        colour = rng.uniform(0.3, 1.4) if rng.random() < 0.9 else 0.0
    return Light(
        colour=colour,
        table=draw_table(rng),
        blur=rng.uniform(0.4, 1.8) if rng.random() < 0.12 else 0.0,
        noise=rng.uniform(2, 14) if rng.random() < 0.15 else 0.0,
        seed=int(rng.integers(2**31)),
        quality=int(rng.integers(25, 90)) if rng.random() < 0.2 else 0,
    )


def draw_table(rng: np.random.Generator) -> NDArray[np.uint8]:
    """New levels (256, 3) after exposure, white balance, contrast and black point."""
    levels = np.linspace(0, 1, 256)[:, None]
    gamma = np.exp(rng.normal(0, 0.25))
    gain = np.exp(rng.normal(0, 0.18)) * np.exp(rng.normal(0, 0.07, 3))
    shift = rng.normal(0, 0.05)
    return (np.clip(gain * levels**gamma + shift, 0, 1) * 255).astype(np.uint8)
