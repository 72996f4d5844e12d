"""Make the OpenAPI 3.1 document of this dialect from the Structs that decode its requests and encode its answers.

The refusals of a call come from its use case (`flows.catalog.use_cases`). The tests compare every answer with this
document.
"""

from __future__ import annotations

import inspect
import json
import re
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, Final

import msgspec
from msgspec import UNSET, Struct

from menshen.core.apps import App
from menshen.core.problems import ProblemCode
from menshen.flows.catalog import use_cases
from menshen.wire.dialect import Access
from menshen.wire.http import schemas
from menshen.wire.http.cookies import cookie_name
from menshen.wire.http.schemas import Json, reference
from menshen.wire.weidu.calls.profile import GENDERS
from menshen.wire.weidu.carrier import CSRF_HEADER
from menshen.wire.weidu.decode import NoBody
from menshen.wire.weidu.device import DeviceBody
from menshen.wire.weidu.envelope import Failure
from menshen.wire.weidu.problems import (
    CSRF,
    FORBIDDEN_FIELD,
    PAYLOAD_TOO_LARGE,
    SECOND_FACTOR_REQUIRED,
    TABLE,
    WIRE_RULES,
    Rule,
)
from menshen.wire.weidu.routing import PREFIX, Route
from menshen.wire.weidu.texts import sentence

_APP: Final = App(0, "default", "", "")
"""An app with the options of a new one."""
_GENDERS: Final[dict[object, str]] = {value: gender.name for value, gender in GENDERS.items()}
_ANYWHERE: Final = tuple(
    TABLE[code]
    for code in (
        *(ProblemCode.INVALID_REQUEST, ProblemCode.FORBIDDEN, ProblemCode.INTERNAL),
        *(ProblemCode.OVERLOADED, ProblemCode.UNAVAILABLE),
    )
)
"""What each call can be refused with: a request that is none, a disabled app, and faults."""
_REFUSED_BY_CALL: Final = {"account.find": frozenset({ProblemCode.NOT_FOUND})}
"""What a call refuses by itself, where its use case only answers that nothing was found."""
_FIRST_PROOFS: Final = frozenset({"login.password", "login.code", "login.sign_up"})
"""The logins after which a second step may be due. Their refusal has the ticket for it."""
_WAITING: Final[Json] = {
    "code": SECOND_FACTOR_REQUIRED.status,
    "result": sentence(SECOND_FACTOR_REQUIRED.message, "zh"),
    "error": SECOND_FACTOR_REQUIRED.word,
    "login_ticket": "3r6ebp6gabf6unbee35eu8u6bo",
    "methods": ["totp", "recovery"],
    "expires_in": 300,
}
_POINTER: Final = re.compile(schemas.TEMPLATE.format(name="") + r"(\w+)")
_WAITS: Final = frozenset({429, 503})


def openapi(routes: Sequence[Route], version: str) -> Json:
    """Return the document, as `json.dumps` takes it. `version` is the program's."""
    paths: Json = {}
    refusals = {name: described.refusals for name, described in use_cases().items()}
    for route in routes:
        refused = refusals[route.flow] | _REFUSED_BY_CALL.get(route.flow, frozenset())
        if route.ticket_flow:
            refused |= refusals[route.ticket_flow]
        paths.setdefault(PREFIX + route.path, {})[route.verb.lower()] = _operation(route, refused)
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
            "schemas": _schemas(routes),
            "securitySchemes": {
                "bearer": {"type": "http", "scheme": "bearer", "description": "The Token header of a login."},
                "token": {"type": "apiKey", "in": "header", "name": "Token", "description": "The same, unchanged."},
                "cookie": {
                    "type": "apiKey",
                    "in": "cookie",
                    "name": cookie_name(_APP, "AUTHTOKEN"),
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
    if route.body is not NoBody:
        operation["requestBody"] = {
            "required": route.access is not Access.ENROLMENT or _has_required(route.body),
            "content": {"application/json": {"schema": reference(route.body)}},
        }
    if route.access in _WITH_SESSION:
        by_cookie: Json = {"cookie": []} if route.verb == "GET" else {"cookie": [], "csrf": []}
        operation["security"] = [{"bearer": []}, {"token": []}, by_cookie]
        if route.access is Access.ENROLMENT:
            operation["security"].append({})
            operation["description"] += (
                "\n\nIn a session, or without one and with the `login_ticket` of a login that must enrol."
            )
    rules = {*_ANYWHERE, *_of_the_wire(route), *(TABLE[code] for code in refusals)}
    for status in sorted({rule.status for rule in rules}):
        operation["responses"][str(status)] = _refusal(status, {rule.word for rule in rules if rule.status == status})
    if parameters := _parameters(route):
        operation["parameters"] = parameters
    return operation


def _has_required(body: type[Struct]) -> bool:
    return any(field.required for field in msgspec.structs.fields(body))


_WITH_SESSION: Final = (Access.PRIVATE, Access.ENROLMENT)
_FROM_PAGES: Final = (Access.LOGIN, Access.TICKET)
_OF_DEVICES: Final = (ProblemCode.DEVICE_REQUIRED, ProblemCode.DEVICE_SIGN_INVALID, ProblemCode.TIMESTAMP_SKEWED)


def _of_the_wire(route: Route) -> Iterator[Rule]:
    """Yield what this dialect itself refuses, before a use case is asked."""
    if route.access in _WITH_SESSION:
        yield TABLE[ProblemCode.UNAUTHENTICATED]
    if route.access in _FROM_PAGES or (route.access in _WITH_SESSION and route.verb != "GET"):
        yield CSRF
    if route.flow in _FIRST_PROOFS:
        yield SECOND_FACTOR_REQUIRED
        yield TABLE[ProblemCode.WRONG_SECOND_FACTOR]
        yield TABLE[ProblemCode.TOO_MANY_REQUESTS]
    if route.body is not NoBody:
        yield PAYLOAD_TOO_LARGE
    if issubclass(route.body, DeviceBody):
        yield from (TABLE[code] for code in _OF_DEVICES)
    if getattr(route.body, "server_fields", None):
        yield FORBIDDEN_FIELD


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
    response: Json = {
        "description": "Done.",
        "headers": dict(schemas.REQUEST_ID),
        "content": {"application/json": {"schema": _ref(_either([form.__name__ for form in route.answers]))}},
    }
    opens = route.access is Access.LOGIN
    if opens or _completes_login(route):
        response["headers"] |= {
            "Token": {"description": "The session's token.", "required": opens, "schema": {"type": "string"}},
            "Set-Cookie": {
                "description": "AUTHTOKEN, USERID and CSRF, each under the app's prefix. In a browser, STEP of a login "
                "that waited is deleted, and TRUST is set where the device is trusted.",
                "schema": {"type": "string"},
            },
        }
    return response


def _completes_login(route: Route) -> bool:
    """Return whether the call completes the login of a ticket that it is given, and answers as that login."""
    return route.access is Access.ENROLMENT and len(route.answers) > 1


def _refusal(status: int, words: set[str]) -> Json:
    response: Json = {
        "description": ", ".join(f"`{word}`" for word in sorted(words)),
        "headers": schemas.REQUEST_ID | (schemas.RETRY_AFTER if status in _WAITS else {}),
        "content": {"application/json": {"schema": reference(Failure)}},
    }
    if SECOND_FACTOR_REQUIRED.word in words:
        response["description"] += (
            ". The first holds a behaviour test where it is due; the last holds a ticket, "
            "and a browser gets the cookie STEP with it: complete the login at /users/login/second."
        )
        response["content"]["application/json"]["examples"] = {SECOND_FACTOR_REQUIRED.word: {"value": _WAITING}}
    return response


def _words() -> list[str]:
    return sorted({rule.word for rule in (*TABLE.values(), *WIRE_RULES)})


def _schemas(routes: Sequence[Route]) -> Json:
    answers = {answer for route in routes for answer in route.answers} | {Failure}
    requests = {route.body for route in routes} - {NoBody}
    bodies, results = schemas.components(requests), schemas.components(answers)
    for name, answer in _with_inner(answers).items():
        # An answer holds a field with a default too, so only fields that may be UNSET are optional.
        results[name]["required"] = [f.encode_name for f in msgspec.structs.fields(answer) if f.default is not UNSET]
    for name in bodies:
        # Required fields come first; the sort is stable.
        needed, properties = bodies[name]["required"], bodies[name]["properties"]
        for field in properties.values():
            _tell_default(field)
        bodies[name]["properties"] = {
            field: properties[field] if field in needed else _or_null(properties[field])
            for field in sorted(properties, key=lambda field: field not in needed)
        }
    results["Failure"]["properties"]["error"]["enum"] = _words()
    made = bodies | results
    several = [[form.__name__ for form in route.answers] for route in routes if len(route.answers) > 1]
    for names in several:
        _merge(made, names)
    # Some records stand only in what was made of several.
    alone = {answer.__name__ for route in routes if len(route.answers) == 1 for answer in route.answers}
    used = _reachable(made, {*bodies, *alone, Failure.__name__, *map(_either, several)})
    made = {name: made[name] for name in sorted(used)}
    _name_values(made)
    return made


def _either(names: Sequence[str]) -> str:
    """Return the name of the schema that stands for one record, or for any of several."""
    return "Or".join(names)


def _merge(made: Json, names: Sequence[str]) -> None:
    """Add a schema that each of several records fits: all fields, and needed are those that every record has.

    A choice (`anyOf`) would say more, but typescript-fetch keeps one of its records and drops the fields of the others.
    """
    parts = [made[name] for name in names]
    properties: Json = {}
    for key in dict.fromkeys(key for part in parts for key in part["properties"]):
        forms = [part["properties"][key] for part in parts if key in part["properties"]]
        records = list(dict.fromkeys(form["$ref"].rpartition("/")[2] for form in forms if "$ref" in form))
        if len(records) > 1:
            _merge(made, records)
        properties[key] = _ref(_either(records)) if records else _any_of(forms)
    made[_either(names)] = {
        "title": _either(names),
        "description": f"Hold {' or '.join(names)}: fields that only one of them has may be absent.",
        "type": "object",
        "properties": properties,
        "required": [key for key in parts[0]["required"] if all(key in part["required"] for part in parts)],
    }


def _any_of(forms: Sequence[Json]) -> Json:
    """Return the one form of a plain field, or a choice of its forms where records differ in it."""
    bare = [{key: value for key, value in form.items() if key != "description"} for form in forms]
    different = [form for at, form in enumerate(bare) if form not in bare[:at]]
    if len(different) == 1:
        return forms[0]
    kinds = {form.get("type") for form in different}
    # A field that one record says more about than the others may be anything of its type.
    return {"type": kinds.pop()} if len(kinds) == 1 else {"anyOf": different}


def _reachable(made: Json, names: set[str]) -> set[str]:
    """Return these names, and those of all schemas that theirs point to."""
    inner = {name for text in names for name in _POINTER.findall(json.dumps(made[text]))}
    return names if inner <= names else _reachable(made, names | inner)


def _ref(name: str) -> Json:
    return {"$ref": schemas.TEMPLATE.format(name=name)}


def _tell_default(field: Json) -> None:
    """Move a default into the description: generators make a field with a default one that is always sent."""
    default = field.pop("default", "")
    if isinstance(default, str) and default:
        field["description"] = f"{field.get('description', '')} `{default}` when it is absent.".strip()


def _name_values(part: Any) -> None:
    """Name the values of an enum of genders, which are no names in any language of programs."""
    for inner in part.values() if isinstance(part, dict) else part if isinstance(part, list) else ():
        _name_values(inner)
    if isinstance(part, dict) and set(part.get("enum", ())) <= set(_GENDERS):
        names = [_GENDERS[value] for value in part.get("enum", ())]
        part |= {"x-enum-varnames": names} if names else {}


def _or_null(schema: Json) -> Json:
    """Return the schema of an optional field: null is the same as leaving it out.

    Fields with an enum stay without it: generators drop a call that has an enum of two types.
    """
    return schema | {"type": [schema["type"], "null"]} if "type" in schema and "enum" not in schema else schema


def _with_inner(answers: Iterable[type[Struct]]) -> dict[str, type[Struct]]:
    found: dict[str, type[Struct]] = {}
    for answer in answers:
        found[answer.__name__] = answer
        for field in msgspec.structs.fields(answer):
            inner = getattr(field.type, "__args__", (field.type,))[0]
            if isinstance(inner, type) and issubclass(inner, Struct):
                found |= _with_inner([inner])
    return found


def _first_line(thing: object) -> str:
    return (inspect.getdoc(thing) or "").partition("\n")[0]
