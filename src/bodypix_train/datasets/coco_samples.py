"""Samples of photos that a COCO-format JSON labels: outlines, keypoints or both."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from bodypix.body import KEYPOINTS, POSE_EDGES

from .coco_people import LabelledPicture, Person, Points, read_people
from .files import read_rgb_of_size, shrink
from .grids import corner_aligned, corner_nearest
from .lazy import Budget, LazyList
from .photos import label_file, no_parts, read_labels
from .sample import Bytes, Face, Sample, find_faces

MOST_PEOPLE = 254  # of one picture that get a number of their own
MARGIN = 0.01  # of the longer side, around what is not to be trusted
LIMB = 0.06  # thickness of a limb, of the longer side of the person's box
# A head's diameter by pairs of keypoints: ears, eyes, nose and an ear (then it is seen from aside).
HEAD = ((3, 4, 1.2), (1, 2, 2.8), (0, 3, 1.6), (0, 4, 1.6))


def read_coco_samples(
    annotations: Path,
    images: Path,
    budget: Budget,
    answers: Path | None = None,
    cut_out: bool = False,
) -> LazyList[Sample]:
    """The photos of ``images`` with the labels of the JSON ``annotations``.

    ``answers`` is the folder of the teachers' answers, whose parts are then taken where there are
    any. See `to_sample` for what is taught, `coco_people` for what is left out.
    """

    def read(picture: LabelledPicture) -> Sample:
        parts = None
        if answers is not None and label_file(answers, picture.path).exists():
            _, parts = read_labels(label_file(answers, picture.path))
        image = read_rgb_of_size(picture.path, (picture.height, picture.width))
        return to_sample(picture, image, parts, cut_out)

    return LazyList(str(images), read_people(annotations, images), read, budget, exact=cut_out)


def to_sample(
    picture: LabelledPicture, image: Bytes, parts: Bytes | None = None, cut_out: bool = False
) -> Sample:
    """What the labels say about a picture (H, W, 3), and nothing more.

    Person: outlines in full trust; no trust in crowds and in the boxes of people without outline.
    Poses: of people with keypoints; not in crowds or of people without. Where nobody's keypoints
    are labelled poses are unknown, and where nobody is at all it is known that there are none.
    Raises ValueError where an outline does not fit the picture.
    """
    try:
        person, doubt, owner, keypoints = _paint(picture)
    except ValueError as error:
        raise ValueError(f"{picture.path}: outline: {error}") from error
    small = shrink(image)
    height, width = small.shape[:2]
    grid = (height // 2 + 1, width // 2 + 1)
    scale = np.array([width / picture.width, height / picture.height], np.float32)
    known = keypoints[..., 2] > 0
    keypoints[known, :2] = ((keypoints[..., :2] + 0.5) * scale - 0.5)[known]  # centres of pixels
    poses = bool(known.any()) or not picture.people
    if not picture.people:
        parts = no_parts(small)
    faces = find_faces(parts) if parts is not None else _faces(keypoints, height, width)
    return Sample(
        name=picture.path.name,
        image=small,
        person=corner_aligned(person, *grid),
        trust=corner_nearest(255 - doubt, *grid),
        parts=parts,
        exact=cut_out,
        faces=faces,
        instances=corner_nearest(owner, *grid) if poses else None,
        keypoints=keypoints if poses else None,
    )


def _paint(picture: LabelledPicture) -> tuple[Bytes, Bytes, Bytes, Points]:
    """Person and doubt (H, W) 0 or 255, whose a pixel is (H, W), and (P, 17, 3) keypoints.

    The last row of the keypoints is empty: it stands for everybody whose pose is unknown.
    """
    height, width = picture.height, picture.width
    person, doubt, owner = (np.zeros((height, width), np.uint8) for _ in range(3))
    posed = [p for p in picture.people if p.keypoints is not None and not p.crowd][:MOST_PEOPLE]
    nobody = len(posed) + 1
    numbers = {id(p): number for number, p in enumerate(posed, start=1)}
    vague = [p for p in picture.people if p.crowd or p.outline is None]
    for one in vague:
        area = _around(one, height, width)
        person[area], doubt[area], owner[area] = 255, 255, nobody
    for one in vague:
        if id(one) in numbers:  # along the limbs it is known whose a pixel is
            owner[_limbs(one, height, width)] = numbers[id(one)]
    clear = [p for p in picture.people if p.outline is not None and not p.crowd]
    masks = [(one, one.mask(height, width)) for one in clear]
    # Where outlines overlap, the smaller is taken to be in front.
    for one, mask in sorted(masks, key=lambda pair: -np.count_nonzero(pair[1])):
        person[mask], doubt[mask], owner[mask] = 255, 0, numbers.get(id(one), nobody)
    nowhere = np.zeros((KEYPOINTS, 3), np.float32)
    rows = [p.keypoints for p in posed if p.keypoints is not None]
    keypoints = np.stack([*rows, nowhere]) if picture.people else np.zeros((0, KEYPOINTS, 3))
    return person, doubt, owner, keypoints.astype(np.float32)


def _around(person: Person, height: int, width: int) -> NDArray[np.bool_]:
    """(H, W): the outline or box of somebody, and a margin."""
    margin = max(1, round(MARGIN * max(height, width)))
    if person.outline is not None:
        side = 2 * margin + 1
        grown = cv2.dilate(person.mask(height, width).astype(np.uint8), np.ones((side, side)))
        return grown.astype(bool)
    assert person.box is not None  # `read_people` sees to it
    left, top, right, bottom = person.box
    area = np.zeros((height, width), bool)
    rows = slice(max(0, int(top) - margin), max(0, int(np.ceil(bottom)) + margin))
    area[rows, max(0, int(left) - margin) : max(0, int(np.ceil(right)) + margin)] = True
    return area


def _limbs(person: Person, height: int, width: int) -> NDArray[np.bool_]:
    """(H, W): thick lines between the keypoints that are labelled."""
    assert person.keypoints is not None
    assert person.box is not None
    left, top, right, bottom = person.box
    thickness = max(1, round(LIMB * max(right - left, bottom - top)))
    lines = np.zeros((height, width), np.uint8)
    for edge in POSE_EDGES:
        (x0, y0, flag0), (x1, y1, flag1) = person.keypoints[list(edge)]
        if flag0 and flag1:
            cv2.line(lines, (round(x0), round(y0)), (round(x1), round(y1)), 1, thickness)
    return lines.astype(bool)


def _faces(keypoints: Points, height: int, width: int) -> tuple[Face, ...]:
    """Faces of the people of whom two keypoints of the head are labelled."""
    faces = []
    for points in keypoints:
        head = points[:5][points[:5, 2] > 0, :2]
        diameters = [
            times * float(np.hypot(*(points[a, :2] - points[b, :2])))
            for a, b, times in HEAD
            if points[a, 2] and points[b, 2]
        ]
        if diameters:
            x, y = head.mean(0)
            across = max(diameters) / max(height, width)
            faces.append(Face(float(x) / (width - 1), float(y) / (height - 1), across))
    return tuple(faces)
