"""From heads to people: poses in image pixels, and one mask or part map for each of them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from bodypix.decoding import poses as decoding
from bodypix.decoding.instances import assign_instances
from bodypix.decoding.poses import FoundPoses
from bodypix.engine import Heads
from bodypix.geometry import sigmoid
from bodypix.options import InferenceOptions
from bodypix.results import Pose

POSE_HEADS: Final = ("heatmaps", "short_offsets", "displacement_fwd", "displacement_bwd")
"""Heads that `find_poses` reads."""

PEOPLE_HEADS: Final = (*POSE_HEADS, "long_offsets")
"""Heads that `find_poses` and `assign_people` read."""


def find_poses(heads: Heads, options: InferenceOptions) -> FoundPoses:
    """All poses, in image pixels of the segmented picture, in the order of decoding."""
    heatmaps, short_offsets, forward, backward = (heads.arrays[name] for name in POSE_HEADS)
    return decoding.find_poses(
        sigmoid(heatmaps),
        short_offsets,
        forward,
        backward,
        output_stride=heads.output_stride,
        max_detections=options.max_detections,
        score_threshold=options.score_threshold,
        nms_radius=options.nms_radius,
        frame=heads.frame,
    )


def assign_people(
    heads: Heads, mask: NDArray[np.uint8], poses: Sequence[Pose], options: InferenceOptions
) -> list[NDArray[np.uint8]]:
    """(H, W) uint8 mask of every pose's person: the mask's pixels, each given to one of them."""
    if not poses:
        return []
    owners = assign_instances(
        mask,
        heads.arrays["long_offsets"],
        poses,
        frame=heads.frame,
        output_stride=heads.output_stride,
        refine_steps=options.refine_steps,
        min_keypoint_score=options.min_keypoint_score,
        matching=options.matching,
    )
    return [(owners == index).view(np.uint8) for index in range(len(poses))]


def parts_of(part_ids: NDArray[np.int32], mask: NDArray[np.uint8]) -> NDArray[np.int32]:
    """(H, W) int32: the part ids of one person, -1 outside the person's mask."""
    own = np.full(part_ids.shape, -1, np.int32)
    cv2.copyTo(part_ids, mask, own)
    return own
