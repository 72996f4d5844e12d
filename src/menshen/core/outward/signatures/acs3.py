"""Sign requests to Aliyun by ACS3-HMAC-SHA256. (docs/contracts/vendors.md section 3, "Aliyun".)

All calls of Aliyun go to the path `/` of a service, and name their action in headers.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Final
from urllib.parse import quote, urlsplit

from menshen.core.secret import Secret
from menshen.core.time import SECOND, Instant

ALGORITHM: Final = "ACS3-HMAC-SHA256"


@dataclass(frozen=True, slots=True)
class Acs3Key:
    """Hold an access key of Aliyun. Neither half is shown in a repr."""

    key_id: str = field(repr=False)
    secret: Secret


def query_text(values: Mapping[str, str]) -> str:
    """Return `values` sorted by name and percent-encoded, with letters, digits and `-._~` kept (RFC 3986).

    This is the query to send, and the one to sign. It is a form for a body, too. A lone surrogate becomes `?`.
    """
    return "&".join(f"{_encoded(name)}={_encoded(values[name])}" for name in sorted(values))


def _encoded(text: str) -> str:
    return quote(text, safe="", errors="replace")


def signed_headers(
    key: Acs3Key,
    url: str,
    *,
    action: str,
    version: str,
    nonce: str,
    now: Instant,
    body: bytes = b"",
    content_type: str = "",
) -> dict[str, str]:
    """Return the headers of a POST to `url`, `Authorization` included.

    The query of `url` is from `query_text`. `nonce` is refused by the vendor when it comes again; `now` (epoch ms) may
    differ from the vendor's clock by 15 minutes. `content_type` goes with a body. `Host` is signed as `url` has it, and
    is not in the result: the client that sends the request writes it, from the same `url`.
    """
    address = urlsplit(url)
    headers = {
        "x-acs-action": action,
        "x-acs-content-sha256": hashlib.sha256(body).hexdigest(),
        "x-acs-date": datetime.fromtimestamp(now // SECOND, UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        "x-acs-signature-nonce": nonce,
        "x-acs-version": version,
    }
    if content_type:
        headers["content-type"] = content_type
    signed = {"host": address.netloc.rpartition("@")[2], **headers}
    request = canonical_request("POST", address.path or "/", address.query, signed, body)
    return {**headers, "Authorization": authorization(key, request, signed)}


def canonical_request(method: str, path: str, query: str, headers: Mapping[str, str], body: bytes) -> str:
    """Return the text that stands for a request. `query` is from `query_text`; all of `headers` are signed."""
    named = {name.lower(): value.strip() for name, value in headers.items()}
    lines = "".join(f"{name}:{named[name]}\n" for name in sorted(named))
    return "\n".join((method, path, query, lines, _names(headers), hashlib.sha256(body).hexdigest()))


def string_to_sign(request: str) -> str:
    """Return what is signed of a canonical request."""
    return f"{ALGORITHM}\n{hashlib.sha256(request.encode()).hexdigest()}"


def authorization(key: Acs3Key, request: str, headers: Mapping[str, str]) -> str:
    """Return the header `Authorization` for a canonical request, made from the same `headers`."""
    signature = hmac.new(key.secret.encode(), string_to_sign(request).encode(), "sha256").hexdigest()
    return f"{ALGORITHM} Credential={key.key_id},SignedHeaders={_names(headers)},Signature={signature}"


def _names(headers: Mapping[str, str]) -> str:
    return ";".join(sorted(name.lower() for name in headers))
