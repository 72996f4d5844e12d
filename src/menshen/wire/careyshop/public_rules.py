"""Check the rules of the public parameters, in the contract's order.

A missing, "" or null parameter skips its rule. Must not know if app, token or method exist.
(docs/contracts/careyshop.md section 1.3.)
"""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import datetime, timedelta, timezone
from typing import Final

from menshen.core.strict_json import whole_number
from menshen.core.time import SECOND, Instant
from menshen.wire.careyshop import texts
from menshen.wire.careyshop.described.fields import APPKEY, CALLBACK, FORMAT, METHOD, SIGN, TOKEN
from menshen.wire.careyshop.parameters import Parameters, Value
from menshen.wire.careyshop.problems import Refused

SHANGHAI: Final = timezone(timedelta(hours=8))
"""China has had one offset since 1991, so present times need no time zone data."""

MAX_SKEW_SECONDS: Final = 600
_CALLBACK: Final = re.compile(CALLBACK.pattern, re.ASCII)
_EPOCH: Final = re.compile(r"-?[0-9]{1,18}", re.ASCII)
_DIGITS: Final = re.compile(r"[0-9]+", re.ASCII)
_MOMENT: Final = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}[ T][0-9]{2}:[0-9]{2}:[0-9]{2}(?:\.[0-9]{1,6})?(?:Z|[+-][0-9]{2}:?[0-9]{2})?", re.ASCII
)


def given(value: Value) -> bool:
    """Check that a parameter is not missing, null or empty."""
    return value is not None and value != ""


def check(parameters: Parameters, now: Instant) -> None:
    """Check all rules.

    Raises:
        Refused: with the text of the first rule that fails.
    """
    for name, rule in _RULES:
        if given(value := parameters.get(name)):
            rule(value, now)
    callback = parameters.get("callback")
    if parameters.get("format") == "jsonp" and given(callback) and not is_callback(callback):
        raise Refused(texts.SHAPE.format("callback"))


def appkey_of(parameters: Parameters) -> str | None:
    """Return the appkey as text if it is valid, else None."""
    text = scalar(parameters.get("appkey"))
    return text if text is not None and len(text) == APPKEY.most and _DIGITS.fullmatch(text) else None


def token_of(parameters: Parameters) -> str | None:
    """Return the token as text, or None. "" and "0" count as none."""
    text = scalar(parameters.get("token"))
    return None if text in ("", "0") else text


def is_callback(value: Value) -> bool:
    """Check if `value` may be the callback's name in a JSONP answer."""
    return isinstance(value, str) and _CALLBACK.fullmatch(value) is not None


def scalar(value: Value) -> str | None:
    """Return a text, or a whole number of JSON as text, or None for other types. 1.0 is the number 1."""
    if isinstance(value, str):
        return value
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    return None if (whole := whole_number(value)) is None else str(whole)


def _appkey(value: Value, now: Instant) -> None:
    text = scalar(value)
    if text is None or not _DIGITS.fullmatch(text):
        raise Refused(texts.NO_INTEGER.format("appkey"))
    if len(text) != APPKEY.most:
        raise Refused(texts.LENGTH.format("appkey", APPKEY.most))


def _token(value: Value, now: Instant) -> None:
    _at_most("token", TOKEN.most, value)


def _sign(value: Value, now: Instant) -> None:
    text = scalar(value)
    if text is None or len(text) < SIGN.least:
        raise Refused(texts.TOO_SHORT.format("sign", SIGN.least))


def _timestamp(value: Value, now: Instant) -> None:
    seconds = _seconds(value)
    if seconds is None:
        raise Refused(texts.TIMESTAMP_FORMAT)
    if abs(seconds - now // SECOND) > MAX_SKEW_SECONDS:
        raise Refused(texts.TIMESTAMP_EXPIRED)


def _seconds(value: Value) -> int | None:
    """Return unix seconds of digits, of `Y-m-d H:i:s` in Shanghai or of ISO 8601, else None."""
    text = scalar(value)
    if text is None or len(text) > 40:
        return None
    if _EPOCH.fullmatch(text):
        return int(text)
    if not _MOMENT.fullmatch(text):
        return None
    try:
        moment = datetime.fromisoformat(text)
        return int((moment if moment.tzinfo else moment.replace(tzinfo=SHANGHAI)).timestamp())
    except (ValueError, OverflowError):
        return None


def _format(value: Value, now: Instant) -> None:
    if value not in FORMAT.choices:
        raise Refused(texts.NOT_IN.format("format", ",".join(FORMAT.choices)))


def _method(value: Value, now: Instant) -> None:
    _at_most("method", METHOD.most, value)


def _callback(value: Value, now: Instant) -> None:
    _at_most("callback", CALLBACK.most, value)


def _at_most(name: str, most: int, value: Value) -> None:
    text = scalar(value)
    if text is None:
        raise Refused(texts.SHAPE.format(name))
    if len(text) > most:
        raise Refused(texts.TOO_LONG.format(name, most))


_RULES: Final[tuple[tuple[str, Callable[[Value, Instant], None]], ...]] = (
    ("appkey", _appkey),
    ("token", _token),
    ("sign", _sign),
    ("timestamp", _timestamp),
    ("format", _format),
    ("method", _method),
    ("callback", _callback),
)
