"""Route a request to its handler and answer: paths, verbs, the body, and the answer after a fault.

The table of routes is the package's `__init__`. It must not know what the calls do.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import structlog
from starlette.datastructures import Headers
from starlette.requests import ClientDisconnect
from starlette.types import ASGIApp, Receive, Scope, Send

from menshen.core.problems import Denied, Problem, ProblemCode
from menshen.wire.dialect import Access, DialectContext, Endpoint
from menshen.wire.http.body import BodyTooLargeError, BodyTooSlowError, read_body
from menshen.wire.http.languages import preferred
from menshen.wire.http.paths import merge_slashes
from menshen.wire.specimen import carrier
from menshen.wire.specimen.call import RULES, Call, Handler
from menshen.wire.specimen.envelope import Reply, send_reply
from menshen.wire.specimen.problems import (
    MALFORMED,
    METHOD_NOT_ALLOWED,
    NOT_FOUND,
    TOO_LARGE,
    Refused,
    refuse,
    refuse_at_wire,
)
from menshen.wire.specimen.settings import Settings

PREFIX: Final = "/specimen"
_CLOSE: Final = (("connection", "close"),)
_log = structlog.get_logger("menshen.specimen")


@dataclass(frozen=True, slots=True)
class Route:
    """Hold one line of the route table. `path` stands below `PREFIX`; `flow` names the use case that answers."""

    verb: str
    path: str
    handler: Handler
    flow: str
    access: Access

    @property
    def endpoint(self) -> Endpoint:
        """Return the line of `menshen routes`."""
        line = self.handler.__code__.co_firstlineno
        return Endpoint(self.verb, PREFIX + self.path, self.flow, self.access, self.handler.__module__, line)


def application(routes: Sequence[Route], context: DialectContext) -> ASGIApp:
    """Return the ASGI application. It answers every HTTP request that it is given, and closes WebSockets."""
    table: dict[str, dict[str, Handler]] = {}
    for route in routes:
        table.setdefault(PREFIX + route.path, {})[route.verb] = route.handler
    settings = context.settings if isinstance(context.settings, Settings) else Settings()

    async def specimen(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "websocket":
            await send({"type": "websocket.close", "code": 1000})
            return
        headers = Headers(scope=scope)
        language = preferred(headers.getlist("accept-language"), settings.language)
        try:
            reply = await _reply(table, context, scope, receive, headers, language)
        except ClientDisconnect:
            return
        except Refused as refused:
            reply = refuse_at_wire(refused, language)
        except Problem as problem:
            reply = refuse(problem.denied, language)
        except Exception as error:  # noqa: BLE001 - the last resort: no answer may be a traceback
            # Only the type: a message could quote what the client sent.
            _log.error("dialect.internal", dialect=RULES.dialect, error=type(error).__name__)
            reply = refuse(Denied(ProblemCode.INTERNAL), language)
        if reply.refused:
            context.note_refusal(scope, headers, RULES.dialect, reply.refused)
        await send_reply(send, reply)

    return specimen


async def _reply(
    table: dict[str, dict[str, Handler]],
    context: DialectContext,
    scope: Scope,
    receive: Receive,
    headers: Headers,
    language: str,
) -> Reply:
    # No path of this dialect needs an escape. One that has any could be read in two ways.
    path = "" if b"%" in scope.get("raw_path", b"") else merge_slashes(scope["path"]).removesuffix("/")
    verbs = table.get(path, {})
    if not verbs:
        raise Refused(NOT_FOUND)
    handler = verbs.get(scope["method"])
    if handler is None:
        raise Refused(METHOD_NOT_ALLOWED, (("allow", ", ".join(sorted(verbs))),))
    app = await context.flows.apps.by_host(headers.get("host", "").lower())
    if isinstance(app, Denied):
        return refuse(app, language)
    try:
        body = await read_body(receive, headers.get("content-length"))
    except BodyTooLargeError:
        # The rest was not read: it could be taken for a next request.
        raise Refused(TOO_LARGE, _CLOSE) from None
    except BodyTooSlowError:
        raise Refused(MALFORMED, _CLOSE) from None
    token = carrier.presented(headers)
    origin = context.origin(scope, headers, app, RULES, language, token=token)
    return await handler(Call(context.flows, origin, body, token))
