"""Make the OpenAPI 3.1 document of this dialect from the Structs that decode its requests and encode its answers.

The refusals of a call come from its use case (`flows.catalog.use_cases`). The tests compare every answer with this
document.
"""

from __future__ import annotations

import inspect
from collections.abc import Iterable, Sequence
from typing import Any, Final

import msgspec
from msgspec import UNSET, Struct

from menshen.core.problems import ProblemCode
from menshen.flows.catalog import use_cases
from menshen.wire.dialect import Access
from menshen.wire.weidu.carrier import CSRF_HEADER
from menshen.wire.weidu.decode import NoBody
from menshen.wire.weidu.envelope import Failure
from menshen.wire.weidu.problems import TABLE, WIRE_RULES
from menshen.wire.weidu.routing import PREFIX, Route

Json = dict[str, Any]

_TEMPLATE: Final = "#/components/schemas/{name}"
_ANYWHERE: Final = frozenset({400, 403, 500, 503})
_REFUSED_BY_CALL: Final = {"account.find": frozenset({ProblemCode.NOT_FOUND})}
"""What a call refuses by itself, where its use case only answers that nothing was found."""
_WAITS: Final = frozenset({429, 503})
_REQUEST_ID: Final[Json] = {
    "X-Request-Id": {"description": "Names this answer in the server's log.", "schema": {"type": "string"}}
}


def openapi(routes: Sequence[Route], version: str) -> Json:
    """Return the document, as `json.dumps` takes it. `version` is the program's."""
    schemas = _schemas(routes)
    paths: Json = {}
    refusals = {name: described.refusals for name, described in use_cases().items()}
    for route in routes:
        paths.setdefault(PREFIX + route.path, {})[route.verb.lower()] = _operation(
            route, refusals[route.flow] | _REFUSED_BY_CALL.get(route.flow, frozenset())
        )
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Menshen: the weidu users API",
            "version": version,
            "description": "Times are epoch milliseconds, 0 = never. A refusal's `code` is the HTTP status, `error` a "
            "stable word for programs, `result` a sentence in Chinese, or English as Accept-Language prefers.",
        },
        "paths": paths,
        "components": {
            "schemas": schemas,
            "securitySchemes": {
                "bearer": {"type": "http", "scheme": "bearer", "description": "The Token header of a login."},
                "token": {"type": "apiKey", "in": "header", "name": "Token", "description": "The same, unchanged."},
                "cookie": {
                    "type": "apiKey",
                    "in": "cookie",
                    "name": "weichuangAUTHTOKEN",
                    "description": "The AUTHTOKEN cookie of a login; its prefix is the app's.",
                },
                "csrf": {
                    "type": "apiKey",
                    "in": "header",
                    "name": CSRF_HEADER,
                    "description": "A write by cookie needs the value of the CSRF cookie here.",
                },
            },
        },
    }


def _operation(route: Route, refusals: Iterable[ProblemCode]) -> Json:
    module = inspect.getmodule(route.handler)
    operation: Json = {
        "operationId": (route.verb.lower() + route.path).replace("/", "_").replace("{", "").replace("}", ""),
        "summary": _first_line(route.handler),
        "description": inspect.getdoc(module) or "",
        "tags": [route.handler.__module__.rpartition(".")[2]],
        "responses": {"200": _success(route)},
    }
    statuses = _ANYWHERE | {TABLE[code].status for code in refusals}
    if route.body is not NoBody:
        operation["requestBody"] = {
            "required": True,
            "content": {"application/json": {"schema": _ref(route.body)}},
        }
        statuses |= {413}
    if route.access is Access.PRIVATE:
        statuses |= {401}
        by_cookie: Json = {"cookie": []} if route.verb == "GET" else {"cookie": [], "csrf": []}
        operation["security"] = [{"bearer": []}, {"token": []}, by_cookie]
    for status in sorted(statuses):
        operation["responses"][str(status)] = _refusal(status)
    if parameters := _parameters(route):
        operation["parameters"] = parameters
    return operation


def _parameters(route: Route) -> list[Json]:
    if "{id}" in route.path:
        schema = {"type": "string", "pattern": "^[A-Za-z0-9_-]{1,64}$"}
        return [{"name": "id", "in": "path", "required": True, "description": "From the list.", "schema": schema}]
    if route.flow == "account.find":
        return [
            {
                "name": "user_id",
                "in": "query",
                "description": "The account's id; absent or empty: the caller's own.",
                "schema": {"type": "string"},
            }
        ]
    return []


def _success(route: Route) -> Json:
    forms = [_ref(answer) for answer in route.answers]
    response: Json = {
        "description": "Done.",
        "headers": dict(_REQUEST_ID),
        "content": {"application/json": {"schema": forms[0] if len(forms) == 1 else {"anyOf": forms}}},
    }
    if route.access is Access.LOGIN:
        response["headers"] |= {
            "Token": {"description": "The session's token.", "required": True, "schema": {"type": "string"}},
            "Set-Cookie": {
                "description": "AUTHTOKEN, USERID and CSRF, each under the app's prefix.",
                "schema": {"type": "string"},
            },
        }
    return response


def _refusal(status: int) -> Json:
    headers = dict(_REQUEST_ID)
    if status in _WAITS:
        headers["Retry-After"] = {"description": "Seconds, where waiting helps.", "schema": {"type": "string"}}
    return {
        "description": ", ".join(_words(status)),
        "headers": headers,
        "content": {"application/json": {"schema": _ref(Failure)}},
    }


def _words(status: int | None = None) -> list[str]:
    rules = [*TABLE.values(), *WIRE_RULES]
    return sorted({rule.word for rule in rules if status is None or rule.status == status})


def _schemas(routes: Sequence[Route]) -> Json:
    answers = {answer for route in routes for answer in route.answers} | {Failure}
    requests = {route.body for route in routes} - {NoBody}
    _, bodies = msgspec.json.schema_components(_by_name(requests), ref_template=_TEMPLATE)
    _, results = msgspec.json.schema_components(_by_name(answers), ref_template=_TEMPLATE)
    for name, answer in _with_inner(answers).items():
        # An answer holds a field with a default too, so only fields that may be UNSET are optional.
        results[name]["required"] = [f.encode_name for f in msgspec.structs.fields(answer) if f.default is not UNSET]
    for name in bodies:
        # Required fields come first; the sort is stable.
        needed, properties = bodies[name]["required"], bodies[name]["properties"]
        bodies[name]["properties"] = dict(sorted(properties.items(), key=lambda item: item[0] not in needed))
    results["Failure"]["properties"]["error"]["enum"] = _words()
    return dict(sorted({**bodies, **results}.items()))


def _with_inner(answers: Iterable[type[Struct]]) -> dict[str, type[Struct]]:
    found: dict[str, type[Struct]] = {}
    for answer in answers:
        found[answer.__name__] = answer
        for field in msgspec.structs.fields(answer):
            inner = getattr(field.type, "__args__", (field.type,))[0]
            if isinstance(inner, type) and issubclass(inner, Struct):
                found |= _with_inner([inner])
    return found


def _by_name(structs: Iterable[type[Struct]]) -> list[type[Struct]]:
    return sorted(structs, key=lambda struct: struct.__name__)


def _ref(struct: type[Struct]) -> Json:
    return {"$ref": _TEMPLATE.format(name=struct.__name__)}


def _first_line(thing: object) -> str:
    return (inspect.getdoc(thing) or "").partition("\n")[0]
