"""Sign requests with HMAC-SHA256 as Volcengine does it. (docs/contracts/vendors.md section 3, "Volcengine".)

The algorithm is of the family of AWS Signature 4. Only a POST of JSON to `/` with a query can be signed: all calls are
of this form. No I/O and no clock.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Final
from urllib.parse import quote

from menshen.core.secret import Secret
from menshen.core.time import SECOND, Instant

ALGORITHM: Final = "HMAC-SHA256"
CONTENT_TYPE: Final = "application/json"

_SIGNED_NAMES: Final = "content-type;host;x-content-sha256;x-date"


@dataclass(frozen=True, slots=True)
class VolcengineKey:
    """Hold a key of an account: its id, which requests show, and its secret."""

    access_key_id: str = field(repr=False)
    secret_access_key: Secret


@dataclass(frozen=True, slots=True)
class VolcengineCall:
    """Hold one call of an API.

    `host` stands in the header `Host` as it is here. `query` names action and version. `region` and `service` are the
    scope of the key. `body` is the JSON text that is sent. `now` (epoch ms) is the time of the call.
    """

    host: str
    query: Mapping[str, str]
    region: str
    service: str
    now: Instant
    body: bytes = field(repr=False)


def headers_of(call: VolcengineCall, key: VolcengineKey) -> dict[str, str]:
    """Return all headers of a call, in the order in which they are sent, with its signature in `Authorization`."""
    signature = _mac(_key_of(call, key.secret_access_key), string_to_sign(call)).hex()
    return {
        "Host": call.host,
        "Content-Type": CONTENT_TYPE,
        "X-Date": _time_of(call),
        "X-Content-Sha256": _digest(call.body),
        "Authorization": f"{ALGORITHM} Credential={key.access_key_id}/{_scope_of(call)}, "
        f"SignedHeaders={_SIGNED_NAMES}, Signature={signature}",
    }


def target_of(call: VolcengineCall) -> str:
    """Return path and query of a call, as they are signed and sent."""
    return f"/?{_query_of(call)}"


def canonical_request(call: VolcengineCall) -> str:
    """Return the form of the request that is signed: query, four headers, and the digest of the body."""
    digest = _digest(call.body)
    headers = f"content-type:{CONTENT_TYPE}\nhost:{call.host}\nx-content-sha256:{digest}\nx-date:{_time_of(call)}\n"
    return f"POST\n/\n{_query_of(call)}\n{headers}\n{_SIGNED_NAMES}\n{digest}"


def string_to_sign(call: VolcengineCall) -> str:
    """Return the text that is signed: time, scope, and the digest of the canonical request."""
    digest = _digest(canonical_request(call).encode())
    return f"{ALGORITHM}\n{_time_of(call)}\n{_scope_of(call)}\n{digest}"


def _query_of(call: VolcengineCall) -> str:
    """Return the query, sorted by name. All but letters, digits and `-._~` is percent-encoded (RFC 3986)."""
    return "&".join(f"{quote(name, safe='')}={quote(value, safe='')}" for name, value in sorted(call.query.items()))


def _time_of(call: VolcengineCall) -> str:
    """Return the second of the call in UTC, such as 20260101T000000Z."""
    return f"{datetime.fromtimestamp(call.now // SECOND, UTC):%Y%m%dT%H%M%SZ}"


def _day_of(call: VolcengineCall) -> str:
    return _time_of(call)[:8]


def _scope_of(call: VolcengineCall) -> str:
    return f"{_day_of(call)}/{call.region}/{call.service}/request"


def _key_of(call: VolcengineCall, secret_access_key: str) -> bytes:
    """Return the key of one day, region and service."""
    key = secret_access_key.encode()
    for part in (_day_of(call), call.region, call.service, "request"):
        key = _mac(key, part)
    return key


def _digest(raw: bytes) -> str:
    return hashlib.sha256(raw).hexdigest()


def _mac(key: bytes, text: str) -> bytes:
    return hmac.digest(key, text.encode(), "sha256")
