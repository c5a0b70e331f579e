"""The people of a COCO-format JSON, checked, and small enough to keep those of large sets."""

from __future__ import annotations

import logging
from collections import Counter, defaultdict
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bodypix.body import KEYPOINT_NAMES
from bodypix_train.label import pictures

from .coco import PERSON, decode, read_json
from .lazy import name_some

log = logging.getLogger(__name__)

Points = NDArray[np.float32]
Box = tuple[float, float, float, float]
Faults = dict[str, list[object]]
Entry = tuple[Path, int, int]
SPECK = 16  # pixels; the outline of so small a box may be empty
BOX_MARGIN = 0.3  # around keypoints, of their extent, where the JSON has no box


@dataclass(frozen=True)
class Person:
    """One annotation.

    ``outline`` is an RLE (compressed or not) or polygons (arrays x, y, x, y, ...), None if it is
    unknown; then ``box`` (left, top, right, bottom, in pixels) says where the person is.
    ``keypoints`` are (17, 3): x, y in pixels, and a flag; None if none is labelled.
    """

    outline: dict[str, Any] | tuple[Points, ...] | None
    box: Box | None
    keypoints: Points | None
    crowd: bool

    def mask(self, height: int, width: int) -> NDArray[np.bool_]:
        """(H, W) of the outline. Raises ValueError where it does not fit the picture."""
        outline: Any = self.outline
        if isinstance(outline, tuple):
            outline = [polygon.tolist() for polygon in outline]
        mask = decode(outline, height, width)
        if self.box and not mask.any():
            left, top, right, bottom = self.box
            if (right - left) * (bottom - top) > SPECK:
                raise ValueError(f"expected somebody around {self.box}, got an empty one")
        return mask


@dataclass(frozen=True)
class Order:
    """Where each of our keypoints is among the ``length`` of a JSON; -1: nowhere."""

    places: list[int]
    length: int


@dataclass(frozen=True)
class LabelledPicture:
    """A picture's file, its size by the JSON, and everybody in it."""

    path: Path
    height: int
    width: int
    people: tuple[Person, ...]


def read_people(annotations: Path, images: Path) -> list[LabelledPicture]:
    """The pictures of ``images`` that can be used; what is wrong is named in the log.

    A picture is left out if the JSON does not name it, or names it twice with different labels,
    or if somebody in it has an unknown place, for he would be taught as background.
    Raises ValueError where the JSON is none, or has no category "person", or nothing is left.
    """
    data = read_json(annotations)
    orders = _keypoint_orders(annotations, data.get("categories"))
    faults: Faults = defaultdict(list)
    named = [entry for entry in data["images"] if isinstance(entry, dict)]
    entries = _entries(named, images, faults)
    ids = {str(entry.get("id")) for entry in named}
    people: dict[str, list[Person]] = defaultdict(list)
    seen: set[tuple[str, ...]] = set()
    for label in data["annotations"]:
        picture = str(label.get("image_id")) if isinstance(label, dict) else ""
        if picture not in ids:
            faults["annotations of no picture, left out"].append(_id(label))
            continue
        category = label.get("category_id")
        if picture not in entries or (category is not None and str(category) not in orders):
            continue
        mark = (picture, str(label.get("id")), str(label.get("bbox")))
        if label.get("id") is not None and mark in seen:
            faults["annotations that stand there twice, taken once"].append(_id(label))
            continue
        seen.add(mark)
        person = _person(label, orders[str(category)], faults) if category is not None else None
        if person is None:
            faults["pictures with an annotation without category or place, left out"].append(
                entries.pop(picture)[0].name
            )
            continue
        people[picture].append(person)
    known = {images / str(entry.get("file_name")) for entry in named}
    if unnamed := [path.name for path in pictures(images) if path not in known]:
        faults["pictures that it does not name, left out"] = list(unnamed)
    for fault, names in faults.items():
        log.warning("%s: %s (%d): %s", annotations, fault, len(names), name_some(names))
    if not entries:
        raise ValueError(f"{annotations}: expected labels of pictures in {images}, got none")
    return [LabelledPicture(*entry, tuple(people[key])) for key, entry in entries.items()]


def _entries(named: list[dict[str, Any]], images: Path, faults: Faults) -> dict[str, Entry]:
    """File and size of every picture that is there, by its id."""
    # One that stands there twice alike is one; otherwise nobody knows whose the labels are.
    unique = {(str(e.get("id")), str(e.get("file_name"))): e for e in named}
    same_id = Counter(key for key, _ in unique)
    same_file = Counter(name for _, name in unique)
    entries = {}
    for (key, name), entry in unique.items():
        path, size = images / name, (entry.get("height"), entry.get("width"))
        if same_id[key] > 1 or same_file[name] > 1:
            faults["pictures that share their id or file, left out"].append(name)
        elif "id" not in entry or not all(isinstance(n, int) and n > 1 for n in size):
            faults["pictures without id, height or width, left out"].append(name)
        elif not path.is_file():
            faults["pictures without file, left out"].append(name)
        else:
            entries[key] = (path, int(entry["height"]), int(entry["width"]))
    return entries


def _keypoint_orders(path: Path, categories: Any) -> dict[str, Order]:
    """By the id of every category "person": in which order its keypoints are."""
    ours = list(KEYPOINT_NAMES)
    if not categories:
        return {str(PERSON): Order(list(range(len(ours))), len(ours))}
    orders = {}
    categories = [category for category in categories if isinstance(category, dict)]
    for category in categories:
        if str(category.get("name")).lower() == "person":
            names = category.get("keypoints") or ours
            theirs = [str(name).lower().replace(" ", "_") for name in names]
            places = [theirs.index(name) if name in theirs else -1 for name in ours]
            orders[str(category.get("id"))] = Order(places, len(theirs))
    if not orders:
        got = name_some([category.get("name") for category in categories])
        raise ValueError(f"{path}: categories: expected one with the name person, got {got}")
    return orders


def _person(label: dict[str, Any], order: Order, faults: Faults) -> Person | None:
    """One annotation; None if it does not say where the person is."""
    outline = box = keypoints = None
    try:
        outline = _outline(label.get("segmentation"))
    except (ValueError, TypeError, KeyError):
        faults["annotations with a broken outline, not taught in their boxes"].append(_id(label))
    try:
        keypoints = _keypoints(label.get("keypoints"), order)
    except (ValueError, TypeError):
        faults["annotations with broken keypoints, taken without"].append(_id(label))
    try:
        left, top, width, height = (float(v) for v in label["bbox"])
        if min(width, height) > 0 and np.isfinite([left, top, width, height]).all():
            box = (left, top, left + width, top + height)
    except (ValueError, TypeError, KeyError):
        pass  # many sets have none where there is an outline
    if box is None and keypoints is not None:
        points = keypoints[keypoints[:, 2] > 0, :2]
        low, high = points.min(0), points.max(0)
        margin = BOX_MARGIN * (high - low).max()
        box = (*map(float, low - margin), *map(float, high + margin))  # type: ignore[assignment]
    if outline is None and box is None:
        return None
    return Person(outline, box, keypoints, bool(label.get("iscrowd")))


def _outline(segmentation: Any) -> dict[str, Any] | tuple[Points, ...] | None:
    """Raises ValueError, TypeError, KeyError where it is neither polygons nor an RLE."""
    if not segmentation:
        return None
    if isinstance(segmentation, dict):
        height, width = segmentation["size"]
        counts = segmentation["counts"]
        if not isinstance(counts, str) and not all(isinstance(n, int) for n in counts):
            raise TypeError("counts")
        return {"size": [int(height), int(width)], "counts": counts}
    polygons = tuple(np.array(polygon, np.float32) for polygon in segmentation)
    for polygon in polygons:
        if polygon.ndim != 1 or len(polygon) < 6 or len(polygon) % 2:
            raise ValueError("polygon")
        if not np.isfinite(polygon).all():
            raise ValueError("polygon")
    return polygons


def _keypoints(values: Any, order: Order) -> Points | None:
    """(17, 3) in our order. Raises ValueError, TypeError where they are not as many as named."""
    if not values:
        return None
    theirs = np.array(values, np.float32).reshape(order.length, 3)
    if not np.isfinite(theirs).all() or not np.isin(theirs[:, 2], (0, 1, 2)).all():
        raise ValueError("keypoints")
    nowhere = np.zeros((1, 3), np.float32)
    ours = np.concatenate([theirs, nowhere])[order.places]
    ours[ours[:, 2] == 0] = 0
    return ours if ours.any() else None


def _id(label: Any) -> object:
    return label.get("id") if isinstance(label, dict) else label
