"""Read a call's parameters: query, then body, then path pairs, where the later wins. JSON types are kept.

An unreadable source counts as empty. Too many or too deep parameters are refused with a text. Must not know the meaning
of parameters. (docs/contracts/careyshop.md section 1.2.)
"""

from __future__ import annotations

import re
from codecs import BOM_UTF8
from collections.abc import Iterable, Mapping
from typing import Any, Final
from urllib.parse import unquote_to_bytes

from python_multipart.exceptions import FormParserError
from python_multipart.multipart import MultipartParser, parse_options_header

from menshen.core.strict_json import NotStrictError, deeper_than, read_object
from menshen.wire.careyshop import texts
from menshen.wire.careyshop.problems import Refused

Value = str | int | float | list[Any] | dict[str, Any] | None
"""A JSON value (bool is an int). Forms hold texts, lists and dicts of them."""
Parameters = Mapping[str, Value]

MAX_PARAMETERS: Final = 64
MAX_DEPTH: Final = 8
_BRACKETED: Final = re.compile(r"((?:\[[^\]]*\])+)", re.DOTALL)
_KEY: Final = re.compile(r"\[([^\]]*)\]", re.DOTALL)


class _UnreadableError(ValueError):
    """Report bytes that are not UTF-8, or text with a NUL."""


def of_query(raw: bytes) -> dict[str, Value]:
    """Return the parameters of a query string or an urlencoded body.

    Raises:
        Refused: more than 64, or nested deeper than 8.
    """
    pairs = [pair for pair in raw.split(b"&") if pair]
    if len(pairs) > MAX_PARAMETERS:
        raise Refused(texts.TOO_MANY_PARAMETERS)
    split = (pair.partition(b"=") for pair in pairs)
    try:
        return _form((_plus_decoded(name), _plus_decoded(value)) for name, _, value in split)
    except _UnreadableError:
        return {}


def of_body(raw: bytes, content_type: str) -> dict[str, Value]:
    """Return the parameters of a body. JSON is known by its content type or by its content, forms by their type.

    Raises:
        Refused: more than 64, or nested deeper than 8.
    """
    kind = content_type.lower()
    if "json" in kind:
        return _json(raw) or {}
    if kind.startswith("multipart/form-data"):
        return _multipart(raw, content_type)
    # Clients in browsers send JSON under a simple content type, which needs no preflight.
    if raw.removeprefix(BOM_UTF8).lstrip(b" \t\r\n").startswith(b"{") and (held := _json(raw)) is not None:
        return held
    return of_query(raw) if kind.startswith("application/x-www-form-urlencoded") else {}


def of_path(segments: Iterable[bytes]) -> dict[str, Value]:
    """Return the parameters of `/name/value/name/value`, with percent-encoded segments. An odd last one is dropped.

    Raises:
        Refused: more than 64.
    """
    parts = list(segments)
    if len(parts) > MAX_PARAMETERS * 2:
        raise Refused(texts.TOO_MANY_PARAMETERS)
    try:
        pairs = [(_decoded(name), _decoded(value)) for name, value in zip(parts[::2], parts[1::2], strict=False)]
    except _UnreadableError:
        return {}
    return {name: value for name, value in pairs if name}


def merged(*sources: Parameters) -> dict[str, Value]:
    """Merge all sources. The later wins.

    Raises:
        Refused: more than 64 together.
    """
    made: dict[str, Value] = {}
    for source in sources:
        made |= source
    if len(made) > MAX_PARAMETERS:
        raise Refused(texts.TOO_MANY_PARAMETERS)
    return made


def _json(raw: bytes) -> dict[str, Value] | None:
    """Return the object in `raw`, or None if it is no strict JSON object."""
    try:
        if deeper_than(raw.decode("utf-8"), MAX_DEPTH):
            raise Refused(texts.TOO_DEEP)
        made = read_object(raw, depth=MAX_DEPTH, big_integers_as_floats=True)
    except (NotStrictError, UnicodeDecodeError):
        return None
    if len(made) > MAX_PARAMETERS:
        raise Refused(texts.TOO_MANY_PARAMETERS)
    return made


def _multipart(raw: bytes, content_type: str) -> dict[str, Value]:
    """Return the texts of a multipart form. Files are left out."""
    _, options = parse_options_header(content_type)
    boundary = options.get(b"boundary", b"")
    if not boundary:
        return {}
    pairs: list[tuple[str, str]] = []
    part = _Part()

    def finish() -> None:
        if (name := part.name()) is not None:
            pairs.append((name, _checked(bytes(part.data))))

    try:
        # Inside `try`, because it raises for a boundary that is too long.
        parser = MultipartParser(
            boundary,
            {
                "on_part_begin": part.begin,
                "on_header_field": part.header_field,
                "on_header_value": part.header_value,
                "on_part_data": part.part_data,
                "on_part_end": finish,
            },
        )
        parser.write(raw)
        parser.finalize()
        if len(pairs) > MAX_PARAMETERS:
            raise Refused(texts.TOO_MANY_PARAMETERS)
        return _form(pairs)
    except (FormParserError, _UnreadableError):
        return {}


class _Part:
    """Collect one part of a multipart body during parsing."""

    def __init__(self) -> None:
        self.begin()

    def begin(self) -> None:
        self.field, self.value, self.data = bytearray(), bytearray(), bytearray()
        self.disposition = b""

    def header_field(self, data: bytes, start: int, end: int) -> None:
        if self.value:
            self.field, self.value = bytearray(), bytearray()
        self.field += data[start:end]

    def header_value(self, data: bytes, start: int, end: int) -> None:
        self.value += data[start:end]
        if self.field.lower() == b"content-disposition":
            self.disposition = bytes(self.value)

    def part_data(self, data: bytes, start: int, end: int) -> None:
        self.data += data[start:end]

    def name(self) -> str | None:
        """Return the field's name, or None for a file or a part without a name."""
        _, options = parse_options_header(self.disposition)
        if b"filename" in options or b"name" not in options:
            return None
        return _checked(options[b"name"])


def _form(pairs: Iterable[tuple[str, str]]) -> dict[str, Value]:
    """Store texts under their form names: `.` and space become `_`, `a[]` appends, `a[b]` nests."""
    tree: dict[str, Any] = {}
    for name, value in pairs:
        path = _name_path(name)
        if not path[0]:
            continue
        if len(path) > MAX_DEPTH:
            raise Refused(texts.TOO_DEEP)
        node = tree
        for key in path[:-1]:
            place = _place(node, key)
            if not isinstance(node.get(place), dict):
                node[place] = {}
            node = node[place]
        node[_place(node, path[-1])] = value
    return {name: _listed(value) for name, value in tree.items()}


def _name_path(name: str) -> list[str]:
    """Split a form name: `a.b[c][]` -> ["a_b", "c", ""]. An unclosed bracket is part of the name."""
    stem, bracket, _ = name.partition("[")
    keys = _BRACKETED.match(name, len(stem)) if bracket and stem.strip() else None
    if keys is None:
        stem = name.replace("[", "_")
    stem = re.sub(r"[. ]", "_", stem.lstrip(" "))
    return [stem, *_KEY.findall(keys[1])] if keys else [stem]


def _place(node: dict[str, Any], key: str) -> str:
    """Return the key to use in `node`: `[]` takes the next number."""
    if key:
        return key
    return str(max((int(k) for k in node if k.isascii() and k.isdigit() and len(k) < 10), default=-1) + 1)


def _listed(value: Any) -> Any:
    """Turn a dict with the keys 0, 1, 2… into a list."""
    if not isinstance(value, dict):
        return value
    made = {key: _listed(inner) for key, inner in value.items()}
    return list(made.values()) if list(made) == [str(n) for n in range(len(made))] else made


def _plus_decoded(raw: bytes) -> str:
    return _decoded(raw.replace(b"+", b" "))


def _decoded(raw: bytes) -> str:
    return _checked(unquote_to_bytes(raw))


def _checked(raw: bytes) -> str:
    try:
        text = raw.decode("utf-8")
    except UnicodeDecodeError:
        raise _UnreadableError from None
    if "\0" in text:
        raise _UnreadableError
    return text
