"""Provide `menshen routes` and `menshen openapi`: print the interface from the code that serves it."""

from __future__ import annotations

import json
from importlib.util import find_spec
from pathlib import PurePath
from typing import Annotated, Any, Final

import typer

from menshen.cli.opening import DEFAULT_DATA, AsJson, Config, Data
from menshen.cli.showing import show_table

# The endpoints outside of all dialects, as `menshen.app.asgi` routes them.
_WITHOUT_DIALECT: Final = (
    ("GET", "/auth/verify", "sessions.check", "menshen.wire.probes.token_check"),
    ("GET", "/livez", "-", "menshen.wire.probes.health"),
    ("GET", "/readyz", "ready", "menshen.wire.probes.health"),
    ("GET", "/openapi.json", "-", "menshen.wire.probes.reference"),
    ("GET", "/docs", "-", "menshen.wire.probes.reference"),
)


def routes(
    *,
    dialect: Annotated[str | None, typer.Option(help="Only endpoints of this dialect; '-': of none.")] = None,
    data: Data = DEFAULT_DATA,
    config: Config = None,
    as_json: AsJson = False,
) -> None:
    """List all endpoints with their flow and file."""
    from menshen.app.discovery import find_dialects

    rows: list[dict[str, Any]] = [
        {"verb": verb, "path": path, "dialect": "-", "flow": flow, "where": _where(module, 1)}
        for verb, path, flow, module in _WITHOUT_DIALECT
    ]
    rows += [
        {
            "verb": endpoint.verb,
            "path": endpoint.path,
            "dialect": found.name,
            "flow": endpoint.flow,
            "where": _where(endpoint.module, endpoint.line),
        }
        for found in find_dialects()
        for endpoint in found.endpoints
    ]
    shown = [row for row in rows if dialect is None or row["dialect"] == dialect]
    show_table(shown, as_json=as_json, nothing="no such dialect")


def openapi(*, data: Data = DEFAULT_DATA, config: Config = None, as_json: AsJson = True) -> None:
    """Print the OpenAPI document."""
    from menshen.app.discovery import openapi_document

    print(json.dumps(openapi_document(), ensure_ascii=False, indent=2))


def _where(module: str, line: int) -> str:
    """Return file and line of a module, such as `menshen/wire/probes/health.py:1`."""
    spec = find_spec(module)
    name = PurePath(spec.origin).name if spec and spec.origin else "?"
    folder = module.replace(".", "/") if name == "__init__.py" else module.rpartition(".")[0].replace(".", "/")
    return f"{folder}/{name}:{line}"
