"""What the fields of a TOML table may be: their types and ranges."""

from __future__ import annotations

import math
import sys
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from typing import Any

LARGEST = sys.float_info.max  # neither infinite nor NaN is below it


def frozen(value: Any) -> Any:
    """The same with tuples for lists."""
    return tuple(map(frozen, value)) if isinstance(value, list) else value


@dataclass(frozen=True)
class Field:
    """``expected`` says in words what is ``good``; ``made`` makes of it what Python is given."""

    expected: str
    good: Callable[[Any], bool]
    made: Callable[[Any], Any] = frozen


Fields = Mapping[str, Field]


def text(what: str = "text") -> Field:
    return Field(what, lambda value: isinstance(value, str))


def flag() -> Field:
    return Field("true or false", lambda value: isinstance(value, bool))


def table() -> Field:
    return Field("a table", lambda value: isinstance(value, dict))


def one_of(*names: str) -> Field:
    return Field(f"one of {', '.join(names)}", lambda value: value in names)


def number(expected: str = "0 or more", low: float = 0, high: float = LARGEST) -> Field:
    """A number in ``low``..``high``, whole or not."""
    return Field(expected, lambda value: is_number(value) and low <= value <= high, float)


def above_0() -> Field:
    return number("a number above 0", low=math.nextafter(0, 1))


def share() -> Field:
    return number("a share in 0..1", 0, 1)


def whole(low: int, expected: str = "a whole number") -> Field:
    return Field(f"{expected} from {low}", lambda value: is_whole(value, low))


def listed(expected: str, good: Callable[[Any], bool], length: int | None = None) -> Field:
    """A list of what is ``good``, of any length or of this one."""

    def fits(value: Any) -> bool:
        return (
            isinstance(value, list | tuple)
            and length in (None, len(value))
            and all(map(good, value))
        )

    return Field(expected, fits)


def is_number(value: Any) -> bool:
    """Whether it is one of TOML's; true and false are none."""
    return isinstance(value, int | float) and not isinstance(value, bool)


def is_whole(value: Any, low: int) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= low


def check_fields(name: str, values: Mapping[str, Any], fields: Fields) -> None:
    """Raises ValueError, naming the table ``name`` and the field, for the first that will not do.

    A name of "" is the file's own, outside of all tables.
    """
    for key, value in values.items():
        if key not in fields:
            known = ", ".join(fields)
            raise ValueError(f"{_dotted(name, key)}: no such field; expected one of {known}")
        if not fields[key].good(value):
            raise ValueError(
                f"{_dotted(name, key)}: expected {fields[key].expected}, got {_thawed(value)!r}"
            )


def read_fields(
    name: str, values: Any, fields: Fields, needed: Collection[str] = ()
) -> dict[str, Any]:
    """A table's fields, checked and as Python is given them.

    Raises ValueError as `check_fields`, and for a missing one of those that are ``needed``.
    """
    if not isinstance(values, dict):
        raise ValueError(f"{name}: expected a table, got {values!r}")
    check_fields(name, values, fields)
    for key in needed:
        if key not in values:
            raise ValueError(
                f"{_dotted(name, key)}: expected {fields[key].expected}, found no field"
            )
    return {key: fields[key].made(value) for key, value in values.items()}


def _dotted(name: str, key: str) -> str:
    return f"{name}.{key}" if name else key


def _thawed(value: Any) -> Any:
    return list(map(_thawed, value)) if isinstance(value, tuple) else value
