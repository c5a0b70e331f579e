"""The colour network behind an application, and clients for it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("fastapi")

from starlette.testclient import TestClient

import bodypix
from bodypix.segmenter import BodyPix
from bodypix.serve import Settings, create_app
from helpers.colours import colour_network, picture
from helpers.png import png

MakeClient = Callable[..., TestClient]


@pytest.fixture(scope="session")
def model_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("model") / "colours.onnx"
    path.write_bytes(colour_network())
    return path


@pytest.fixture(scope="session")
def model(model_file: Path) -> BodyPix:
    return bodypix.load(model_file, threads=1)


@pytest.fixture
def make_client(model: BodyPix, tmp_path: Path) -> Iterator[MakeClient]:
    """A client of an application with settings of its own; without a demo page by default."""
    with ExitStack() as stack:

        def make(*, model: BodyPix = model, **settings: Any) -> TestClient:
            settings = {"workers": 1, "page": tmp_path / "no-page", **settings}
            app = create_app(model, Settings(**settings))
            client = TestClient(app, base_url="http://localhost", raise_server_exceptions=False)
            return stack.enter_context(client)

        yield make


@pytest.fixture(scope="session")
def client(model: BodyPix, tmp_path_factory: pytest.TempPathFactory) -> Iterator[TestClient]:
    """A client of an application with one worker and no demo page."""
    settings = Settings(workers=1, page=tmp_path_factory.mktemp("page"))
    with TestClient(create_app(model, settings), base_url="http://localhost") as client:
        yield client


@pytest.fixture(scope="session")
def photo() -> bytes:
    """A PNG of two people, 240x160."""
    return png(picture(people=2))
