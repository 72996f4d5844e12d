"""Where the token travels: the `Token` header and three cookies out, header or cookie with CSRF value in.

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
# curl -d says urlencoded, as the documents do; a page cannot add the CSRF header to any of these without asking first.
_COOKIE_WRITE_TYPES: Final = frozenset({"", "application/json", "application/x-www-form-urlencoded"})
_LONG_AGO: Final = 0


def cookie_name(app: App, kind: str) -> str:
    """The name of one of the three cookies, kind AUTHTOKEN, USERID or CSRF, as this app's clients send it."""
    return f"{'__Host-' if app.host_only_cookies else ''}{app.cookie_prefix}{kind}"


def place(granted: Granted, call: Call) -> tuple[Header, ...]:
    """The headers that carry a new session: three Set-Cookie, then Token. The cookies end when the session does."""
    ends = granted.session.expires_at
    return (
        *_cookies(call, granted.token, granted.account.public_id, granted.csrf, ends),
        ("token", granted.token),
    )


def clear(call: Call) -> tuple[Header, ...]:
    """Set-Cookie headers that make a browser forget all three."""
    return _cookies(call, "", "", "", _LONG_AGO)


async def retire(call: Call) -> None:
    """End the session whose cookie a login is about to replace: a browser has one login (ASVS 5.0, 7.2.4)."""
    token = read_cookie(list(call.cookies), cookie_name(call.app, "AUTHTOKEN"))
    if token is None or len(token) > _MAX_TOKEN:
        return
    match await call.flows.sessions.authenticate(token):
        case Authenticated() as before:
            await call.flows.sessions.log_out(before, call.origin)
        case Denied():
            pass


def prolong(call: PrivateCall) -> tuple[Header, ...]:
    """Set-Cookie headers that let cookies follow a session which slid, on the first read of each of its days."""
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
    """The session token that a request carries, good or not, read as `identify` reads it; "" for none."""
    return _carried(app, headers)[0]


async def identify(
    flows: Flows, app: App, headers: Headers, browser: browsers.Browser, *, write: bool
) -> tuple[Authenticated, bool]:
    """Who is calling, and whether a cookie said so.

    A header that carries a token decides alone: a bad one is refused even beside a good cookie. A write by cookie
    needs the session's CSRF value in the header, and must come from a page of ours.

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
    """The token of a request, "" for none or two, and whether it came as a cookie.

    `Authorization: Bearer`, or the `Token` header given back as the login gave it: no page can make a browser send
    either to us without asking first. Without both, the cookie.
    """
    bearer, given_back = headers.getlist("authorization"), headers.getlist("token")
    if len(bearer) + len(given_back) > 1:
        return "", False
    if given_back:
        return given_back[0].strip(" "), False
    if bearer:
        scheme, _, token = bearer[0].partition(" ")
        return (token.strip(" ") if scheme.lower() == "bearer" else ""), False
    return read_cookie(headers.getlist("cookie"), cookie_name(app, "AUTHTOKEN")) or "", True


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
    # A Domain attribute cannot hold an IPv6 address (RFC 6265 section 4.1.1): such a cookie stays with its host.
    domain = app.cookie_domain or ("" if ":" in host else host)
    rules = CookieJarRules(domain, call.secure, app.host_only_cookies)
    prefix = app.cookie_prefix
    return (
        ("set-cookie", set_cookie(f"{prefix}AUTHTOKEN", token, ends, rules, http_only=True)),
        ("set-cookie", set_cookie(f"{prefix}USERID", public_id, ends, rules, http_only=False)),
        ("set-cookie", set_cookie(f"{prefix}CSRF", csrf, ends, rules, http_only=False)),
    )
