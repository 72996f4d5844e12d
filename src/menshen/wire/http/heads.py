"""Judge the head of a request, and refuse one that two servers could read differently.

Must not know connections. (docs/security/attacks.md HD-3, HD-8.)
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

_VERSIONS: Final = frozenset({"1.0", "1.1"})
_PARSED: Final = frozenset({b"GET", b"POST", b"HEAD", b"PUT", b"PATCH", b"DELETE", b"OPTIONS", b"TRACE", b"CONNECT"})
_REQUEST_LINE: Final = re.compile(rb"([A-Za-z-]{1,20}) /")

Headers = Sequence[tuple[bytes, bytes]]
"""Names in lower case, each with its value, in the order of arrival."""


class NotOneRequestError(Exception):
    """Stop the parser: a head is too large or ambiguous, or too many requests wait."""


def check_head(url: bytes, headers: Headers, version: str) -> None:
    """Refuse a head of an unknown HTTP version or of more than one reading.

    Raises:
        NotOneRequestError: the request must not be answered, and its connection ends.
    """
    if version not in _VERSIONS:
        raise NotOneRequestError
    if url[:1] != b"/":
        _check_absolute_url(url, headers)
    if version == "1.0" and any(name == b"transfer-encoding" for name, _ in headers):
        raise NotOneRequestError


def _check_absolute_url(url: bytes, headers: Headers) -> None:
    """Refuse `GET http://host/…` unless its host equals the Host header (RFC 9112 section 3.2.2)."""
    scheme, _, rest = url.partition(b"://")
    named = rest.partition(b"/")[0].lower()
    hosts = [value.lower() for name, value in headers if name == b"host"]
    if scheme.lower() not in {b"http", b"https"} or hosts != [named]:
        raise NotOneRequestError


def head_size(url: bytes, headers: Headers) -> int:
    """Return the bytes of a head, without its punctuation."""
    return len(url) + sum(len(name) + len(value) for name, value in headers)


def with_known_method(data: bytes) -> bytes:
    """Replace a method that the parser does not know by UNLINK, which it knows and no application answers.

    The parser would close the connection. So the application refuses it in its own style instead
    (docs/contracts/careyshop.md section 1.1).
    """
    line = _REQUEST_LINE.match(data)
    if line is None or line[1] in _PARSED:
        return data
    return b"UNLINK" + data[line.end(1) :]


def head_without_offer(method: bytes, url: bytes, version: str, headers: Headers) -> bytes:
    """Return the bytes of a head without its offer to upgrade. All else, the framing too, is as it came."""
    lines = [b"%s %s HTTP/%s" % (method, url, version.encode())]
    for name, value in headers:
        if name == b"connection":
            options = [option.strip() for option in value.split(b",")]
            lines.append(b"connection: " + b", ".join(one for one in options if one.lower() != b"upgrade"))
        elif name != b"upgrade":
            lines.append(name + b": " + value)
    return b"\r\n".join([*lines, b"", b""])
