"""Serve /openapi.json and /docs, the interface for programs and for people. Both are made at the first request."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from functools import cache
from typing import Any

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


def joined(documents: Mapping[str, Json], version: str) -> Json:
    """Return one document of several, by the names of their dialects. One alone is returned as it is.

    Several: operations and components get the dialect's name before their own, so that no two meet.
    `version` is the program's. The paths of two dialects never meet: each owns its prefix.
    """
    if len(documents) == 1:
        return next(iter(documents.values()))
    whole: Json = {
        "openapi": "3.1.0",
        "info": {"title": "Menshen", "version": version},
        "paths": {},
        "components": {},
    }
    for dialect, document in documents.items():
        named = _named(document, f"{dialect}.")
        whole["paths"] |= named["paths"]
        for kind, components in document.get("components", {}).items():
            renamed = {f"{dialect}.{name}": named["components"][kind][name] for name in components}
            whole["components"].setdefault(kind, {}).update(renamed)
    return whole


def _named(value: Any, before: str, key: str = "") -> Any:
    """Return a copy of a part of a document, with `before` in front of the names that point to its components."""
    if isinstance(value, list):
        return [_named(inner, before, key) for inner in value]
    if key == "security":
        return {before + name: inner for name, inner in value.items()}
    if isinstance(value, dict):
        return {name: _named(inner, before, name) for name, inner in value.items()}
    if key == "operationId":
        return before + value
    if key == "$ref":
        path, slash, name = value.rpartition("/")
        return f"{path}{slash}{before}{name}"
    return value
