"""What is beside the segmentation: documentation, state, metrics."""

from __future__ import annotations

import re
from collections.abc import Callable
from html.parser import HTMLParser

import pytest
from prometheus_client.parser import text_string_to_metric_families
from starlette.testclient import TestClient

import bodypix
from bodypix.serve.parameters import Output, Parameters

MakeClient = Callable[..., TestClient]


class Loads(HTMLParser):
    """What a page makes a browser load."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        assert "style" not in dict(attrs), "the policy forbids inline style"
        if tag in ("script", "link", "img", "iframe"):
            self.found += [value for name, value in attrs if name in ("src", "href") and value]


@pytest.mark.parametrize("path", ["/docs", "/"])
def test_pages_load_nothing_from_elsewhere(client: TestClient, path: str) -> None:
    loads = Loads()
    loads.feed(client.get(path).text)
    own = [address for address in loads.found if not address.startswith("data:")]
    assert own
    for address in own:
        assert address.startswith("/docs/")
        assert client.get(address).status_code == 200


def test_documentation_names_every_option_and_status(client: TestClient) -> None:
    page = client.get("/docs")
    assert page.headers["content-type"] == "text/html; charset=utf-8"
    text = re.sub(r"<[^>]+>", " ", page.text)
    for name in (*Parameters.model_fields, *(kind.value for kind in Output)):
        assert f" {name} " in text
    for status in (200, 400, 403, 408, 413, 415, 421, 422, 429, 503, 504):
        assert f" {status} " in text
    assert "http://localhost/v1/segment" in text


def test_openapi_document(client: TestClient) -> None:
    document = client.get("/openapi.json").json()
    operation = document["paths"]["/v1/segment"]["post"]
    assert {one["name"] for one in operation["parameters"]} == set(Parameters.model_fields)
    assert "multipart/form-data" in operation["requestBody"]["content"]
    content = operation["responses"]["200"]["content"]
    assert set(content) == {"image/png", "application/json"}
    schemas = document["components"]["schemas"]
    referred = set(re.findall(r"#/components/schemas/(\w+)", str(document)))
    assert referred <= set(schemas)
    assert {"JsonAnswer", "Problem"} <= referred
    assert document["info"]["version"] == bodypix.__version__


def test_health(make_client: MakeClient) -> None:
    state = make_client(workers=3, queue=5).get("/health")
    assert state.status_code == 200
    assert state.headers["cache-control"] == "no-store"
    assert state.json() == {
        "status": "ok",
        "version": bodypix.__version__,
        "model": "colours",
        "device": "cpu",
        "workers": 3,
        "running": 0,
        "waiting": 0,
        "places": 5,
    }


def test_metrics(make_client: MakeClient, photo: bytes) -> None:
    client = make_client()
    for content in (photo, photo, b"no picture"):
        client.post("/v1/segment", content=content)
    for number in range(50):
        client.get(f"/made-up-{number}")
    text = client.get("/metrics").text
    samples = {
        (sample.name, *sample.labels.values()): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }
    assert samples["bodypix_requests_total", "/v1/segment", "200"] == 2
    assert samples["bodypix_requests_total", "/v1/segment", "415"] == 1
    assert samples["bodypix_requests_total", "page", "404"] == 50
    assert "made-up" not in text
    assert samples["bodypix_pixels_total",] == 2 * 240 * 160
    for step in ("upload", "wait", "decode", "segment", "encode"):
        assert samples["bodypix_step_seconds_count", step] == 2
    assert samples["bodypix_queue_places",] == 32
    assert samples["bodypix_info", "cpu", "colours", "1", bodypix.__version__] == 1
