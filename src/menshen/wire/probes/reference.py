"""Serve /openapi.json and /docs, the interface for programs and for people. Both are made at the first request."""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import cache

from starlette.types import ASGIApp, Receive, Scope, Send

from menshen.wire.http.plain import answer
from menshen.wire.probes.docs_page import CONTENT_SECURITY_POLICY, Json, html

REFERENCE_PATHS = frozenset({"/openapi.json", "/docs"})


def reference_app(document: Callable[[], Json]) -> ASGIApp:
    """Return the two pages. `document` makes the OpenAPI document and is called once."""

    @cache
    def made() -> tuple[bytes, bytes]:
        found = document()
        return json.dumps(found, ensure_ascii=False, separators=(",", ":")).encode(), html(found)

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["method"] not in {"GET", "HEAD"}:
            await answer(send, 405, headers=[(b"allow", b"GET, HEAD")])
            return
        as_json, as_page = made()
        if scope["path"] == "/docs":
            policy = (b"content-security-policy", CONTENT_SECURITY_POLICY.encode())
            await answer(send, 200, as_page, b"text/html; charset=utf-8", [policy])
        else:
            await answer(send, 200, as_json, b"application/json; charset=utf-8")

    return app
