"""`menshen routes` and `menshen openapi`: the interface, from the code that serves it."""

from __future__ import annotations

import json
from importlib.util import find_spec
from pathlib import PurePath
from typing import Annotated, Any, Final

import typer

from menshen.cli.opening import DEFAULT_DATA, AsJson, Config, Data, RefusedError, settings_of
from menshen.cli.showing import show_table

# What belongs to no dialect; `menshen.app.asgi` sends them there.
_OWN: Final = (
    ("GET", "/auth/verify", "sessions.check", "menshen.wire.probes.token_check"),
    ("GET", "/livez", "-", "menshen.wire.probes.health"),
    ("GET", "/readyz", "ready", "menshen.wire.probes.health"),
    ("GET", "/openapi.json", "-", "menshen.wire.probes.reference"),
    ("GET", "/docs", "-", "menshen.wire.probes.reference"),
)


def routes(
    *,
    dialect: Annotated[str | None, typer.Option(help="Only this dialect's; '-' for those of none.")] = None,
    data: Data = DEFAULT_DATA,
    config: Config = None,
    as_json: AsJson = False,
) -> None:
    """List every endpoint: who answers it, in which file."""
    from menshen.app.discovery import UnknownDialectError, find_dialects

    try:
        dialects = find_dialects(settings_of(data, config).server.dialects)
    except UnknownDialectError as error:
        raise RefusedError(f"[server] dialects: {error}") from None
    rows: list[dict[str, Any]] = [
        {"verb": verb, "path": path, "dialect": "-", "flow": flow, "where": _where(module, 1)}
        for verb, path, flow, module in _OWN
    ]
    rows += [
        {
            "verb": endpoint.verb,
            "path": endpoint.path,
            "dialect": found.name,
            "flow": endpoint.flow,
            "where": _where(endpoint.module, endpoint.line),
        }
        for found in dialects
        for endpoint in found.endpoints
    ]
    shown = [row for row in rows if dialect is None or row["dialect"] == dialect]
    show_table(shown, as_json=as_json, nothing="no such dialect")


def openapi(*, data: Data = DEFAULT_DATA, config: Config = None, as_json: AsJson = True) -> None:
    """Print the OpenAPI document."""
    from menshen.app.discovery import UnknownDialectError, openapi_document

    try:
        document = openapi_document(settings_of(data, config).server.dialects)
    except UnknownDialectError as error:
        raise RefusedError(f"[server] dialects: {error}") from None
    print(json.dumps(document, ensure_ascii=False, indent=2))


def _where(module: str, line: int) -> str:
    """`menshen/wire/probes/health.py:1`, from where the package lies."""
    spec = find_spec(module)
    name = PurePath(spec.origin).name if spec and spec.origin else "?"
    folder = module.replace(".", "/") if name == "__init__.py" else module.rpartition(".")[0].replace(".", "/")
    return f"{folder}/{name}:{line}"
