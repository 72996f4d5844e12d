"""The sign as the contract describes it, written a second time: nothing here is taken from the dialect."""

import hashlib
from collections.abc import Mapping
from decimal import ROUND_HALF_EVEN, Context, Decimal
from typing import Any


def sign(parameters: Mapping[str, Any], secret: str) -> str:
    joined = ""
    for name in sorted(parameters, key=lambda name: list(name.encode())):
        value = parameters[name]
        if name in ("", "sign") or value is None or isinstance(value, dict | list):
            continue
        joined += name + as_text(value)
    return hashlib.md5(f"{secret}{joined}{secret}".encode()).hexdigest()


def as_text(value: Any) -> str:
    if value is True:
        return "1"
    if value is False:
        return ""
    if isinstance(value, float):
        return float_as_text(value)
    return str(value)


def float_as_text(value: float) -> str:
    """By hand: 14 significant digits, no zeros behind them, and an exponent outside of 10^-5 < x < 10^14."""
    rounded = Decimal(value).normalize(Context(prec=14, rounding=ROUND_HALF_EVEN))
    sign_, digits, exponent = rounded.as_tuple()
    assert isinstance(exponent, int)
    minus = "-" if sign_ else ""
    text = "".join(map(str, digits))
    if text == "0":
        return minus + "0"
    power = len(text) - 1 + exponent
    if power < -4 or power >= 14:
        return f"{minus}{text[0]}.{text[1:] or '0'}E{'+' if power > 0 else '-'}{abs(power)}"
    if exponent >= 0:
        return minus + text + "0" * exponent
    if power < 0:
        return minus + "0." + "0" * (-power - 1) + text
    return f"{minus}{text[: power + 1]}.{text[power + 1 :]}"
