"""Poses on photos, against those that MediaPipe's pose network sees (`bodypix-train label`).

python benchmarks/poses.py --images PHOTOS --labels LABELS --model default= [--model published=FILE]

LABELS is the folder of these photos' label files. People of whom it saw fewer than five keypoints
are left out: of whom hardly anything shows, or who are small.
"""

from __future__ import annotations

import argparse
from functools import partial
from pathlib import Path

import cv2
import numpy as np
from rich.console import Console
from rich.progress import track

import bodypix
from bodypix_train.command_options import named_entries
from bodypix_train.datasets.files import read_rgb
from bodypix_train.datasets.photos import label_file, labelled, read_poses
from bodypix_train.evaluate import Settings
from bodypix_train.evaluate_poses import (
    POSE_OPTIONS,
    PosePicture,
    PoseScore,
    TruePose,
    pose_table,
    poses_of,
)

LEAST = 5  # keypoints of somebody who counts


def read_people(labels: Path, frame: tuple[int, int]) -> tuple[TruePose, ...]:
    """The people of a photo of ``frame`` (H, W) whose poses are known."""
    poses = read_poses(labels)
    owners = cv2.resize(poses["instances"], frame[::-1], interpolation=cv2.INTER_NEAREST)
    people = []
    for number, keypoints in enumerate(poses["keypoints"], start=1):
        mask = (owners == number).astype(np.uint8)
        if np.count_nonzero(keypoints[:, 2]) >= LEAST and mask.any():
            box = tuple(map(float, cv2.boundingRect(mask)))
            people.append(TruePose(keypoints.astype(np.float64), float(mask.sum()), box))
    return tuple(people)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--images", type=Path, required=True, help="folder of photos")
    parser.add_argument("--labels", type=Path, required=True, help="folder of their label files")
    parser.add_argument("--model", action="append", required=True, help="NAME=WHERE")
    parser.add_argument("--internal-resolution", type=float, default=1.0)
    given = parser.parse_args()
    wheres = named_entries("--model", given.model)
    models = {name: bodypix.load(model_url=where or None) for name, where in wheres.items()}
    settings = Settings(internal_resolution=given.internal_resolution)
    found: dict[str, list[PosePicture]] = {name: [] for name in models}
    shown = track(labelled(given.images, given.labels), console=Console(stderr=True))
    for path in shown:
        load = partial(read_rgb, path)
        image = load()
        people = read_people(label_file(given.labels, path), image.shape[:2])
        for name, model in models.items() if people else ():
            answer = model.segment_person(image, **settings.options, **POSE_OPTIONS)
            found[name].append(PosePicture(path.name, people, poses_of(answer), load))
    scores = {name: {"photos": PoseScore(tuple(own))} for name, own in found.items()}
    print(pose_table("against MediaPipe's pose network", scores).markdown())


if __name__ == "__main__":
    main()
