"""The application: routes, and what is wrapped around them."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Coroutine, Iterator
from functools import partial
from typing import Annotated, Final, Literal, TypeVar

from fastapi import APIRouter, FastAPI, Query, Request
from pydantic import BaseModel
from starlette.middleware.cors import CORSMiddleware
from starlette.requests import ClientDisconnect
from starlette.responses import Response

import bodypix
from bodypix.segmenter import BodyPix
from bodypix.serve import docs, problems
from bodypix.serve.answers import JsonAnswer
from bodypix.serve.guard import Guard
from bodypix.serve.metrics import GONE, Measured, Metrics
from bodypix.serve.page import Files, is_built, not_built
from bodypix.serve.parameters import Parameters
from bodypix.serve.problems import Problem, Refused
from bodypix.serve.settings import Settings
from bodypix.serve.uploads import read_upload
from bodypix.serve.work import FORMATS, work
from bodypix.serve.workers import Workers

T = TypeVar("T")

router = APIRouter()


class Health(BaseModel):
    """State of the server."""

    status: Literal["ok", "busy"]
    version: str
    model: str
    device: str
    workers: int
    running: int
    waiting: int
    places: int


class Service:
    """What the routes share: `app.state.service`."""

    def __init__(self, model: BodyPix, settings: Settings) -> None:
        self.model = model
        self.settings = settings
        self.workers = Workers(settings.workers, settings.queue, settings.timeout)
        self.metrics = Metrics(model, self.workers)
        self.uploads = 0

    @contextlib.contextmanager
    def uploading(self) -> Iterator[None]:
        """Count a body that is being read.

        Raises:
            Refused: 429, there are too many.
        """
        if self.uploads >= self.settings.uploads:
            raise Refused(
                429,
                f"{self.uploads} uploads are under way. Try again later.",
                retry_after=self.workers.retry_after(),
            )
        self.uploads += 1
        try:
            yield
        finally:
            self.uploads -= 1


def create_app(model: BodyPix, settings: Settings | None = None) -> FastAPI:
    """The ASGI application of `bodypix serve`.

    Args:
        model: from `bodypix.load`; `threads=1` fits `workers` above 1.
        settings: limits; None for the defaults.

    >>> app = create_app(bodypix.load(threads=1))     # doctest: +SKIP
    """
    settings = settings or Settings()
    service = Service(model, settings)

    @contextlib.asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        service.workers.start()
        yield
        # What was accepted is done, or was given up on. A thread that is still at work is not
        # waited for longer than this.
        await asyncio.to_thread(service.workers.stop, 1.0)

    app = FastAPI(
        title="bodypix",
        version=bodypix.__version__,
        summary="Person masks, the 24 body parts and poses from a picture.",
        docs_url=None,
        redoc_url=None,
        lifespan=lifespan,
    )
    app.state.service = service
    problems.install(app)
    app.include_router(router)
    app.mount("/docs", Files(directory=docs.STATIC))
    if is_built(settings.page):
        app.mount("/", Files(directory=settings.page, html=True))
    else:
        app.add_api_route("/", not_built, include_in_schema=False)
    if settings.allowed_origins:
        app.add_middleware(
            CORSMiddleware,
            allow_origins=settings.allowed_origins,
            allow_methods=("GET", "POST"),
            allow_headers=("*",),
            expose_headers=("Retry-After", "Server-Timing"),
        )
    app.add_middleware(Guard, hosts=settings.allowed_hosts, origins=settings.allowed_origins)
    app.add_middleware(Measured, metrics=service.metrics)
    return app


_STATUSES: Final = {
    400: "No picture, or a broken form.",
    403: "A web page of another server asked.",
    408: "The upload took too long.",
    413: "The body or the picture is too large.",
    415: f"No picture of the formats {', '.join(FORMATS)}.",
    421: "The Host header names another server.",
    422: "An option out of range, or a broken picture.",
    429: "The queue is full; Retry-After says when to come back.",
    503: "The request waited too long for its turn.",
    504: "The request took too long.",
}
_PICTURE: Final = {"schema": {"type": "string", "format": "binary"}}
_PROBLEM: Final = {"$ref": "#/components/schemas/Problem"}
_FORM: Final = {
    "type": "object",
    "required": ["image"],
    "properties": {"image": {"type": "string", "format": "binary"}},
}


@router.post(
    "/v1/segment",
    summary="Segment a picture",
    description="The picture is the body, or the one file of a form. Pictures come back as PNG in "
    "the size of the given one.",
    response_class=Response,
    responses={
        200: {
            "model": JsonAnswer,
            "description": "The result, as `output` says.",
            "content": {"image/png": _PICTURE},
        },
        **{
            status: {"description": text, "content": {problems.MEDIA_TYPE: {"schema": _PROBLEM}}}
            for status, text in _STATUSES.items()
        },
    },
    openapi_extra={
        "requestBody": {
            "required": True,
            "content": {
                "multipart/form-data": {"schema": _FORM},
                "application/octet-stream": _PICTURE,
                "image/*": _PICTURE,
            },
        }
    },
)
async def segment(request: Request, wanted: Annotated[Parameters, Query()]) -> Response:
    """Read the upload, wait for a worker, send what it made."""
    service: Service = request.app.state.service
    begin = time.perf_counter()
    service.workers.check_room()
    for name in request.query_params:
        if len(request.query_params.getlist(name)) > 1:
            raise Refused(422, f"{name}: expected once in the query, got it several times.")
    try:
        with service.uploading():
            data = await read_upload(request, service.settings)
        uploaded = time.perf_counter()
        job = partial(work, service.model, data, wanted, service.settings)
        del data
        answer, waited = await _while_connected(request, service.workers.run(job))
    except ClientDisconnect:
        return Response(status_code=GONE)
    seconds = {"upload": uploaded - begin, "wait": waited, **answer.seconds}
    service.metrics.segmented(seconds, answer.pixels)
    timing = ", ".join(f"{step};dur={1e3 * value:.1f}" for step, value in seconds.items())
    headers = {"Cache-Control": "no-store", "Server-Timing": timing}
    return Response(answer.content, media_type=answer.media_type, headers=headers)


@router.get(
    "/health",
    summary="State of the server",
    response_model=Health,
    responses={
        503: {"description": "Every worker is stuck, or the server stops.", "model": Problem}
    },
)
async def health(request: Request, response: Response) -> Health:
    """Facts and the state of the queue."""
    service: Service = request.app.state.service
    workers = service.workers
    workers.check_alive()
    response.headers["Cache-Control"] = "no-store"
    return Health(
        status="busy" if workers.full else "ok",
        version=bodypix.__version__,
        model=service.model.info.name,
        device=service.model.device,
        workers=workers.count,
        running=workers.running,
        waiting=workers.waiting,
        places=workers.places,
    )


@router.get("/metrics", summary="Numbers for Prometheus", response_class=Response)
async def metrics(request: Request) -> Response:
    """Prometheus' text format."""
    service: Service = request.app.state.service
    return service.metrics.response()


@router.get("/docs", include_in_schema=False)
async def documentation(request: Request) -> Response:
    """The API for people; /openapi.json has it for programs."""
    return docs.response(request.app.openapi(), str(request.base_url).rstrip("/"))


async def _while_connected(request: Request, work: Coroutine[None, None, T]) -> T:
    """Wait for work whose upload was read; give it up when the client leaves.

    Raises:
        ClientDisconnect: the client left.
    """
    working = asyncio.ensure_future(work)
    leaving = asyncio.ensure_future(_disconnected(request))
    try:
        await asyncio.wait((working, leaving), return_when=asyncio.FIRST_COMPLETED)
        if not working.done():
            raise ClientDisconnect
        return working.result()
    finally:
        working.cancel()
        leaving.cancel()
        await asyncio.gather(working, leaving, return_exceptions=True)


async def _disconnected(request: Request) -> None:
    while (await request.receive())["type"] != "http.disconnect":
        pass
