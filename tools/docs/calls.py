"""Write the calls of an OpenAPI document as a table: what each needs, may have, answers and refuses with."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from tools.docs.markdown import code, codes, table

Json = dict[str, Any]


def calls(document: Json, *, verbs: tuple[str, ...], below: str = "") -> str:
    """Give a row for each operation of these verbs. `below` is left out of the paths."""
    rows = [
        (code(f"{verb.upper()} {path.removeprefix(below)}"), *_row(document, operation))
        for path, by_verb in document["paths"].items()
        for verb, operation in by_verb.items()
        if verb in verbs
    ]
    return table(("call", "needs", "may have", "answers", "refuses with"), rows)


def fields(document: Json, name: str) -> Iterator[tuple[str, Json]]:
    """Give the names and schemas of the fields of a component."""
    yield from document["components"]["schemas"][name]["properties"].items()


def _row(document: Json, operation: Json) -> tuple[str, str, str, str]:
    shown = [(parameter["name"], bool(parameter.get("required"))) for parameter in operation.get("parameters", ())]
    if body := operation.get("requestBody"):
        schema = _resolved(document, body["content"]["application/json"]["schema"])
        shown += [(name, name in schema["required"]) for name in schema["properties"]]
    answers = operation["responses"]
    done = next(status for status in answers if status.startswith("2"))
    refused = "; ".join(
        f"{status}: {answer['description']}" for status, answer in answers.items() if not status.startswith("2")
    )
    needed, optional = ([name for name, needs in shown if needs is wanted] for wanted in (True, False))
    return codes(needed), codes(optional), _answer(document, answers[done], done), refused


def _answer(document: Json, answer: Json, status: str) -> str:
    content = answer.get("content", {})
    headers = [name for name in answer.get("headers", {}) if name not in {"X-Request-Id", "Retry-After"}]
    schema = content.get("application/json", {}).get("schema", {})
    schema = _resolved(document, schema["anyOf"][0] if "anyOf" in schema else schema)
    held = [name for name in schema.get("properties", {}) if name not in {"code", "result"}]
    parts = [status if status != "200" else "", codes(held) if held else ", ".join(content), codes(headers)]
    return "; ".join(filter(None, parts))


def _resolved(document: Json, schema: Json) -> Json:
    reference = schema.get("$ref")
    found: Json = document["components"]["schemas"][reference.rpartition("/")[2]] if reference else schema
    return found
