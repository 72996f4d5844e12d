"""Write cookies with their attributes in a fixed order, and read them strictly. (RFC 6265bis.)"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache

_DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_SAFE_DOMAIN = re.compile(r"[A-Za-z0-9.\-:]{1,253}", re.ASCII)


@dataclass(frozen=True, slots=True)
class CookieJarRules:
    """Hold the cookie options of an app. `domain` "" makes cookies host-only; `host_prefix` names them `__Host-…`."""

    domain: str
    secure: bool
    host_prefix: bool = False


def http_date(epoch_ms: int) -> str:
    """Return an instant as IMF-fixdate, to the second: `Sun, 04 Oct 2020 09:19:55 GMT` (RFC 9110 section 5.6.7)."""
    return _date_of_second(epoch_ms // 1000)


@lru_cache(maxsize=16)
def _date_of_second(second: int) -> str:
    # Logins in the same second write the same dates, three each.
    t = datetime.fromtimestamp(second, UTC)
    return f"{_DAYS[t.weekday()]}, {t.day:02} {_MONTHS[t.month - 1]} {t:%Y %H:%M:%S} GMT"


def set_cookie(name: str, value: str, expires_ms: int, rules: CookieJarRules, *, http_only: bool) -> str:
    """Return a Set-Cookie value: `name=value; Path=/; Domain=…; Expires=…[; HttpOnly][; Secure]; SameSite=Lax`.

    Domain is left out when it is empty or unsafe in a header. A `__Host-` cookie has no Domain and is always Secure.
    """
    parts = [f"{'__Host-' if rules.host_prefix else ''}{name}={value}", "Path=/"]
    if rules.domain and not rules.host_prefix and _SAFE_DOMAIN.fullmatch(rules.domain):
        parts.append(f"Domain={rules.domain}")
    parts.append(f"Expires={http_date(expires_ms)}")
    if http_only:
        parts.append("HttpOnly")
    if rules.secure or rules.host_prefix:
        parts.append("Secure")
    parts.append("SameSite=Lax")
    return "; ".join(parts)


def read_cookie(headers: list[str], name: str) -> str | None:
    """Return the value of the cookie with exactly this name, or None.

    Two cookies of one name count as none (docs/security/attacks.md CK-9).
    """
    found: str | None = None
    for header in headers:
        for pair in header.split(";"):
            # Only HTTP's own blanks are removed: a token with a no-break space is another token.
            key, equals, value = pair.strip(" \t").partition("=")
            if equals and key == name:
                if found is not None:
                    return None
                found = value.strip('"')
    return found or None
