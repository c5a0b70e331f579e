"""Does a film that never ends stay within its memory? Samples memory, threads and open files.

    python benchmarks/soak_video.py --frames 20000 --size 160x120
    python benchmarks/soak_video.py --frames 20000 --size 160x120 --suffix .mp4
    python benchmarks/soak_video.py --minutes 30 --live

A short film is played over and over (opened anew each time), segmented with smoothing, drawn, and
written to one video file that goes on growing (Matroska; MP4 keeps an entry for every frame in
memory, for the index that it writes at its end). With `--live` it comes as from a camera, 30
frames a second of which the newest wins; otherwise as fast as it goes. The last line fits a
straight line to the memory of the second half. Linux only: it reads /proc.
"""

from __future__ import annotations

import argparse
import gc
import os
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import cv2
import numpy as np
from video import RATE, moving_photo

import bodypix
from bodypix.media import Frame, open_sink, open_source
from bodypix.media.filming import Film, film_stages
from bodypix.media.pipeline import run
from bodypix.media.sources.base import BaseSource

CLIP_FRAMES = 90


class Loop(BaseSource):
    """A video file over and over, up to a number of frames or seconds."""

    def __init__(self, clip: Path, frames: float, seconds: float, live: bool) -> None:
        self.name = "loop"
        self.live = live
        self._clip, self._most, self._seconds = clip, frames, seconds
        with open_source(clip) as source:
            self.size, self.rate = source.size, source.rate

    def _frames(self) -> Iterator[Frame]:  # type: ignore[override]
        start, index = time.monotonic(), 0
        while True:
            with open_source(self._clip) as source:
                for frame in source:
                    passed = time.monotonic() - start
                    if self._closed or index >= self._most or passed >= self._seconds:
                        return
                    if self.live:
                        time.sleep(max(0.0, float(index / RATE) - passed))
                    yield Frame(frame.image, index, index / RATE, 1 / RATE)
                    index += 1
            # PyAV's closed files lie in cycles of references, half a MiB each, until Python's
            # collector comes by. Collected here, they do not hide what does not come back at all.
            gc.collect()

    def _release(self) -> None:
        pass


@dataclass(frozen=True)
class Sample:
    """The state of this process after so many frames."""

    frames: int
    seconds: float
    megabytes: float
    threads: int
    files: int

    @classmethod
    def now(cls, frames: int, start: float) -> Sample:
        """Read it."""
        pages = int(Path("/proc/self/statm").read_text().split()[1])
        return cls(
            frames,
            time.monotonic() - start,
            pages * os.sysconf("SC_PAGE_SIZE") / 2**20,
            len(os.listdir("/proc/self/task")),
            len(os.listdir("/proc/self/fd")),
        )


def soak(clip: Path, folder: Path, options: argparse.Namespace) -> tuple[list[Sample], int]:
    """Samples over a run, and how many frames were dropped."""
    film = Film(options.effect or ["bokeh"])
    seconds = 60 * options.minutes if options.minutes else float("inf")
    source = Loop(clip, options.frames if options.frames else float("inf"), seconds, options.live)
    model = bodypix.load(threads=options.threads)
    start = time.monotonic()
    samples: list[Sample] = []
    every = options.minutes * 60 / 20 if options.minutes else 0.0

    def on_frame(frame: Frame) -> None:
        done = samples[-1].seconds if samples else -every
        due = (
            time.monotonic() - start - done >= every
            if every
            else frame.index % max(1, options.frames // 20) == 0
        )
        if due:
            samples.append(Sample.now(frame.index, start))

    with source, open_sink(folder / f"out{options.suffix}", like=source) as sink:
        report = run(source, film_stages(model, lambda: film), [sink], on_frame=on_frame)
    samples.append(Sample.now(report.frames + report.dropped, start))
    return samples, report.dropped


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--frames", type=int, default=0)
    parser.add_argument("--minutes", type=float, default=0)
    parser.add_argument("--size", default="640x480")
    parser.add_argument("--effect", action="append")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--suffix", default=".mkv")
    parser.add_argument("--live", action="store_true")
    options = parser.parse_args()
    if not (options.frames or options.minutes):
        parser.error("say how long: --frames or --minutes")
    width, height = map(int, options.size.split("x"))
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        with open_sink(folder / "clip.mp4", size=(width, height), rate=Fraction(RATE)) as sink:
            for frame in moving_photo(CLIP_FRAMES):
                sink.write(frame.replaced(cv2.resize(frame.image, (width, height))))
        samples, dropped = soak(folder / "clip.mp4", folder, options)
    kind = "live" if options.live else "file"
    print(f"{width}x{height}, {kind} to {options.suffix}, dropped {dropped}\n")
    print("| frames | seconds | memory, MiB | threads | open files |")
    print("| ---: | ---: | ---: | ---: | ---: |")
    for one in samples:
        print(
            f"| {one.frames} | {one.seconds:.0f} | {one.megabytes:.1f} | {one.threads} "
            f"| {one.files} |"
        )
    late = samples[len(samples) // 2 : -1]
    frames = np.array([one.frames for one in late], float)
    slope = np.polyfit(frames, [one.megabytes for one in late], 1)[0]
    print(f"\nsecond half: {1000 * slope:+.3f} MiB for each 1000 frames")


if __name__ == "__main__":
    main()
