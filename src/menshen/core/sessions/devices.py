"""Check the device fields and `device_sign`, with which an app describes its device.

The client chooses all of them, so they never prove anything. A known device only lowers the risk score. An id that many
devices send identifies no device. (docs/contracts/weidu.md section 4, docs/security/attacks.md SG-6, decision 0058.)
"""

from __future__ import annotations

import hashlib
import hmac
import re
from dataclasses import dataclass
from typing import Final

from menshen.core.apps import App, DeviceSign
from menshen.core.plain_text import is_plain
from menshen.core.problems import Denied, ProblemCode
from menshen.core.text.typed import folded, shown
from menshen.core.time import NEVER, SECOND, Instant, after

MAX_FIELD = 128
MAX_SKEW_MS = 600 * SECOND
"""Largest difference between the time of a device and of the server (ms)."""

_ZEROS: Final = "00000000-0000-0000-0000-000000000000"
"""The nil UUID (RFC 9562 section 5.9): the advertising id of a phone whose owner forbids tracking."""

_SHARED_IDS: Final = (
    _ZEROS,
    _ZEROS.replace("0", "f"),  # the max UUID (RFC 9562 section 5.10)
    "02:00:00:00:00:00",  # what Android 6 and iOS 7, and later ones, say in place of the MAC address
    "00:00:00:00:00:00",
    "ff:ff:ff:ff:ff:ff",
    "000000000000000",
    "004999010640000",  # the IMEI and the numbers of serial of devices whose maker filled in none
    "012345678912345",
    "123456789012345",
    "0123456789abcdef",
    "1234567890abcdef",
    "9774d56d682e549c",  # the ANDROID_ID of many phones with Android 2.2, and of emulators
    "",
    "unknown",
    "unknown device",
    "default",
    "111111111111111",
    "[object Undefined]",
    "null",
    "undefined",
    "none",
    "nil",
    "nan",
    "n/a",
    "false",
    "empty",
    "error",
    "unavailable",
    "not available",
    "unsupported",
    "[object Object]",
    "string",
    "device_id",
)
_NO_LETTERS: Final = re.compile(r"[^0-9a-z]+", re.ASCII)
_NO_VALUE: Final = re.compile(r"0*|f{6,}", re.ASCII)


def _bare(device_id: str) -> str:
    return _NO_LETTERS.sub("", device_id.casefold())


def _digests(text: str) -> tuple[str, str, str]:
    """Return the digests of an id that apps send in its place."""
    raw = text.encode()
    return (
        hashlib.md5(raw, usedforsecurity=False).hexdigest(),
        hashlib.sha1(raw, usedforsecurity=False).hexdigest(),
        hashlib.sha256(raw, usedforsecurity=False).hexdigest(),
    )


_SHARED: Final = frozenset(_bare(text) for text in _SHARED_IDS) | {
    digest
    for text in _SHARED_IDS
    for spelling in (text, text.upper(), text.replace("-", "").replace(":", ""))
    for digest in _digests(spelling)
}


def identifying(device_id: str) -> str:
    """Return a device id as it is kept and compared: without invisible characters, or "" if many devices send it.

    Nothing else of it changes, so that two ids that look different stay two.
    """
    text = shown(device_id).strip()
    said = folded(text)
    if said.isascii() and (_NO_VALUE.fullmatch(bare := _bare(said)) or bare in _SHARED):
        return ""
    return text


@dataclass(frozen=True, slots=True)
class Device:
    """Describe a device as the client reports it. `device_id` is "" if none identifies it. `signed`: its sign is valid.

    `spends` identifies a sign that is valid only once, "" for none. The caller spends it before it grants anything.
    Storage remembers it until `spends_until`. From then on, the sign is refused because of its age.
    """

    device_id: str = ""
    model: str = ""
    name: str = ""
    signed: bool = False
    spends: str = ""
    spends_until: Instant = NEVER


@dataclass(frozen=True, slots=True)
class SeenDevice:
    """Hold when a device was first and last used to log in.

    The list of known devices has a digest of each id, not the id. A session has the id itself.
    """

    first_seen_at: int
    last_seen_at: int


@dataclass(frozen=True, slots=True)
class DeviceFields:
    """Hold the five fields as received. A missing field is None. `timestamp` is in Unix seconds."""

    device_id: str | None = None
    model: str | None = None
    name: str | None = None
    sign: str | None = None
    timestamp: int | None = None


def sign_device(app: App, device_id: str, timestamp: int) -> str:
    """Compute the `device_sign` that `app` expects for a device, in hex."""
    inner = hashlib.md5(
        f"{app.app_name}{app.business_type}{device_id}".encode("utf-8", "surrogatepass"), usedforsecurity=False
    ).hexdigest()
    if app.device_sign is DeviceSign.MD5:
        return inner
    if app.device_sign is DeviceSign.MD5_SHA256:
        return hashlib.sha256(inner.encode()).hexdigest()
    return hmac.new(app.secret.encode(), f"{inner}{timestamp}".encode(), "sha256").hexdigest()


def judge_device(app: App, given: DeviceFields, now: Instant) -> Device | Denied:
    """Check the fields against the rule of the app. A field that was sent is checked even if it is optional.

    The sign covers the id as it was sent, also one that many devices send. Names are kept without invisible characters.

    Denied: DEVICE_REQUIRED, INVALID_REQUEST (too long, or not a plain line), TIMESTAMP_SKEWED, DEVICE_SIGN_INVALID.
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
        # An hmac sign without a time could be replayed without limit.
        if app.device_sign is DeviceSign.HMAC and given.timestamp is None:
            return Denied(ProblemCode.DEVICE_REQUIRED, field="timestamp")
        wanted = sign_device(app, given.device_id or "", given.timestamp or 0)
        if not hmac.compare_digest(wanted.encode(), given.sign.encode("utf-8", "surrogatepass")):
            return Denied(ProblemCode.DEVICE_SIGN_INVALID, field="device_sign")
        signed = True
        if app.device_sign is DeviceSign.HMAC and given.timestamp is not None:
            spends = f"device_sign {hashlib.sha256(wanted.encode()).hexdigest()}"
            spends_until = after(Instant(given.timestamp * SECOND), MAX_SKEW_MS + 1)
    device_id, model, name = identifying(given.device_id or ""), shown(given.model or ""), shown(given.name or "")
    return Device(device_id, model, name, signed, spends, spends_until)
