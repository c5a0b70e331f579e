"""The page at /docs: the OpenAPI document for people. Nothing on it comes from elsewhere."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from html import escape
from pathlib import Path
from typing import Any, Final

from starlette.responses import HTMLResponse, Response

STATIC: Final = Path(__file__).parent / "static"
"""Style and script of the page, served below /docs/."""

_EXAMPLES: Final = """\
# the mask of everybody
curl --data-binary @photo.jpg {url}/v1/segment -o mask.png

# people on transparent ground, soft edges, sent as a form
curl -F image=@photo.jpg '{url}/v1/segment?output=cutout&soft=true' -o cutout.png

# each person with mask, parts and pose
curl --data-binary @photo.jpg '{url}/v1/segment?output=json&people=true&parts=true'
"""


def response(openapi: Mapping[str, Any], url: str) -> Response:
    """The page for an OpenAPI document; `url` is that of the server, for examples."""
    return HTMLResponse("".join(_page(openapi, url)), headers={"Cache-Control": "no-cache"})


def _page(openapi: Mapping[str, Any], url: str) -> Iterator[str]:
    info = openapi["info"]
    yield (
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{escape(info['title'])}: HTTP API</title>\n"
        '<link rel="icon" href="data:,">\n<link rel="stylesheet" href="/docs/docs.css">\n'
        '<script src="/docs/docs.js" defer></script>\n</head>\n<body>\n<main>\n'
        f"<h1>{escape(info['title'])}: HTTP API</h1>\n"
        f"<p>{escape(info['summary'])} Version {escape(info['version'])}. "
        '<a href="/openapi.json">OpenAPI document</a>, <a href="/">demo page</a>.</p>\n'
        f"<pre>{escape(_EXAMPLES.format(url=url))}</pre>\n"
    )
    for path, methods in openapi["paths"].items():
        for method, operation in methods.items():
            parameters = [
                {**parameter, "schema": _resolved(parameter["schema"], openapi)}
                for parameter in operation.get("parameters", [])
            ]
            yield from _operation(path, method.upper(), operation, parameters)
    yield "</main>\n</body>\n</html>\n"


def _resolved(schema: Mapping[str, Any], openapi: Mapping[str, Any]) -> Mapping[str, Any]:
    """A schema with what it refers to, such as the values of an enumeration."""
    name = schema.get("$ref", "").removeprefix("#/components/schemas/")
    return {**openapi["components"]["schemas"][name], **schema} if name else schema


def _operation(
    path: str, method: str, operation: Mapping[str, Any], parameters: Sequence[Mapping[str, Any]]
) -> Iterator[str]:
    yield f"<section>\n<h2><code>{method} {escape(path)}</code></h2>\n"
    yield f"<p>{_text(operation['summary'])}. {_text(operation.get('description', ''))}</p>\n"
    if method == "POST":
        yield from _form(path, parameters)
    if parameters:
        yield "<h3>Query parameters</h3>\n<table>\n"
        yield "<tr><th>name</th><th>values</th><th>default</th><th>meaning</th></tr>\n"
        for parameter in parameters:
            schema = parameter["schema"]
            yield _row(
                f"<code>{escape(parameter['name'])}</code>",
                escape(_values(schema)),
                f"<code>{escape(_literal(schema.get('default')))}</code>",
                _text(parameter.get("description", "")),
            )
        yield "</table>\n"
    yield "<h3>Answers</h3>\n<table>\n<tr><th>status</th><th>meaning</th><th>type</th></tr>\n"
    for status, answer in sorted(operation["responses"].items()):
        types = ", ".join(answer.get("content", {}))
        yield _row(escape(status), _text(answer["description"]), f"<code>{escape(types)}</code>")
    yield "</table>\n</section>\n"


def _row(*cells: str) -> str:
    return "<tr>" + "".join(f"<td>{cell}</td>" for cell in cells) + "</tr>\n"


def _form(path: str, parameters: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    """A form to try it; without the script it sends the picture with the default options."""
    yield (
        f'<form method="post" enctype="multipart/form-data" action="{escape(path)}">\n'
        '<label>Picture <input type="file" name="image" accept="image/*" required></label>\n'
    )
    for parameter in parameters:
        schema, name = parameter["schema"], escape(parameter["name"])
        default = _literal(schema.get("default"))
        if values := _choices(schema):
            options = "".join(
                f"<option{' selected' if value == default else ''}>{escape(value)}</option>"
                for value in values
            )
            control = f'<select data-option="{name}">{options}</select>'
        else:
            control = f'<input data-option="{name}" placeholder="{escape(default)}">'
        yield f"<label>{name} {control}</label>\n"
    yield (
        '<button>Send</button>\n<output role="status"></output>\n'
        '<img alt="The answer" hidden>\n<pre hidden></pre>\n</form>\n'
    )


def _choices(schema: Mapping[str, Any]) -> list[str]:
    if schema.get("type") == "boolean":
        return ["false", "true"]
    return [str(value) for value in schema.get("enum", [])]


def _values(schema: Mapping[str, Any]) -> str:
    if choices := _choices(schema):
        return ", ".join(choices)
    if "examples" in schema:
        return "such as " + ", ".join(map(str, schema["examples"]))
    if "exclusiveMinimum" in schema:
        return f"above {schema['exclusiveMinimum']:g} to {schema['maximum']:g}"
    return f"{schema['minimum']:g} to {schema['maximum']:g}"


def _literal(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _text(markdown: str) -> str:
    """Escaped text whose `code` spans are marked."""
    pieces = escape(markdown).split("`")
    return "".join(
        f"<code>{piece}</code>" if index % 2 else piece for index, piece in enumerate(pieces)
    )
