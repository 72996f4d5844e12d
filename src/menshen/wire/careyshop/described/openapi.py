"""Make the OpenAPI 3.1 document of this dialect from the table of methods.

Parameters and refusals come from what `reads` attached to a handler and from its use case, answers from the handler's
own annotation. The tests compare them with what is read and answered.
"""

from __future__ import annotations

import inspect
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final, get_args, get_type_hints

from menshen.core.problems import ProblemCode
from menshen.flows.catalog import use_cases
from menshen.wire.careyshop import batch, problems, texts
from menshen.wire.careyshop.call import Handler
from menshen.wire.careyshop.described import answers, fields
from menshen.wire.careyshop.described.fields import Field, reads_of
from menshen.wire.careyshop.envelope import Picture
from menshen.wire.careyshop.methods import Method, Who
from menshen.wire.http import schemas
from menshen.wire.http.schemas import Json

_EVERY_CALL: Final = (
    *(texts.APP, texts.SIGN_MISSING, texts.SIGN_WRONG, texts.TIMESTAMP_FORMAT, texts.TIMESTAMP_EXPIRED),
    *(texts.BODY_TOO_LARGE, texts.BODY_TOO_SLOW, texts.TOO_MANY_PARAMETERS, texts.TOO_DEEP, texts.BUSY),
)
_ABOUT: Final = f"""\
A call is a method of a controller, by GET or POST. Its parameters are taken from the query, then the body (a form, \
multipart or JSON), then pairs in the path; the later wins. Texts and JSON integers are taken alike. Use POST: \
passwords in an address end in logs. A token is taken there too, and for that reason is not described there.

Over plain HTTP the status is 200 for every answer. Over HTTPS, and for apps that mirror it, it equals `status` in the \
body. So a client reads `status` and `message` of the body.

`sign` is the MD5, in lower-case hex, of the app's secret, then name and value of each other parameter in the order of \
the names' bytes, then the secret again. Lists, objects and null are left out; true is `1`, false is empty. It is \
needed with a token, in a batch, and where an app asks for it. It proves nothing: a client's secret is no secret.

An unknown address gets `status` 404, `{texts.NOT_FOUND}`; an unknown method 403, `{texts.FORBIDDEN}`. \
Beside its own texts, every call can be refused with `status` 500 by the rule of a parameter, or with: \
{", ".join(f"`{text}`" for text in _EVERY_CALL)}. A limit adds the header Retry-After (seconds)."""
_CAN_WAIT: Final = frozenset({200, 500})
_NOT_SHOWN: Final = frozenset({fields.METHOD.name})
"""The path names the method."""


@dataclass(frozen=True, slots=True)
class _Call:
    """Hold a row of the document: a method of the table, or the batch."""

    name: str
    path: str
    controller: str
    handler: Handler
    app: bool
    sign: bool
    session: bool
    codes: frozenset[ProblemCode]


def openapi(methods: Sequence[Method], version: str) -> Json:
    """Return the document, as `json.dumps` takes it. `version` is the program's."""
    calls = list(_calls(methods))
    return {
        "openapi": "3.1.0",
        "info": {"title": "Menshen: the CareyShop user API", "version": version, "description": _ABOUT},
        "paths": {call.path: {verb: _operation(call, verb) for verb in ("get", "post")} for call in calls},
        "components": {
            "schemas": _schemas(calls),
            "securitySchemes": {
                "bearer": {"type": "http", "scheme": "bearer", "description": "The token of a login."},
            },
        },
    }


def _calls(methods: Sequence[Method]) -> Iterator[_Call]:
    refusals = {name: described.refusals for name, described in use_cases().items()}
    for m in methods:
        codes = refusals.get(m.flow, frozenset())
        path = f"/api/v1/{m.controller}/method/{m.name}"
        yield _Call(m.name, path, m.controller, m.handler, m.app, m.sign, m.who is Who.ACCOUNT, codes)
    yield _Call("batch", "/api/batch", "batch", batch.run, app=True, sign=True, session=False, codes=frozenset())


def _operation(call: _Call, verb: str) -> Json:
    module = inspect.getmodule(call.handler)
    operation: Json = {
        "operationId": f"{verb}_{call.name.replace('.', '_')}",
        "summary": " ".join((inspect.getdoc(call.handler) or "").split()),
        "description": inspect.getdoc(module) or "",
        "tags": [call.controller],
        "responses": _responses(call),
    }
    if call.session:
        # Without the header, the body holds the token.
        operation["security"] = [{"bearer": []}] if verb == "get" else [{"bearer": []}, {}]
    if verb == "get":
        operation["parameters"] = [
            _query(field, needed=needed) for field, needed in _parameters(call) if field is not fields.TOKEN
        ]
    else:
        body: Json = {"schema": {"$ref": schemas.TEMPLATE.format(name=_name(call, "Request"))}}
        kinds = ("application/x-www-form-urlencoded", "multipart/form-data", "application/json")
        needed = any(needed for _, needed in _parameters(call))
        operation["requestBody"] = {"required": needed, "content": dict.fromkeys(kinds, body)}
    return operation


def _parameters(call: _Call) -> Iterator[tuple[Field, bool]]:
    """Yield each parameter, and whether the call needs it: its own first, then the public ones."""
    described = reads_of(call.handler)
    yield from ((field, True) for field in described.needed)
    needed = {fields.APPKEY.name} if call.app else set()
    needed |= {fields.SIGN.name} if call.sign else set()
    public = [field for field in fields.PUBLIC if field.name not in _NOT_SHOWN]
    yield from ((field, True) for field in public if field.name in needed)
    yield from ((field, False) for field in described.optional)
    yield from ((field, False) for field in public if field.name not in needed)


def _query(field: Field, *, needed: bool) -> Json:
    shown: Json = {"name": field.name, "in": "query", "required": needed, "description": field.about}
    if field is fields.BATCH:
        return shown | {"style": "deepObject", "explode": True, "schema": {"type": "object"}}
    return shown | {"schema": _schema(field)}


def _schema(field: Field) -> Json:
    if field is fields.BATCH:
        return {"type": "array", "maxItems": batch.MAX_ITEMS, "minItems": 1, "items": _ITEM}
    made: Json = {"type": "string"}
    if field.choices:
        return made | {"enum": [*field.choices]}
    if field.least:
        made["minLength"] = field.least
    if field.most:
        made["maxLength"] = field.most
    if field.pattern:
        made["pattern"] = f"^{field.pattern}$"
    if field.example:
        made["examples"] = [field.example]
    return made


_ITEM: Final[Json] = {
    "type": "object",
    "required": ["version", "controller", "method"],
    "properties": {
        "version": {"type": "string", "enum": [batch.VERSION]},
        "controller": {"type": "string"},
        "method": {"type": "string"},
    },
    "additionalProperties": True,
}


def _responses(call: _Call) -> Json:
    refused: dict[int, set[str]] = {
        401: {text for status, text in problems.TABLE.values() if status == 401},
        500: {*reads_of(call.handler).refuses},
    }
    if call.session:
        refused[403] = {texts.FORBIDDEN}
    for code in call.codes:
        for status, text in problems.wordings(code, reads_of(call.handler).reworded):
            refused.setdefault(status, set()).add(text)
    done: Json = {"$ref": schemas.TEMPLATE.format(name=_name(call, "Answer"))}
    refusal: Json = {"$ref": schemas.TEMPLATE.format(name="Refusal")}
    due: Json = {"$ref": schemas.TEMPLATE.format(name="StepRefusal")}
    steps = reads_of(call.handler).steps
    forms = [done, refusal, due] if steps else [done, refusal]
    success = _answer(200, "Done. Over plain HTTP also each refusal below.", {"anyOf": forms})
    if reads_of(call.handler).picture:
        success["content"]["image/png"] = {"schema": {"type": "string", "format": "binary"}}
    return {"200": success} | {
        str(status): _answer(
            status, _told(refused[status]), {"anyOf": [refusal, due]} if steps and status == 500 else refusal
        )
        for status in sorted(refused)
    }


def _told(said: set[str]) -> str:
    listed = ", ".join(f"`{text}`" for text in sorted(said))
    return listed or "The rule of a parameter, or what refuses every call."


def _answer(status: int, description: str, schema: Json) -> Json:
    """Describe an answer in the three formats. Only JSON has a schema: the others hold the same fields."""
    as_text = {"schema": {"type": "string"}}
    content = {"application/json": {"schema": schema}, "application/javascript": as_text, "text/xml": as_text}
    headers = schemas.REQUEST_ID | (schemas.RETRY_AFTER if status in _CAN_WAIT else {})
    return {"description": description, "headers": headers, "content": content}


def _schemas(calls: Sequence[_Call]) -> Json:
    made: Json = schemas.components({answers.StepDue} | {kind for call in calls for kind in _records(_data(call))})
    for name, schema in made.items():
        # In the order of the wire: msgspec sorts the keys of a TypedDict.
        order = get_type_hints(getattr(answers, name))
        schema["properties"] = {key: schema["properties"][key] for key in order}
    for call in calls:
        parameters = list(_parameters(call))
        made[_name(call, "Request")] = {
            "type": "object",
            "required": [field.name for field, needed in parameters if needed],
            "properties": {field.name: _schema(field) | {"description": field.about} for field, _ in parameters},
        }
        made[_name(call, "Answer")] = _envelope({"enum": [200]}, {"enum": [texts.SUCCESS]}, _of(_data(call)))
    statuses = sorted({status for status, _ in problems.TABLE.values()} | {404})
    made["Refusal"] = _envelope({"enum": statuses}, {}, {"type": "null"})
    made["StepRefusal"] = _envelope({"enum": [500]}, {}, {"$ref": schemas.TEMPLATE.format(name="StepDue")})
    return dict(sorted(made.items()))


def _envelope(status: Json, message: Json, data: Json) -> Json:
    properties = {"status": {"type": "integer", **status}, "message": {"type": "string", **message}, "data": data}
    return {"type": "object", "required": [*properties], "properties": properties}


def _data(call: _Call) -> list[Any]:
    """Return the forms of the data of a success: the annotation of the handler, without the picture."""
    kind = get_type_hints(call.handler)["return"]
    union = get_args(kind) if get_args(kind) and not hasattr(kind, "__origin__") else (kind,)
    return [form for form in union if form is not Picture]


def _of(forms: list[Any]) -> Json:
    shapes = [{"type": "boolean", "enum": [True]} if form is bool else schemas.schema_of(form) for form in forms]
    return shapes[0] if len(shapes) == 1 else {"anyOf": shapes}


def _records(forms: list[Any]) -> set[type]:
    inner = {part for form in forms for part in (form, *get_args(form))}
    return {part for part in inner if isinstance(part, type) and hasattr(part, "__total__")}


def _name(call: _Call, kind: str) -> str:
    return "".join(part.capitalize() for part in call.name.split(".")) + kind
