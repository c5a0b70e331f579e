"""One frame after the other through the network, with what is remembered in between."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from bodypix.decoding.masks import person_probability
from bodypix.decoding.parts import part_map
from bodypix.engine import Heads
from bodypix.options import InferenceOptions
from bodypix.people import PEOPLE_HEADS, POSE_HEADS, assign_people, find_poses, parts_of
from bodypix.results import PartSegmentation, PersonSegmentation, Pose
from bodypix.segmenter import MIRRORED_PARTS, BodyPix
from bodypix.sources import Source as Picture
from bodypix.sources import prepare, run
from bodypix.temporal.smoothing import SmoothingOptions, TemporalSmoother
from bodypix.temporal.tracking import Tracker

Segmentation: TypeAlias = PersonSegmentation | PartSegmentation
Result: TypeAlias = Segmentation | list[PersonSegmentation] | list[PartSegmentation]
"""Everybody together, or (with `people`) a list with one for each person."""


class FrameSegmenter:
    """Segments the frames of one moving picture, in their order.

    Calls the network once a frame, whatever is asked for. Probabilities are smoothed over time
    before the threshold, and people carry numbers (`.track`) that stay theirs.

    Args:
        model: from `bodypix.load`.
        parts: part maps instead of masks.
        people: a list with one segmentation for each person, instead of one for everybody.
        poses: find the poses of everybody right away, for `.all_poses`; otherwise reading them
            runs the network once more.
        smoothing: None treats every frame as a picture of its own.
        options: as for the `segment_*` methods of the model.
    """

    def __init__(
        self,
        model: BodyPix,
        *,
        parts: bool = False,
        people: bool = False,
        poses: bool = False,
        smoothing: SmoothingOptions | None = None,
        options: InferenceOptions | None = None,
    ) -> None:
        self._model = model
        self._options = options or InferenceOptions()
        self._parts, self._people, self._poses = parts, people, poses
        self._smoother = None if smoothing is None else TemporalSmoother(smoothing)
        self._tracker = Tracker()
        heads = [model.info.person_head]
        heads += [model.info.parts_head] if parts else []
        heads += PEOPLE_HEADS if people else POSE_HEADS if poses else ()
        self._names = tuple(heads)

    def reset(self) -> None:
        """Forget the frames before: the next one begins another moving picture."""
        if self._smoother is not None:
            self._smoother.reset()
        self._tracker.reset()

    def __call__(self, image: NDArray[np.uint8]) -> Result:
        """Segment the next frame, (H, W, 3) uint8 RGB.

        Raises:
            ImageError: the image cannot be used.
        """
        (picture,) = prepare([image], self._options, self._model.info)
        (heads,) = run(self._model._engine, [picture], self._names)
        logits = heads.arrays[self._model.info.person_head][..., 0]
        limit = np.float32(self._options.segmentation_threshold)
        probability = picture.unflip(person_probability(logits, heads.frame, float(limit)))
        if self._smoother is not None:
            probability = self._smoother(probability, image)
            if self._smoother.frames == 1:  # another take shows other people
                self._tracker.reset()
        mask = (probability > limit).view(np.uint8)
        if self._people:
            return self._each(heads, picture, mask)
        poses = self._all_poses(heads, picture)
        if self._parts:
            part_ids = self._part_ids(heads, picture, mask)
            return PartSegmentation(part_ids, probability=probability, all_poses=poses)
        return PersonSegmentation(mask, probability=probability, all_poses=poses)

    def _part_ids(
        self, heads: Heads, picture: Picture, mask: NDArray[np.uint8]
    ) -> NDArray[np.int32]:
        logits = heads.arrays[self._model.info.parts_head]
        parts = picture.unflip(part_map(logits, picture.unflip(mask), heads.frame))
        return MIRRORED_PARTS[parts] if picture.flipped else parts

    def _all_poses(self, heads: Heads, picture: Picture) -> list[Pose] | Callable[[], list[Pose]]:
        if not self._poses:
            return partial(self._late_poses, picture)
        return picture.unflip_poses(find_poses(heads, self._options).poses())

    def _late_poses(self, picture: Picture) -> list[Pose]:
        (heads,) = run(self._model._engine, [picture], POSE_HEADS)
        return picture.unflip_poses(find_poses(heads, self._options).poses())

    def _each(
        self, heads: Heads, picture: Picture, mask: NDArray[np.uint8]
    ) -> list[PersonSegmentation] | list[PartSegmentation]:
        found = find_poses(heads, self._options)
        poses = found.poses(self._options.score_threshold)
        masks = assign_people(heads, picture.unflip(mask), poses, self._options)
        masks = [picture.unflip(own) for own in masks]
        poses = picture.unflip_poses(poses)
        everybody = picture.unflip_poses(found.poses())
        people = [
            PersonSegmentation(own, pose=pose, all_poses=everybody)
            for own, pose in zip(masks, poses, strict=True)
        ]
        for person, track in zip(people, self._tracker.update(people), strict=True):
            person.track = track
        if not self._parts or not people:
            return people
        part_ids = self._part_ids(heads, picture, mask)
        return [
            PartSegmentation(
                parts_of(part_ids, person.mask),
                pose=person.pose,
                all_poses=everybody,
                track=person.track,
            )
            for person in people
        ]
