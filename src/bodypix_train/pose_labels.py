"""Skeletons of a photo's people as labels for the pose heads: keypoints, and whose a pixel is."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from bodypix.body import KEYPOINTS

from .people_teachers import Array
from .pose_parts import bone_features, extended
from .skeletons import Skeleton

# Of MediaPipe's points, those that BodyPix has too, in its order: nose, eyes, ears, then down.
POINTS_OF_KEYPOINTS = (0, 2, 5, 7, 8, 11, 12, 13, 14, 15, 16, 23, 24, 25, 26, 27, 28)
SCORE = 0.8  # of a skeleton that is taught
VISIBLE, GUESSED = 0.6, 0.3  # visibility of a keypoint that is seen, and of one that is hidden
INSIDE = 0.4  # person probability, somewhere near a keypoint
NEAR = 1 / 24  # of the picture's longer side: how near
REACH = 0.6  # trunks from the bones, beyond which a pixel is somebody else's
SOMEBODY = 0.25  # person probability from which a pixel may be somebody's


def pose_labels(
    skeletons: Sequence[Skeleton], person: Array, frame: tuple[int, int], size: tuple[int, int]
) -> tuple[NDArray[np.float32], NDArray[np.uint8]]:
    """Keypoints (P+1, 17, 3) and owners of ``size`` (h, w), as `Sample` wants them.

    ``person`` (h', w') is a probability in a picture of ``frame`` (H, W). The last row is all 0: it
    stands for everybody whose pose is unknown. Keypoints that a skeleton guesses, or that lie where
    nobody is, are not labelled.
    """
    sure = [skeleton for skeleton in skeletons if skeleton.score > SCORE]
    keypoints = np.zeros((len(sure) + 1, KEYPOINTS, 3), np.float32)
    reach = max(1, round(NEAR * max(person.shape)))
    around = cv2.dilate(person, np.ones((2 * reach + 1,) * 2))
    to_grid = (np.array(person.shape[::-1]) - 1) / (np.array(frame[::-1]) - 1)
    for row, skeleton in zip(keypoints, sure, strict=False):
        points = skeleton.points[list(POINTS_OF_KEYPOINTS)]
        at = np.rint(points[:, :2] * to_grid).astype(int)
        within = ((at >= 0) & (at < person.shape[::-1])).all(1)
        column, line = np.where(within[:, None], at, 0).T
        within &= around[line, column] > INSIDE
        seen = np.minimum(points[:, 3], points[:, 4])
        row[:, :2] = points[:, :2]
        row[:, 2] = np.where(seen > VISIBLE, 2, np.where(seen > GUESSED, 1, 0))
        row[~within] = 0
        row[row[:, 2] == 0] = 0
    return keypoints, owners(sure, person, frame, size)


def owners(
    skeletons: Sequence[Skeleton], person: Array, frame: tuple[int, int], size: tuple[int, int]
) -> NDArray[np.uint8]:
    """Whose a pixel of ``size`` (h, w) is: 0 nobody's, 1..P of whose bones are nearest, or P+1."""
    height, width = size
    grid = np.meshgrid(np.linspace(0, frame[1] - 1, width), np.linspace(0, frame[0] - 1, height))
    at = np.stack(grid, -1).reshape(-1, 2)
    nearest = np.full(len(at), REACH, np.float32)
    whose = np.full(len(at), len(skeletons) + 1, np.uint8)
    for number, skeleton in enumerate(skeletons, start=1):
        _, distance = bone_features(extended(skeleton), skeleton.size, at)
        whose[distance < nearest] = number
        nearest = np.minimum(nearest, distance)
    somebody = cv2.resize(person, (width, height), interpolation=cv2.INTER_AREA) > SOMEBODY
    return np.where(somebody, whose.reshape(size), 0).astype(np.uint8)
