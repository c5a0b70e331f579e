"""Who may ask.

A server on loopback is reachable by every web page that is open in a browser on the machine. Two
tricks of such pages are refused: names of theirs that resolve to this machine (DNS rebinding, told
by the Host header) and requests across origins that a browser sends without asking first (told by
the Origin header).
"""

from __future__ import annotations

import ipaddress
import re
import socket
from collections.abc import Iterable
from typing import Final
from urllib.parse import urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from bodypix.serve import problems
from bodypix.serve.headers import HEADERS

_HOST: Final = re.compile(r"(?P<name>\[[0-9A-Fa-f:.]+\]|[^:\[\]/@\s]+)(?::\d{1,5})?")
_SAFE_METHODS: Final = frozenset({"GET", "HEAD", "OPTIONS"})


class Guard:
    """ASGI middleware: refuses strange hosts (421) and origins (403), adds `HEADERS`.

    Args:
        hosts: names of this server besides `localhost`, `*.localhost`, addresses in numbers (which
            no DNS server can answer with) and the machine's own name; "*" for any.
        origins: origins of other servers whose pages may post here; "*" for any.
    """

    def __init__(
        self, app: ASGIApp, *, hosts: Iterable[str] = (), origins: Iterable[str] = ()
    ) -> None:
        self._app = app
        self._hosts = {name.lower() for name in (*hosts, "localhost", socket.gethostname())}
        self._origins = frozenset(origins)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in HEADERS.items():
                    headers.setdefault(name, value)
            await send(message)

        headers = Headers(scope=scope)
        host = headers.get("host", "")
        origin = headers.get("origin")
        if not self.knows_host(host):
            answer = problems.response(
                421,
                f"This server is not called {host!r}. Use localhost or its address, or start it "
                "with --allow-host and that name.",
            )
            await answer(scope, receive, send_with_headers)
        elif (
            scope["method"] not in _SAFE_METHODS
            and origin is not None
            and not self.knows_origin(origin, host)
        ):
            answer = problems.response(
                403,
                f"Pages of {origin!r} may not use this server. Start it with --allow-origin and "
                "that address to let them.",
            )
            await answer(scope, receive, send_with_headers)
        else:
            await self._app(scope, receive, send_with_headers)

    def knows_host(self, host: str) -> bool:
        """Whether a Host header names this server."""
        match = _HOST.fullmatch(host)
        if match is None:
            return False
        name = match["name"].lower().removesuffix(".")
        return (
            "*" in self._hosts
            or name in self._hosts
            or name.endswith(".localhost")
            or _is_address(name.strip("[]"))
        )

    def knows_origin(self, origin: str, host: str) -> bool:
        """Whether pages of an origin may post to this server, called `host` by the client."""
        return "*" in self._origins or origin in self._origins or urlsplit(origin).netloc == host


def _is_address(name: str) -> bool:
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True
