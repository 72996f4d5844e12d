"""Sign requests by SDK-HMAC-SHA256, as Huawei Cloud takes them. (docs/contracts/vendors.md section 3, "Huawei".)

A signature covers the method, the address and all headers that are given here. It covers the body by its digest,
unless the header `X-Sdk-Content-Sha256` says otherwise.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Final
from urllib.parse import parse_qsl, quote, unquote, urlsplit

from menshen.core.time import SECOND, Instant

ALGORITHM: Final = "SDK-HMAC-SHA256"
DATE: Final = "X-Sdk-Date"
PAYLOAD: Final = "X-Sdk-Content-Sha256"
UNSIGNED: Final = "UNSIGNED-PAYLOAD"
"""The value of `PAYLOAD` for a body that the signature does not cover."""


def date_of(now: Instant) -> str:
    """Return a time (epoch ms) as the value of `DATE`."""
    return datetime.fromtimestamp(now // SECOND, UTC).strftime("%Y%m%dT%H%M%SZ")


def authorization(
    access_key: str, secret: str, method: str, url: str, headers: Mapping[str, str], body: bytes = b""
) -> str:
    """Return the value of the header `Authorization`.

    `headers` are those to sign, `Host` and `DATE` among them. `url` and `body` are as they are sent.
    """
    signed = _signed(headers)
    to_sign = string_to_sign(signed[DATE.lower()], canonical_request(method, url, headers, body))
    signature = hmac.new(secret.encode(), to_sign.encode(), "sha256").hexdigest()
    return f"{ALGORITHM} Access={access_key}, SignedHeaders={';'.join(signed)}, Signature={signature}"


def canonical_request(method: str, url: str, headers: Mapping[str, str], body: bytes = b"") -> str:
    """Return a request in the one form that both sides make of it."""
    address = urlsplit(url)
    path = "/".join(_encoded(unquote(part)) for part in address.path.split("/"))
    pairs = sorted(parse_qsl(address.query, keep_blank_values=True))
    signed = _signed(headers)
    return "\n".join(
        [
            method.upper(),
            path if path.endswith("/") else f"{path}/",
            "&".join(f"{_encoded(name)}={_encoded(value)}" for name, value in pairs),
            *(f"{name}:{value}" for name, value in signed.items()),
            "",
            ";".join(signed),
            signed.get(PAYLOAD.lower()) or hashlib.sha256(body).hexdigest(),
        ]
    )


def string_to_sign(date: str, canonical: str) -> str:
    """Return the text under the signature. `date` is the value of `DATE`."""
    return f"{ALGORITHM}\n{date}\n{hashlib.sha256(canonical.encode()).hexdigest()}"


def _signed(headers: Mapping[str, str]) -> dict[str, str]:
    return dict(sorted((name.lower(), value.strip()) for name, value in headers.items()))


def _encoded(text: str) -> str:
    return quote(text, safe="~")
