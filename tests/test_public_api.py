"""The public API is a promise: this test fails when a public name or signature changes.

`tests/public_api.txt` holds the API as it was last accepted. After a change that is meant, run
`make api` (or `python tests/test_public_api.py`), review the diff, and tell it in CHANGELOG.md.
"""

from __future__ import annotations

import dataclasses
import difflib
import importlib
import inspect
import re
from pathlib import Path
from types import ModuleType

SNAPSHOT = Path(__file__).with_name("public_api.txt")
MODULES = (
    "bodypix",
    "bodypix.body",
    "bodypix.body_segmentation",
    "bodypix.drawing",
    "bodypix.errors",
    "bodypix.media",
    "bodypix.temporal",
    "bodypix.v1",
)


def _signature(function: object) -> str:
    """The signature as written; without quotes, which differ between versions of Python."""
    text = str(inspect.signature(function)).replace("'", "")  # type: ignore[arg-type]
    return re.sub(r"<(\w+)[^<>]* at 0x[0-9a-f]+>", r"<\1>", text)


def _describe_class(name: str, cls: type) -> list[str]:
    # What a private base has is shown as the class's own.
    private = [base for base in cls.__mro__ if base is cls or base.__name__.startswith("_")]
    members = {key: value for base in reversed(private) for key, value in vars(base).items()}
    bases = ", ".join(
        base.__name__ for base in cls.__bases__ if base is not object and base not in private
    )
    lines = [f"class {name}({bases})" if bases else f"class {name}"]
    if issubclass(cls, Exception):
        return lines
    lines.append(f"    __init__{_signature(cls.__init__).removesuffix(' -> None')}")
    if dataclasses.is_dataclass(cls):
        lines += [f"    field {f.name}: {f.type}" for f in dataclasses.fields(cls)]
    for member, value in sorted(members.items()):
        if member.startswith("_"):
            continue
        if isinstance(value, property):
            lines.append(f"    property {member}")
        elif isinstance(value, (classmethod, staticmethod)):
            kind = type(value).__name__
            lines.append(f"    {kind} {member}{_signature(value.__func__)}")
        elif inspect.isfunction(value):
            lines.append(f"    def {member}{_signature(value)}")
    return lines


def _public_names(module: ModuleType) -> list[str]:
    names = getattr(module, "__all__", None)
    if names is not None:
        return sorted(names)
    return sorted(
        name
        for name, value in vars(module).items()
        if not name.startswith("_")
        and name != "annotations"
        and not isinstance(value, ModuleType)
        and getattr(value, "__module__", module.__name__) == module.__name__
    )


def describe() -> str:
    """Every public name of MODULES, one a line, with signatures, fields and properties."""
    lines: list[str] = []
    for module_name in MODULES:
        module = importlib.import_module(module_name)
        lines.append(f"# {module_name}")
        for name in _public_names(module):
            value = getattr(module, name)
            if inspect.ismodule(value):
                lines.append(f"module {name}")
            elif inspect.isclass(value):
                lines += _describe_class(name, value)
            elif inspect.isroutine(value):
                lines.append(f"def {name}{_signature(value)}")
            else:
                lines.append(f"{name}: {type(value).__name__}")
        lines.append("")
    return "\n".join(lines)


def test_public_api_is_as_accepted() -> None:
    accepted, now = SNAPSHOT.read_text(encoding="utf-8"), describe()
    diff = "\n".join(
        difflib.unified_diff(
            accepted.splitlines(), now.splitlines(), "accepted", "now", lineterm=""
        )
    )
    assert not diff, f"the public API changed; if that is meant, run `make api`:\n{diff}"


def test_every_listed_name_resolves() -> None:
    import bodypix

    for name in bodypix.__all__:
        assert getattr(bodypix, name) is not None
    assert set(bodypix.__all__) <= set(dir(bodypix))


if __name__ == "__main__":
    SNAPSHOT.write_text(describe(), encoding="utf-8")
