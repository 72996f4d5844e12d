"""Serve the endpoints outside of all dialects: health, metrics, token check, API reference.

It holds the route table, one line for each call.
"""

from __future__ import annotations

from typing import Final

from menshen.wire.dialect import Access, Endpoint

ENDPOINTS: Final = (
    Endpoint("GET", "/auth/verify", "sessions.check", Access.ANYBODY, "menshen.wire.probes.token_check"),
    Endpoint("GET", "/livez", "-", Access.ANYBODY, "menshen.wire.probes.health"),
    Endpoint("GET", "/readyz", "ready", Access.ANYBODY, "menshen.wire.probes.health"),
    Endpoint("GET", "/metrics", "-", Access.MACHINE, "menshen.wire.probes.metrics"),
    Endpoint("GET", "/openapi.json", "-", Access.ANYBODY, "menshen.wire.probes.reference"),
    Endpoint("GET", "/docs", "-", Access.ANYBODY, "menshen.wire.probes.reference"),
)
"""The paths themselves are matched in `menshen.app.asgi`."""
