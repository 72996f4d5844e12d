"""Carry the session token: out in the `Token` header and three cookies, in by header or by cookie with CSRF value.

Two more cookies are for second steps: STEP binds a ticket to a browser, and TRUST is a trusted device. No script reads
them, and over HTTPS they are `__Host-` cookies. Must not know the calls.
(docs/contracts/weidu.md sections 2.3 and 5.10, docs/contracts/factors.md sections 3, 8 and 11, docs/security/attacks.md
CK-1, CK-3, CK-5.)
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from starlette.datastructures import Headers

from menshen.core.apps import App
from menshen.core.login.outcomes import Granted, StepNeeded
from menshen.core.rules import StepCarriers
from menshen.core.sessions.outcomes import Authenticated
from menshen.core.sessions.sessions import slid
from menshen.core.time import DAY
from menshen.flows.catalog import Flows
from menshen.wire.dialect import Browsed
from menshen.wire.http.address import host_name
from menshen.wire.http.carriers import read_carriers
from menshen.wire.http.cookies import (
    CookieJarRules,
    cookie_name,
    cookie_tails,
    count_cookies,
    other_domains,
    own_domain,
    read_cookies,
    set_cookie,
    step_cookie_name,
)
from menshen.wire.weidu import browsers, problems
from menshen.wire.weidu.call import Call, PrivateCall
from menshen.wire.weidu.envelope import Header

CSRF_HEADER: Final = "X-CSRF-Token"
_MAX_TOKEN: Final = 128
# The documents' examples use curl -d, which sends urlencoded. A page needs a CORS preflight to add the CSRF header to
# any of these types.
_COOKIE_WRITE_TYPES: Final = frozenset({"", "application/json", "application/x-www-form-urlencoded"})
_LONG_AGO: Final = 0
_KINDS: Final = ("AUTHTOKEN", "USERID", "CSRF")


def place(granted: Granted, call: Call) -> tuple[Header, ...]:
    """Return the headers for a new session: three Set-Cookie, then Token. The cookies expire with the session.

    When the request brings cookies of these names, those that the new ones do not replace are deleted first. The cookie
    of a ticket is deleted, and a page gets the token of its trusted device as a cookie.
    """
    ends = granted.session.expires_at
    headers = (
        *_contradicting(call, from_count=1),
        *_cookies(call, granted.token, granted.account.public_id, granted.csrf, ends),
    )
    if call.cookies:
        headers += forget_ticket(call)
    if granted.trust and call.origin.step.browser:
        headers += (_step_cookie(call, "TRUST", granted.trust, granted.trust_until),)
    return (*headers, ("token", granted.token))


def bind_ticket(needed: StepNeeded, call: Call) -> tuple[Header, ...]:
    """Return the Set-Cookie header that binds a ticket to the browser; none for programs.

    It expires with the ticket.
    """
    return (_step_cookie(call, "STEP", needed.cookie, needed.expires_at),) if needed.cookie else ()


def forget_ticket(call: Call) -> tuple[Header, ...]:
    """Return the Set-Cookie header that deletes the cookie of a ticket, for a browser that has one."""
    return _forgotten(call, "STEP")


def forget_trust(call: Call) -> tuple[Header, ...]:
    """Return the Set-Cookie header that deletes the cookie of a trusted device, for a browser that has one."""
    return _forgotten(call, "TRUST")


def step_carriers(
    app: App, cookies: Sequence[str], browser: browsers.Browser, site: str, *, secure: bool
) -> StepCarriers:
    """Read the cookies of second steps. A name that comes twice has no value (docs/security/attacks.md CK-9)."""
    return StepCarriers(
        browser=browser.page,
        cookie=_only(cookies, step_cookie_name(app, "STEP", secure=secure)),
        trust=_only(cookies, step_cookie_name(app, "TRUST", secure=secure)),
        site=site,
    )


def clear(call: Call) -> tuple[Header, ...]:
    """Return Set-Cookie headers that delete all three cookies, in each place where the browser may keep them."""
    return (*_contradicting(call, from_count=1), *_cookies(call, "", "", "", _LONG_AGO))


def give_to_browser(browsed: Browsed, granted: Granted) -> tuple[str, ...]:
    """Return the three cookies of a session that the hosted pages opened."""
    return tuple(value for name, value in place(granted, _call(browsed)) if name == "set-cookie")


def take_from_browser(browsed: Browsed) -> tuple[str, ...]:
    """Return what deletes the three cookies, for a logout at the hosted pages."""
    return tuple(value for _, value in clear(_call(browsed)))


def _call(browsed: Browsed) -> Call:
    return Call(browsed.flows, browsed.origin, browsed.host, browsed.secure, "", "", browsed.cookies)


def prolong(call: PrivateCall, token: str) -> tuple[Header, ...]:
    """Return Set-Cookie headers that extend the cookies of a sliding session, at the first read of each of its days.

    `token` is the caller's, from a cookie. When a name comes twice, the others are deleted.
    """
    session, now = call.caller.session, call.flows.now()
    if not session.sliding_ms or (now - session.created_at) // DAY <= (session.seen_at - session.created_at) // DAY:
        return ()
    for csrf in read_cookies(call.cookies, cookie_name(call.app, "CSRF")):
        if call.flows.csrf_fits(session.session_id, csrf):
            ends = slid(now, session.ends_at, session.sliding_ms)
            renewed = _cookies(call, token, call.caller.account.public_id, csrf, ends)
            return (*_contradicting(call, from_count=2), *renewed)
    return ()


async def brought(flows: Flows, app: App, headers: Headers) -> tuple[str, str]:
    """Return the session token of a request, read as `identify` reads it, and the one in its cookie; "" for none.

    Both may be bad. Of several cookies it is the first good one.
    """
    token, cookies = _carried(app, headers)
    if len(cookies) > 1:
        cookies = tuple(good for good, _ in await _good(flows, cookies))
    cookie = cookies[0] if cookies else ""
    return (cookie if token is None else token), cookie


async def identify(
    flows: Flows, app: App, headers: Headers, browser: browsers.Browser, *, write: bool
) -> tuple[Authenticated, str]:
    """Return the caller, and its token if that came in a cookie, else "".

    A token in a header decides alone: a bad one is refused even beside a good cookie. Of several cookies of the name
    the good ones count, and all of them must be of one account. A write by cookie needs the CSRF value of one of their
    sessions in the header, and must come from one of our pages.

    Raises:
        Refused: unauthenticated, or csrf.
    """
    token, cookies = _carried(app, headers)
    found = await _good(flows, cookies if token is None else (token,))
    if not found or len({caller.account.number for _, caller in found}) > 1:
        raise problems.unauthenticated()
    if token is not None:
        return found[0][1], ""
    if write:
        values = headers.getlist(CSRF_HEADER)
        kind = browsers.content_type(headers)
        if not browser.may_write or kind not in _COOKIE_WRITE_TYPES or len(values) != 1:
            raise problems.Refused(problems.CSRF)
        found = [entry for entry in found if flows.csrf_fits(entry[1].session.session_id, values[0])]
        if not found:
            raise problems.Refused(problems.CSRF)
    return found[0][1], found[0][0]


def _carried(app: App, headers: Headers) -> tuple[str | None, tuple[str, ...]]:
    """Return the token of the two headers, None if they hold none, and the tokens in cookies.

    A page cannot make a browser send either header without a CORS preflight.
    """
    token, jars = read_carriers(headers.raw)
    lines = [jar.decode("latin-1") for jar in jars]
    return token, read_cookies(lines, cookie_name(app, "AUTHTOKEN")) if lines else ()


async def _good(flows: Flows, tokens: Sequence[str]) -> list[tuple[str, Authenticated]]:
    """Return the tokens that are good, with their callers."""
    found = []
    for token in tokens:
        if 0 < len(token) <= _MAX_TOKEN:
            caller = await flows.sessions.authenticate(token)
            if isinstance(caller, Authenticated):
                found.append((token, caller))
    return found


def _contradicting(call: Call, *, from_count: int) -> tuple[Header, ...]:
    """Return Set-Cookie headers that delete our cookies in each place but their own, for a browser that has some.

    A change of the cookie domain leaves cookies of the same names behind. `from_count`: how often a name must come.
    Deletions stand first: several clients know no difference between no Domain and that of the host. `__Host-` cookies
    have one place.
    """
    if not call.cookies or call.app.host_only_cookies:
        return ()
    if count_cookies(call.cookies, {cookie_name(call.app, kind) for kind in _KINDS}) < from_count:
        return ()
    others = other_domains(host_name(call.host), _domain(call))
    return tuple(each for domain in others for each in _written(call, domain, "", "", "", _LONG_AGO))


def _cookies(call: Call, token: str, public_id: str, csrf: str, ends: int) -> tuple[Header, ...]:
    return _written(call, _domain(call), token, public_id, csrf, ends)


def _only(cookies: Sequence[str], name: str) -> str:
    values = read_cookies(cookies, name) if cookies else ()
    return values[0] if len(values) == 1 and len(values[0]) <= _MAX_TOKEN else ""


def _step_cookie(call: Call, kind: str, value: str, ends: int) -> Header:
    rules = CookieJarRules("", call.secure, host_prefix=call.secure)
    return ("set-cookie", set_cookie(f"{call.app.cookie_prefix}{kind}", value, ends, rules, http_only=True))


def _forgotten(call: Call, kind: str) -> tuple[Header, ...]:
    if not count_cookies(call.cookies, {step_cookie_name(call.app, kind, secure=call.secure)}):
        return ()
    return (_step_cookie(call, kind, "", _LONG_AGO),)


def _domain(call: Call) -> str:
    return call.app.cookie_domain or own_domain(host_name(call.host))


def _written(call: Call, domain: str, token: str, public_id: str, csrf: str, ends: int) -> tuple[Header, ...]:
    app = call.app
    readable, hidden = cookie_tails(ends, CookieJarRules(domain, call.secure, app.host_only_cookies))
    prefix = cookie_name(app, "")
    return (
        ("set-cookie", f"{prefix}AUTHTOKEN={token}{hidden}"),
        ("set-cookie", f"{prefix}USERID={public_id}{readable}"),
        ("set-cookie", f"{prefix}CSRF={csrf}{readable}"),
    )
