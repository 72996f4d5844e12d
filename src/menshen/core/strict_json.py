"""Read JSON objects strictly: refuse text that two parsers could read differently.

Duplicate keys, NaN and infinities, NUL, lone surrogates, byte order marks, deep nesting and huge
integers are refused. (docs/security/attacks.md TY-1 to TY-5.)
"""

from __future__ import annotations

import json
import math
import re
from typing import Any

# An unterminated string matches too, so that the regex scans no quote twice.
_BRACKETS_OR_STRING = re.compile(r'"[^"\\]*(?:\\.[^"\\]*)*"?|[\[{]|[\]}]', re.DOTALL)
_INTEGER_LIMIT = 2**63


class NotStrictError(ValueError):
    """Report a text that is no strict JSON object. Holds no part of the input."""


def read_object(raw: bytes, *, depth: int = 8, big_integers_as_floats: bool = False) -> dict[str, Any]:
    """Return the object in `raw`. Integers beyond 64 bits are refused, or become floats.

    Raises:
        NotStrictError: `raw` is not one strict JSON object at most `depth` deep; an empty body is none.
    """
    try:
        text = raw.decode("utf-8")
    except UnicodeDecodeError:
        raise NotStrictError("not UTF-8") from None
    if deeper_than(text, depth):
        raise NotStrictError("too deep")
    try:
        value = json.loads(
            text,
            object_pairs_hook=_unique,
            parse_constant=_refuse,
            parse_int=_integer_or_float if big_integers_as_floats else _integer,
            parse_float=_float,
        )
    except NotStrictError:
        raise
    except (ValueError, RecursionError):
        raise NotStrictError("not JSON") from None
    if not isinstance(value, dict):
        raise NotStrictError("not an object")
    _check_texts(value)
    return value


def deeper_than(text: str, depth: int) -> bool:
    """Check if brackets outside of strings nest deeper than `depth`, in linear time. Called before parsing."""
    level = 0
    for match in _BRACKETS_OR_STRING.finditer(text):
        mark = match[0]
        if mark in "[{":
            level += 1
            if level > depth:
                return True
        elif mark in "]}":
            level -= 1
    return False


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    made = dict(pairs)
    if len(made) != len(pairs):
        raise NotStrictError("duplicate key")
    return made


def _refuse(_: str) -> Any:
    raise NotStrictError("not a number")


def _integer(digits: str) -> int:
    if len(digits) > 20 or abs(value := int(digits)) >= _INTEGER_LIMIT:
        raise NotStrictError("number too large")
    return value


def _integer_or_float(digits: str) -> int | float:
    """Return a float for an integer beyond 64 bits, as languages without big integers do."""
    if len(digits) > 20 or not -_INTEGER_LIMIT <= (value := int(digits)) < _INTEGER_LIMIT:
        return _float(digits)
    return value


def _float(digits: str) -> float:
    # A shortened number would be another number, so a long one is refused.
    if len(digits) > 64 or not math.isfinite(value := float(digits)):
        raise NotStrictError("number too large")
    return value


def _check_texts(value: Any) -> None:
    if isinstance(value, str):
        if "\0" in value or (not value.isascii() and any("\ud800" <= c <= "\udfff" for c in value)):
            raise NotStrictError("character not allowed")
    elif isinstance(value, dict):
        for key, inner in value.items():
            _check_texts(key)
            _check_texts(inner)
    elif isinstance(value, list):
        for inner in value:
            _check_texts(inner)
