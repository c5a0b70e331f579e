"""A real server in a process of its own: clients that misbehave, and its end."""

from __future__ import annotations

import errno
import http.client
import json
import signal
import socket
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from helpers.serving import Server, read_all, serving, serving_command

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="ends by POSIX signals")

# More than a server reads at once (asyncio: 256 KiB): what came whole in one read is not too large.
LARGE = 400_000
HEAD = "POST /v1/segment HTTP/1.1\r\nHost: localhost\r\n"


@pytest.fixture(scope="module")
def server(model_file: Path) -> Iterator[Server]:
    """A server without patience."""
    settings = {"workers": 1, "queue": 1, "stall_timeout": 0.5, "body_timeout": 1.5}
    with serving(model_file, max_bytes=3_000_000, **settings) as server:
        yield server
        end(server)


def end(server: Server, number: int = signal.SIGTERM) -> str:
    """Tell a server to end; what it still wrote to standard error."""
    server.process.send_signal(number)
    _, errors = server.process.communicate(timeout=30)
    assert server.process.returncode == 0, errors
    assert "Traceback" not in errors
    return errors


def say(client: socket.socket, request: bytes) -> None:
    """Send a request and nothing more; the server need not listen to the end."""
    try:
        client.sendall(request)
        client.shutdown(socket.SHUT_WR)
    except OSError as error:
        if not isinstance(error, ConnectionError) and error.errno != errno.ENOTCONN:
            raise


def post(server: Server, content: bytes) -> tuple[int, bytes]:
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=30)
    connection.request("POST", "/v1/segment", content)
    answer = connection.getresponse()
    body = answer.read()
    connection.close()
    return answer.status, body


def status_of(received: bytes) -> int:
    return int(received.split(b" ", 2)[1])


@pytest.fixture(autouse=True)
def _still_answers(request: pytest.FixtureRequest) -> Iterator[None]:
    """After each misbehaving client the next one is served."""
    if "server" not in request.fixturenames:
        yield
        return
    server, photo = request.getfixturevalue("server"), request.getfixturevalue("photo")
    yield
    assert post(server, photo)[0] == 200
    assert server.process.poll() is None


def test_a_head_that_never_ends(server: Server) -> None:
    with server.connect() as silent, server.connect() as slow:
        slow.sendall(b"POST /v1/segm")
        assert read_all(silent) == b""
        assert read_all(slow) == b""


def test_a_body_that_stalls(server: Server) -> None:
    with server.connect() as client:
        client.sendall(f"{HEAD}Content-Length: 1000\r\n\r\nabc".encode())
        received = read_all(client)
    assert status_of(received) == 408
    assert b"connection: close" in received
    assert b"got 3 bytes" in received


def test_a_body_that_drips(server: Server) -> None:
    """Never a pause that is too long, but it would take for ever."""
    with server.connect() as client:
        client.sendall(f"{HEAD}Content-Length: 1000\r\n\r\n".encode())
        stop = threading.Event()

        def drip() -> None:
            while not stop.wait(0.1):
                try:
                    client.sendall(b".")
                except OSError:
                    return

        dripping = threading.Thread(target=drip)
        dripping.start()
        received = read_all(client)
        stop.set()
        dripping.join()
    assert status_of(received) == 408


@pytest.mark.parametrize("sends", [b"", b"\0" * 8_000_000], ids=["head", "all of it"])
def test_a_huge_body(server: Server, sends: bytes) -> None:
    """The refusal arrives, whether the client waits for it or sends on regardless."""
    with server.connect() as client:
        client.sendall(f"{HEAD}Content-Length: 100000000000\r\n\r\n".encode())
        try:
            client.sendall(sends)
        except ConnectionError:
            pytest.fail("the connection ended before the answer")
        received = read_all(client)
    assert status_of(received) == 413
    assert b"at most 3000000 bytes" in received


def test_a_huge_body_in_chunks(server: Server) -> None:
    with server.connect() as client:
        client.sendall(f"{HEAD}Transfer-Encoding: chunked\r\n\r\n".encode())
        for _ in range(40):
            client.sendall(b"186a0\r\n" + bytes(100_000) + b"\r\n")
        received = read_all(client)
    assert status_of(received) == 413


def test_a_client_that_asks_before_it_sends(server: Server) -> None:
    """`Expect: 100-continue`: nothing is sent for a body that is too large."""
    with server.connect() as client:
        client.sendall(f"{HEAD}Content-Length: 100000000\r\nExpect: 100-continue\r\n\r\n".encode())
        received = client.recv(100)
    assert status_of(received) == 413


def test_a_client_that_leaves_its_answer_unread(server: Server) -> None:
    """Many requests in one go and no reading: the server ends the connection."""
    with server.connect() as client:
        # Large answers fill the buffers. A small receive buffer would too, but then the kernel
        # may drop what it had room for and with it the reset, which comes seconds later again.
        requests = b"GET /openapi.json HTTP/1.1\r\nHost: localhost\r\n\r\n" * 100

        def flood() -> None:
            for _ in range(10_000):
                client.sendall(requests)

        with pytest.raises(ConnectionError):
            flood()


@pytest.mark.parametrize(
    "request_",
    [
        b"nonsense\r\n\r\n",
        b"GET / HTTP/9.9\r\n\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00",
        b"GET /" + b"a" * LARGE + b" HTTP/1.1\r\nHost: localhost\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: localhost\r\nA: " + b"b" * LARGE + b"\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: localhost\r\nHost: evil.example\r\n\r\n",
        b"POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: -1\r\n\r\n",
        b"POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n",
        b"POST / HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: gzip\r\n\r\n",
    ],
    ids=range(9),
)
def test_what_is_no_http(server: Server, request_: bytes) -> None:
    with server.connect() as client:
        say(client, request_)
        received = read_all(client)
    assert received == b"" or 400 <= status_of(received) <= 501


def test_a_client_that_leaves(server: Server, photo: bytes) -> None:
    for part in (HEAD.encode(), f"{HEAD}Content-Length: 1000\r\n\r\nabc".encode()):
        with server.connect() as client:
            client.sendall(part)
    with server.connect() as client:
        client.sendall(f"{HEAD}Content-Length: {len(photo)}\r\n\r\n".encode() + photo)


def test_sigterm_finishes_what_runs_and_what_waits(model_file: Path, photo: bytes) -> None:
    answers: list[tuple[int, bytes]] = []
    with serving(model_file, seconds=0.5, workers=1, queue=2) as server:
        clients = [
            threading.Thread(target=lambda: answers.append(post(server, photo))) for _ in range(3)
        ]
        for client in clients:
            client.start()
        state: dict[str, object] = {}
        while (state.get("running"), state.get("waiting")) != (1, 2):
            connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=30)
            connection.request("GET", "/health")
            state = json.loads(connection.getresponse().read())
            connection.close()
        server.process.send_signal(signal.SIGTERM)
        for client in clients:
            client.join(30)
        output, errors = server.process.communicate(timeout=30)
        assert server.process.returncode == 0, errors
        with pytest.raises(ConnectionError):
            server.connect()
    assert [status for status, _ in answers] == [200, 200, 200]
    assert all(body.startswith(b"\x89PNG") for _, body in answers)
    assert output.endswith("done\n")


def test_sigterm_does_not_wait_for_ever(model_file: Path, photo: bytes) -> None:
    with serving(model_file, seconds=3600, workers=1, shutdown_timeout=1) as server:
        with server.connect() as client:
            client.sendall(f"{HEAD}Content-Length: {len(photo)}\r\n\r\n".encode() + photo)
            assert server.output.readline() == "begun\n"
            server.process.send_signal(signal.SIGTERM)
            read_all(client)
        assert server.process.wait(timeout=30) == 0


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_the_command(model_file: Path, photo: bytes, number: int) -> None:
    with serving_command("--model", model_file, "--workers", "1") as server:
        status, body = post(server, photo)
        assert (status, body[:4]) == (200, b"\x89PNG")
        assert end(server, number) == ""
