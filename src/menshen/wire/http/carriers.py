"""Read the session token from the two headers that carry it: `Authorization: Bearer`, and `Token` as a login sent it.

weidu and the token check read them here. Must not know cookies. (docs/contracts/core.md section 3.4.)
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

CARRIERS: Final = frozenset({b"authorization", b"token", b"cookie"})
_NOT_ONE: Final = ""


def read_carriers(headers: Iterable[tuple[bytes, bytes]]) -> tuple[str | None, list[bytes]]:
    """Return the token of the two headers, and the Cookie headers. None: neither holds anything; "": not one token.

    An empty header is absent, and so is `Bearer` without a token. Both headers may say the same. Two tokens, one header
    twice, and another scheme are no token.
    """
    token: str | None = None
    jars: list[bytes] = []
    first, agreed = b"", False
    for name, value in headers:
        if name not in CARRIERS:
            continue
        if name == b"cookie":
            jars.append(value)
            continue
        text = value.decode("latin-1")
        if name == b"authorization":
            scheme, _, text = text.partition(" ")
            if scheme.lower() != "bearer" and (scheme or text):
                return _NOT_ONE, jars
        text = text.strip(" \t")
        if not text:
            continue
        if token is None:
            token, first = text, name
        elif agreed or text != token or name == first:
            return _NOT_ONE, jars
        else:
            agreed = True
    return token, jars
