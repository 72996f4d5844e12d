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

from menshen.core.codes.one_time_codes import DIGITS as CODE_DIGITS
from menshen.core.strict_json import NotStrictError, read_object, whole_number
from menshen.wire.weidu.problems import FORBIDDEN_FIELD, Refused, invalid

_FIELD_NAME: Final = re.compile(r"[A-Za-z0-9_]{1,64}", re.ASCII)
_SECONDS: Final = re.compile(r"[0-9]{1,15}", re.ASCII)

M = TypeVar("M")


@dataclass(frozen=True, slots=True)
class Whole:
    """Annotate a text that must match as a whole. msgspec's own `pattern` searches, and accepts a last line feed."""

    pattern: str


@dataclass(frozen=True, slots=True)
class Digits:
    """Annotate a text of digits, which may come as a whole number, too. A code has lost its leading zeros then.

    `width` is the least number of digits.
    """

    width: int = 1


@dataclass(frozen=True, slots=True)
class Seconds:
    """Annotate a whole number, which may come as a text of ASCII digits, too."""


class NoBody(Struct, frozen=True):
    """Mark a call without a body: a body that is sent is not read."""


LoginId = Annotated[str, Meta(min_length=1, max_length=320, description="Phone, email or username."), Digits()]
Phone = Annotated[
    str,
    Meta(min_length=1, max_length=40, description="Phone; mainland China without a prefix.", examples=["13544285662"]),
    Digits(),
]
Email = Annotated[str, Meta(min_length=1, max_length=320, examples=["ken@example.com"])]
Password = Annotated[str, Meta(min_length=1, max_length=4096)]
Code = Annotated[
    str, Meta(min_length=1, max_length=32, description="Six digits.", examples=["482913"]), Digits(CODE_DIGITS)
]
MaybePassword = Annotated[str, Meta(max_length=4096, description="The account's present password.")]
MaybeProofCode = Annotated[
    str,
    Meta(max_length=32, description="A code of purpose proof, sent to the present phone or email."),
    Digits(CODE_DIGITS),
]
Ticket = Annotated[str, Meta(min_length=1, max_length=128, description="From the refusal of the login that waits.")]
MaybeTicket = Annotated[
    str,
    Meta(max_length=128, description="From a login that must enrol; absent in a session. With it, no session counts."),
]
MaybeTrustToken = Annotated[str, Meta(max_length=128, description="From a login that trusted this device.")]
FactorName = Annotated[
    str, Meta(min_length=1, max_length=32, description="totp, recovery, passkey or sms.", examples=["totp"])
]
FactorCode = Annotated[str, Meta(min_length=1, max_length=64, examples=["482913"])]
MaybeFactorCode = Annotated[str, Meta(max_length=64, description="What a person typed.")]
MaybeSecondCode = Annotated[
    str, Meta(max_length=64, description="A TOTP or recovery code, which saves the second call.")
]
MaybeSmsCode = Annotated[
    str,
    Meta(max_length=32, description="From /users/login/second/sms, where the refusal had a `mobile`."),
]
Credential = Annotated[
    dict[str, Any],
    Meta(min_length=1, max_length=32, description="The JSON of the browser's PublicKeyCredential, as it is."),
]
PasskeyName = Annotated[str, Meta(min_length=1, max_length=64, description="What the owner calls it.")]
MaybePasskeyName = Annotated[str, Meta(max_length=64, description="What the owner calls it; else the server names it.")]
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
    """Decode an object that is already parsed, as `read` does. A field that is null is absent.

    Raises:
        Refused: invalid_request; forbidden_field for one of the Struct's `server_fields`.
    """
    forbidden: frozenset[str] = getattr(body, "server_fields", frozenset())
    for key in given:
        if key in forbidden:
            raise Refused(FORBIDDEN_FIELD, key)
    values: dict[str, Any] = {}
    required, optional = _shapes(body)
    for shape in required:
        value = given.get(shape.wire_name)
        if value is None:
            raise invalid(shape.wire_name)
        values[shape.name] = _one(value, shape)
    for shape in optional:
        if shape.wire_name in given and (value := given[shape.wire_name]) is not None:
            values[shape.name] = _one(value, shape)
    if body.__struct_config__.forbid_unknown_fields:
        known = {shape.wire_name for shape in (*required, *optional)}
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
    digits: Digits | None
    seconds: bool


def _one(value: Any, shape: _Shape) -> Any:
    try:
        meant = value if isinstance(value, str) and not shape.seconds else _as_meant(value, shape)
        made = msgspec.convert(meant, shape.type, strict=True)
    except msgspec.ValidationError:
        raise invalid(shape.wire_name) from None
    if shape.whole is not None and isinstance(made, str) and not shape.whole.fullmatch(made):
        raise invalid(shape.wire_name)
    return made


def _as_meant(value: Any, shape: _Shape) -> Any:
    """Return a number that has one reading in the type that the field wants, and all else unchanged.

    A whole float such as 1.0 is the integer (RFC 8259 section 6 knows one kind of number).
    """
    if isinstance(value, str):
        return int(value) if _SECONDS.fullmatch(value) else value
    number = whole_number(value)
    if number is None:
        return value
    return str(number).zfill(shape.digits.width) if shape.digits else number


@cache
def _shapes(body: type[Struct]) -> tuple[tuple[_Shape, ...], tuple[_Shape, ...]]:
    """Return the fields that must be there, and the others."""
    shapes = [_shape(field) for field in msgspec.structs.fields(body)]
    return tuple(each for each in shapes if each.required), tuple(each for each in shapes if not each.required)


def _shape(field: msgspec.structs.FieldInfo) -> _Shape:
    whole = _mark(field.type, Whole)
    return _Shape(
        field.name,
        field.encode_name,
        field.type,
        field.required,
        re.compile(whole.pattern) if whole else None,
        _mark(field.type, Digits),
        _mark(field.type, Seconds) is not None,
    )


def _mark(annotated: Any, kind: type[M]) -> M | None:
    """Return the mark of that kind on a type, also when the type is in a union with UnsetType."""
    for inner in (annotated, *get_args(annotated)):
        for mark in getattr(inner, "__metadata__", ()):
            if isinstance(mark, kind):
                return mark
    return None
