"""A server in a process of its own, and a bare client that may misbehave."""

from __future__ import annotations

import json
import os
import re
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO

_SERVER = """
import json, sys, time
import bodypix
from bodypix.serve import Settings, create_app, run
from bodypix.serve.server import listen

model = bodypix.load(sys.argv[1], threads=1)
seconds, settings = float(sys.argv[2]), json.loads(sys.argv[3])
segment = model.segment_person

def slow(image, **options):
    print("begun", flush=True)
    time.sleep(seconds)
    return segment(image, **options)

model.segment_person = slow
sock = listen("127.0.0.1", 0)
print(sock.getsockname()[1], flush=True)
run(create_app(model, Settings(**settings)), sock)
print("done", flush=True)
"""


@dataclass
class Server:
    """A running server."""

    process: subprocess.Popen[str]
    port: int

    @property
    def url(self) -> str:
        """Without a slash at the end."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def output(self) -> IO[str]:
        """Its standard output: "begun" for each segmentation, "done" at an orderly end."""
        assert self.process.stdout is not None
        return self.process.stdout

    def connect(self) -> socket.socket:
        """A connection without any HTTP."""
        return socket.create_connection(("127.0.0.1", self.port), timeout=20)


@contextmanager
def serving(model: Path, *, seconds: float = 0, **settings: object) -> Iterator[Server]:
    """Serve a model; each segmentation takes so many seconds more than it would."""
    arguments = (str(model), str(seconds), json.dumps(settings))
    with _process("-c", _SERVER, *arguments, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        line = process.stdout.readline()
        assert line, f"the server did not start: {process.communicate()[1]}"
        yield Server(process, int(line))


@contextmanager
def serving_command(*arguments: object) -> Iterator[Server]:
    """Serve with the command `bodypix serve`."""
    command = ("-m", "bodypix", "serve", "--port", "0", *map(str, arguments))
    with _process(*command) as process:
        assert process.stderr is not None
        started = ""
        while "Ctrl-C" not in started:
            line = process.stderr.readline()
            assert line, f"the command ended: {started}"
            started += line
        port = re.search(r"API: .*:(\d+)/docs", started)
        assert port is not None, started
        yield Server(process, int(port[1]))


@contextmanager
def _process(*arguments: str, stdout: int | None = None) -> Iterator[subprocess.Popen[str]]:
    with subprocess.Popen(
        [sys.executable, "-W", "error", *arguments],
        stdout=stdout,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
    ) as process:
        try:
            yield process
        finally:
            if process.poll() is None:
                process.kill()


def read_all(connection: socket.socket) -> bytes:
    """What comes until the other side ends the connection, in whatever way."""
    received = b""
    try:
        while data := connection.recv(1 << 16):
            received += data
    except ConnectionError:
        pass
    return received
