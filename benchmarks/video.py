"""Frames a second of a film from file to file, and where the time goes.

    python benchmarks/video.py [CLIP] [--effect bokeh] [--frames 300] [--threads 1] [--rounds 3]

Without CLIP a film of 640x480 is made first: the built-in photo, moved about and zoomed. Then the
stages of `bodypix video` run as they do there: decoding, segmenting (network, smoothing, mask),
drawing, and encoding as H.264, each in its thread. The best of the rounds counts; the yardstick is
the bare run of the network on one prepared frame.
"""

from __future__ import annotations

import argparse
import math
import statistics
import tempfile
import time
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path

import cv2
import numpy as np

import bodypix
from bodypix.cli.options import film_threads
from bodypix.geometry import Frame as NetworkFrame
from bodypix.images import read_image
from bodypix.media import Frame, open_sink, open_source
from bodypix.media.filming import Film, film_stages
from bodypix.media.pipeline import Report, run
from bodypix.preprocessing import to_network_input

SIZE = (640, 480)
RATE = Fraction(30)
PHOTO = Path(bodypix.__file__).parent / "assets" / "astronaut.jpg"


def moving_photo(count: int) -> Iterator[Frame]:
    """The built-in photo, wandering and zooming, with the noise of a camera."""
    photo = read_image(PHOTO)
    noise = np.random.default_rng(3).integers(0, 8, (2 * SIZE[1], 2 * SIZE[0], 3), np.uint8)
    for index in range(count):
        turn = 2 * math.pi * index / 90
        scale = 1.2 + 0.1 * math.sin(turn / 2)
        move = np.array(
            [[scale, 0, 20 + 40 * math.cos(turn)], [0, scale, -30 + 15 * math.sin(turn)]]
        )
        image = cv2.warpAffine(photo, move, SIZE, borderMode=cv2.BORDER_REFLECT)
        top, left = (37 * index) % SIZE[1], (53 * index) % SIZE[0]
        grain = noise[top : top + SIZE[1], left : left + SIZE[0]]
        yield Frame(cv2.add(image, grain), index, index / RATE, 1 / RATE)


def bare_network_ms(model: bodypix.BodyPix, image: np.ndarray) -> float:
    """Median time of onnxruntime alone for the person head of one frame."""
    facts = model.info
    shape = (image.shape[0], image.shape[1])
    frame = NetworkFrame.of(shape, "medium", facts.output_stride, centred=True)
    tensor = to_network_input(image, frame, facts.preprocessing)[np.newaxis]
    times = []
    for _ in range(100):
        start = time.perf_counter()
        model._engine.run(tensor, [facts.person_head])
        times.append(time.perf_counter() - start)
    return 1e3 * statistics.median(times[10:])


def filmed(clip: Path, target: Path, effects: list[str], model: bodypix.BodyPix) -> Report:
    """One film from file to file."""
    film = Film(effects)
    with open_source(clip) as source, open_sink(target, like=source, alpha=film.alpha) as sink:
        return run(source, film_stages(model, lambda: film), [sink])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("clip", type=Path, nargs="?")
    parser.add_argument("--effect", action="append")
    parser.add_argument("--frames", type=int, default=300)
    parser.add_argument("--threads", type=int, help="of the network; default: cores - 1")
    parser.add_argument("--rounds", type=int, default=3)
    arguments = parser.parse_args()
    effects = arguments.effect or ["bokeh"]
    model = bodypix.load(threads=film_threads(arguments.threads))
    with tempfile.TemporaryDirectory() as folder:
        clip = arguments.clip
        if clip is None:
            clip = Path(folder) / "clip.mp4"
            with open_sink(clip, size=SIZE, rate=RATE) as sink:
                for frame in moving_photo(arguments.frames):
                    sink.write(frame)
        with open_source(clip) as source:
            size, image = source.size, next(iter(source)).image
        network = bare_network_ms(model, image)
        best, cpu = None, 0.0
        for _ in range(arguments.rounds):
            spent = time.process_time()
            report = filmed(clip, Path(folder) / "out.mp4", effects, model)
            spent = time.process_time() - spent
            if best is None or report.seconds < best.seconds:
                best, cpu = report, spent
    assert best is not None
    each = 1e3 * best.seconds / best.frames
    print(f"{size[0]}x{size[1]}, {best.frames} frames, {' + '.join(effects)}, {model.info.name}\n")
    print("| what | value |")
    print("| --- | ---: |")
    print(f"| frames a second, file to file | {best.frames / best.seconds:.0f} |")
    print(f"| ms a frame | {each:.2f} |")
    print(f"| bare network, ms | {network:.2f} |")
    print(f"| whole / bare network | {each / network:.2f} |")
    print(f"| processor time a frame, all threads, ms | {1e3 * cpu / best.frames:.2f} |")
    print("\n| stage, in a thread of its own | busy, ms a frame |")
    print("| --- | ---: |")
    for name, seconds in best.busy.items():
        print(f"| {name} | {1e3 * seconds / best.frames:.2f} |")


if __name__ == "__main__":
    main()
