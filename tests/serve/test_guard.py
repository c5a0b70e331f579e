"""Who may ask, and the headers of every answer."""

from __future__ import annotations

import socket
from collections.abc import Callable

import pytest
from starlette.testclient import TestClient

MakeClient = Callable[..., TestClient]


@pytest.mark.parametrize(
    "host",
    [
        "localhost",
        "LOCALHOST:8000",
        "localhost.",
        "demo.localhost:80",
        "127.0.0.1",
        "127.0.0.1:8000",
        "[::1]:8000",
        "192.168.1.7:8000",
        socket.gethostname(),
    ],
)
def test_own_names(client: TestClient, host: str) -> None:
    assert client.get("/health", headers={"Host": host}).status_code == 200


@pytest.mark.parametrize(
    "host",
    [
        "evil.example",
        "evil.example:8000",
        "localhost.evil.example",
        "127.0.0.1.evil.example",
        "notlocalhost",
        "localhost@evil.example",
        "localhost/evil",
        "[::1",
        "::1",
        "localhost:",
        "localhost:port",
        "",
    ],
)
def test_names_of_others(client: TestClient, photo: bytes, host: str) -> None:
    for answer in (
        client.get("/", headers={"Host": host}),
        client.post("/v1/segment", content=photo, headers={"Host": host}),
    ):
        assert answer.status_code == 421
        assert "--allow-host" in answer.json()["detail"]
        assert answer.headers["x-content-type-options"] == "nosniff"


def test_allowed_names(make_client: MakeClient) -> None:
    client = make_client(allowed_hosts=("Photos.example",))
    assert client.get("/health", headers={"Host": "photos.example:81"}).status_code == 200
    assert client.get("/health", headers={"Host": "other.example"}).status_code == 421
    assert make_client(allowed_hosts=("*",)).get("/health", headers={"Host": "a"}).is_success


@pytest.mark.parametrize("origin", ["https://evil.example", "http://localhost:81", "null"])
def test_pages_of_others(client: TestClient, photo: bytes, origin: str) -> None:
    headers = {"Origin": origin}
    answer = client.post("/v1/segment", content=photo, headers=headers)
    assert answer.status_code == 403
    assert "--allow-origin" in answer.json()["detail"]
    # What is read without effects needs no refusal: the browser keeps the answer from the page.
    answer = client.get("/health", headers=headers)
    assert answer.status_code == 200
    assert "access-control-allow-origin" not in answer.headers


def test_own_page_may_post(client: TestClient, photo: bytes) -> None:
    headers = {"Origin": "http://localhost"}
    assert client.post("/v1/segment", content=photo, headers=headers).status_code == 200


def test_allowed_origins(make_client: MakeClient, photo: bytes) -> None:
    client = make_client(allowed_origins=("https://friend.example",))
    friend = {"Origin": "https://friend.example"}
    answer = client.post("/v1/segment", content=photo, headers=friend)
    assert answer.status_code == 200
    assert answer.headers["access-control-allow-origin"] == "https://friend.example"
    preflight = client.options(
        "/v1/segment", headers={**friend, "Access-Control-Request-Method": "POST"}
    )
    assert preflight.status_code == 200
    other = {"Origin": "https://evil.example"}
    assert client.post("/v1/segment", content=photo, headers=other).status_code == 403


@pytest.mark.parametrize(
    "path", ["/", "/health", "/docs", "/docs/docs.css", "/nothing", "/metrics"]
)
def test_headers_of_every_answer(client: TestClient, path: str) -> None:
    headers = client.get(path).headers
    assert headers["cross-origin-opener-policy"] == "same-origin"
    assert headers["cross-origin-embedder-policy"] == "require-corp"
    assert headers["cross-origin-resource-policy"] == "same-origin"
    assert headers["x-content-type-options"] == "nosniff"
    policy = dict(rule.split(" ", 1) for rule in headers["content-security-policy"].split("; "))
    assert policy["default-src"] == "'self'"
    assert policy["script-src"] == "'self' 'wasm-unsafe-eval'"
    assert policy["worker-src"] == "'self' blob:"
    assert policy["frame-ancestors"] == "'none'"
    assert "http" not in headers["content-security-policy"]
    assert "unsafe-inline" not in headers["content-security-policy"]
