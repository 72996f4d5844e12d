"""Decode a body into a Struct, one field at a time, so that a refusal can name the field.

Also holds the types that several calls share. Must not know the meaning of fields.
(docs/contracts/weidu.md section 1.1.)
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache
from typing import Annotated, Any, Final, TypeVar, get_args

import msgspec
from msgspec import Meta, Struct

from menshen.core.strict_json import NotStrictError, read_object
from menshen.wire.weidu.problems import FORBIDDEN_FIELD, Refused, invalid

_FIELD_NAME: Final = re.compile(r"[A-Za-z0-9_]{1,64}", re.ASCII)


@dataclass(frozen=True, slots=True)
class Whole:
    """Annotate a text that must match as a whole. msgspec's own `pattern` searches, and accepts a last line feed."""

    pattern: str


class NoBody(Struct, frozen=True):
    """Mark a call without a body: a body that is sent is not read."""


LoginId = Annotated[str, Meta(min_length=1, max_length=320, description="Phone, email or username.")]
Phone = Annotated[
    str,
    Meta(min_length=1, max_length=40, description="Phone; mainland China without a prefix.", examples=["13544285662"]),
]
Email = Annotated[str, Meta(min_length=1, max_length=320, examples=["ken@example.com"])]
Password = Annotated[str, Meta(min_length=1, max_length=4096)]
Code = Annotated[str, Meta(min_length=1, max_length=32, description="Six digits.", examples=["482913"])]
CaptchaToken = Annotated[str, Meta(min_length=1, max_length=4096, description="From the behaviour test.")]
MaybeCaptchaToken = Annotated[str, Meta(max_length=4096, description="From the behaviour test, when it is asked for.")]

B = TypeVar("B", bound=Struct)


def read(raw: bytes, body: type[B]) -> B:
    """Decode the bytes as a `body`. Required fields are checked first, then the others, in the order of the Struct.

    Raises:
        Refused: invalid_request, with the field unless the text is no strict JSON object.
    """
    try:
        given = read_object(raw)
    except NotStrictError:
        raise invalid() from None
    return convert(given, body)


def convert(given: dict[str, Any], body: type[B]) -> B:
    """Decode an object that is already parsed, as `read` does.

    Raises:
        Refused: invalid_request; forbidden_field for one of the Struct's `server_fields`.
    """
    forbidden: frozenset[str] = getattr(body, "server_fields", frozenset())
    for key in given:
        if key in forbidden:
            raise Refused(FORBIDDEN_FIELD, key)
    values: dict[str, Any] = {}
    shapes = _shapes(body)
    for shape in shapes:
        if shape.wire_name in given:
            values[shape.name] = _one(given[shape.wire_name], shape)
        elif shape.required:
            raise invalid(shape.wire_name)
    if body.__struct_config__.forbid_unknown_fields:
        known = {shape.wire_name for shape in shapes}
        for key in given:
            if key not in known:
                # Only a text in the form of a field name is repeated: an answer must not hold other text of a request.
                raise invalid(key if _FIELD_NAME.fullmatch(key) else None)
    return body(**values)


@dataclass(frozen=True, slots=True)
class _Shape:
    name: str
    wire_name: str
    type: Any
    required: bool
    whole: re.Pattern[str] | None


def _one(value: Any, shape: _Shape) -> Any:
    try:
        made = msgspec.convert(value, shape.type, strict=True)
    except msgspec.ValidationError:
        raise invalid(shape.wire_name) from None
    if shape.whole is not None and isinstance(made, str) and not shape.whole.fullmatch(made):
        raise invalid(shape.wire_name)
    return made


@cache
def _shapes(body: type[Struct]) -> tuple[_Shape, ...]:
    fields = sorted(msgspec.structs.fields(body), key=lambda field: not field.required)
    return tuple(
        _Shape(field.name, field.encode_name, field.type, field.required, _whole(field.type)) for field in fields
    )


def _whole(annotated: Any) -> re.Pattern[str] | None:
    """Return the pattern of a type's `Whole`, also when the type is in a union with UnsetType."""
    for inner in (annotated, *get_args(annotated)):
        for mark in getattr(inner, "__metadata__", ()):
            if isinstance(mark, Whole):
                return re.compile(mark.pattern)
    return None
