"""Read the query and the form of a request. Both are bounded, and a field that comes twice counts as absent."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final
from urllib.parse import parse_qsl

_MOST_FIELDS: Final = 60
FORM_LIMIT: Final = 16 * 1024
"""Longest form, in bytes. A file of a logo never comes this way."""
KIND: Final = "application/x-www-form-urlencoded"


class FormError(ValueError):
    """Report a form that no browser makes."""


def read_query(raw: bytes) -> Mapping[str, str]:
    """Return the fields of a query string. What is malformed is left out: a link must not lead to an error."""
    try:
        return _once(parse_qsl(raw.decode("ascii"), keep_blank_values=True, max_num_fields=_MOST_FIELDS))
    except (ValueError, UnicodeDecodeError):
        return {}


def read_form(body: bytes, content_type: str) -> Mapping[str, str]:
    """Return the fields of a form.

    Raises:
        FormError: another media type, text that is no UTF-8, or more than 60 fields.
    """
    if content_type.partition(";")[0].strip().lower() != KIND:
        raise FormError(content_type)
    try:
        text = body.decode("ascii")
        pairs = parse_qsl(text, keep_blank_values=True, max_num_fields=_MOST_FIELDS, errors="strict")
    except (ValueError, UnicodeDecodeError) as error:
        raise FormError("malformed") from error
    return _once(pairs)


def _once(pairs: list[tuple[str, str]]) -> Mapping[str, str]:
    fields: dict[str, str] = {}
    for name, value in pairs:
        fields[name] = "" if name in fields else value
    return fields
