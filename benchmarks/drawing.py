"""Time of every drawing function at 640x480, in milliseconds and as a ratio to one plain blur.

    python benchmarks/drawing.py [--size 1920x1080] [--threads 2] [--seconds 0.5]

The yardstick is `cv2.GaussianBlur(image, (0, 0), 3)`, the least that a bokeh has to do. Everything
runs in turn in one process, each for the same time; the median counts.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable

import cv2
import numpy as np

from bodypix import drawing
from bodypix.results import Keypoint, PartSegmentation, PersonSegmentation, Pose


def scene(width: int, height: int) -> tuple[np.ndarray, PersonSegmentation, PartSegmentation]:
    """A noisy picture, a person of a fifth of its area, and 24 parts as stripes across them."""
    random = np.random.default_rng(7)
    image = cv2.resize(random.integers(0, 256, (30, 40, 3), np.uint8), (width, height))
    mask = np.zeros((height, width), np.uint8)
    center, axes = (width // 2, height // 2), (width // 6, int(height * 0.42))
    cv2.ellipse(mask, center, axes, 0, 0, 360, 1, cv2.FILLED)
    stripes = (np.arange(height) * 24 // height).astype(np.int32)[:, None]
    parts = np.where(mask > 0, stripes, -1).astype(np.int32)
    probability = cv2.GaussianBlur(mask.astype(np.float32), (0, 0), 4)
    return (
        image,
        PersonSegmentation(mask, probability=probability),
        PartSegmentation(parts, probability=probability),
    )


def pose(width: int, height: int) -> Pose:
    """17 keypoints somewhere in the picture."""
    random = np.random.default_rng(8)
    return Pose(
        0.9,
        [Keypoint(f"{i}", *(random.random(2) * (width, height)), 0.9) for i in range(17)],
    )


def calls(width: int, height: int) -> dict[str, Callable[[], object]]:
    """What is timed, by the name in the table."""
    image, person, parts = scene(width, height)
    mask, colored = drawing.to_mask(person), drawing.to_colored_part_mask(parts)
    someone = pose(width, height)
    other = cv2.flip(image, 0)
    return {
        "yardstick: blur of 3 px": lambda: cv2.GaussianBlur(image, (0, 0), 3),
        "to_mask": lambda: drawing.to_mask(person),
        "to_mask, contour": lambda: drawing.to_mask(person, draw_contour=True),
        "to_colored_part_mask": lambda: drawing.to_colored_part_mask(parts),
        "to_colored_people_mask, 3 people": lambda: drawing.to_colored_people_mask([person] * 3),
        "draw_mask, parts": lambda: drawing.draw_mask(image, colored),
        "draw_mask, person": lambda: drawing.draw_mask(image, mask),
        "draw_mask, person, blur 3": lambda: drawing.draw_mask(image, mask, 0.7, 3),
        "draw_pixelated_mask": lambda: drawing.draw_pixelated_mask(image, colored),
        "draw_bokeh_effect, 3": lambda: drawing.draw_bokeh_effect(image, person),
        "draw_bokeh_effect, 10": lambda: drawing.draw_bokeh_effect(image, person, 10),
        "draw_bokeh_effect, 20": lambda: drawing.draw_bokeh_effect(image, person, 20),
        "draw_bokeh_effect, 3, as the canvas": lambda: drawing.draw_bokeh_effect(
            image, person, border="transparent"
        ),
        "blur_body_part, face": lambda: drawing.blur_body_part(image, parts),
        "cutout": lambda: drawing.cutout(image, person),
        "cutout, soft": lambda: drawing.cutout(image, person, soft=True),
        "replace_background, colour": lambda: drawing.replace_background(
            image, person, (0, 177, 64)
        ),
        "replace_background, image, as is": lambda: drawing.replace_background(
            image, person, other, decontaminate=False
        ),
        "draw_poses": lambda: drawing.draw_poses(image, someone),
        "draw_legend": drawing.draw_legend,
    }


def median_ms(call: Callable[[], object], seconds: float) -> float:
    """Median time of a call over some seconds, after three calls to warm up."""
    for _ in range(3):
        call()
    times: list[float] = []
    end = time.perf_counter() + seconds
    while time.perf_counter() < end or len(times) < 5:
        start = time.perf_counter()
        call()
        times.append(time.perf_counter() - start)
    return float(np.median(times)) * 1e3


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--size", default="640x480")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--seconds", type=float, default=0.5)
    options = parser.parse_args()
    width, height = map(int, options.size.split("x"))
    cv2.setNumThreads(options.threads)
    print(f"{width}x{height}, {options.threads} threads, OpenCV {cv2.__version__}\n")
    print(f"| {'call':38} | {'ms':>7} | {'ratio':>6} |")
    print(f"| {'-' * 38} | {'-' * 6}: | {'-' * 5}: |")
    yardstick = 0.0
    for name, call in calls(width, height).items():
        spent = median_ms(call, options.seconds)
        yardstick = yardstick or spent
        print(f"| {name:38} | {spent:7.2f} | {spent / yardstick:6.2f} |")


if __name__ == "__main__":
    main()
