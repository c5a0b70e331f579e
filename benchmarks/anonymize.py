"""How much of the faces in films `bodypix anonymize` covers, judged by poses in the original.

    python benchmarks/anonymize.py CLIP... [--judge model.json]... [--seconds 0.2] [--margin 0.15]

Every clip goes through the command's own stages and through a video file, faces filled with one
colour. Then both films are read side by side: each judge (the default model, and every `--judge`)
looks for poses in the original at full resolution; the pixels of every face that it sees must have
the fill's colour in the result.

The face of a pose, here: a disc around the mean of those of nose, eyes and ears that score at least
0.5 (at least two of them). Its radius is the largest of the distances to them, 0.6 of the distance
between the ears and 1.3 of that between the eyes: from the brows to the mouth, from ear to ear.
Poses of a score of at least 0.4 count.
"""

from __future__ import annotations

import argparse
import math
import tempfile
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

import bodypix
from bodypix.media import open_sink, open_source
from bodypix.media.anonymizing import Account, Anonymizer, HidingOptions
from bodypix.media.pipeline import run

FILL = (255, 0, 255)
NEAR = 60
"""Levels that a pixel may be off the fill's colour: video codecs blur colours at edges."""

POINTS = ("nose", "left_eye", "right_eye", "left_ear", "right_ear")
LEAST_POINT, LEAST_POSE = 0.5, 0.4


@dataclass
class Tally:
    """What one judge saw in one clip."""

    frames: int = 0
    faces: int = 0
    covered_faces: int = 0
    covered_frames: int = 0
    worst: float = 1.0

    def add(self, shares: list[float]) -> None:
        """Count one frame: the covered share of each face in it."""
        if shares:
            self.frames += 1
            self.faces += len(shares)
            self.covered_faces += sum(share == 1 for share in shares)
            self.covered_frames += min(shares) == 1
            self.worst = min(self.worst, *shares)


def face_of(pose: bodypix.Pose, shape: tuple[int, ...]) -> np.ndarray | None:
    """(H, W) bool: the pixels of a pose's face; None where it shows no face inside the picture."""
    seen = {name: point for name in POINTS if (point := pose.keypoint(name)).score >= LEAST_POINT}
    if len(seen) < 2:
        return None
    x = sum(point.x for point in seen.values()) / len(seen)
    y = sum(point.y for point in seen.values()) / len(seen)
    radius = max(math.hypot(point.x - x, point.y - y) for point in seen.values())
    for pair, share in ((("left_ear", "right_ear"), 0.6), (("left_eye", "right_eye"), 1.3)):
        if all(name in seen for name in pair):
            first, second = (seen[name] for name in pair)
            radius = max(radius, share * math.hypot(first.x - second.x, first.y - second.y))
    disc = np.zeros(shape[:2], np.uint8)
    cv2.circle(disc, (round(x), round(y)), round(radius), 1, cv2.FILLED)
    return disc.view(bool) if disc.any() else None


def anonymized(clip: Path, target: Path, model: bodypix.BodyPix, options: HidingOptions) -> Account:
    """Write the clip with filled faces."""
    anonymizer = Anonymizer(model, options)
    with open_source(clip) as source, open_sink(target, like=source, quality=100) as sink:
        run(source, anonymizer.stages(), [sink])
    return anonymizer.account


def judged(clip: Path, result: Path, judges: dict[str, bodypix.BodyPix]) -> dict[str, Tally]:
    """What each judge says about a clip and its result."""
    tallies = {name: Tally() for name in judges}
    with open_source(clip) as original, open_source(result) as hidden:
        for before, after in zip(original, hidden, strict=True):
            filled = (np.abs(after.image.astype(int) - FILL) <= NEAR).all(axis=2)
            for name, judge in judges.items():
                poses = judge.segment_person(before.image, internal_resolution="full").all_poses
                faces = [
                    face_of(pose, before.image.shape) for pose in poses if pose.score >= LEAST_POSE
                ]
                tallies[name].add(
                    [float(filled[face].mean()) for face in faces if face is not None]
                )
    return tallies


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("clips", type=Path, nargs="+")
    parser.add_argument("--judge", type=Path, action="append", default=[])
    parser.add_argument("--seconds", type=float, default=HidingOptions().seconds)
    parser.add_argument("--margin", type=float, default=HidingOptions().margin)
    arguments = parser.parse_args()
    options = HidingOptions(
        how="fill", color=FILL, seconds=arguments.seconds, margin=arguments.margin
    )
    model = bodypix.load()
    judges = {model.info.name: model}
    judges |= {path.stem: bodypix.load(model_url=str(path)) for path in arguments.judge}
    print(
        "| clip | judge | frames with a face | all covered | faces | fully covered | "
        "least covered | frames without anybody |"
    )
    print("| --- | --- | ---: | ---: | ---: | ---: | ---: | ---: |")
    for clip in arguments.clips:
        with tempfile.TemporaryDirectory() as folder:
            result = Path(folder) / "hidden.mp4"
            account = anonymized(clip, result, model, options)
            for name, tally in judged(clip, result, judges).items():
                frames, faces = max(1, tally.frames), max(1, tally.faces)
                print(
                    f"| {clip.stem} | {name} | {tally.frames} of {account.frames} "
                    f"| {tally.covered_frames / frames:.1%} | {tally.faces} "
                    f"| {tally.covered_faces / faces:.1%} | {tally.worst:.1%} "
                    f"| {len(account.nobody)} |",
                    flush=True,
                )


if __name__ == "__main__":
    main()
