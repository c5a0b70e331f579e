"""What Prometheus is told: requests, times of each step, the queue, memory."""

from __future__ import annotations

import time
from typing import Final

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    ProcessCollector,
    generate_latest,
)
from prometheus_client.exposition import CONTENT_TYPE_LATEST
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

import bodypix
from bodypix.segmenter import BodyPix
from bodypix.serve.workers import Workers

_SECONDS: Final = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30)
# Only these are named in metrics: the paths that clients make up are without limit.
_PATHS: Final = frozenset({"/v1/segment", "/health", "/metrics", "/docs", "/openapi.json"})
GONE: Final = 499
"""Status, in metrics only, of requests whose client left before the answer (as nginx has it)."""


class Metrics:
    """The numbers of one application; several may live in one process."""

    def __init__(self, model: BodyPix, workers: Workers) -> None:
        self._registry = CollectorRegistry()
        ProcessCollector(registry=self._registry)
        self._requests = Counter(
            "bodypix_requests", "Answered requests.", ("path", "status"), registry=self._registry
        )
        self._durations = Histogram(
            "bodypix_request_seconds",
            "From the head of a request to the end of its answer.",
            ("path",),
            buckets=_SECONDS,
            registry=self._registry,
        )
        self._steps = Histogram(
            "bodypix_step_seconds",
            "Steps of a segmentation: upload, wait, decode, segment, encode.",
            ("step",),
            buckets=_SECONDS,
            registry=self._registry,
        )
        self._pixels = Counter(
            "bodypix_pixels", "Pixels of the pictures segmented.", registry=self._registry
        )
        for name, text, value in (
            ("bodypix_queue_waiting", "Requests that wait for a worker.", lambda: workers.waiting),
            ("bodypix_queue_places", "Requests that may wait.", lambda: workers.places),
            ("bodypix_workers_busy", "Workers at work.", lambda: workers.running),
            ("bodypix_workers", "Workers.", lambda: workers.count),
        ):
            Gauge(name, text, registry=self._registry).set_function(value)
        Gauge(
            "bodypix_info",
            "Versions and device, as labels.",
            ("version", "model", "model_version", "device"),
            registry=self._registry,
        ).labels(bodypix.__version__, model.info.name, model.info.version, model.device).set(1)

    def segmented(self, seconds: dict[str, float], pixels: int) -> None:
        """Count a picture and the seconds of its steps."""
        for step, value in seconds.items():
            self._steps.labels(step).observe(value)
        self._pixels.inc(pixels)

    def answered(self, path: str, status: int, seconds: float) -> None:
        """Count an answer."""
        path = path if path in _PATHS else "page"
        self._requests.labels(path, str(status)).inc()
        self._durations.labels(path).observe(seconds)

    def response(self) -> Response:
        """Everything, in Prometheus' text format."""
        return Response(generate_latest(self._registry), media_type=CONTENT_TYPE_LATEST)


class Measured:
    """ASGI middleware that counts answers."""

    def __init__(self, app: ASGIApp, *, metrics: Metrics) -> None:
        self._app = app
        self._metrics = metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        status = 500  # of an application that fails before it answers
        begin = time.perf_counter()

        async def send_and_note(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        try:
            await self._app(scope, receive, send_and_note)
        finally:
            self._metrics.answered(scope["path"], status, time.perf_counter() - begin)
