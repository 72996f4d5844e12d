"""Read a request: its language, its cookies, the page that it comes from, and who is logged in."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from starlette.datastructures import Headers
from starlette.types import Scope

from menshen.core.apps import App
from menshen.core.pages.settings import PageSettings, PagesSession, Theme
from menshen.core.rules import StepCarriers
from menshen.core.sessions.agents import device_of
from menshen.core.sessions.outcomes import Authenticated
from menshen.core.sessions.sessions import Session, slid
from menshen.core.time import DAY
from menshen.core.tokens import digest
from menshen.wire.dialect import Access, Dialect, DialectContext
from menshen.wire.http.cookies import read_cookies, step_cookie_name
from menshen.wire.pages.call import RULES, Call
from menshen.wire.pages.look.words import Words, choose_language
from menshen.wire.pages.request import cookies, kept
from menshen.wire.pages.request.forms import read_query

_MAX_TOKEN: Final = 128
_SAME: Final = frozenset({"same-origin", "none"})
_THEMES: Final = frozenset({Theme.LIGHT.value, Theme.DARK.value})


def begin(
    context: DialectContext,
    scope: Scope,
    headers: Headers,
    app: App,
    settings: PageSettings,
    giving: Dialect | None,
) -> Call:
    """Return the call of a request, before its form is read and its caller is known. No statement runs."""
    secure = context.secure(scope, headers)
    jar = cookies.Jar(tuple(headers.getlist("cookie")), secure)
    query = read_query(scope.get("query_string", b""))
    asked = query.get("lang", "")
    language = choose_language(
        asked, jar.read_plain(cookies.LANGUAGE), headers.getlist("accept-language"), settings.default_language
    )
    words = Words(language)
    now = context.flows.now()
    if asked:
        jar.write_plain(cookies.LANGUAGE, words.tag, now)
    theme = query.get("theme") or jar.read_plain(cookies.THEME)
    if query.get("theme") in {*_THEMES, Theme.AUTO.value}:
        jar.write_plain(cookies.THEME, query["theme"], now)
    dialect = giving if settings.session is PagesSession.COOKIES else None
    host = headers.get("host", "").lower()
    origin = context.origin(
        scope,
        headers,
        app,
        dialect.rules if dialect else RULES,
        language,
        device_of(headers.get("user-agent", "")),
        request_id=context.new_request_id(RULES.style),
    )
    browser = jar.read(cookies.BROWSER)
    call = Call(
        context=context,
        origin=replace(origin, step=_step_carriers(jar, app, host)),
        settings=settings,
        host=host,
        secure=secure,
        verb="GET" if scope["method"] == "HEAD" else scope["method"],
        path=scope["path"],
        resource="",
        query=query,
        form={},
        jar=jar,
        browser=browser,
        words=words,
        theme=theme if theme in _THEMES else settings.default_theme.value,
        agent=headers.get("user-agent", "")[:256],
        takes_gzip="gzip" in headers.get("accept-encoding", "").lower(),
        dialect=dialect,
        kept=kept.read(jar, browser, context.flows.page_value_fits, now),
    )
    if not browser:
        call.browser = call.random_name()
        jar.write_for_now(cookies.BROWSER, call.browser)
    return call


def own_origin(host: str, *, secure: bool) -> str:
    """Return the origin by which a request names this server. `host` is the Host header in lower case."""
    return f"{'https' if secure else 'http'}://{host}"


def from_own_page(headers: Headers, host: str, *, secure: bool) -> bool:
    """Return whether a form may come from a page of this host: neither Origin nor Sec-Fetch-Site says otherwise.

    A browser without both is judged by the value in the form alone.
    """
    origins, sites = headers.getlist("origin"), headers.getlist("sec-fetch-site")
    if any(origin.lower() != own_origin(host, secure=secure) for origin in origins):
        return False
    return all(site in _SAME for site in sites)


async def know(call: Call, headers: Headers, access: Access) -> None:
    """Find who is logged in. A login ends the session that the browser has, of any account."""
    token = call.jar.read(cookies.SESSION)
    if not 0 < len(token) <= _MAX_TOKEN:
        return
    if access is Access.LOGIN:
        call.origin = replace(call.origin, cookie=digest(token))
    found = await call.flows.sessions.authenticate(token)
    if isinstance(found, Authenticated):
        call.caller = found
        _prolong(call, token, found.session)


def _prolong(call: Call, token: str, session: Session) -> None:
    """Extend the cookie of a sliding session at the first page of each of its days."""
    now = call.now
    if session.sliding_ms and (now - session.created_at) // DAY > (session.seen_at - session.created_at) // DAY:
        call.jar.write(cookies.SESSION, token, slid(now, session.ends_at, session.sliding_ms))


def _step_carriers(jar: cookies.Jar, app: App, host: str) -> StepCarriers:
    """Read the cookies of second steps. They are those of the app's other browser clients, too."""
    return StepCarriers(
        browser=True,
        cookie=_only(jar, step_cookie_name(app, "STEP", secure=jar.secure)),
        trust=_only(jar, step_cookie_name(app, "TRUST", secure=jar.secure)),
        site=own_origin(host, secure=jar.secure),
    )


def _only(jar: cookies.Jar, name: str) -> str:
    values = read_cookies(jar.lines, name) if jar.lines else ()
    return values[0] if len(values) == 1 and len(values[0]) <= _MAX_TOKEN else ""
