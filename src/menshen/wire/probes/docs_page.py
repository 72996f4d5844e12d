"""Render OpenAPI documents as HTML pages: no script, no foreign host, one inline style allowed by its hash.

Must not know any call, only OpenAPI's format.
"""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Iterator, Sequence
from html import escape
from typing import Any, Final

Json = dict[str, Any]

_STYLE: Final = (
    "body{font:16px/1.5 system-ui,sans-serif;max-width:60rem;margin:2rem auto;padding:0 1rem}"
    "h2{margin-top:3rem;border-top:1px solid #ccc;padding-top:1rem}h2,code{font-family:ui-monospace,monospace}"
    "table{border-collapse:collapse;width:100%;margin:.5rem 0}td,th{text-align:left;vertical-align:top;"
    "padding:.2rem .6rem;border-bottom:1px solid #ddd}nav li{font-family:ui-monospace,monospace}.need{font-weight:bold}"
)
_STYLE_HASH: Final = base64.b64encode(hashlib.sha256(_STYLE.encode()).digest()).decode()

CONTENT_SECURITY_POLICY: Final = (
    f"default-src 'none'; style-src 'sha256-{_STYLE_HASH}'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
"""The header that the pages need."""

_EVERYWHERE: Final = frozenset({"X-Request-Id"})
"""Headers of each answer, which would only repeat themselves."""


def html(document: Json, source: str) -> bytes:
    """Return the page of one document in UTF-8. `document` is OpenAPI 3.1 with its schemas under components.

    `source` is the path of the document itself.
    """
    operations = list(_operations(document))
    schemes = document.get("components", {}).get("securitySchemes", {})
    parts = [
        *_head(document["info"]["title"], document["info"]["version"]),
        *_paragraphs(document["info"].get("description", "")),
        f'<p><a href="/docs">All documents</a>. <a href="{escape(source)}">This one for programs</a>.</p>',
        _table(
            document, [(name, _place(scheme), False, scheme.get("description", "")) for name, scheme in schemes.items()]
        ),
        "<nav><ul>",
        *(f'<li><a href="#{escape(anchor)}">{escape(name)}</a></li>' for anchor, name, _ in operations),
        "</ul></nav>",
        *(_section(document, anchor, name, operation) for anchor, name, operation in operations),
        "</body></html>",
    ]
    return "\n".join(parts).encode()


def index(listed: Sequence[tuple[str, str, Json]], whole: str) -> bytes:
    """Return the page that lists documents, in UTF-8. `listed`: the path of a page, that of the document, and itself.

    `whole` is the path of all documents in one.
    """
    parts = _head("Menshen", listed[0][2]["info"]["version"] if listed else "")
    for page, source, document in listed:
        info = document["info"]
        links = f'<a href="{escape(page)}">Calls</a>, <a href="{escape(source)}">OpenAPI</a>'
        count = sum(1 for _ in _operations(document))
        parts += [f"<h2>{escape(info['title'])}</h2>", *_paragraphs(info.get("description", ""))]
        parts.append(f"<p>{links}: {count} operations.</p>")
    parts.append(f'<p><a href="{escape(whole)}">All in one document</a>, for programs.</p></body></html>')
    return "\n".join(parts).encode()


def _head(title: str, version: str) -> list[str]:
    return [
        f'<!doctype html><html lang="en"><head><meta charset="utf-8"><title>{escape(title)}</title>',
        '<meta name="viewport" content="width=device-width,initial-scale=1">',
        f"<style>{_STYLE}</style></head><body>",
        f"<h1>{escape(title)} <small>{escape(version)}</small></h1>",
    ]


def _paragraphs(text: str) -> list[str]:
    return [f"<p>{_prose(part)}</p>" for part in text.split("\n\n") if part]


def _place(scheme: Json) -> Json:
    """Give where a secret travels in the form of a schema, so that a table can show it."""
    where = f"{scheme['in']} {scheme['name']}" if "in" in scheme else f"header Authorization: {scheme['scheme']}"
    return {"type": where}


def _operations(document: Json) -> Iterator[tuple[str, str, Json]]:
    for path, verbs in document["paths"].items():
        for verb, operation in verbs.items():
            yield operation["operationId"], f"{verb.upper()} {path}", operation


def _section(document: Json, anchor: str, name: str, operation: Json) -> str:
    parts = [
        f'<h2 id="{escape(anchor)}">{escape(name)}</h2>',
        f"<p>{_prose(operation.get('description', ''))}</p>",
    ]
    if summary := operation.get("summary"):
        parts.append(f"<p>{_prose(summary)}</p>")
    if security := operation.get("security"):
        ways = " or ".join(" + ".join(way) for way in security)
        parts.append(f"<p>Who: {escape(ways)}.</p>")
    rows = [
        (
            parameter["name"],
            parameter["schema"],
            bool(parameter.get("required")),
            f"{parameter['in']}. {parameter.get('description', '')}",
        )
        for parameter in operation.get("parameters", [])
    ]
    if body := operation.get("requestBody"):
        rows += list(_fields(document, body["content"]["application/json"]["schema"]))
        parts.append(f"<p>Body: {escape(', '.join(body['content']))}.</p>")
    if rows:
        parts.append(f"<h3>Request</h3>{_table(document, rows)}")
    for status, response in operation["responses"].items():
        parts.append(f"<h3>{escape(status)}</h3><p>{_prose(response['description'])}</p>")
        headers = [
            (name, header["schema"], False, header["description"])
            for name, header in response.get("headers", {}).items()
            if name not in _EVERYWHERE
        ]
        content = response.get("content", {})
        schema = content.get("application/json", {}).get("schema", {})
        forms = [list(_fields(document, form)) for form in schema.get("anyOf", [schema])]
        if status.startswith("2"):
            parts += [f"<p>{escape(', '.join(content))}</p>"] if content else []
            parts += [_table(document, rows) for rows in (headers, *forms)]
    return "\n".join(parts)


def _fields(document: Json, schema: Json, prefix: str = "") -> Iterator[tuple[str, Json, bool, str]]:
    """Yield (name, schema, required, description) for each field of an object; a field's inner fields follow it."""
    schema = _resolved(document, schema)
    required = schema.get("required", [])
    for name, field in schema.get("properties", {}).items():
        yield prefix + name, field, name in required, field.get("description", "")
        inner = _resolved(document, field.get("items", field))
        yield from _fields(document, inner, f"{prefix}{name}.")


def _table(document: Json, rows: list[tuple[str, Json, bool, str]]) -> str:
    if not rows:
        return ""
    lines = [
        _line(name, _kind(document, schema), description, required=required)
        for name, schema, required, description in rows
    ]
    return "<table><tr><th>field</th><th>type</th><th></th></tr>" + "".join(lines) + "</table>"


def _line(name: str, kind: str, description: str, *, required: bool) -> str:
    mark = ' class="need"' if required else ""
    return f"<tr><td><code{mark}>{escape(name)}</code></td><td>{escape(kind)}</td><td>{_prose(description)}</td></tr>"


def _kind(document: Json, schema: Json) -> str:
    schema = _resolved(document, schema)
    if "enum" in schema:
        return " | ".join(json.dumps(value, ensure_ascii=False) for value in schema["enum"])
    if "anyOf" in schema:
        return " | ".join(_kind(document, form) for form in schema["anyOf"])
    stated = schema.get("type", "any")
    kind = str(stated) if isinstance(stated, str) else " | ".join(stated)
    if kind == "array":
        return f"list of {_kind(document, schema['items'])}"
    limits = [
        f"{word} {schema[key]}"
        for key, word in (("minLength", "from"), ("maxLength", "to"), ("minimum", "from"), ("maximum", "to"))
        if key in schema
    ]
    return f"{kind} ({', '.join(limits)})" if limits else kind


def _resolved(document: Json, schema: Json) -> Json:
    reference = schema.get("$ref")
    if reference is None:
        return schema
    found: Json = document["components"]["schemas"][reference.rpartition("/")[2]]
    return found


def _prose(text: str) -> str:
    """Escape a text for HTML, and mark its `code`."""
    pieces = escape(text).split("`")
    return "".join(f"<code>{piece}</code>" if index % 2 else piece for index, piece in enumerate(pieces))
