"""Frames per second in Chromium, ours against the original JavaScript package, both on WASM.

    python benchmarks/browser/compare.py --weights FOLDER [--rounds 5] [--frames 12]
                                         [--original-threads 1 2] [--packages FOLDER]

Needs `make web`, npm, and the published MobileNetV1 0.50 (`--weights`: the folder of its
model-stride16.json). The original, @tensorflow-models/body-pix 2.2 on tfjs, is installed from npm
into a temporary folder, or into `--packages`, where it stays.

Both packages run in one browser, in turn, on the same 640x480 pictures, with the same options (the
defaults of BodyPix 2.2) and from a canvas with the picture to a canvas with the mask over it.
Medians count. "Outside" is the share of that time that is not the network's. Ours is timed with its
own weights and with the published ones.

tfjs gives its threads half of the cores it is told of, rounded down: 1 of 2. So that it may have
both, its page is told of twice as many for each thread in `--original-threads`; the quicker of the
tried counts is compared with.
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import cv2

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "tests"))

from playwright.sync_api import Browser, Error, Page, sync_playwright
from server import serving

from bodypix.checkpoints.onnx_format import write_model
from bodypix.checkpoints.tfjs import convert_tfjs
from bodypix.serve.settings import PAGE
from helpers import chromium, moving_photo

HERE = Path(__file__).parent
PACKAGES = (
    "@tensorflow-models/body-pix@2.2.1",
    *(
        f"@tensorflow/tfjs-{name}@4.22.0"
        for name in ("core", "converter", "backend-cpu", "backend-wasm")
    ),
)
METHODS = {
    "person": "segmentPerson",
    "parts": "segmentPersonParts",
    "people": "segmentMultiPerson",
    "people parts": "segmentMultiPersonParts",
}
WARM_UP = 24
"""Calls that are not timed."""

Times = dict[str, list[float]]


def install(folder: Path) -> None:
    """Install the original from npm, unless it is there."""
    if (folder / "node_modules").is_dir():
        return
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "package.json").write_text('{"private": true}')
    command = ["npm", "install", "--silent", "--no-audit", "--no-fund", "--legacy-peer-deps"]
    subprocess.run([*command, *PACKAGES], cwd=folder, check=True)


def write_frames(folder: Path, people: int) -> None:
    """Eight pictures of the built-in photo moving about."""
    frames = list(moving_photo.moving_photo(8, people))
    for index, frame in enumerate(frames):
        cv2.imwrite(str(folder / f"{index}.png"), cv2.cvtColor(frame, cv2.COLOR_RGB2BGR))
    (folder / "frames.json").write_text(json.dumps({"count": len(frames)}))


def open_page(browser: Browser, address: str, cores: int | None, **options: Any) -> Page:
    """A page that is ready to run; `cores`: how many it is told of."""
    page = browser.new_page()
    if cores is not None:
        page.add_init_script(
            f"Object.defineProperty(navigator, 'hardwareConcurrency', {{ value: {cores} }})"
        )
    page.goto(address)
    page.wait_for_function("() => Boolean(window.start)")
    page.evaluate("options => start(options)", options)
    return page


def run(page: Page, method: str, count: int) -> Times | str:
    """Milliseconds of `count` calls, or why they fail."""
    page.bring_to_front()
    try:
        return page.evaluate("([method, count]) => run(method, count)", [method, count])
    except Error as error:
        return error.message.splitlines()[0].removeprefix("Page.evaluate: Error: ")


def in_turn(pages: dict[str, Page], rounds: int, count: int) -> dict[tuple[str, str], Times | str]:
    """Times of every page and method, round by round, so that all see the same machine."""
    found: dict[tuple[str, str], Times | str] = {}
    for method in METHODS:
        for name, page in pages.items():
            # To warm up: browsers compile WASM twice, quickly at first. A failure stays.
            found[name, method] = run(page, method, WARM_UP)
            if not isinstance(found[name, method], str):
                found[name, method] = {"total": [], "network": []}
        for _ in range(rounds):
            for name, page in pages.items():
                times = found[name, method]
                if isinstance(times, str):
                    continue
                new = run(page, method, count)
                assert not isinstance(new, str), new
                times["total"] += new["total"]
                times["network"] += new["network"]
    return found


def cell(times: Times | str) -> str:
    """Frames per second, milliseconds, and the share outside the network."""
    if isinstance(times, str):
        return "throws"
    total = statistics.median(times["total"])
    return f"{1000 / total:.1f} fps, {total:.1f} ms, {outside(times):.0%} outside"


def outside(times: Times) -> float:
    pairs = zip(times["total"], times["network"], strict=True)
    return statistics.median((total - network) / total for total, network in pairs)


def ratio(ours: Times | str, original: Sequence[Times | str]) -> str:
    """How many times as fast as the quickest of the original's."""
    them = [statistics.median(times["total"]) for times in original if not isinstance(times, str)]
    if isinstance(ours, str) or not them:
        return "–"
    return f"{min(them) / statistics.median(ours['total']):.1f}"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--weights", type=Path, required=True)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--frames", type=int, default=12)
    parser.add_argument("--people", type=int, default=1)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--original-threads", type=int, nargs="+", default=[1, 2])
    parser.add_argument("--packages", type=Path)
    args = parser.parse_args()

    with tempfile.TemporaryDirectory() as scratch:
        packages = args.packages or Path(scratch) / "packages"
        install(packages)
        frames, models = Path(scratch) / "frames", Path(scratch) / "models"
        frames.mkdir()
        models.mkdir()
        write_frames(frames, args.people)
        published = write_model(convert_tfjs(args.weights / "model-stride16.json"))
        (models / "published.onnx").write_bytes(published)
        folders = {
            "npm": packages / "node_modules",
            "weights": args.weights,
            "frames": frames,
            "models": models,
            "lib": PAGE / "lib",
            "page": HERE,
        }
        with serving(folders) as address, sync_playwright() as playwright:
            browser = playwright.chromium.launch(
                executable_path=chromium.find(), args=list(chromium.ARGUMENTS)
            )
            ours = f"{address}/page/ours.html"
            pages = {
                f"original, {count} threads": open_page(
                    browser, f"{address}/page/original.html", 2 * count, threads=count
                )
                for count in args.original_threads
            }
            theirs = list(pages)
            pages["ours, published weights"] = open_page(
                browser, ours, None, model="/models/published.onnx", threads=args.threads
            )
            pages["ours"] = open_page(browser, ours, None, model=None, threads=args.threads)
            print(f"Chromium {browser.version}, 640x480, {args.people} people")
            for name, page in pages.items():
                print(f"{name}: {page.evaluate('describe()')}")
            found = in_turn(pages, args.rounds, args.frames)
            browser.close()

    print(f"\n| method | {' | '.join(pages)} | times as fast: published weights | ours |")
    print("| --- |" + " --- |" * (len(pages) + 2))
    for method, call in METHODS.items():
        original = [found[name, method] for name in theirs]
        cells = [cell(found[name, method]) for name in pages]
        ratios = [
            ratio(found[name, method], original) for name in ("ours, published weights", "ours")
        ]
        print(f"| `{call}` | {' | '.join(cells + ratios)} |")
    for (name, method), times in found.items():
        if isinstance(times, str):
            print(f"\n{METHODS[method]}, {name}: {times}")


if __name__ == "__main__":
    main()
