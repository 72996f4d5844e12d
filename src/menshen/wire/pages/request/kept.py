"""Keep what one page leaves for the next one, in a signed cookie of the browser. The server stores nothing.

It holds what the person typed, or what a page said, a moment ago. It never holds a password, a code or the token of a
session. It is bound to the browser's own cookie, so it is of no use elsewhere.
"""

from __future__ import annotations

from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Callable
from typing import Final

import msgspec

from menshen.core.time import MINUTE, Instant, after
from menshen.wire.pages.request import cookies

LIFETIME: Final = 15 * MINUTE
"""How long it is kept (ms)."""
_PART: Final = "kept"


class SentCode(msgspec.Struct, frozen=True, kw_only=True):
    """Say that a code was sent. `again_at` is when the next one may be asked for, `ends_at` when it ends (epoch ms).

    `typed` and `region` are what stood in the form. `agreed` are the consents that were ticked in it.
    """

    kind: str
    subject: str
    purpose: str
    typed: str = ""
    region: str = ""
    again_at: int = 0
    ends_at: int = 0
    captcha_pass: str = ""
    agreed: tuple[str, ...] = ()


class DueStep(msgspec.Struct, frozen=True, kw_only=True):
    """Hold a login that waits for its second step, as `StepNeeded` says. `until` is epoch ms."""

    ticket: str
    methods: tuple[str, ...]
    until: int
    enroll: bool = False
    allowed: tuple[str, ...] = ()
    phone: str = ""
    next: str = ""
    agreed: tuple[str, ...] = ()


class Kept(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Hold all of it. `said` is the id of a sentence that the next page shows once.

    `farewell` is until when a closed account can come back (epoch ms, 0: it is gone), None if none was closed.
    """

    until: int = 0
    sent: SentCode | None = None
    step: DueStep | None = None
    said: str = ""
    farewell: int | None = None


def read(jar: cookies.Jar, browser: str, fits: Callable[..., bool], now: Instant) -> Kept:
    """Return what the browser keeps; nothing for a value that is not ours, not of this browser, or too old."""
    value, _, mac = jar.read(cookies.KEPT).partition(".")
    if not value or not browser or not fits(mac, _PART, browser, value):
        return Kept()
    try:
        kept = msgspec.json.decode(urlsafe_b64decode(value), type=Kept)
    except (ValueError, msgspec.MsgspecError):
        return Kept()
    return kept if now < kept.until else Kept()


def write(jar: cookies.Jar, kept: Kept, browser: str, sign: Callable[..., str], now: Instant) -> None:
    """Give it to the browser, in place of what it kept."""
    if kept == Kept(until=kept.until):
        jar.forget(cookies.KEPT)
        return
    until = after(now, LIFETIME)
    raw = msgspec.json.encode(msgspec.structs.replace(kept, until=until))
    value = urlsafe_b64encode(raw).decode()
    jar.write(cookies.KEPT, f"{value}.{sign(_PART, browser, value)}", until)
