"""The demo page's files: types, caching, and paths that lead out of the folder."""

from __future__ import annotations

import mimetypes
from collections.abc import Callable
from pathlib import Path

import pytest
from starlette.testclient import TestClient

from bodypix.serve.page import MEDIA_TYPES

MakeClient = Callable[..., TestClient]

FILES = {
    "index.html": "<!doctype html>",
    "assets/index-BxU2_a9Z.js": "1",
    "bodypix/bodypix.js": "2",
    "bodypix/ort-wasm-simd-threaded.mjs": "3",
    "bodypix/ort-wasm-simd-threaded.wasm": "\0asm",
    "bodypix/models/bodypix-mobilenet-050.onnx": "model",
    "strange.xyz": "?",
}


@pytest.fixture
def page(tmp_path: Path, make_client: MakeClient) -> TestClient:
    folder = tmp_path / "page"
    for name, content in FILES.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(content)
    (tmp_path / "secret.txt").write_text("not for you")
    (folder / "link.txt").symlink_to(tmp_path / "secret.txt")
    (folder / "up").symlink_to(tmp_path)
    return make_client(page=folder)


@pytest.mark.parametrize(
    ("path", "kind"),
    [
        ("/", "text/html; charset=utf-8"),
        ("/index.html", "text/html; charset=utf-8"),
        ("/bodypix/bodypix.js", "text/javascript; charset=utf-8"),
        ("/bodypix/ort-wasm-simd-threaded.mjs", "text/javascript; charset=utf-8"),
        ("/bodypix/ort-wasm-simd-threaded.wasm", "application/wasm"),
        ("/bodypix/models/bodypix-mobilenet-050.onnx", "application/octet-stream"),
        ("/strange.xyz", "application/octet-stream"),
    ],
)
def test_types(page: TestClient, monkeypatch: pytest.MonkeyPatch, path: str, kind: str) -> None:
    # Whatever the operating system thinks that these are.
    monkeypatch.setattr(mimetypes, "guess_type", lambda *_, **__: ("text/plain", None))
    answer = page.get(path)
    assert answer.status_code == 200
    assert answer.headers["content-type"] == kind
    assert page.head(path).headers["content-type"] == kind


def test_types_are_those_that_browsers_want() -> None:
    assert MEDIA_TYPES[".wasm"] == "application/wasm"  # else no streaming compilation
    assert all("script" in MEDIA_TYPES[suffix] for suffix in (".js", ".mjs"))


@pytest.mark.parametrize(
    ("path", "forever"),
    [
        ("/", False),
        ("/assets/index-BxU2_a9Z.js", True),
        ("/bodypix/bodypix.js", False),
        ("/bodypix/ort-wasm-simd-threaded.wasm", False),
        ("/bodypix/models/bodypix-mobilenet-050.onnx", False),
    ],
)
def test_caching(page: TestClient, path: str, forever: bool) -> None:
    answer = page.get(path)
    wanted = "public, max-age=31536000, immutable" if forever else "no-cache"
    assert answer.headers["cache-control"] == wanted
    again = page.get(path, headers={"If-None-Match": answer.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")
    assert again.headers["cache-control"] == wanted
    assert again.headers["cross-origin-embedder-policy"] == "require-corp"


@pytest.mark.parametrize(
    "path",
    [
        "/../secret.txt",
        "/%2e%2e/secret.txt",
        "/..%2fsecret.txt",
        "/assets/../../secret.txt",
        "/assets/%2e%2e/%2e%2e/secret.txt",
        "/..%5csecret.txt",
        "/....//secret.txt",
        "//etc/passwd",
        "/%2fetc%2fpasswd",
        "/etc/passwd",
        "/link.txt",
        "/up/secret.txt",
        "/%00",
        "/index.html%00.js",
        "/" + "a" * 5000,
        "/" + "a/" * 2000,
        "/%ff%fe",
        "/assets",
        "/assets/",
        "/.",
        "/index.html/",
        "/docs/../app.py",
        "/docs/%2e%2e/app.py",
        "/file:///etc/passwd",
    ],
)
def test_path_tricks(page: TestClient, path: str) -> None:
    # The raw path; the client would tidy it up.
    answer = page.build_request("GET", "http://localhost/")
    answer.url = answer.url.copy_with(raw_path=path.encode())
    result = page.send(answer)
    assert result.status_code in (200, 404)
    assert "not for you" not in result.text
    assert "root:" not in result.text
    if result.status_code == 200:
        assert result.text == FILES["index.html"]


def test_files_are_read_only(page: TestClient) -> None:
    for method in ("POST", "PUT", "DELETE", "PATCH"):
        assert page.request(method, "/index.html", content=b"x").status_code == 405


def test_a_page_that_is_not_built_says_how(client: TestClient) -> None:
    answer = client.get("/")
    assert answer.status_code == 404
    assert "make web" in answer.text
    assert client.get("/docs/docs.css").status_code == 200
