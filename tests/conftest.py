"""Fixtures that every test may use."""

from __future__ import annotations

import os
import signal
from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def shared() -> Path:
    """The folder of golden files and data, beside the repository or at $BODYPIX_SHARED."""
    default = Path(__file__).resolve().parents[2] / "shared"
    folder = Path(os.environ.get("BODYPIX_SHARED", default))
    if not folder.is_dir():
        pytest.skip(f"no shared folder at {folder} (set BODYPIX_SHARED)")
    return folder


@pytest.fixture(autouse=True, scope="session")
def _ctrl_c_interrupts() -> None:
    """Also where a shell runs the tests in the background, with Ctrl-C ignored."""
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(autouse=True)
def _no_downloads(
    monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """No test reaches the network or the cache of the person who runs it."""
    monkeypatch.setenv("BODYPIX_OFFLINE", "1")
    monkeypatch.setenv("BODYPIX_CACHE", str(tmp_path_factory.getbasetemp() / "bodypix-cache"))
