"""The built page in a real browser, served as `bodypix serve` serves it."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import cv2
import pytest

import bodypix
from bodypix.segmenter import BodyPix
from helpers import chromium, moving_photo
from helpers.demo_page import Demo


@pytest.fixture(scope="session")
def model() -> BodyPix:
    return bodypix.load(threads=1)


@pytest.fixture(scope="session")
def photo(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The built-in photo as a PNG file, so that browser and Python read the same pixels."""
    path = tmp_path_factory.mktemp("photo") / "photo.png"
    cv2.imwrite(str(path), cv2.cvtColor(moving_photo.photo(), cv2.COLOR_RGB2BGR))
    return path


@pytest.fixture(scope="session")
def address(model: BodyPix) -> Iterator[str]:
    """Where `bodypix serve` serves the page."""
    uvicorn = pytest.importorskip("uvicorn", reason="no extra 'serve'")
    from bodypix.serve.app import create_app
    from bodypix.serve.settings import PAGE

    if not (PAGE / "index.html").is_file():
        pytest.skip("the page is not built (make web)")

    config = uvicorn.Config(create_app(model), port=0, log_level="warning")
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    while not server.started:
        time.sleep(0.01)
    port = server.servers[0].sockets[0].getsockname()[1]
    yield f"http://127.0.0.1:{port}/"
    server.should_exit = True
    thread.join()


@pytest.fixture(scope="session")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """A headless Chromium whose camera shows the built-in photo moving about."""
    sync_api = pytest.importorskip("playwright.sync_api", reason="no playwright")
    path = chromium.find()
    if path is None:
        pytest.skip("no Chromium (sh tools/browser.sh)")
    clip = tmp_path_factory.mktemp("camera") / "moving.y4m"
    moving_photo.write_y4m(clip, moving_photo.moving_photo(20))
    arguments = [*chromium.ARGUMENTS, *chromium.fake_camera(clip)]
    with sync_api.sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=arguments)
        yield browser
        browser.close()


@pytest.fixture(scope="session")
def open_demo(browser: Any, address: str) -> Iterator[Callable[..., Demo]]:
    """Opens the page in a window of its own, by options of Playwright's contexts."""
    contexts = []

    def opened(**options: Any) -> Demo:
        context = browser.new_context(**{"viewport": {"width": 1280, "height": 800}, **options})
        contexts.append(context)
        return Demo(context.new_page(), address)

    yield opened
    for context in contexts:
        context.close()


@pytest.fixture(scope="session")
def window(open_demo: Callable[..., Demo]) -> Demo:
    """The window that most tests share: loading the model is what takes long."""
    return open_demo(permissions=["camera"])


@pytest.fixture
def demo(window: Demo) -> Iterator[Demo]:
    """The page with its first settings; afterwards nothing may have gone wrong in it."""
    window.reset()
    yield window
    assert window.wrong == []
