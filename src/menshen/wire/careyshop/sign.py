"""Compute and check the `sign` parameter: the parameters it covers, and the text of each JSON type.

It is a checksum of clients of 2018 and no security boundary: a right sign proves nothing. Must not know who has to send
one. (docs/contracts/careyshop.md section 3.3.)
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Mapping

from menshen.wire.careyshop.parameters import Value


def sign_of(parameters: Mapping[str, Value], secret: str) -> str:
    """Return the lower-case hex MD5 of all parameters but `sign`, with the app's secret on both sides. Never raises."""
    signed = sorted(
        (_bytes(name), text) for name, value in parameters.items() if (text := _text(name, value)) is not None
    )
    key = _bytes(secret)
    joined = b"".join(name + _bytes(text) for name, text in signed)
    return hashlib.md5(key + joined + key, usedforsecurity=False).hexdigest()  # the wire format's choice


def fits(parameters: Mapping[str, Value], secret: str) -> bool:
    """Check the `sign` among the parameters, in constant time. Never raises."""
    given = parameters.get("sign")
    if not isinstance(given, str):
        return False
    return hmac.compare_digest(_bytes(given), sign_of(parameters, secret).encode())


def float_text(value: float) -> str:
    """Return a float with 14 significant digits: 1.5, 1, -0, 1.0E+14, 1.0E-5."""
    text = f"{value:.14G}"
    mantissa, e, exponent = text.partition("E")
    if not e:
        return text
    if "." not in mantissa:
        mantissa += ".0"
    return f"{mantissa}E{exponent[0]}{exponent[1:].lstrip('0')}"


def _text(name: str, value: Value) -> str | None:
    """Return a value as it is signed, or None for a type that the sign leaves out."""
    if name in ("", "sign"):
        return None
    if isinstance(value, bool):
        return "1" if value else ""
    if isinstance(value, float):
        return float_text(value)
    if isinstance(value, str | int):
        return str(value)
    return None


def _bytes(text: str) -> bytes:
    return text.encode("utf-8", "surrogatepass")
