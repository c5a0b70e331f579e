"""TOML files that may rest on another one."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib


def read_toml(path: Path) -> dict[str, Any]:
    """The fields of a TOML file, and of the one that its field ``base`` names, if there is one.

    ``base`` is relative to the file. Tables are laid over its tables field by field; everything
    else, lists too, takes the place of what is there. Raises ValueError that names the file.
    """
    fields: dict[str, Any] = {}
    read: list[Path] = []
    while True:
        if path in read:
            raise ValueError(f"{path}: base: expected a file that rests on others, got a circle")
        after = f", the base of {read[-1]}" if read else ""
        read.append(path)
        try:
            upper = tomllib.loads(path.read_text(encoding="utf-8"))
        except FileNotFoundError as error:
            raise ValueError(f"{path}: expected a TOML file{after}, found none") from error
        except OSError as error:  # a folder, or not ours to read
            raise ValueError(
                f"{path}: expected a TOML file{after}, got {error.strerror}"
            ) from error
        except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
            raise ValueError(f"{path}: expected TOML, got {error}") from error
        base = upper.pop("base", None)
        fields = laid_over(upper, fields)
        if base is None:
            return fields
        if not isinstance(base, str):
            raise ValueError(f"{path}: base: expected the name of a file, got {base!r}")
        path = (path.parent / base).resolve()


def laid_over(below: dict[str, Any], above: dict[str, Any]) -> dict[str, Any]:
    """The fields of both tables; where both have one, that of ``above``."""
    out = dict(below)
    for key, value in above.items():
        both = isinstance(value, dict) and isinstance(out.get(key), dict)
        out[key] = laid_over(out[key], value) if both else value
    return out
