"""Carry the session token: out in the `Token` header and three cookies, in by header or by cookie with CSRF value.

Must not know the calls. (docs/contracts/weidu.md sections 2.3 and 5.10, docs/security/attacks.md CK-1, CK-3, CK-5.)
"""

from __future__ import annotations

from typing import Final

from starlette.datastructures import Headers

from menshen.core.apps import App
from menshen.core.login.outcomes import Granted
from menshen.core.problems import Denied
from menshen.core.sessions.outcomes import Authenticated
from menshen.core.sessions.sessions import slid
from menshen.core.time import DAY
from menshen.flows.catalog import Flows
from menshen.wire.http.address import host_name
from menshen.wire.http.cookies import CookieJarRules, read_cookie, set_cookie
from menshen.wire.weidu import browsers, problems
from menshen.wire.weidu.call import Call, PrivateCall
from menshen.wire.weidu.envelope import Header

CSRF_HEADER: Final = "X-CSRF-Token"
_MAX_TOKEN: Final = 128
# The documents' examples use curl -d, which sends urlencoded. A page needs a CORS preflight to add the CSRF header to
# any of these types.
_COOKIE_WRITE_TYPES: Final = frozenset({"", "application/json", "application/x-www-form-urlencoded"})
_LONG_AGO: Final = 0


def cookie_name(app: App, kind: str) -> str:
    """Return the name of a cookie of this app. `kind` is AUTHTOKEN, USERID or CSRF."""
    return f"{'__Host-' if app.host_only_cookies else ''}{app.cookie_prefix}{kind}"


def place(granted: Granted, call: Call) -> tuple[Header, ...]:
    """Return the headers for a new session: three Set-Cookie, then Token. The cookies expire with the session."""
    ends = granted.session.expires_at
    return (
        *_cookies(call, granted.token, granted.account.public_id, granted.csrf, ends),
        ("token", granted.token),
    )


def clear(call: Call) -> tuple[Header, ...]:
    """Return Set-Cookie headers that delete all three cookies."""
    return _cookies(call, "", "", "", _LONG_AGO)


def prolong(call: PrivateCall) -> tuple[Header, ...]:
    """Return Set-Cookie headers that extend the cookies of a sliding session, at the first read of each of its days."""
    session, now = call.caller.session, call.flows.now()
    cookies = list(call.cookies)
    if not session.sliding_ms or (now - session.created_at) // DAY <= (session.seen_at - session.created_at) // DAY:
        return ()
    token = read_cookie(cookies, cookie_name(call.app, "AUTHTOKEN"))
    csrf = read_cookie(cookies, cookie_name(call.app, "CSRF"))
    if token is None or csrf is None or not call.flows.csrf_fits(session.session_id, csrf):
        return ()
    ends = slid(now, session.ends_at, session.sliding_ms)
    return _cookies(call, token, call.caller.account.public_id, csrf, ends)


def presented(app: App, headers: Headers) -> str:
    """Return the session token of a request, valid or not, read as `identify` reads it; "" for none."""
    return _carried(app, headers)[0]


def cookie_token(app: App, headers: Headers) -> str:
    """Return the session token in the cookie of a request, valid or not; "" for none, and for two of that name."""
    return read_cookie(headers.getlist("cookie"), cookie_name(app, "AUTHTOKEN")) or ""


async def identify(
    flows: Flows, app: App, headers: Headers, browser: browsers.Browser, *, write: bool
) -> tuple[Authenticated, bool]:
    """Return the caller, and true if the token came in a cookie.

    A token in a header decides alone: a bad one is refused even beside a good cookie. A write by cookie
    needs the session's CSRF value in the header, and must come from one of our pages.

    Raises:
        Refused: unauthenticated, or csrf.
    """
    token, by_cookie = _carried(app, headers)
    caller = await _authenticate(flows, token)
    if write and by_cookie:
        values = headers.getlist(CSRF_HEADER)
        kind = headers.get("content-type", "").partition(";")[0].strip().lower()
        if (
            not browser.may_write
            or kind not in _COOKIE_WRITE_TYPES
            or len(values) != 1
            or not flows.csrf_fits(caller.session.session_id, values[0])
        ):
            raise problems.Refused(problems.CSRF)
    return caller, by_cookie


def _carried(app: App, headers: Headers) -> tuple[str, bool]:
    """Return the token of a request, and true if it came in a cookie. No token or two headers give "".

    The token is read from `Authorization: Bearer`, or from the `Token` header as the login sent it. A page cannot make
    a browser send either without a CORS preflight. Without both, the cookie is read.
    """
    bearer, plain = headers.getlist("authorization"), headers.getlist("token")
    if len(bearer) + len(plain) > 1:
        return "", False
    if plain:
        return plain[0].strip(" "), False
    if bearer:
        scheme, _, token = bearer[0].partition(" ")
        return (token.strip(" ") if scheme.lower() == "bearer" else ""), False
    return cookie_token(app, headers), True


async def _authenticate(flows: Flows, token: str) -> Authenticated:
    if not 0 < len(token) <= _MAX_TOKEN:
        raise problems.unauthenticated()
    match await flows.sessions.authenticate(token):
        case Authenticated() as caller:
            return caller
        case Denied():
            raise problems.unauthenticated()


def _cookies(call: Call, token: str, public_id: str, csrf: str, ends: int) -> tuple[Header, ...]:
    app = call.app
    host = host_name(call.host)
    # A Domain attribute cannot hold an IPv6 address (RFC 6265 section 4.1.1): such a cookie is host-only.
    domain = app.cookie_domain or ("" if ":" in host else host)
    rules = CookieJarRules(domain, call.secure, app.host_only_cookies)
    prefix = app.cookie_prefix
    return (
        ("set-cookie", set_cookie(f"{prefix}AUTHTOKEN", token, ends, rules, http_only=True)),
        ("set-cookie", set_cookie(f"{prefix}USERID", public_id, ends, rules, http_only=False)),
        ("set-cookie", set_cookie(f"{prefix}CSRF", csrf, ends, rules, http_only=False)),
    )
