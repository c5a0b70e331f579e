"""Memory of the demo page at the start and at the end of a long run in Chromium.

    python benchmarks/browser/soak.py [--minutes 10]

Needs `make web` and the extra `serve`. The page runs on a fake camera, which shows the built-in
photo moving about, and goes through all effects, for people together and one by one, over and over.
After every round, about a minute, garbage is collected and the memory of Chromium's renderer
process, JavaScript's heap and the number of frames are noted; the start is after the first
round, when everything has been loaded.
"""

from __future__ import annotations

import argparse
import itertools
import sys
import tempfile
import threading
import time
from pathlib import Path
from typing import Any

import uvicorn

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "tests"))

from playwright.sync_api import sync_playwright

import bodypix
from bodypix.serve.app import create_app
from helpers import chromium, moving_photo

EFFECTS = ("parts", "pose", "face", "pixelate", "replace", "bokeh", "cutout", "mask")
SECONDS_EACH = 4

COUNT = """
window.frames_painted = 0;
window.addEventListener('DOMContentLoaded', () => document.getElementById('view')
    .addEventListener('bodypix', () => { window.frames_painted += 1; }));
"""


def serve() -> tuple[uvicorn.Server, str]:
    """The server of `bodypix serve` on a free port, in a thread."""
    app = create_app(bodypix.load(threads=1))
    server = uvicorn.Server(uvicorn.Config(app, port=0, log_level="warning"))
    threading.Thread(target=server.run, daemon=True).start()
    while not server.started:
        time.sleep(0.01)
    port = server.servers[0].sockets[0].getsockname()[1]
    return server, f"http://127.0.0.1:{port}/"


def megabytes(process: int) -> float:
    """Memory of a process that is no file's; threads of WASM share some of it."""
    status = Path(f"/proc/{process}/status").read_text()
    lines = (line for line in status.splitlines() if line.startswith(("RssAnon", "RssShmem")))
    return sum(int(line.split()[1]) for line in lines) / 1024


class Watch:
    """Notes memory, as the table's lines."""

    def __init__(self, page: Any, processes: list[int]) -> None:
        self.page = page
        self.session = page.context.new_cdp_session(page)
        self.session.send("Performance.enable")
        self.processes = processes
        self.start = time.monotonic()
        print("| minute | frames | renderer, MB | JavaScript heap, MB |\n| --- | --- | --- | --- |")

    def note(self) -> tuple[float, float]:
        """Print a line; answers both figures in MB."""
        self.session.send("HeapProfiler.collectGarbage")
        metrics = self.session.send("Performance.getMetrics")["metrics"]
        heap = next(one["value"] for one in metrics if one["name"] == "JSHeapUsedSize") / 2**20
        # The page's renderer is the largest; the spare one that Chromium keeps is small.
        renderer = max(map(megabytes, self.processes))
        minute = (time.monotonic() - self.start) / 60
        frames = self.page.evaluate("frames_painted")
        print(f"| {minute:.1f} | {frames} | {renderer:.0f} | {heap:.1f} |", flush=True)
        return renderer, heap


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--minutes", type=float, default=10)
    args = parser.parse_args()

    server, address = serve()
    with tempfile.TemporaryDirectory() as scratch, sync_playwright() as playwright:
        clip = moving_photo.write_y4m(Path(scratch) / "clip.y4m", moving_photo.moving_photo())
        browser = playwright.chromium.launch(
            executable_path=chromium.find(),
            args=[*chromium.ARGUMENTS, *chromium.fake_camera(clip)],
        )
        page = browser.new_page(permissions=["camera"], viewport={"width": 1280, "height": 800})
        page.add_init_script(COUNT)
        page.goto(address)
        page.click("#welcome-camera")
        page.wait_for_selector("#camera[aria-pressed=true]")
        told = browser.new_browser_cdp_session().send("SystemInfo.getProcessInfo")
        renderers = [one["id"] for one in told["processInfo"] if one["type"] == "renderer"]

        rounds = itertools.cycle(itertools.product(("together", "each"), EFFECTS))
        choices = 2 * len(EFFECTS)

        def choose() -> None:
            people, effect = next(rounds)
            page.check(f"input[name=people][value={people}]", force=True)
            page.check(f"input[name=effect][value={effect}]", force=True)
            time.sleep(SECONDS_EACH)

        for _ in range(choices):
            choose()
        watch = Watch(page, renderers)
        first = watch.note()
        while time.monotonic() - watch.start < 60 * args.minutes:
            for _ in range(choices):
                choose()
            last = watch.note()
        browser.close()
    server.should_exit = True
    print(
        f"\nStart to end: renderer {first[0]:.0f} to {last[0]:.0f} MB, "
        f"heap {first[1]:.1f} to {last[1]:.1f} MB."
    )


if __name__ == "__main__":
    main()
