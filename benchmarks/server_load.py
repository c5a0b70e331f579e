"""The server under load: many clients at once, on loopback, good and bad uploads mixed.

    python benchmarks/server_load.py [--clients 16] [--seconds 60] [--queue 32]

Starts `bodypix serve`, lets clients post without pause for some seconds, and prints Markdown: times
and statuses by kind of request, and the server's memory on the way. With a queue shorter than the
number of clients some are turned away; they wait as `Retry-After` says. Ends with code 1 if any
request got another status than it should, or no answer.

Server and clients share the machine's cores.
"""

from __future__ import annotations

import argparse
import http.client
import os
import platform
import re
import struct
import subprocess
import sys
import threading
import time
import zlib
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from importlib.resources import files

import cv2
import numpy as np
import onnxruntime

from bodypix.images import read_image


@dataclass(frozen=True)
class Kind:
    """One sort of request, and the status it must get (429 is always right)."""

    name: str
    path: str
    body: bytes
    status: int = 200


@dataclass
class Record:
    """What became of the requests of one kind."""

    seconds: list[float] = field(default_factory=list)
    statuses: Counter[str] = field(default_factory=Counter)
    wrong: int = 0


def encoded(image: np.ndarray, size: tuple[int, int], suffix: str) -> bytes:
    """The photo in another size and format."""
    picture = cv2.resize(image[..., ::-1], size, interpolation=cv2.INTER_AREA)
    return cv2.imencode(suffix, picture)[1].tobytes()


def bomb() -> bytes:
    """A PNG of 300 bytes that claims 3.6 gigapixels."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        end = struct.pack(">I", zlib.crc32(kind + data))
        return struct.pack(">I", len(data)) + kind + data + end

    header = chunk(b"IHDR", struct.pack(">IIBBBBB", 60_000, 60_000, 8, 2, 0, 0, 0))
    pixels = chunk(b"IDAT", zlib.compress(bytes(200_000), 9))
    return b"\x89PNG\r\n\x1a\n" + header + pixels + chunk(b"IEND", b"")


def kinds() -> list[Kind]:
    """The requests, in the order in which every client sends them again and again."""
    photo = read_image(str(files("bodypix") / "assets" / "astronaut.jpg"))
    small = encoded(photo, (640, 480), ".jpg")
    large = encoded(photo, (1920, 1440), ".jpg")
    json = "/v1/segment?output=json&people=true&parts=true"
    return [
        Kind("mask, 640×480 JPEG", "/v1/segment", small),
        Kind("part ids, 640×480 JPEG", "/v1/segment?output=part-ids", small),
        Kind("JSON of each person with parts, 640×480 JPEG", json, small),
        Kind(
            "cut-out, 640×480 PNG", "/v1/segment?output=cutout", encoded(photo, (640, 480), ".png")
        ),
        Kind("mask, 1920×1440 JPEG", "/v1/segment", large),
        Kind("no picture", "/v1/segment", b"no picture" * 1000, 415),
        Kind("half a JPEG", "/v1/segment", small[: len(small) // 2], 422),
        Kind("bomb of 3.6 gigapixels", "/v1/segment", bomb(), 413),
        Kind("a threshold of 7", "/v1/segment?segmentation_threshold=7", small, 422),
    ]


@contextmanager
def serving(queue: int) -> Iterator[tuple[int, str]]:
    """The command on a free port: the port and what it says about itself."""
    command = [sys.executable, "-m", "bodypix", "serve", "--port", "0", "--queue", str(queue)]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as process:
        assert process.stderr is not None
        try:
            said = ""
            while "Ctrl-C" not in said:
                line = process.stderr.readline()
                if not line:
                    raise SystemExit(f"bodypix serve ended: {said}")
                said += line
            port = re.search(r"API: .*:(\d+)/docs", said)
            model = re.search(r"Model: +(.*)", said)
            assert port
            assert model
            yield int(port[1]), model[1]
        finally:
            process.terminate()
            errors = process.stderr.read()
            if process.wait() or errors:
                print(f"The server ended with {process.returncode}: {errors}")


def memory(port: int) -> float:
    """Resident memory of the server in MB, as its own metrics have it (Linux only)."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    connection.request("GET", "/metrics")
    text = connection.getresponse().read().decode()
    connection.close()
    found = re.search(r"^process_resident_memory_bytes (\S+)", text, re.MULTILINE)
    return float(found[1]) / 1e6 if found else float("nan")


class Load:
    """Clients that post until they are told to stop."""

    def __init__(self, port: int, count: int, requests: list[Kind]) -> None:
        self._port = port
        self._kinds = requests
        self._stop = threading.Event()
        self._lock = threading.Lock()
        self.records = {kind.name: Record() for kind in requests}
        self._threads = [threading.Thread(target=self._client, args=(n,)) for n in range(count)]

    def start(self) -> None:
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        self._stop.set()
        for thread in self._threads:
            thread.join()

    def _client(self, number: int) -> None:
        connection = http.client.HTTPConnection("127.0.0.1", self._port, timeout=60)
        turn = number
        while not self._stop.is_set():
            kind = self._kinds[turn % len(self._kinds)]
            turn += 1
            pause = 0.0
            start = time.perf_counter()
            try:
                connection.request("POST", kind.path, kind.body)
                answer = connection.getresponse()
                answer.read()
                status = str(answer.status)
                right = answer.status in (kind.status, 429)
                pause = float(answer.headers["Retry-After"]) if answer.status == 429 else 0.0
            except (OSError, http.client.HTTPException) as error:
                status, right = type(error).__name__, False
                connection.close()
            seconds = time.perf_counter() - start
            with self._lock:
                record = self.records[kind.name]
                record.statuses[status] += 1
                record.wrong += not right
                if status != "429":
                    record.seconds.append(seconds)
            self._stop.wait(pause)
        connection.close()


def table(records: dict[str, Record], seconds: float) -> int:
    """Print times and statuses; how many requests went wrong."""
    print("| request | answers | median, ms | 90% | 99% | longest | statuses |")
    print("| --- | ---: | ---: | ---: | ---: | ---: | --- |")
    for name, record in records.items():
        times = np.array(record.seconds or [float("nan")]) * 1e3
        cells = [f"{np.percentile(times, share):.0f}" for share in (50, 90, 99, 100)]
        statuses = ", ".join(f"{count}× {code}" for code, count in sorted(record.statuses.items()))
        print(f"| {name} | {len(record.seconds)} | {' | '.join(cells)} | {statuses} |")
    total = sum(len(record.seconds) for record in records.values())
    wrong = sum(record.wrong for record in records.values())
    turned_away = sum(record.statuses["429"] for record in records.values())
    print(
        f"\n{total} answers in {seconds:.0f} s, {total / seconds:.0f} a second; {turned_away} "
        f"times 429; {wrong} requests with a wrong status or without an answer.\n"
    )
    return wrong


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--clients", type=int, default=16)
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--queue", type=int, default=32)
    options = parser.parse_args()
    requests = kinds()
    with serving(options.queue) as (port, model):
        print(
            f"{options.clients} clients for {options.seconds:g} s; {model}; {os.cpu_count()} "
            f"cores, {platform.machine()}, Python {platform.python_version()}, onnxruntime "
            f"{onnxruntime.__version__}, OpenCV {cv2.__version__}\n"
        )
        memories = [f"{memory(port):.0f} when started"]
        load = Load(port, options.clients, requests)
        start = time.perf_counter()
        load.start()
        while (left := start + options.seconds - time.perf_counter()) > 0:
            time.sleep(min(10, left))
            memories.append(f"{memory(port):.0f} at {time.perf_counter() - start:.0f} s")
        load.stop()
        wrong = table(load.records, time.perf_counter() - start)
        print(f"Memory of the server in MB: {', '.join(memories)}.", flush=True)
    raise SystemExit(1 if wrong else 0)


if __name__ == "__main__":
    main()
