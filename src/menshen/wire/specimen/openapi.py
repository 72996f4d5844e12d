"""Build the OpenAPI 3.1 document of this dialect from the Structs that its handlers decode and answer."""

from __future__ import annotations

import inspect
from collections.abc import Sequence
from typing import Any, Final

import msgspec
from msgspec import Struct

from menshen.wire.dialect import Access
from menshen.wire.specimen.calls.login_password import LoginAnswer, LoginRequest
from menshen.wire.specimen.calls.profile import AccountAnswer
from menshen.wire.specimen.envelope import Failure, Ok
from menshen.wire.specimen.routing import PREFIX, Route

Json = dict[str, Any]

_FORMS: Final[dict[str, tuple[type[Struct] | None, type[Struct]]]] = {
    "/login": (LoginRequest, LoginAnswer),
    "/me": (None, AccountAnswer),
    "/logout": (None, Ok),
}
"""Path -> (body, answer)."""


def openapi(routes: Sequence[Route], version: str) -> Json:
    """Return the document, as `json.dumps` takes it. `version` is the program's."""
    kinds = {kind for body, answer in _FORMS.values() for kind in (body, answer) if kind} | {Failure}
    _, schemas = msgspec.json.schema_components(
        sorted(kinds, key=lambda kind: kind.__name__), ref_template="#/components/schemas/{name}"
    )
    paths: Json = {}
    for route in routes:
        paths.setdefault(PREFIX + route.path, {})[route.verb.lower()] = _operation(route)
    return {
        "openapi": "3.1.0",
        "info": {"title": "The specimen dialect", "version": version},
        "paths": paths,
        "components": {"schemas": schemas, "securitySchemes": {"bearer": {"type": "http", "scheme": "bearer"}}},
    }


def _operation(route: Route) -> Json:
    body, answer = _FORMS[route.path]
    operation: Json = {
        "operationId": f"{route.verb.lower()}_{route.path.strip('/')}",
        "summary": inspect.getdoc(route.handler) or "",
        "responses": {"200": _response("Done.", answer), "default": _response("Refused.", Failure)},
    }
    if body is not None:
        operation["requestBody"] = {"required": True, "content": _json(body)}
    if route.access is Access.PRIVATE:
        operation["security"] = [{"bearer": []}]
    return operation


def _response(description: str, kind: type[Struct]) -> Json:
    return {"description": description, "content": _json(kind)}


def _json(kind: type[Struct]) -> Json:
    return {"application/json": {"schema": {"$ref": f"#/components/schemas/{kind.__name__}"}}}
