"""Serve the documents of what is served: /openapi… for programs, /docs… for people. All are made at the first request.

(Decision 0060.)
"""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Mapping
from functools import cache
from typing import Any

from starlette.types import ASGIApp, Receive, Scope, Send

from menshen.wire.http.plain import answer
from menshen.wire.probes.docs_page import CONTENT_SECURITY_POLICY, Json, html, index

_ALL = "/openapi.json"
_INDEX = "/docs"


def reference_paths(names: Collection[str]) -> frozenset[str]:
    """Return each path that `reference_app` answers. `names` are those of the documents."""
    return frozenset({_ALL, _INDEX, *(_path_of(name) for name in names), *(f"{_INDEX}/{name}" for name in names)})


def reference_app(documents: Callable[[], Mapping[str, Json]], version: str) -> ASGIApp:
    """Return the application. `documents` makes the OpenAPI documents by name, and is called once.

    `version` is the program's.
    """

    @cache
    def made() -> dict[str, bytes]:
        found = documents()
        pages = {f"{_INDEX}/{name}": html(document, _path_of(name)) for name, document in found.items()}
        listed = [(f"{_INDEX}/{name}", _path_of(name), document) for name, document in found.items()]
        texts = {_path_of(name): _compact(document) for name, document in found.items()}
        return {_ALL: _compact(joined(found, version)), _INDEX: index(listed, _ALL), **pages, **texts}

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["method"] not in {"GET", "HEAD"}:
            await answer(send, 405, headers=[(b"allow", b"GET, HEAD")])
            return
        body = made()[scope["path"]]
        if scope["path"].endswith(".json"):
            await answer(send, 200, body, b"application/json; charset=utf-8")
        else:
            policy = (b"content-security-policy", CONTENT_SECURITY_POLICY.encode())
            await answer(send, 200, body, b"text/html; charset=utf-8", [policy])

    return app


def joined(documents: Mapping[str, Json], version: str) -> Json:
    """Return one document of several, by their names. `version` is the program's.

    Operations and components get the document's name before their own, so that no two meet. The paths never meet: each
    dialect owns its prefix.
    """
    about = [document["info"].get("description", "") for document in documents.values()]
    whole: Json = {
        "openapi": "3.1.0",
        "info": {"title": "Menshen", "version": version, "description": "\n\n".join(filter(None, about))},
        "paths": {},
        "components": {},
    }
    for name, document in documents.items():
        named = _named(document, f"{name}.")
        whole["paths"] |= named["paths"]
        for kind, components in document.get("components", {}).items():
            renamed = {f"{name}.{component}": named["components"][kind][component] for component in components}
            whole["components"].setdefault(kind, {}).update(renamed)
    return whole


def _path_of(name: str) -> str:
    return f"/openapi/{name}.json"


def _compact(document: Json) -> bytes:
    return json.dumps(document, ensure_ascii=False, separators=(",", ":")).encode()


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
