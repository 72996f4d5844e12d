"""Provide `menshen routes` and `menshen openapi`: print the interface from the code that serves it."""

from __future__ import annotations

import json
from importlib.util import find_spec
from pathlib import Path, PurePath
from typing import Any

import click

from menshen.cli.opening import (
    RefusedError,
    common_options,
    config_option,
    data_option,
    json_option,
    settings_of,
)
from menshen.cli.showing import show_table


@click.command()
@click.option("--dialect", help="Only endpoints of this dialect; '-': of none.")
@common_options
def routes(
    *,
    dialect: str | None,
    data: Path,
    config: Path | None,
    as_json: bool,
) -> None:
    """List every endpoint with its flow, who may call it, and its file."""
    from menshen.app.discovery import UnknownDialectError, find_dialects
    from menshen.app.settings.sections.passkeys import associations_of
    from menshen.wire import probes, receipts, well_known

    settings = settings_of(data, config)
    try:
        dialects = find_dialects(settings.server.dialects)
    except UnknownDialectError as error:
        raise RefusedError(f"[server] dialects: {error}") from None
    from menshen.wire.pages.routing import routes as page_routes

    stated = associations_of(settings.passkeys).paths()
    beside = (
        *probes.ENDPOINTS,
        *(route.endpoint for route in page_routes()),
        *(receipts.ENDPOINTS if settings.sms.receipts else ()),
        *(endpoint for endpoint in well_known.ENDPOINTS if endpoint.path in stated),
    )
    rows: list[dict[str, Any]] = [
        {
            "verb": endpoint.verb,
            "path": endpoint.path,
            "dialect": name,
            "flow": endpoint.flow,
            "access": endpoint.access.value,
            "where": _where(endpoint.module, endpoint.line),
        }
        for name, endpoints in [
            ("-", beside),
            *((found.name, found.endpoints) for found in dialects),
        ]
        for endpoint in endpoints
    ]
    served = ["-", *(found.name for found in dialects)]
    if dialect is not None and dialect not in served:
        raise RefusedError(f"no dialect {dialect!r} is served; there are {', '.join(served)}")
    shown = [row for row in rows if dialect is None or row["dialect"] == dialect]
    show_table(shown, as_json=as_json, nothing="no endpoints")


@click.command()
@click.option("--dialect", help="Only that of this dialect; '-': of none.")
@data_option
@config_option
@json_option(default=True)
def openapi(*, dialect: str | None, data: Path, config: Path | None, as_json: bool) -> None:
    """Print the OpenAPI documents as one, or one of them."""
    import menshen
    from menshen.app.discovery import PROBES, UnknownDialectError, openapi_documents
    from menshen.wire.probes.reference import joined

    try:
        found = openapi_documents(settings_of(data, config).server.dialects)
    except UnknownDialectError as error:
        raise RefusedError(f"[server] dialects: {error}") from None
    documents = {"-" if name == PROBES else name: document for name, document in found.items()}
    if dialect is None:
        document = joined(found, menshen.__version__)
    elif dialect in documents:
        document = documents[dialect]
    else:
        raise RefusedError(f"no document of {dialect!r}; there are {', '.join(sorted(documents))}")
    print(json.dumps(document, ensure_ascii=False, indent=2))


def _where(module: str, line: int) -> str:
    """Return file and line of a module, such as `menshen/wire/probes/health.py:1`."""
    spec = find_spec(module)
    name = PurePath(spec.origin).name if spec and spec.origin else "?"
    folder = module.replace(".", "/") if name == "__init__.py" else module.rpartition(".")[0].replace(".", "/")
    return f"{folder}/{name}:{line}"
