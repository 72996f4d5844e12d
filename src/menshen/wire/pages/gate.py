"""Find the app of a request for a page, and load the pages when the first app has some.

A start imports this module, and nothing that renders. (docs/contracts/pages.md section 3, `pages = off|on`.)
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send

from menshen.core.problems import Denied, Problem, ProblemCode
from menshen.wire.dialect import Dialect, DialectContext
from menshen.wire.http.paths import merge_slashes
from menshen.wire.http.plain import answer

if TYPE_CHECKING:
    from menshen.wire.pages.routing import Entry

_JSON: Final = b"application/json; charset=utf-8"
_HTML: Final = b"text/html; charset=utf-8"
_POLICY: Final = (b"content-security-policy", b"default-src 'none'; base-uri 'none'; frame-ancestors 'none'")
_WELCOME: Final = (
    '<!doctype html><html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">'
    "<title>Menshen</title></head><body><h1>Menshen</h1>"
    '<p>This is a login server. Its calls for programs are described at <a href="/docs">/docs</a>. Its login pages are '
    "off; <code>menshen app pages default --on</code> turns them on.</p>"
    '<p lang="zh-CN">这是一个登录服务器。程序调用的接口说明见 <a href="/docs">/docs</a>。登录页面尚未开启，'
    "可用 <code>menshen app pages default --on</code> 开启。</p></body></html>"
).encode()


def pages_app(context: DialectContext, dialects: Sequence[Dialect]) -> ASGIApp:
    """Return the ASGI application of the hosted pages. `dialects` are those that are served.

    An app without pages answers 404, and `/` says what this server is.
    """
    loaded: list[Entry] = []

    async def pages(scope: Scope, receive: Receive, send: Send) -> None:
        host = Headers(scope=scope).get("host", "").lower()
        try:
            app = await context.flows.apps.by_host(host)
            settings = None if isinstance(app, Denied) else await context.flows.pages.of_app(app.app_id)
        except Problem as problem:
            full = problem.denied.code is ProblemCode.OVERLOADED
            await answer(send, 503, b"overloaded\n" if full else b"unavailable\n", headers=[(b"retry-after", b"1")])
            return
        if isinstance(app, Denied) or settings is None:
            await answer(send, 403, b"forbidden\n")
        elif settings.on:
            if not loaded:
                # The import takes longer than a token check may wait.
                loaded.append(await asyncio.to_thread(_load, context, dialects))
            await loaded[0](scope, receive, send, app, settings)
        elif merge_slashes(scope["path"]) == "/" and scope["method"] in {"GET", "HEAD"}:
            await answer(send, 200, _WELCOME, _HTML, [_POLICY])
        else:
            await answer(send, 404, b'{"error":"not_found"}', _JSON)

    return pages


def _load(context: DialectContext, dialects: Sequence[Dialect]) -> Entry:
    from menshen.wire.pages.routing import application

    return application(context, dialects)
