"""Route a request to its handler: check path, verb, caller and body, and answer errors.

The package's `__init__` holds the routes. Must not know what the calls do. (docs/contracts/weidu.md section 1.)
"""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final, TypeVar, get_type_hints

import structlog
from msgspec import Struct
from starlette.datastructures import Headers
from starlette.requests import ClientDisconnect
from starlette.types import ASGIApp, Receive, Scope, Send

from menshen.core.apps import App
from menshen.core.problems import Denied, Problem, ProblemCode
from menshen.core.rules import Origin
from menshen.wire.dialect import Access, DialectContext, Endpoint
from menshen.wire.http.body import BodyTooLargeError, BodyTooSlowError, read_body
from menshen.wire.http.languages import preferred
from menshen.wire.http.paths import merge_slashes
from menshen.wire.weidu import browsers, carrier, decode, problems
from menshen.wire.weidu.call import RULES, Call, PrivateCall
from menshen.wire.weidu.envelope import Ok, Reply, send_reply

PREFIX: Final = "/weidu/api/v1"
_READS: Final = frozenset({"GET"})
_FROM_OWN_PAGES: Final = (Access.LOGIN, Access.TICKET)
_CLOSE: Final = (("connection", "close"),)
_CROWDED: Final = Denied(ProblemCode.OVERLOADED, 1)
_log = structlog.get_logger("menshen.weidu")

B = TypeVar("B", bound=Struct)
Handler = Callable[[Any, Any], Awaitable[Reply]]


@dataclass(frozen=True, slots=True)
class Route:
    """Describe one line of the route table. `answers` are the forms of success, `flow` is the use case behind it.

    A route that `judges_password` is refused unread while the hash queue is full. Under a flood of logins the many
    refusals must cost almost nothing. (Decision 0024.)

    A call to enrol a factor has a second handler, `by_ticket`, and its `ticket_flow`: they answer where the body has a
    `login_ticket`. A route that `asks_passkeys` needs to know by which origin the request names this server.
    """

    verb: str
    path: str
    handler: Handler
    body: type[Struct]
    answers: tuple[type[Struct], ...]
    flow: str
    access: Access
    judges_password: bool = False
    by_ticket: Handler | None = None
    ticket_flow: str = ""
    asks_passkeys: bool = False

    @property
    def endpoint(self) -> Endpoint:
        """Return the line of `menshen routes`."""
        where = self.handler.__module__, self.handler.__code__.co_firstlineno
        return Endpoint(self.verb, PREFIX + self.path, self.flow, self.access, *where)


def anybody(
    verb: str, path: str, handler: Callable[[Call, B], Awaitable[Reply]], flow: str, *answers: type[Struct]
) -> Route:
    """Return a route that needs no login. `answers` default to the bare envelope."""
    return _route(verb, path, handler, flow, answers, Access.ANYBODY)


def login(
    verb: str, path: str, handler: Callable[[Call, B], Awaitable[Reply]], flow: str, *answers: type[Struct]
) -> Route:
    """Return a route that needs no login and opens a session."""
    return _route(verb, path, handler, flow, answers, Access.LOGIN)


def ticket(
    verb: str, path: str, handler: Callable[[Call, B], Awaitable[Reply]], flow: str, *answers: type[Struct]
) -> Route:
    """Return a route for the holder of a ticket, which opens no session."""
    return _route(verb, path, handler, flow, answers, Access.TICKET)


def enrolment(
    verb: str,
    path: str,
    handlers: tuple[Callable[[PrivateCall, B], Awaitable[Reply]], Callable[[Call, B], Awaitable[Reply]]],
    flows: tuple[str, str],
    *answers: type[Struct],
) -> Route:
    """Return a route for logged-in users, and for the holder of a ticket of a login that must enrol a factor.

    The first handler and flow are those of a session, the second those of a ticket.
    """
    (handler, by_ticket), (flow, ticket_flow) = handlers, flows
    route = _route(verb, path, handler, flow, answers, Access.ENROLMENT)
    return replace(route, by_ticket=by_ticket, ticket_flow=ticket_flow)


def member(
    verb: str, path: str, handler: Callable[[PrivateCall, B], Awaitable[Reply]], flow: str, *answers: type[Struct]
) -> Route:
    """Return a route for logged-in users."""
    return _route(verb, path, handler, flow, answers, Access.PRIVATE)


def judging(route: Route) -> Route:
    """Mark `route` as one that checks a password first."""
    return replace(route, judges_password=True)


def passkeys(route: Route) -> Route:
    """Mark `route` as one whose flow makes options for passkeys, or judges them."""
    return replace(route, asks_passkeys=True)


def _route(
    verb: str,
    path: str,
    handler: Handler,
    flow: str,
    answers: tuple[type[Struct], ...],
    access: Access,
) -> Route:
    # The signature of the handler is the one place that names its body.
    body = get_type_hints(handler)["body"]
    return Route(verb, path, handler, body, answers or (Ok,), flow, access)


def application(routes: Sequence[Route], context: DialectContext) -> ASGIApp:
    """Return the ASGI application. It takes the whole path, or the rest of it below a mount at `PREFIX`."""
    table = _Table(routes)

    async def weidu(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "websocket":
            await send({"type": "websocket.close", "code": 1000})
            return
        headers = Headers(scope=scope)
        request_id = context.new_request_id(RULES.style)
        host = headers.get("host", "").lower()
        secure = context.secure(scope, headers)
        browser = browsers.judge_browser(headers, host, context.cors_origins, secure=secure)
        language = preferred(headers.getlist("accept-language"))
        cookies = tuple(headers.getlist("cookie"))
        request = _Request(context, scope, receive, headers, host, browser, language, request_id, secure, cookies)
        path = _path(scope)
        try:
            reply = await _answer(table, request, path)
        except ClientDisconnect:
            return
        except Problem as problem:
            _log.warning("weidu.problem", code=problem.denied.code.value, detail=str(problem), request_id=request_id)
            reply = problems.refuse(problem.denied, language)
        except Exception as error:  # noqa: BLE001 - the last resort: clients must not learn details
            _log.error("weidu.internal", error=type(error).__name__, at=_where(error), request_id=request_id)
            reply = problems.refuse(Denied(ProblemCode.INTERNAL), language)
        await send_reply(send, reply, request_id, browsers.sharing(browser, context.cors_origins))

    return weidu


@dataclass(frozen=True, slots=True)
class _Request:
    context: DialectContext
    scope: Scope
    receive: Receive
    headers: Headers
    host: str
    browser: browsers.Browser
    language: str
    request_id: str
    secure: bool
    cookies: tuple[str, ...]


class _Table:
    """Find routes by exact path, or by the part before a resource at the end."""

    def __init__(self, routes: Sequence[Route]) -> None:
        self._exact: dict[str, dict[str, Route]] = {}
        self._families: dict[str, dict[str, Route]] = {}
        for route in routes:
            family, brace, _ = route.path.partition("{")
            (self._families if brace else self._exact).setdefault(family, {})[route.verb] = route

    def find(self, path: str) -> tuple[dict[str, Route], str]:
        """Return the routes of a path by verb, and the resource. Without a route the dict is empty.

        One slash at the end changes nothing, except where a resource is missing behind it: a client that lost the id
        of a session must not end all others.
        """
        if path.endswith("/") and path not in self._families:
            path = path[:-1]
        if path in self._exact:
            return self._exact[path], ""
        family, slash, resource = path.rpartition("/")
        if _RESOURCE.fullmatch(resource):
            return self._families.get(family + slash, {}), resource
        return {}, ""


_RESOURCE: Final = re.compile(r"[A-Za-z0-9_-]{1,64}", re.ASCII)


async def _answer(table: _Table, request: _Request, path: str) -> Reply:
    """Return the reply or the refusal, and log every refusal, of the wire or of a flow."""
    try:
        reply = await _reply(table, request, path)
    except problems.Refused as refused:
        reply = problems.refuse_at_wire(refused, request.language)
    except Problem as problem:
        if problem.denied.code is not ProblemCode.OVERLOADED:
            raise
        reply = problems.refuse(problem.denied, request.language)
    if reply.refused:
        request.context.note_refusal(request.scope, request.headers, RULES.dialect, reply.refused, request.request_id)
    return reply


async def _reply(table: _Table, request: _Request, path: str) -> Reply:
    verbs, resource = table.find(path)
    if not verbs:
        return problems.refuse(Denied(ProblemCode.NOT_FOUND), request.language)
    verb = request.scope["method"]
    route = verbs.get(verb)
    if route is None:
        allow = ("allow", ", ".join(sorted(verbs)))
        if verb == "OPTIONS":
            more = request.context.cors_headers
            cors = browsers.preflight(request.headers, request.browser, tuple(verbs), more)
            if cors is not None:
                return Reply(204, b"", (allow, *cors))
        raise problems.Refused(problems.METHOD_NOT_ALLOWED, headers=(allow,))
    context = request.context
    if route.judges_password and context.flows.login.crowded(RULES.dialect):
        return problems.refuse(_CROWDED, request.language)
    if len(request.headers.getlist("host")) > 1:
        raise problems.invalid()
    app = await context.flows.apps.by_host(request.host)
    if isinstance(app, Denied):
        return problems.refuse(app, request.language)
    access, handler, body = route.access, route.handler, None
    if route.by_ticket is not None:
        body = await _body(route, request)
        access, handler = _as_the_body_says(route, route.by_ticket, body)
    origin = await _origin(route, request, app, access)
    query = request.scope.get("query_string", b"").decode("latin-1")
    cookies = request.cookies
    if access is Access.PRIVATE:
        write = verb not in _READS
        caller, token = await carrier.identify(context.flows, app, request.headers, request.browser, write=write)
        whose = PrivateCall(context.flows, origin, request.host, request.secure, query, resource, cookies, caller)
        reply = await handler(whose, await _body(route, request) if body is None else body)
        # A write may have ended its own session, so only reads extend cookies.
        return reply if write or not token else replace(reply, headers=(*carrier.prolong(whose, token), *reply.headers))
    call = Call(context.flows, origin, request.host, request.secure, query, resource, cookies)
    if request.browser.may_write or access not in _FROM_OWN_PAGES:
        return await handler(call, await _body(route, request) if body is None else body)
    if not request.browser.program:
        raise problems.Refused(problems.CSRF)
    # A login that a page could have forged would be of no use to it: the browser is given nothing to keep.
    reply = await handler(call, await _body(route, request) if body is None else body)
    return replace(reply, headers=tuple(header for header in reply.headers if header[0] != "set-cookie"))


def _as_the_body_says(route: Route, by_ticket: Handler, body: Struct) -> tuple[Access, Handler]:
    """Return how an enrolment is judged: as a login if its body has a ticket, else as a call in a session.

    A ticket is in a body on purpose, while browsers and many clients add what is left of a session by themselves. If
    the session won, its account would get the factor that was meant for the account of the ticket.
    """
    return (Access.LOGIN, by_ticket) if getattr(body, "login_ticket", "") else (Access.PRIVATE, route.handler)


async def _origin(route: Route, request: _Request, app: App, access: Access) -> Origin:
    context = request.context
    token = cookie = ""
    if access is Access.LOGIN:
        token, cookie = await carrier.brought(context.flows, app, request.headers)
    origin = context.origin(
        request.scope, request.headers, app, RULES, request.language,
        token=token, cookie=cookie, request_id=request.request_id,
    )  # fmt: skip
    # What a program sends for its ordinary logins has neither, and costs nothing.
    carries = (request.cookies or request.browser.page) and access in _FROM_OWN_PAGES
    if not carries and not route.asks_passkeys:
        return origin
    named = route.asks_passkeys and request.host
    site = browsers.own_origin(request.host, secure=request.secure) if named else ""
    step = carrier.step_carriers(app, request.cookies, request.browser, site, secure=request.secure)
    return replace(origin, step=step)


async def _body(route: Route, request: _Request) -> Struct:
    if route.body is decode.NoBody:
        return decode.NoBody()
    try:
        raw = await read_body(request.receive, request.headers.get("content-length"))
    except BodyTooLargeError:
        raise problems.Refused(problems.PAYLOAD_TOO_LARGE, headers=_CLOSE) from None
    except BodyTooSlowError:
        raise problems.Refused(problems.invalid().rule, headers=_CLOSE) from None
    if not raw and route.by_ticket is not None:
        # A session needs no body to begin.
        return decode.convert({}, route.body)
    return decode.read(raw, route.body)


def _path(scope: Scope) -> str:
    """Return the path below `PREFIX`, or "" for a foreign one. No route needs an escape: a path with one is foreign."""
    if b"%" in scope.get("raw_path", b""):
        return ""
    path = merge_slashes(scope["path"])
    if path.startswith(PREFIX + "/"):
        return path.removeprefix(PREFIX)
    return path if scope.get("root_path", "").endswith(PREFIX) else ""


def _where(error: BaseException) -> str:
    """Return the module and line that raised the error, without any text of the request."""
    trace = error.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    return "" if trace is None else f"{trace.tb_frame.f_globals.get('__name__', '?')}:{trace.tb_lineno}"
