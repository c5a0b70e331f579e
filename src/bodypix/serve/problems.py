"""Refusals: every answer that is no result is `application/problem+json` (RFC 9457).

{"title": "Content Too Large", "status": 413, "detail": "The body has ..."}
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any, Final

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel, Field
from starlette.exceptions import HTTPException
from starlette.responses import JSONResponse, Response
from starlette.types import Receive, Scope, Send

from bodypix.errors import BodyPixError
from bodypix.serve.headers import HEADERS

MEDIA_TYPE: Final = "application/problem+json"

# So long a refused client may go on sending before the connection is closed under it: a client
# that sends without listening would otherwise see a broken connection and no answer.
_LINGER_SECONDS: Final = 2.0
_PHRASES: Final = {413: "Content Too Large", 422: "Unprocessable Content"}  # RFC 9110's names


class Refused(BodyPixError):
    """A request that gets no result.

    Args:
        status: HTTP status, 4xx or 5xx.
        detail: what was expected, what was got, what to do.
        retry_after: seconds after which another try makes sense.
        close: the body was not read and is not wanted; the connection ends with the answer.
    """

    def __init__(
        self, status: int, detail: str, *, retry_after: int | None = None, close: bool = False
    ) -> None:
        super().__init__(detail)
        self.status = status
        self.headers = {} if retry_after is None else {"Retry-After": str(retry_after)}
        self.close = close


class FieldProblem(BaseModel):
    """What is wrong with one option."""

    field: str
    message: str


class Problem(BaseModel):
    """Why a request was refused (RFC 9457)."""

    title: str = Field(examples=["Content Too Large"])
    status: int = Field(examples=[413])
    detail: str
    fields: list[FieldProblem] | None = Field(None, description="Options that are out of range.")


class _LastResponse(JSONResponse):
    """An answer to a request whose body is not read; the connection ends after it."""

    media_type = MEDIA_TYPE

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        start = {"status": self.status_code, "headers": self.raw_headers}
        await send({"type": "http.response.start", **start})
        await send({"type": "http.response.body", "body": self.body, "more_body": True})
        with contextlib.suppress(asyncio.TimeoutError):
            await asyncio.wait_for(_discard(receive), _LINGER_SECONDS)
        await send({"type": "http.response.body", "body": b"", "more_body": False})


async def _discard(receive: Receive) -> None:
    while True:
        message = await receive()
        if message["type"] == "http.disconnect" or not message.get("more_body", False):
            return


def response(
    status: int,
    detail: str,
    headers: Mapping[str, str] | None = None,
    *,
    fields: list[FieldProblem] | None = None,
    close: bool = False,
) -> Response:
    """The answer to a refused request."""
    title = _PHRASES.get(status) or HTTPStatus(status).phrase
    problem = Problem(title=title, status=status, detail=detail, fields=fields)
    content = problem.model_dump(exclude_none=True)
    all_headers = {"Cache-Control": "no-store", **(headers or {})}
    if close:
        return _LastResponse(content, status, {**all_headers, "Connection": "close"})
    return JSONResponse(content, status, all_headers, media_type=MEDIA_TYPE)


def install(app: FastAPI) -> None:
    """Make every error of the application a problem document."""

    async def refused(request: Request, error: Exception) -> Response:
        assert isinstance(error, Refused)
        return response(error.status, str(error), error.headers, close=error.close)

    async def invalid(request: Request, error: Exception) -> Response:
        assert isinstance(error, RequestValidationError)
        fields = [_field_problem(entry) for entry in error.errors()]
        detail = " ".join(f"{field.field}: {field.message}" for field in fields)
        return response(422, detail, fields=fields)

    async def http(request: Request, error: Exception) -> Response:
        assert isinstance(error, HTTPException)
        details = {
            404: f"Nothing is at {request.url.path}.",
            405: f"{request.url.path} takes no {request.method}.",
        }
        detail = details.get(error.status_code, str(error.detail))
        return response(error.status_code, detail, error.headers)

    async def unforeseen(request: Request, error: Exception) -> Response:
        # Made outside of all middleware, which would add these headers. The log has the traceback.
        return response(500, "The server failed; its log says why.", HEADERS)

    app.add_exception_handler(Refused, refused)
    app.add_exception_handler(RequestValidationError, invalid)
    app.add_exception_handler(HTTPException, http)
    app.add_exception_handler(Exception, unforeseen)


def _field_problem(entry: Mapping[str, Any]) -> FieldProblem:
    """One of pydantic's errors in our words."""
    field, message = str(entry["loc"][-1]), str(entry["msg"])
    context = entry.get("ctx", {})
    if entry["type"] == "extra_forbidden":
        return FieldProblem(field=field, message="no such option; /docs lists them.")
    if entry["type"] == "unfit":  # see Parameters
        return FieldProblem(field=context["field"], message=message)
    if isinstance(context.get("error"), BodyPixError):  # says what was expected and got
        return FieldProblem(field=field, message=str(context["error"]).removeprefix(f"{field}: "))
    expected = message.removeprefix("Input should be ")
    return FieldProblem(field=field, message=f"expected {expected}, got {entry['input']!r}.")
