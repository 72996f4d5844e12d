"""Sign requests with TC3-HMAC-SHA256, the algorithm of Tencent Cloud. (docs/contracts/vendors.md section 3, "Tencent".)

Only a POST of JSON to `/` can be signed: all calls are of this form. No I/O and no clock.
"""

from __future__ import annotations

import hashlib
import hmac
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Final

from menshen.core.secret import Secret
from menshen.core.time import SECOND, Instant

ALGORITHM: Final = "TC3-HMAC-SHA256"
CONTENT_TYPE: Final = "application/json"

_SIGNED_NAMES: Final = "content-type;host"


@dataclass(frozen=True, slots=True)
class Tc3Key:
    """Hold a key of an account: its id, which requests show, and its secret."""

    secret_id: str = field(repr=False)
    secret_key: Secret


@dataclass(frozen=True, slots=True)
class Tc3Call:
    """Hold one call of an API.

    `host` stands in the header `Host` as it is here. `service` is the short name such as "sms". `version` is the date
    of the API. `region` is "" where an API has none. `body` is the JSON text that is sent. `now` (epoch ms) is the time
    of the call: the vendor refuses one that is more than five minutes off.
    """

    host: str
    service: str
    action: str
    version: str
    now: Instant
    body: bytes = field(repr=False)
    region: str = ""


def headers_of(call: Tc3Call, key: Tc3Key) -> dict[str, str]:
    """Return all headers of a call, in the order in which they are sent, with its signature in `Authorization`."""
    region = {"X-TC-Region": call.region} if call.region else {}
    signature = _mac(_key_of(call, key.secret_key), string_to_sign(call)).hex()
    return {
        "Content-Type": CONTENT_TYPE,
        "Host": call.host,
        "X-TC-Action": call.action,
        "X-TC-Timestamp": str(_seconds_of(call)),
        "X-TC-Version": call.version,
        **region,
        "Authorization": f"{ALGORITHM} Credential={key.secret_id}/{_scope_of(call)}, "
        f"SignedHeaders={_SIGNED_NAMES}, Signature={signature}",
    }


def canonical_request(call: Tc3Call) -> str:
    """Return the form of the request that is signed. Content type, host and the bytes of the body are part of it."""
    headers = f"content-type:{CONTENT_TYPE}\nhost:{call.host}\n"
    return f"POST\n/\n\n{headers}\n{_SIGNED_NAMES}\n{hashlib.sha256(call.body).hexdigest()}"


def string_to_sign(call: Tc3Call) -> str:
    """Return the text that is signed: time, scope, and the digest of the canonical request."""
    digest = hashlib.sha256(canonical_request(call).encode()).hexdigest()
    return f"{ALGORITHM}\n{_seconds_of(call)}\n{_scope_of(call)}\n{digest}"


def _seconds_of(call: Tc3Call) -> int:
    return call.now // SECOND


def _date_of(call: Tc3Call) -> str:
    """Return the day of the call in UTC."""
    return datetime.fromtimestamp(_seconds_of(call), UTC).date().isoformat()


def _scope_of(call: Tc3Call) -> str:
    return f"{_date_of(call)}/{call.service}/tc3_request"


def _key_of(call: Tc3Call, secret_key: str) -> bytes:
    """Return the key of one day and one service."""
    key = f"TC3{secret_key}".encode()
    for part in (_date_of(call), call.service, "tc3_request"):
        key = _mac(key, part)
    return key


def _mac(key: bytes, text: str) -> bytes:
    return hmac.digest(key, text.encode(), "sha256")
