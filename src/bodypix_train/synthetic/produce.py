"""Many pictures, by many processes, into shards; goes on where an earlier run ended."""

from __future__ import annotations

import json
import multiprocessing
from collections.abc import Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from dataclasses import asdict
from pathlib import Path
from typing import Any

from bodypix.files import write_whole

from .backdrop import list_backgrounds
from .picture import Settings, Studio
from .shards import Files, encode, write_shard

PER_SHARD = 100
SETTINGS = "settings.json"
VERSION = 1  # of the pictures: the same number gives another picture after a change here

_studio: Studio | None = None  # one per worker process


def produce(settings: Settings, count: int, out: Path, workers: int) -> Iterator[int]:
    """Render pictures 0..count-1; yields how many are done, also those of earlier runs.

    Whole shards are kept; what a run that was killed had begun is rendered again. The folder
    remembers its settings: ValueError where they differ.
    """
    facts, path = _facts(settings), out / SETTINGS
    remembered = path.exists() and any(out.glob("shard-*.tar"))  # without a picture they are void
    if remembered:
        _compare(facts, path)
    out.mkdir(parents=True, exist_ok=True)
    for rest in out.glob(".shard-*.part"):
        rest.unlink()
    shards = [range(s, min(s + PER_SHARD, count)) for s in range(0, count, PER_SHARD)]
    missing = []
    done = 0
    for numbers in shards:
        if _find_shard(out, numbers):
            done += len(numbers)
        else:
            missing.append(numbers)
    yield done
    with _pool(settings, min(workers, max(len(missing) * PER_SHARD, 1))) as pool:
        queue: list[tuple[range, list[Future[Files]]]] = []
        waiting = iter(missing)
        while True:
            # Two shards under way keep all workers busy and the memory small.
            while len(queue) < 2 and (numbers := next(waiting, None)) is not None:
                queue.append((numbers, [pool.submit(_render, number) for number in numbers]))
            if not queue:
                break
            numbers, futures = queue.pop(0)
            pictures = []
            for number, future in zip(numbers, futures, strict=True):
                pictures.append((number, future.result()))
                done += 1
                yield done
            if not remembered:
                _remember(facts, path)
                remembered = True
            shard = _shard_path(out, numbers)
            write_shard(shard, pictures)
            for shorter in out.glob(f"{shard.stem[:11]}-*.tar"):
                if shorter != shard:
                    shorter.unlink()


def _pool(settings: Settings, workers: int) -> ProcessPoolExecutor:
    return ProcessPoolExecutor(
        workers,
        mp_context=multiprocessing.get_context("spawn"),
        initializer=_begin,
        initargs=(settings,),
    )


def _begin(settings: Settings) -> None:
    global _studio
    import cv2

    cv2.setNumThreads(1)  # the processes are the parallelism
    _studio = Studio(settings)


def _render(number: int) -> Files:
    if _studio is None:
        raise RuntimeError("the worker process has not begun")
    return encode(_studio.picture(number))


def _shard_path(out: Path, numbers: range) -> Path:
    """A short last shard carries its length; a later, longer run replaces it."""
    short = "" if len(numbers) == PER_SHARD else f"-{len(numbers)}"
    return out / f"shard-{numbers.start // PER_SHARD:05d}{short}.tar"


def _find_shard(out: Path, numbers: range) -> bool:
    """Whether a whole shard holds these numbers; it may hold more."""
    full = range(numbers.start, numbers.start + PER_SHARD)
    longer = (full[:length] for length in range(len(numbers), PER_SHARD + 1))
    return any(_shard_path(out, candidate).exists() for candidate in longer)


def _facts(settings: Settings) -> dict[str, Any]:
    """What decides the pictures of a folder, as its file of settings has it."""
    facts = {
        key: value
        for key, value in asdict(settings).items()
        if key not in ("backgrounds", "device")
    }
    names = [path.name for path in list_backgrounds(settings.backgrounds)]
    return facts | {"version": VERSION, "backgrounds": len(names), "first": names[:1]}


def _remember(facts: dict[str, Any], path: Path) -> None:
    text = json.dumps(facts, indent=1).encode()
    write_whole(path, lambda file: file.write(text))


def _compare(facts: dict[str, Any], path: Path) -> None:
    """Raises ValueError where the folder was begun with other settings."""
    before = json.loads(path.read_text())
    changed = [key for key in facts if before.get(key) != facts[key]]
    if changed:
        key = changed[0]
        raise ValueError(
            f"{path.parent}: expected the settings that the folder was begun with;"
            f" {key} was {before.get(key)!r}, got {facts[key]!r}. Choose another --out."
        )
