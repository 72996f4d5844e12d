"""Make the OpenAPI 3.1 document of the endpoints outside of all dialects.

A test compares it with the route table, and with what each endpoint answers.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from menshen.core.apps import App
from menshen.wire.dialect import Access, Endpoint
from menshen.wire.http.cookies import cookie_name
from menshen.wire.probes.requirements import LEVEL, MOST, PROOFS, ROLE, VERIFY

Json = dict[str, Any]

_ABOUT: Final = """\
What a proxy, a monitor or a reader of documents asks. No call changes anything. HEAD is as GET, \
without the body."""
_WORDS: Final[Json] = {
    "name": "words",
    "in": "path",
    "required": True,
    "description": f"What the account must have: {', '.join(f'`{proof}`' for proof in sorted(PROOFS))}, `role-NAME`. "
    f"`{LEVEL}` asks for a login by two proofs. "
    f"Up to {MOST} words with `/` between them, in any order; each must hold.",
    "schema": {"type": "string", "pattern": f"^({'|'.join(sorted(PROOFS))}|{LEVEL}|{ROLE})(/.+)?$"},
}
_NAME: Final[Json] = {
    "name": "name",
    "in": "path",
    "required": True,
    "description": "A document that `/docs` lists.",
    "schema": {"type": "string", "pattern": "^[a-z][a-z0-9_]{0,31}$"},
}


def _text(value: str) -> Json:
    return {"description": value, "schema": {"type": "string"}}


_EMPTY: Final = "The body is empty."
_BUSY: Final[Json] = {
    "description": f"The database cannot be asked. Let nobody in. {_EMPTY}",
    "headers": {"Retry-After": _text("Seconds.")},
}
_ACCOUNT: Final[Json] = {
    "description": f"The token is good. {_EMPTY}",
    "headers": {
        "X-Account-Id": _text("The id of the account, 26 characters."),
        "X-Account-Number": _text("The number of the account."),
        "X-Roles": _text("The roles of the account."),
        "X-Auth-Level": _text("`1`: the login took one proof. `2`: it took two."),
    },
}
_NOBODY: Final[Json] = {
    "description": f"No good token, or good ones of two accounts. {_EMPTY}",
    "headers": {"WWW-Authenticate": _text("`Bearer`.")},
}
_UNKNOWN: Final[Json] = {
    "description": "`not_found`.",
    "content": {
        "application/json": {
            "schema": {
                "type": "object",
                "required": ["error"],
                "properties": {"error": {"type": "string", "enum": ["not_found"]}},
            }
        }
    },
}


def _of(kind: str, description: str, schema: Json | None = None) -> Json:
    return {"description": description, "content": {kind: {"schema": schema or {"type": "string"}}}}


_JSON_OBJECT: Final[Json] = {"type": "object", "required": ["openapi", "info", "paths"]}
_PAGE: Final = _of("text/html", "A page without scripts, that asks no other host.")
_DOCUMENT: Final = _of("application/json", "OpenAPI 3.1.", _JSON_OBJECT)

_ANSWERS: Final[dict[str, tuple[str, Json]]] = {
    VERIFY: ("Tell whose token a request carries.", {"204": _ACCOUNT, "401": _NOBODY, "503": _BUSY}),
    f"{VERIFY}/{{words}}": (
        "Tell the same, of accounts that have more than a token.",
        {
            "204": _ACCOUNT,
            "401": _NOBODY,
            "403": {"description": f"The account or its login lacks something of the path. {_EMPTY}"},
            "404": {"description": f"The path has a word that is none, whoever asks. {_EMPTY}"},
            "503": _BUSY,
        },
    ),
    "/livez": ("Tell that the process runs.", {"200": _of("text/plain", "`ok`")}),
    "/readyz": (
        "Tell that the database accepts writes.",
        {
            "200": _of("text/plain", "`ready`; a second line when the clock cannot be right."),
            "503": _of("text/plain", "`not ready`") | {"headers": {"Retry-After": _text("Seconds.")}},
        },
    ),
    "/metrics": (
        "Give the metrics to Prometheus.",
        {"200": _of("text/plain", "Metrics in Prometheus' text format."), "404": _UNKNOWN},
    ),
    "/openapi.json": ("Give all documents as one.", {"200": _DOCUMENT}),
    "/openapi/{name}.json": ("Give one document.", {"200": _DOCUMENT, "404": _UNKNOWN}),
    "/docs": ("List all documents.", {"200": _PAGE}),
    "/docs/{name}": ("Show one document.", {"200": _PAGE, "404": _UNKNOWN}),
}
_PARAMETERS: Final = {"words": _WORDS, "name": _NAME}


def openapi(endpoints: Sequence[Endpoint], version: str) -> Json:
    """Return the document, as `json.dumps` takes it. `version` is the program's."""
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Menshen: token check, health, metrics, documents",
            "version": version,
            "description": _ABOUT,
        },
        "paths": {endpoint.path: {endpoint.verb.lower(): _operation(endpoint)} for endpoint in endpoints},
        "components": {
            "schemas": {},
            "securitySchemes": {
                "bearer": {"type": "http", "scheme": "bearer", "description": "A token of any dialect."},
                "token": {"type": "apiKey", "in": "header", "name": "Token", "description": "The same, unchanged."},
                "cookie": {
                    "type": "apiKey",
                    "in": "cookie",
                    "name": cookie_name(App(0, "default", "", ""), "AUTHTOKEN"),
                    "description": "The AUTHTOKEN cookie of any app; its prefix is the app's.",
                },
            },
        },
    }


def _operation(endpoint: Endpoint) -> Json:
    summary, responses = _ANSWERS[endpoint.path]
    name = endpoint.path.strip("/").replace("/", "_").replace(".", "_").replace("{", "").replace("}", "")
    operation: Json = {
        "operationId": f"{endpoint.verb.lower()}_{name}",
        "summary": summary,
        "description": "This machine, and `[server] metrics_networks`." if endpoint.access is Access.MACHINE else "",
        "responses": responses,
    }
    parameters = [shown for name, shown in _PARAMETERS.items() if f"{{{name}}}" in endpoint.path]
    if parameters:
        operation["parameters"] = parameters
    if endpoint.path.startswith(VERIFY):
        operation["security"] = [{"bearer": []}, {"token": []}, {"cookie": []}]
    return operation
