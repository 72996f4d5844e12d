"""Device fields and `device_sign`: what an app tells of the device it runs on.

All of it comes from the client, so it can only ever be a comfort (a known device lowers the risk score),
never a proof. (docs/contracts/weidu.md section 4, docs/security/attacks.md SG-6.)
"""

from __future__ import annotations

import hashlib
import hmac
from dataclasses import dataclass

from menshen.core.apps import App, DeviceSign
from menshen.core.plain_text import is_plain
from menshen.core.problems import Denied, ProblemCode
from menshen.core.time import NEVER, SECOND, Instant, after

MAX_FIELD = 128
MAX_SKEW_MS = 600 * SECOND
"""Largest difference between a device's time and ours (ms)."""


@dataclass(frozen=True, slots=True)
class Device:
    """A device by its own account. `signed` says that its sign was there and fits.

    `spends` is the mark of a sign that is good once ("" where there is none), to be spent before anything is granted,
    and remembered until `spends_until`, from when the sign is refused for its age.
    """

    device_id: str = ""
    model: str = ""
    name: str = ""
    signed: bool = False
    spends: str = ""
    spends_until: Instant = NEVER


@dataclass(frozen=True, slots=True)
class DeviceFields:
    """The five fields as they came, None where absent; `timestamp` in unix seconds."""

    device_id: str | None = None
    model: str | None = None
    name: str | None = None
    sign: str | None = None
    timestamp: int | None = None


def sign_device(app: App, device_id: str, timestamp: int) -> str:
    """The hex `device_sign` that `app` expects of a device."""
    inner = hashlib.md5(
        f"{app.app_name}{app.business_type}{device_id}".encode("utf-8", "surrogatepass"), usedforsecurity=False
    ).hexdigest()
    if app.device_sign is DeviceSign.MD5:
        return inner
    if app.device_sign is DeviceSign.MD5_SHA256:
        return hashlib.sha256(inner.encode()).hexdigest()
    return hmac.new(app.secret.encode(), f"{inner}{timestamp}".encode(), "sha256").hexdigest()


def judge_device(app: App, given: DeviceFields, now: Instant) -> Device | Denied:
    """Check the fields against the app's rule. A field that was sent is checked even when it is optional.

    Denied: DEVICE_REQUIRED, INVALID_REQUEST (too long, or no plain line), TIMESTAMP_SKEWED, DEVICE_SIGN_INVALID.
    """
    required = {
        "device_id": given.device_id,
        "device_model": given.model,
        "device_name": given.name,
        "device_sign": given.sign,
        "timestamp": given.timestamp,
    }
    if app.hardened:
        for name, value in required.items():
            if value is None or value == "":
                return Denied(ProblemCode.DEVICE_REQUIRED, field=name)
    for name, text in (("device_id", given.device_id), ("device_model", given.model), ("device_name", given.name)):
        if text is not None and (len(text) > MAX_FIELD or not is_plain(text)):
            return Denied(ProblemCode.INVALID_REQUEST, field=name)
    if given.timestamp is not None and abs(given.timestamp * SECOND - now) > MAX_SKEW_MS:
        return Denied(ProblemCode.TIMESTAMP_SKEWED, field="timestamp")
    signed, spends, spends_until = False, "", NEVER
    if given.sign:
        # Without a time to sign over, an hmac sign could be replayed for ever.
        if app.device_sign is DeviceSign.HMAC and given.timestamp is None:
            return Denied(ProblemCode.DEVICE_REQUIRED, field="timestamp")
        wanted = sign_device(app, given.device_id or "", given.timestamp or 0)
        if not hmac.compare_digest(wanted.encode(), given.sign.encode("utf-8", "surrogatepass")):
            return Denied(ProblemCode.DEVICE_SIGN_INVALID, field="device_sign")
        signed = True
        if app.device_sign is DeviceSign.HMAC and given.timestamp is not None:
            spends = f"device_sign {hashlib.sha256(wanted.encode()).hexdigest()}"
            spends_until = after(Instant(given.timestamp * SECOND), MAX_SKEW_MS + 1)
    return Device(given.device_id or "", given.model or "", given.name or "", signed, spends, spends_until)
