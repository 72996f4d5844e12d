"""Write cookies with their attributes in a fixed order, and read them strictly. (RFC 6265bis.)"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from typing import Final

from menshen.core.apps import App
from menshen.core.networks import parse_address

_DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
HOST_PREFIX: Final = "__Host-"
"""Browsers take a cookie of such a name from its own host only, never from a sibling. (RFC 6265bis.)"""
MOST_OF_ONE_NAME: Final = 4
"""Cookies of one name that are looked at. A change of the app's cookie domain leaves two, or three."""

# Some clients fail at a Domain that is a registry's, such as com.cn and co.uk.
_REGISTRY = re.compile(r"[a-z0-9]{1,3}\.[a-z]{2}", re.ASCII)
_SAFE_DOMAIN = re.compile(r"[A-Za-z0-9.\-:]{1,253}", re.ASCII)


@dataclass(frozen=True, slots=True)
class CookieJarRules:
    """Hold the cookie options of an app. `domain` "" makes cookies host-only; `host_prefix` names them `__Host-…`."""

    domain: str
    secure: bool
    host_prefix: bool = False


def cookie_name(app: App, kind: str) -> str:
    """Return the name of a cookie of this app. `kind` is AUTHTOKEN, USERID or CSRF."""
    return f"{HOST_PREFIX if app.host_only_cookies else ''}{app.cookie_prefix}{kind}"


def step_cookie_name(app: App, kind: str, *, secure: bool) -> str:
    """Return the name of a cookie for second steps. `kind` is STEP or TRUST.

    It is a `__Host-` cookie wherever browsers take one, which is over HTTPS.
    """
    return f"{HOST_PREFIX if secure else ''}{app.cookie_prefix}{kind}"


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
    readable, hidden = cookie_tails(expires_ms, rules)
    return f"{HOST_PREFIX if rules.host_prefix else ''}{name}={value}{hidden if http_only else readable}"


def cookie_tails(expires_ms: int, rules: CookieJarRules) -> tuple[str, str]:
    """Return what stands behind the value in `set_cookie`: for a cookie that scripts may read, and for one of HttpOnly.

    A login writes three cookies that have these in common.
    """
    secure, place = rules.secure, "; Path=/"
    if rules.host_prefix:
        secure = True
    elif rules.domain and _SAFE_DOMAIN.fullmatch(rules.domain):
        place = f"; Path=/; Domain={rules.domain}"
    place = f"{place}; Expires={http_date(expires_ms)}"
    end = "; Secure; SameSite=Lax" if secure else "; SameSite=Lax"
    return f"{place}{end}", f"{place}; HttpOnly{end}"


def read_cookies(headers: Iterable[str], name: str) -> tuple[str, ...]:
    """Return the values of the cookies with exactly this name, each once, in their order. Empty ones are absent.

    A name that comes twice under `__Host-`, or with more than `MOST_OF_ONE_NAME` values, has none: no honest browser
    sends that (docs/security/attacks.md CK-9).
    """
    values = [cookie_value(value) for key, value in _pairs(headers) if key == name]
    return (one_name(name, values) or ()) if values else ()


def one_name(name: str, values: Sequence[str]) -> tuple[str, ...] | None:
    """Return the different values of one name, without empty ones, or None if there are too many."""
    if name.startswith(HOST_PREFIX):
        return None if len(values) > 1 else tuple(filter(None, values))
    found = tuple(dict.fromkeys(filter(None, values)))
    return None if len(found) > MOST_OF_ONE_NAME else found


def count_cookies(headers: Iterable[str], names: Collection[str]) -> int:
    """Return how often the name comes that comes most often of these, good or not."""
    counts = Counter(key for key, _ in _pairs(headers) if key in names)
    return max(counts.values(), default=0)


def _pairs(headers: Iterable[str]) -> Iterator[tuple[str, str]]:
    for header in headers:
        for pair in header.split(";"):
            # Only HTTP's own blanks are removed: a token with a no-break space is another token.
            key, equals, value = pair.strip(" \t").partition("=")
            if equals:
                yield key, value


@lru_cache(maxsize=256)
def own_domain(host: str) -> str:
    """Return the Domain attribute for cookies of a host, "" where there are no sub-domains.

    For an address, `localhost`, another name of one label, or one with a dot at its end, several clients keep no cookie
    that has a Domain attribute. Without one it belongs to the very host. (RFC 6265 section 5.3.)
    """
    return host if "." in host and not host.endswith(".") and parse_address(host) is None else ""


def other_domains(host: str, domain: str) -> tuple[str, ...]:
    """Return the other Domain attributes under which a browser may keep cookies for `host`; "" is none at all.

    They are the names above the host and above `domain`, up to two labels, and five labels at most.
    """
    present = domain.removeprefix(".").lower()
    names = [name for below in (own_domain(host), present) if own_domain(below) for name in _at_and_above(below)]
    return tuple(name for name in dict.fromkeys(["", *names]) if name != present)


def _at_and_above(name: str) -> list[str]:
    labels = name.split(".")
    above = [".".join(labels[n:]) for n in range(1, len(labels) - 1)][-4:]
    return [name, *(each for each in above if not _REGISTRY.fullmatch(each))]


def cookie_value(text: str) -> str:
    """Return the value of a cookie without blanks behind it and without its one pair of quotes.

    (RFC 6265 section 4.1.1.)
    """
    value = text.rstrip(" \t")
    return value[1:-1] if '"' in value and len(value) > 1 and value[0] == value[-1] == '"' else value
