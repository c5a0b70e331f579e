"""A headless Chromium for tests and benchmarks of the page."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

ARGUMENTS = (
    "--no-sandbox",  # containers seldom allow one
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    # Frames as fast as they come, not at the pace of a screen that is not there.
    "--disable-frame-rate-limit",
)

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")


def find() -> str | None:
    """Path of a Chromium or Chrome: $BODYPIX_BROWSER, else the first on the PATH."""
    named = os.environ.get("BODYPIX_BROWSER")
    return named or next(filter(None, map(shutil.which, NAMES)), None)


def fake_camera(clip: Path) -> tuple[str, ...]:
    """Arguments for a camera that shows a `.y4m` clip over and over."""
    return (
        "--use-fake-device-for-media-stream",
        f"--use-file-for-fake-video-capture={clip}",
    )
