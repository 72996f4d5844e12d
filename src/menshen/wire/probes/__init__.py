"""Serve the endpoints outside of all dialects: health, metrics, token check, API reference.

It holds the route table, one line for each call.
"""

from __future__ import annotations

from typing import Any, Final

from menshen.wire.dialect import Access, Endpoint

ENDPOINTS: Final = (
    Endpoint("GET", "/auth/verify", "sessions.check", Access.ANYBODY, "menshen.wire.probes.token_check"),
    Endpoint("GET", "/auth/verify/{words}", "sessions.check", Access.ANYBODY, "menshen.wire.probes.token_check"),
    Endpoint("GET", "/livez", "-", Access.ANYBODY, "menshen.wire.probes.health"),
    Endpoint("GET", "/readyz", "ready", Access.ANYBODY, "menshen.wire.probes.health"),
    Endpoint("GET", "/metrics", "-", Access.MACHINE, "menshen.wire.probes.metrics"),
    Endpoint("GET", "/openapi.json", "-", Access.ANYBODY, "menshen.wire.probes.reference"),
    Endpoint("GET", "/openapi/{name}.json", "-", Access.ANYBODY, "menshen.wire.probes.reference"),
    Endpoint("GET", "/docs", "-", Access.ANYBODY, "menshen.wire.probes.reference"),
    Endpoint("GET", "/docs/{name}", "-", Access.ANYBODY, "menshen.wire.probes.reference"),
)
"""The paths themselves are matched in `menshen.app.asgi`."""


def document(version: str) -> dict[str, Any]:
    """Return the OpenAPI 3.1 document of these endpoints. `version` is the program's."""
    # Imported when the document is first asked for: a start needs none of it.
    from menshen.wire.probes.openapi import openapi

    return openapi(ENDPOINTS, version)
