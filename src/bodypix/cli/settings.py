"""Settings files: the options of a command in TOML, overruled by the command line."""

from __future__ import annotations

import re
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import typer

from bodypix.errors import InvalidArgumentError, MissingExtraError

TABLES = ("video", "webcam", "anonymize")
"""One table for each command that reads a settings file."""

# Options that messages of the library call by another name.
_LIBRARY_NAMES = {"name": "model", "model_url": "model"}


def read_settings(path: Path, command: str, options: Mapping[str, set[str]]) -> dict[str, Any]:
    """The options of one command, by parameter name.

    Args:
        path: a TOML file. Options are named as on the command line, without the leading dashes;
            those above all tables count for every command that has them.
        command: one of TABLES.
        options: parameter names of each command of TABLES.

    Raises:
        InvalidArgumentError: no such file, not TOML, or an option or table that does not exist.
        MissingExtraError: Python 3.10 without tomli.
    """
    content = _parsed(path)
    tables = {key: value for key, value in content.items() if isinstance(value, dict)}
    common = {_parameter(key): value for key, value in content.items() if key not in tables}
    for table, values in tables.items():
        if table not in options:
            raise InvalidArgumentError(
                f"--settings: {path} has a table [{table}]; expected {', '.join(options)}."
            )
        _check(path, f"in [{table}]", {_parameter(key) for key in values}, options[table])
    _check(path, "above its tables", set(common), set().union(*options.values()))
    own = {_parameter(key): value for key, value in tables.get(command, {}).items()}
    return {name: value for name, value in common.items() if name in options[command]} | own


def _check(path: Path, where: str, names: set[str], known: set[str]) -> None:
    if strange := sorted(names - known):
        raise InvalidArgumentError(
            f"--settings: {path} sets {_option(strange[0])!r} {where}, which is no option there; "
            f"expected some of {', '.join(sorted(map(_option, known)))}."
        )


def explained(error: Exception, group: typer.Context) -> InvalidArgumentError | None:
    """An error about an option as one about the settings file, if the option was set there.

    Args:
        error: a typer.BadParameter, or an error whose message begins with the option's name.
        group: the context of the command's group.
    """
    if not isinstance(group.obj, _Loaded):
        return None
    loaded, message = group.obj, str(getattr(error, "message", error))
    if (param := getattr(error, "param", None)) is not None:
        name = str(param.name)
    elif isinstance(error, typer.BadParameter):
        name = _parameter(str(error.param_hint).lstrip("-"))
    elif named := re.match(r"(?:--)?([\w-]+): ", message):
        name = _LIBRARY_NAMES.get(named[1]) or _parameter(named[1])
        message = message[named.end() :]
    else:
        return None
    source = loaded.context.get_parameter_source(name)
    if source is None or source.name != "DEFAULT_MAP":
        return None
    value = loaded.values[name]
    if getattr(param, "multiple", False) and not (isinstance(value, list) and value):
        message = 'expected a list of at least one, such as ["bokeh"].'
    return InvalidArgumentError(
        f"--settings: {loaded.path} sets {_option(name)} to {value!r}: {message}"
    )


@dataclass(frozen=True)
class _Loaded:
    """A settings file that is in force, and for which command."""

    path: Path
    values: Mapping[str, Any]
    context: typer.Context


def _parsed(path: Path) -> dict[str, Any]:
    if sys.version_info >= (3, 11):
        import tomllib
    else:
        try:
            import tomli as tomllib
        except ImportError as error:
            raise MissingExtraError(
                '--settings: needs tomli on Python 3.10; get it with: pip install "bodypix[video]"'
            ) from error
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise InvalidArgumentError(
            f"--settings: cannot read {str(path)!r} ({error.strerror})."
        ) from error
    except ValueError as error:  # not UTF-8 or not TOML
        raise InvalidArgumentError(f"--settings: {path} is no TOML file: {error}.") from error


def _parameter(key: str) -> str:
    """`edge-blur` as the command's function calls it; effects are plural there."""
    name = key.replace("-", "_")
    return "effects" if name == "effect" else name


def _option(name: str) -> str:
    return "effect" if name == "effects" else name.replace("_", "-")


def _load(ctx: typer.Context, path: Path | None) -> Path | None:
    """Make the file's values the defaults of the command that is being read."""
    if path is not None:
        assert ctx.parent is not None
        commands: Mapping[str, Any] = ctx.parent.command.commands  # type: ignore[attr-defined]
        options = {name: _names(commands[name]) for name in TABLES}
        found = read_settings(path, str(ctx.info_name), options)
        ctx.default_map = {**(ctx.default_map or {}), **found}
        ctx.parent.obj = _Loaded(path, found, ctx)
    return path


def _names(command: Any) -> set[str]:
    """The options of a command; its arguments (what to read) are no settings."""
    names = {one.name for one in command.params if one.param_type_name == "option"}
    return names - {"help", "settings", "list_cameras"}


Settings = Annotated[
    Path | None,
    typer.Option(
        "--settings",
        metavar="FILE",
        envvar="BODYPIX_SETTINGS",
        is_eager=True,
        callback=_load,
        show_default=False,
        help="TOML file with options, named as here: in a table of the command's name, or above "
        "all tables for every command. The command line overrules it.",
    ),
]
"""The option --settings of a command."""
