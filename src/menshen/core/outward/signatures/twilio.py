"""Check the signature of what Twilio pushes: base64 of an HMAC over the address and the sorted parameters.

The key is the `auth_token` of the account. Twilio signs by SHA-1, or by SHA-256 where an account is set so.
(docs/contracts/vendors.md section 3, "Receipts".)
"""

from __future__ import annotations

import base64
import hmac
from collections.abc import Iterable
from typing import Final, Literal
from urllib.parse import urlsplit

HEADER: Final = "x-twilio-signature"
"""The header that holds the signature, in lower case."""

Digest = Literal["sha1", "sha256"]

_DIGESTS: Final[tuple[Digest, ...]] = ("sha1", "sha256")
_PORTS: Final = {"http": 80, "https": 443}


def signature(auth_token: str, url: str, parameters: Iterable[tuple[str, str]], digest: Digest = "sha1") -> str:
    """Return the signature of a form that is posted to `url`. `parameters` are in any order, as they were decoded."""
    text = url + "".join(name + value for name, value in sorted(parameters))
    mac = hmac.new(_bytes(auth_token), _bytes(text), digest)
    return base64.b64encode(mac.digest()).decode("ascii")


def is_signed(auth_token: str, url: str, parameters: Iterable[tuple[str, str]], given: str) -> bool:
    """Tell whether `given` is the signature, compared in constant time. An empty key signs nothing.

    Twilio may sign the address with its port or without it. Both are tried. Never raises.
    """
    pairs = [*parameters]
    matches = [
        hmac.compare_digest(_bytes(signature(auth_token, spelt, pairs, digest)), _bytes(given))
        for spelt in _spellings(url)
        for digest in _DIGESTS
    ]
    return bool(auth_token) and any(matches)


def _spellings(url: str) -> list[str]:
    """Return an address as it is, and with its port added or left out."""
    try:
        address = urlsplit(url)
        port = address.port
    except ValueError:
        return [url]
    if not address.hostname or address.scheme not in _PORTS:
        return [url]
    if port is None:
        other = f"{address.netloc.rstrip(':')}:{_PORTS[address.scheme]}"
    else:
        other = address.netloc.rpartition(":")[0]
    return [url, address._replace(netloc=other).geturl()]


def _bytes(text: str) -> bytes:
    return text.encode("utf-8", "replace")
