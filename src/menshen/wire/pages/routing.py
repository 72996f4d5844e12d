"""Route a request to its page: path, verb, language, cookies, the form's origin, and who is logged in.

Each module in `calls` names its own routes. It must not know what the pages do. (docs/contracts/pages.md section 2.)
"""

from __future__ import annotations

import importlib
import pkgutil
import re
from collections.abc import Awaitable, Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Final

import structlog
from starlette.datastructures import Headers
from starlette.requests import ClientDisconnect
from starlette.types import Receive, Scope, Send

from menshen.core.apps import App
from menshen.core.pages.settings import PageSettings
from menshen.core.problems import Denied, Problem, ProblemCode
from menshen.wire.dialect import Access, Dialect, DialectContext, Endpoint
from menshen.wire.http.body import BodyTooLargeError, BodyTooSlowError, read_body
from menshen.wire.http.paths import merge_slashes
from menshen.wire.pages import calls, sending
from menshen.wire.pages.answers import Answer, LoginNeeded, ProofNeeded, Refused, SeeOther
from menshen.wire.pages.call import RULES, Call
from menshen.wire.pages.request import reading
from menshen.wire.pages.request.forms import FORM_LIMIT, FormError, read_form

_RESOURCE: Final = re.compile(r"[A-Za-z0-9_.-]{1,80}", re.ASCII)
_log = structlog.get_logger("menshen.pages")

Handler = Callable[[Call], Awaitable[Answer]]


@dataclass(frozen=True, slots=True)
class Route:
    """Hold one line of the route table. `flow` names the use case behind it, "" for a page that asks none.

    A page for all knows who is logged in. A page of `Access.LOGIN` opens a session in place of the browser's present
    one. A page of `Access.PRIVATE` sends strangers to the login. `most` is the longest body in bytes.
    """

    verb: str
    path: str
    handler: Handler
    flow: str = ""
    access: Access = Access.ANYBODY
    most: int = FORM_LIMIT

    @property
    def endpoint(self) -> Endpoint:
        """Return the line of `menshen routes`."""
        line = self.handler.__code__.co_firstlineno
        return Endpoint(self.verb, self.path, self.flow or "-", self.access, self.handler.__module__, line)


@cache
def routes() -> tuple[Route, ...]:
    """Return the routes of all modules in `calls`. There is no list to edit."""
    return tuple(_routes_of(calls.__path__, calls.__name__))


def _routes_of(path: Sequence[str], package: str) -> Iterator[Route]:
    for module in sorted(pkgutil.iter_modules(path), key=lambda found: found.name):
        name = f"{package}.{module.name}"
        loaded = importlib.import_module(name)
        yield from getattr(loaded, "ROUTES", ())
        if module.ispkg:
            yield from _routes_of(loaded.__path__, name)


class Table:
    """Find routes by exact path, or by the part before a resource at the end ("/account/devices/{id}")."""

    def __init__(self, listed: Sequence[Route]) -> None:
        self._exact: dict[str, dict[str, Route]] = {}
        self._families: dict[str, dict[str, Route]] = {}
        for route in listed:
            family, brace, _ = route.path.partition("{")
            (self._families if brace else self._exact).setdefault(family, {})[route.verb] = route

    def find(self, path: str) -> tuple[dict[str, Route], str]:
        """Return the routes of a path by verb, and the resource. Without a route the dict is empty."""
        if path in self._exact:
            return self._exact[path], ""
        family, slash, resource = path.rpartition("/")
        known = self._families.get(family + slash, {})
        return (known, resource) if known and _RESOURCE.fullmatch(resource) else ({}, "")


Entry = Callable[[Scope, Receive, Send, App, PageSettings], Awaitable[None]]


def application(context: DialectContext, dialects: Sequence[Dialect]) -> Entry:
    """Return what answers requests for pages of an app. `dialects` are those that are served."""
    table = Table(routes())
    giving = next((dialect for dialect in dialects if dialect.browser is not None), None)

    async def pages(scope: Scope, receive: Receive, send: Send, app: App, settings: PageSettings) -> None:
        headers = Headers(scope=scope)
        call = reading.begin(context, scope, headers, app, settings, giving)
        refused = ""
        try:
            ready = sending.prepare(call, await _answer(table, call, scope, receive, headers))
        except ClientDisconnect:
            return
        except Refused as stop:
            ready, refused = sending.prepare(call, sending.refusal(call, stop)), stop.text
        except Problem as problem:
            refused = problem.denied.code.value
            _log.warning("pages.problem", code=refused, detail=str(problem), request_id=call.origin.request_id)
            # Without a session now: it ended between its check and its change.
            gone = problem.denied.code is ProblemCode.UNAUTHENTICATED
            ready = sending.prepare(call, _to_login(call) if gone else sending.problem(call, problem.denied))
        except Exception as error:  # noqa: BLE001 - the last resort: no answer may be a traceback
            # Only the type: a message could quote what the client sent.
            _log.error(
                "pages.internal", error=type(error).__name__, at=_where(error), request_id=call.origin.request_id
            )
            refused = ProblemCode.INTERNAL.value
            ready = sending.prepare(call, sending.problem(call, Denied(ProblemCode.INTERNAL)))
        if refused:
            context.note_refusal(scope, headers, RULES.dialect, refused, call.origin.request_id)
        await sending.send(send, call, ready, bare=scope["method"] == "HEAD")

    return pages


async def _answer(table: Table, call: Call, scope: Scope, receive: Receive, headers: Headers) -> Answer:
    # No path of a page needs an escape. One that has any could be read in two ways.
    path = "" if b"%" in scope.get("raw_path", b"") else merge_slashes(scope["path"])
    path = path.removesuffix("/") or path
    verbs, resource = table.find(path)
    if not verbs:
        raise Refused(404, "not_found")
    route = verbs.get(call.verb)
    if route is None:
        raise Refused(405, "not_found", headers=(("allow", ", ".join(sorted(verbs))),))
    if len(headers.getlist("host")) > 1:
        raise Refused(400, "bad_request")
    call.resource = resource
    if call.verb != "GET":
        await _read_form(route, call, receive, headers)
    await reading.know(call, headers, route.access)
    if route.access is Access.PRIVATE and call.caller is None:
        return _to_login(call)
    try:
        return await route.handler(call)
    except LoginNeeded:
        return _to_login(call)
    except ProofNeeded:
        return SeeOther(call.link("/account/prove", next=_back(call)))


async def _read_form(route: Route, call: Call, receive: Receive, headers: Headers) -> None:
    """Read the form of a POST. It must come from a page of this host, and carry the value of this browser.

    (docs/security/attacks.md PG-2.)
    """
    if not reading.from_own_page(headers, call.host, secure=call.secure):
        raise Refused(403, "foreign_page")
    try:
        body = await read_body(receive, headers.get("content-length"), route.most)
        call.form = read_form(body, headers.get("content-type", ""))
    except BodyTooLargeError:
        # The rest was not read: it could be taken for a next request.
        raise Refused(413, "too_large", headers=(("connection", "close"),)) from None
    except BodyTooSlowError:
        raise Refused(408, "bad_request", headers=(("connection", "close"),)) from None
    except FormError:
        raise Refused(400, "bad_request") from None
    if not call.form_fits():
        raise Refused(403, "form_old")


def _to_login(call: Call) -> Answer:
    return SeeOther(call.link("/login", next=_back(call)))


def _back(call: Call) -> str:
    """Return where to go on after a login or a proof: the page itself, or the one whose form was sent."""
    if call.verb == "GET":
        return call.path
    return call.form.get("back") or "/account"


def _where(error: BaseException) -> str:
    """Return the module and line that raised the error, without any text of the request."""
    trace = error.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    return "" if trace is None else f"{trace.tb_frame.f_globals.get('__name__', '?')}:{trace.tb_lineno}"
