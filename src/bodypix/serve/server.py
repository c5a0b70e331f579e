"""One uvicorn process on one socket, from its start to its orderly end."""

from __future__ import annotations

import os
import signal
import socket
import sys
from collections.abc import Callable
from pathlib import Path

import uvicorn
from fastapi import FastAPI

from bodypix.errors import InvalidArgumentError
from bodypix.serve.app import Service
from bodypix.serve.connection import patient


def listen(host: str, port: int) -> socket.socket:
    """A listening socket; port 0 takes a free one.

    Raises:
        InvalidArgumentError: no such address on this machine, or the port is taken.
    """
    try:
        family, _, _, _, address = socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
        return socket.create_server((address[0], address[1]), family=family, backlog=256)
    except (OSError, OverflowError) as error:
        reason = getattr(error, "strerror", None) or error
        raise InvalidArgumentError(
            f"host, port: cannot listen on {host} port {port} ({reason}). Choose another --port "
            "(0 takes a free one), or a --host of this machine."
        ) from error


def run(
    app: FastAPI,
    sock: socket.socket,
    *,
    certificate: Path | None = None,
    key: Path | None = None,
    access_log: bool = False,
    on_ready: Callable[[], object] = lambda: None,
) -> None:
    """Serve an application of `create_app` until SIGINT or SIGTERM.

    Then no more connections are taken, and what was asked for is answered, for at most
    `shutdown_timeout` seconds.

    Args:
        sock: from `listen`.
        certificate, key: PEM files, for HTTPS.
        access_log: log every request at level INFO to `uvicorn.access`.
        on_ready: called before the first request is taken.

    Raises:
        InvalidArgumentError: certificate or key cannot be used.
    """
    service: Service = app.state.service
    settings = service.settings
    config = uvicorn.Config(
        app,
        http=patient(settings.stall_timeout),
        ws="none",
        lifespan="on",
        log_config=None,
        access_log=access_log,
        proxy_headers=False,
        server_header=False,
        limit_concurrency=settings.max_connections,
        timeout_graceful_shutdown=max(round(settings.shutdown_timeout), 1),
        ssl_certfile=certificate,
        ssl_keyfile=key,
    )
    try:
        config.load()
    except OSError as error:  # ssl.SSLError is one
        raise InvalidArgumentError(
            f"certificate, key: cannot use {certificate} and {key} ({error.strerror or error})."
        ) from error
    on_ready()
    # uvicorn repeats the signal once it is done; that would end the process as if it were killed.
    previous = {number: signal.signal(number, _end) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        uvicorn.Server(config).run(sockets=[sock])
    except SystemExit as error:
        if error.code:
            raise
    finally:
        for number, handler in previous.items():
            signal.signal(number, handler)
    if service.workers.running:
        # A thread in the network cannot be stopped, and Python may crash on leaving under it.
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(0)


def _end(number: int, frame: object) -> None:
    raise SystemExit(0)
