"""Read JSON objects strictly. Refuse texts that two parsers could read differently.

Duplicate keys, NaN and infinities, NUL, lone surrogates, deep nesting and huge integers are refused.
A byte order mark before the text is skipped (RFC 8259 section 8.1). (docs/security/attacks.md TY-1 to TY-5.)
"""

from __future__ import annotations

import json
import math
import re
from codecs import BOM_UTF8
from typing import Any

# An unterminated string also matches, so that the regex scans no quote twice.
_BRACKETS_OR_STRING = re.compile(r'"[^"\\]*(?:\\.[^"\\]*)*"?|[\[{]|[\]}]', re.DOTALL)
_INTEGER_LIMIT = 2**63
_EXACT_FLOATS = 2**53


class NotStrictError(ValueError):
    """Report a text that is not a strict JSON object. The error holds no part of the input."""


def read_object(raw: bytes, *, depth: int = 8, big_integers_as_floats: bool = False) -> dict[str, Any]:
    """Return the object in `raw`. Integers beyond 64 bits are refused, or become floats.

    Raises:
        NotStrictError: `raw` is not one strict JSON object of at most `depth` levels. An empty body is not one either.
    """
    try:
        text = raw.removeprefix(BOM_UTF8).decode("utf-8")
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


def whole_number(value: object) -> int | None:
    """Return a JSON number that is whole, exact and not negative as an integer, else None. A bool is no number.

    A float is exact below 2**53: from there on, several integers have the same float.
    """
    if isinstance(value, float):
        exact = value.is_integer() and 0 <= value < _EXACT_FLOATS and math.copysign(1, value) > 0
        return int(value) if exact else None
    return value if isinstance(value, int) and not isinstance(value, bool) and value >= 0 else None


def deeper_than(text: str, depth: int) -> bool:
    """Return whether brackets outside of strings nest deeper than `depth`. Takes linear time. Called before parsing."""
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
    # Cutting a long number would change its value, so it is refused.
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
