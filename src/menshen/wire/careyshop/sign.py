"""The `sign` parameter: which parameters it covers, and how each JSON type becomes text.

A checksum that clients of 2018 speak, never a security boundary: nothing may be trusted because a sign
fits. Not known here: who must send one. (docs/contracts/careyshop.md section 3.3.)
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Mapping

from menshen.wire.careyshop.parameters import Value


def sign_of(parameters: Mapping[str, Value], secret: str) -> str:
    """Lower-case hex MD5 over all parameters but `sign`, wrapped in the app's secret. Never raises."""
    signed = sorted(
        (_bytes(name), text) for name, value in parameters.items() if (text := _text(name, value)) is not None
    )
    key = _bytes(secret)
    joined = b"".join(name + _bytes(text) for name, text in signed)
    return hashlib.md5(key + joined + key, usedforsecurity=False).hexdigest()  # the wire format's choice


def fits(parameters: Mapping[str, Value], secret: str) -> bool:
    """Whether the `sign` among the parameters is right, compared in constant time. Never raises."""
    given = parameters.get("sign")
    if not isinstance(given, str):
        return False
    return hmac.compare_digest(_bytes(given), sign_of(parameters, secret).encode())


def float_text(value: float) -> str:
    """A float with 14 significant digits: 1.5, 1, -0, 1.0E+14, 1.0E-5."""
    text = f"{value:.14G}"
    mantissa, e, exponent = text.partition("E")
    if not e:
        return text
    if "." not in mantissa:
        mantissa += ".0"
    return f"{mantissa}E{exponent[0]}{exponent[1:].lstrip('0')}"


def _text(name: str, value: Value) -> str | None:
    """A value as it is signed; None for what the sign leaves out."""
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
