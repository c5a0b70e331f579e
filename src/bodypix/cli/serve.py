"""`bodypix serve`: the demo page and the HTTP API."""

from __future__ import annotations

import logging
import webbrowser
from pathlib import Path
from typing import Annotated

import typer

from bodypix.cli.console import stderr
from bodypix.cli.options import Device, ModelName, Offline, load_model

EXAMPLES = """Examples:

bodypix serve

bodypix serve --port 9000 --model bodypix-mobilenet-050 --workers 4

bodypix serve --host 0.0.0.0 --certificate cert.pem --key key.pem --allow-host photos.example.org

curl --data-binary @photo.jpg http://127.0.0.1:8000/v1/segment -o mask.png
"""

_LIMITS, _ACCESS = "Limits", "Who may use it"


def command(
    host: Annotated[
        str,
        typer.Option(
            rich_help_panel=_ACCESS,
            help="Address to listen on. 127.0.0.1 is this machine alone, 0.0.0.0 every network.",
        ),
    ] = "127.0.0.1",
    port: Annotated[
        int, typer.Option(min=0, max=65535, help="Port to listen on; 0 takes a free one.")
    ] = 8000,
    open_browser: Annotated[
        bool, typer.Option("--open", help="Open the page in a browser.")
    ] = False,
    allow_hosts: Annotated[
        list[str] | None,
        typer.Option(
            "--allow-host",
            metavar="NAME",
            rich_help_panel=_ACCESS,
            show_default=False,
            help="Another name of this server, besides localhost, its addresses in numbers and "
            "the machine's name; may be repeated; * for any.",
        ),
    ] = None,
    allow_origins: Annotated[
        list[str] | None,
        typer.Option(
            "--allow-origin",
            metavar="URL",
            rich_help_panel=_ACCESS,
            show_default=False,
            help="Let web pages of another server use the API, such as https://example.org (CORS); "
            "may be repeated; * for any.",
        ),
    ] = None,
    certificate: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            rich_help_panel=_ACCESS,
            show_default=False,
            help="PEM file for HTTPS; browsers allow the camera on localhost and HTTPS only.",
        ),
    ] = None,
    key: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            rich_help_panel=_ACCESS,
            show_default=False,
            help="Private key of the certificate, where that file does not hold it.",
        ),
    ] = None,
    model: ModelName = None,
    device: Device = "auto",
    threads: Annotated[
        int, typer.Option(min=1, rich_help_panel="How to run", help="CPU threads of each worker.")
    ] = 1,
    offline: Offline = False,
    workers: Annotated[
        int | None,
        typer.Option(
            min=1,
            rich_help_panel=_LIMITS,
            show_default="one for each core, at most 8",
            help="Pictures worked on at the same time.",
        ),
    ] = None,
    queue: Annotated[
        int,
        typer.Option(min=0, rich_help_panel=_LIMITS, help="Requests that may wait; more get 429."),
    ] = 32,
    max_megabytes: Annotated[
        float, typer.Option(min=0.001, rich_help_panel=_LIMITS, help="Largest upload.")
    ] = 20.0,
    max_megapixels: Annotated[
        float,
        typer.Option(
            min=0.001, rich_help_panel=_LIMITS, help="Largest picture, width times height."
        ),
    ] = 25.0,
    timeout: Annotated[
        float,
        typer.Option(
            min=0.1,
            rich_help_panel=_LIMITS,
            help="Seconds from the end of an upload to the answer.",
        ),
    ] = 30.0,
    shutdown_timeout: Annotated[
        float,
        typer.Option(
            min=1, rich_help_panel=_LIMITS, help="Seconds to finish what runs when told to end."
        ),
    ] = 10.0,
    verbose: Annotated[
        bool, typer.Option("--verbose", "-v", help="Log every request to standard error.")
    ] = False,
) -> None:
    """Serve the demo page and an HTTP API that segments pictures, until Ctrl-C or SIGTERM.

    The page works in the browser alone; what is sent to the API is worked on here and not kept.
    """
    from bodypix import serve
    from bodypix.serve.page import is_built
    from bodypix.serve.server import listen
    from bodypix.serve.settings import default_workers

    settings = serve.Settings(
        workers=workers or default_workers(),
        queue=queue,
        max_bytes=round(max_megabytes * (1 << 20)),
        max_pixels=round(max_megapixels * 1e6),
        timeout=timeout,
        shutdown_timeout=shutdown_timeout,
        allowed_hosts=tuple(allow_hosts or ()),
        allowed_origins=tuple(allow_origins or ()),
    )
    if key is not None and certificate is None:
        raise typer.BadParameter("expected a --certificate too.", param_hint="--key")
    loaded = load_model(model, device, threads, offline=offline)
    _limit_decoders(threads)
    sock = listen(host, port)
    console = stderr()
    if verbose:
        logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s")
    url = _url(host, sock.getsockname()[1], secure=certificate is not None)

    def announce() -> None:
        page = url if is_built(settings.page) else "not built (make web)"
        for line in (
            f"Page:  {page}",
            f"API:   {url}docs",
            f"Model: {loaded.info.name} on {loaded.device}, {settings.workers} at a time, "
            f"{settings.queue} may wait",
            "Ctrl-C ends it.",
        ):
            console.print(line, markup=False)
        if open_browser:
            webbrowser.open(url)

    with sock:
        serve.run(
            serve.create_app(loaded, settings),
            sock,
            certificate=certificate,
            key=key,
            access_log=verbose,
            on_ready=announce,
        )


def _url(host: str, port: int, *, secure: bool) -> str:
    """Where a browser on this machine finds the server."""
    name = {"0.0.0.0": "localhost", "::": "localhost", "": "localhost"}.get(host, host)
    if ":" in name:
        name = f"[{name}]"
    return f"{'https' if secure else 'http'}://{name}:{port}/"


def _limit_decoders(threads: int) -> None:
    """Threads of OpenCV, in this process alone, which is the server's own.

    Several workers with threads for each core would only be in each other's way.
    """
    import cv2

    cv2.setNumThreads(threads)
