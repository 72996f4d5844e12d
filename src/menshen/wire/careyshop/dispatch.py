"""Read a call, check it in the contract's order, run its method and answer.

The first failure answers. The order is verb, address, public rules, token, permission, app, sign, then the method's own
rules. (docs/contracts/careyshop.md section 1.4.)
"""

from __future__ import annotations

import re
import traceback
from codecs import BOM_UTF8
from dataclasses import dataclass, field
from typing import Any, Final

import structlog
from starlette.datastructures import Headers
from starlette.requests import ClientDisconnect
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

from menshen.core.apps import App
from menshen.core.problems import Denied, Problem, ProblemCode
from menshen.core.sessions.outcomes import Authenticated
from menshen.wire.careyshop import batch, envelope, methods, parameters, public_rules, sign, texts
from menshen.wire.careyshop.addresses import Target, target_of
from menshen.wire.careyshop.call import RECORDED_RULES, RULES, Call
from menshen.wire.careyshop.envelope import Answer, AnswerFormat, Picture
from menshen.wire.careyshop.methods import Method, Who
from menshen.wire.careyshop.parameters import Parameters
from menshen.wire.careyshop.problems import Refused, refusal
from menshen.wire.careyshop.settings import Settings
from menshen.wire.dialect import DialectContext
from menshen.wire.http.body import BodyTooLargeError, BodyTooSlowError, read_body
from menshen.wire.http.cors import allowed_headers

VERBS: Final = ("GET", "POST")
_OWN_HEADERS: Final = ("Content-Type", "Authorization")
_HOST: Final = re.compile(r"[A-Za-z0-9.-]{1,253}(?::[0-9]{1,5})?|\[[0-9A-Fa-f:.]{2,45}\](?::[0-9]{1,5})?", re.ASCII)

log = structlog.get_logger(__name__)


@dataclass(slots=True)
class _Exchange:
    """Hold the known parts of one request, so that it can be answered after any error."""

    context: DialectContext
    settings: Settings
    scope: Scope
    headers: Headers
    receive: Receive
    secure: bool
    request_id: str
    format: AnswerFormat = field(default_factory=AnswerFormat)
    mirrored: bool = False
    close: bool = False

    def note(self, word: str) -> None:
        """Log a refusal."""
        self.context.note_refusal(self.scope, self.headers, RULES.dialect, word, self.request_id)


def build(context: DialectContext) -> ASGIApp:
    """Return the application of this dialect. It answers every HTTP request."""
    settings = context.settings if isinstance(context.settings, Settings) else Settings()

    async def careyshop(scope: Scope, receive: Receive, send: Send) -> None:
        headers = Headers(scope=scope)
        request_id = context.new_request_id(RULES.style)
        if scope["method"] == "OPTIONS":
            response = Response(status_code=204, headers={"allow": "GET, POST, OPTIONS"})
        else:
            secure = context.secure(scope, headers)
            exchange = _Exchange(context, settings, scope, headers, receive, secure, request_id)
            try:
                response = await _response(exchange)
            except ClientDisconnect:
                return
        for name, value in _cors(context, headers, preflight=scope["method"] == "OPTIONS").items():
            response.headers[name] = value
        response.headers["x-request-id"] = request_id
        await response(scope, receive, send)

    return careyshop


async def _response(exchange: _Exchange) -> Response:
    try:
        data = await _data(exchange)
        if isinstance(data, Picture):
            return Response(data.png, headers={"content-type": "image/png", **_SECURITY})
        return _render(exchange, Answer(200, texts.SUCCESS, data))
    except ClientDisconnect:
        raise
    except Exception as error:  # noqa: BLE001 - the last resort: no answer may be a traceback
        if isinstance(error, Refused):
            exchange.note(error.word)
        return _render(exchange, _refusal_of(error, exchange.request_id))


_SECURITY: Final = {"cache-control": "no-store", "x-content-type-options": "nosniff"}


def _refusal_of(error: Exception, request_id: str) -> Answer:
    """Return the answer for an exception. An unexpected one is logged."""
    if isinstance(error, Problem):
        error = refusal(error.denied)
    if isinstance(error, Refused):
        return Answer(error.status, error.text, error.data, retry_after=error.retry_after)
    # Only the type and the place are logged: a message could quote the request.
    place = traceback.extract_tb(error.__traceback__)[-1]
    at = f"{place.name}:{place.lineno}"
    log.error("unhandled", dialect=RULES.dialect, error=type(error).__qualname__, at=at, request_id=request_id)
    return Answer(500, texts.BUSY)


def _render(exchange: _Exchange, answer: Answer) -> Response:
    content_type, body = envelope.render(answer, exchange.format)
    status = envelope.http_status(answer.status, secure=exchange.secure, mirrored=exchange.mirrored)
    headers = {"content-type": content_type, **_SECURITY}
    if answer.retry_after is not None:
        headers["retry-after"] = str(answer.retry_after)
    if exchange.close:
        headers["connection"] = "close"
    return Response(body, status, headers)


def _cors(context: DialectContext, headers: Headers, *, preflight: bool) -> dict[str, str]:
    """Return the CORS headers for the origins in the settings.

    Credentials are never allowed, because tokens are not cookies here.
    """
    if not context.cors_origins:
        return {}
    made = {"vary": "Origin"}
    origin = headers.get("origin")
    if origin is None or origin not in context.cors_origins:
        return made
    made["access-control-allow-origin"] = origin
    if preflight:
        made |= {
            "access-control-allow-methods": "GET, POST",
            "access-control-allow-headers": allowed_headers(_OWN_HEADERS, context.cors_headers),
            "access-control-max-age": "600",
        }
    else:
        made["access-control-expose-headers"] = "X-Request-Id, Retry-After"
    return made


async def _data(exchange: _Exchange) -> Any:
    """Run all checks in their order, then the method, and return the data of its success."""
    target = target_of(exchange.scope)
    escapes = not exchange.settings.recorded_manners
    head: Parameters = {}
    try:
        query = parameters.of_query(exchange.scope.get("query_string", b""))
        pairs = parameters.of_path(target.pairs)
        head = parameters.merged(query, pairs)
        exchange.format = envelope.format_of(head, escapes=escapes)
        if exchange.scope["method"] not in VERBS:
            raise Refused(texts.VERB)
        asked = parameters.merged(query, await _body(exchange), pairs)
    except Refused:
        await _apps(exchange, head)
        raise
    exchange.format = envelope.format_of(asked, escapes=escapes)
    app, own, appkey_ignored = await _apps(exchange, asked)
    if target.controller is None and not target.batch:
        raise Refused(texts.NOT_FOUND, 404)
    public_rules.check(asked, exchange.context.flows.now())
    token = public_rules.token_of(asked) or _bearer(exchange.headers)
    method = methods.find(target.controller, asked.get("method"))
    caller, lapsed = await _caller(exchange.context, token, method)
    try:
        _check_permission(target, method, token)
        if isinstance(own, Denied):
            raise Refused(texts.APP)
        call = Call(
            parameters=asked,
            flows=exchange.context.flows,
            settings=exchange.settings,
            # A token in the parameters belongs to the call. One in the header belongs to the browser, which has one
            # login.
            origin=exchange.context.origin(
                exchange.scope,
                exchange.headers,
                own,
                RECORDED_RULES if exchange.settings.recorded_manners else RULES,
                token=_bearer(exchange.headers),
                request_id=exchange.request_id,
            ),
            app=app,
            token=token,
            caller=caller,
            site=_site(exchange, own),
            note=exchange.note,
            appkey_ignored=appkey_ignored,
        )
        return await _perform(call, target, method)
    except Refused:
        if lapsed is not None and lapsed.code is ProblemCode.UNAUTHENTICATED:
            raise refusal(lapsed) from None
        raise


async def _body(exchange: _Exchange) -> Parameters:
    headers = exchange.headers
    try:
        raw = await read_body(exchange.receive, headers.get("content-length"))
    except (BodyTooLargeError, BodyTooSlowError, TimeoutError) as error:
        # The rest of the body was not read, so it would be taken for the next request.
        exchange.close = True
        raise Refused(texts.BODY_TOO_LARGE if isinstance(error, BodyTooLargeError) else texts.BODY_TOO_SLOW) from None
    # The recorded server could not read JSON behind a byte order mark.
    if exchange.settings.recorded_manners and raw.startswith(BOM_UTF8):
        return {}
    return parameters.of_body(raw, headers.get("content-type", "")) if raw else {}


async def _apps(exchange: _Exchange, asked: Parameters) -> tuple[App | None, App | Denied, bool]:
    """Return the app of the appkey, the app that the call counts for, and whether the appkey was ignored.

    Without a known appkey the first is None, and the call counts for the app of the Host header. A disabled app of
    either is Denied: the call counts for no other app in its place. With `recorded_manners` the appkey of a disabled
    app is ignored: the call counts for the app of the Host header, and only calls that need no appkey are answered.
    """
    apps = exchange.context.flows.apps
    appkey = public_rules.appkey_of(asked)
    named = await apps.by_key(appkey) if appkey is not None else Denied(ProblemCode.NOT_FOUND)
    disabled = isinstance(named, Denied) and named.code is ProblemCode.FORBIDDEN
    appkey_ignored = disabled and exchange.settings.recorded_manners
    if isinstance(named, Denied) and (not disabled or appkey_ignored):
        own = await apps.by_host(exchange.headers.get("host", "").lower())
    else:
        own = named
    exchange.mirrored = isinstance(own, App) and own.mirror_status
    return named if isinstance(named, App) else None, own, appkey_ignored


async def _caller(
    context: DialectContext, token: str, method: Method | None
) -> tuple[Authenticated | None, Denied | None]:
    """Return the caller, or the refusal of an invalid token if the method's flow must judge it.

    Raises:
        Refused: the token is invalid, and the method needs a valid one.
    """
    if not token:
        return None, None
    outcome = await context.flows.sessions.authenticate(token)
    if not isinstance(outcome, Denied):
        return outcome, None
    if method is None or not method.lapsed_token:
        raise refusal(outcome)
    return None, outcome


def _check_permission(target: Target, method: Method | None, token: str) -> None:
    if not target.batch and (method is None or (method.who is Who.ACCOUNT and not token)):
        raise Refused(texts.FORBIDDEN, 403)


async def _perform(call: Call, target: Target, method: Method | None) -> Any:
    """Check app and sign, then run the method or the batch."""
    if (target.batch or method is None or method.app) and call.app is None:
        raise Refused(texts.APP)
    _check_sign(call, required=target.batch or method is None or method.sign or call.origin.app.sign_required)
    return await (batch.run(call) if target.batch or method is None else method.handler(call))


def _check_sign(call: Call, *, required: bool) -> None:
    if not required:
        return
    if not public_rules.given(call.parameters.get("sign")):
        raise Refused(texts.SIGN_MISSING, word="sign_missing")
    if not sign.fits(call.parameters, call.origin.app.secret):
        raise Refused(texts.SIGN_WRONG, word="sign_invalid")


def _bearer(headers: Headers) -> str:
    """Return the token of the Authorization header, or "". Two such headers have none."""
    given = headers.getlist("authorization")
    scheme, _, token = given[0].partition(" ") if len(given) == 1 else ("", "", "")
    return token.strip(" \t")[:100] if scheme.lower() == "bearer" else ""


def _site(exchange: _Exchange, own: App) -> str:
    """Return scheme and host of the called URL: the app's own host, else the Host header. "" for an invalid one."""
    host = own.host or exchange.headers.get("host", "")
    return f"{'https' if exchange.secure else 'http'}://{host}" if _HOST.fullmatch(host) else ""
