"""Which steps of a release are done, and what each was made from."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from bodypix.files import write_whole

Facts = dict[str, Any]


class Ledger:
    """The file ``steps.json``: for each step what went into it, and what came out once done."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.steps: dict[str, Facts] = json.loads(path.read_text()) if path.exists() else {}

    def done(self, step: str, inputs: Facts) -> bool:
        """Whether the step was finished with these inputs."""
        entry = self.steps.get(step, {})
        return "result" in entry and entry["inputs"] == _plain(inputs)

    def changes(self, step: str, inputs: Facts) -> str | None:
        """The first input that is not what the step was begun with, in words; None: all are."""
        if step not in self.steps:
            return None
        before = dict(_flat(self.steps[step]["inputs"]))
        now = dict(_flat(_plain(inputs)))
        for field in (*before, *now):
            if before.get(field) != now.get(field):
                return f"{field} was {before.get(field)!r}, is {now.get(field)!r}"
        return None

    def begin(self, step: str, inputs: Facts) -> None:
        self._write(step, {"inputs": inputs})

    def finish(self, step: str, result: Facts) -> None:
        self._write(step, {**self.steps[step], "result": result})

    def result(self, step: str) -> Facts:
        """What came out of a finished step."""
        result: Facts = self.steps[step]["result"]
        return result

    def _write(self, step: str, entry: Facts) -> None:
        self.steps[step] = _plain(entry)
        text = json.dumps(self.steps, indent=1) + "\n"
        write_whole(self.path, lambda file: file.write(text.encode()))


def _plain(facts: Facts) -> Facts:
    """As JSON gives it back: tuples are lists."""
    plain: Facts = json.loads(json.dumps(facts))
    return plain


def _flat(value: Any, name: str = "") -> Iterator[tuple[str, Any]]:
    """(dotted name, value) of every field that is no table."""
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from _flat(inner, f"{name}.{key}" if name else key)
    else:
        yield name, value
