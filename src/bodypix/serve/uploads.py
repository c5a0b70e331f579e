"""The body of a request: read within limits of size and time, and the picture taken out of it.

A picture is sent as it is (`curl --data-binary @photo.jpg`) or in a form with one file
(`curl -F image=@photo.jpg`). Its content counts, not its declared type or its name. Uploads stay
in memory; nothing is written to disk.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncGenerator

from starlette.requests import ClientDisconnect, Request

from bodypix.serve.forms import Form
from bodypix.serve.problems import Refused
from bodypix.serve.settings import Settings


async def read_upload(request: Request, settings: Settings) -> bytes:
    """The bytes of the picture in a request.

    Raises:
        Refused: 400 no picture or a broken form, 408 too slow, 413 too large, 422 options in the
            form.
        ClientDisconnect: nobody is there any more.
    """
    declared = request.headers.get("content-length", "")
    if declared.isdecimal() and int(declared) > settings.max_bytes:
        raise _too_large(settings, declared)
    chunks = _chunks(request, settings)
    content_type = request.headers.get("content-type", "")
    if content_type.split(";")[0].strip().lower() == "multipart/form-data":
        form = Form(content_type)
        async for chunk in chunks:
            form.write(chunk)
        data = form.file()
    else:
        data = b"".join([chunk async for chunk in chunks])
    if not data:
        raise Refused(400, "The body is empty: send the picture as body, or as file of a form.")
    return data


async def _chunks(request: Request, settings: Settings) -> AsyncGenerator[bytes, None]:
    """The body piece by piece, and an end to bodies that are too large or too slow."""
    end = time.monotonic() + settings.body_timeout
    size = 0
    more = True
    while more:
        patience = min(settings.stall_timeout, end - time.monotonic())
        try:
            message = await asyncio.wait_for(request.receive(), max(patience, 0))
        except asyncio.TimeoutError:
            raise Refused(
                408,
                f"The body took too long: expected the next bytes within "
                f"{settings.stall_timeout:g} s and all of it within {settings.body_timeout:g} s, "
                f"got {size} bytes.",
                close=True,
            ) from None
        if message["type"] == "http.disconnect":
            raise ClientDisconnect
        chunk: bytes = message.get("body", b"")
        size += len(chunk)
        if size > settings.max_bytes:
            raise _too_large(settings, "more")
        more = message.get("more_body", False)
        if chunk:
            yield chunk


def _too_large(settings: Settings, got: str) -> Refused:
    return Refused(
        413,
        f"The body is too large: expected at most {settings.max_bytes} bytes, got {got}.",
        close=True,
    )
