"""Provide `menshen routes` and `menshen openapi`: print the interface from the code that serves it."""

from __future__ import annotations

import json
from importlib.util import find_spec
from pathlib import PurePath
from typing import Annotated, Any

import typer

from menshen.cli.opening import DEFAULT_DATA, AsJson, Config, Data, RefusedError, settings_of
from menshen.cli.showing import show_table


def routes(
    *,
    dialect: Annotated[str | None, typer.Option(help="Only endpoints of this dialect; '-': of none.")] = None,
    data: Data = DEFAULT_DATA,
    config: Config = None,
    as_json: AsJson = False,
) -> None:
    """List every endpoint with its flow, who may call it, and its file."""
    from menshen.app.discovery import UnknownDialectError, find_dialects
    from menshen.wire import probes

    try:
        dialects = find_dialects(settings_of(data, config).server.dialects)
    except UnknownDialectError as error:
        raise RefusedError(f"[server] dialects: {error}") from None
    rows: list[dict[str, Any]] = [
        {
            "verb": endpoint.verb,
            "path": endpoint.path,
            "dialect": name,
            "flow": endpoint.flow,
            "access": endpoint.access.value,
            "where": _where(endpoint.module, endpoint.line),
        }
        for name, endpoints in [("-", probes.ENDPOINTS), *((found.name, found.endpoints) for found in dialects)]
        for endpoint in endpoints
    ]
    served = ["-", *(found.name for found in dialects)]
    if dialect is not None and dialect not in served:
        raise RefusedError(f"no dialect {dialect!r} is served; there are {', '.join(served)}")
    shown = [row for row in rows if dialect is None or row["dialect"] == dialect]
    show_table(shown, as_json=as_json, nothing="no endpoints")


def openapi(*, data: Data = DEFAULT_DATA, config: Config = None, as_json: AsJson = True) -> None:
    """Print the OpenAPI document."""
    from menshen.app.discovery import UnknownDialectError, openapi_document

    try:
        document = openapi_document(settings_of(data, config).server.dialects)
    except UnknownDialectError as error:
        raise RefusedError(f"[server] dialects: {error}") from None
    print(json.dumps(document, ensure_ascii=False, indent=2))


def _where(module: str, line: int) -> str:
    """Return file and line of a module, such as `menshen/wire/probes/health.py:1`."""
    spec = find_spec(module)
    name = PurePath(spec.origin).name if spec and spec.origin else "?"
    folder = module.replace(".", "/") if name == "__init__.py" else module.rpartition(".")[0].replace(".", "/")
    return f"{folder}/{name}:{line}"
