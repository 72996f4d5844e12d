"""Where the canary hears secrets: around the flows, and on the wire."""

from __future__ import annotations

import dataclasses
import json
import re
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Final
from urllib.parse import parse_qsl

from menshen.core.factors.outcomes import Begun
from menshen.core.gates.captcha import CaptchaPass, CaptchaTicket
from menshen.core.login.outcomes import Granted, StepNeeded
from menshen.core.problems import Denied, Problem
from menshen.core.rules import Origin
from menshen.core.sessions.outcomes import Authenticated
from menshen.flows.catalog import Flows
from menshen.flows.use_case import FlowKind, UseCase, flows_of, use_case_of
from tests.canary import Canary

_SILENT: Final = frozenset({FlowKind.ROUTING, FlowKind.TOKEN_CHECK})
"""Use cases that are asked with every request, and hand out nothing."""
_ISSUED: Final = (Granted, CaptchaPass)
_SECRET_NAMES: Final = {
    "password": "password", "password_old": "password", "password_confirm": "password", "old_password": "password",
    "new_password": "password", "oldPassword": "password", "newPassword": "password", "secret": "app secret",
}  # fmt: skip
_HANDED_OUT: Final = re.compile(rb'"(token|refresh|captcha_token)"\s*:\s*"([0-9a-z]{26,32})"')
_TICKET: Final = re.compile(r'("(?:login_)?ticket"\s*:\s*"|<ticket>)([0-9a-z]{26,32})')
"""Where a refusal hands out the ticket of a login that waits for its second step. It stands nowhere else."""
_COOKIE: Final = re.compile(r"[^=]*(AUTHTOKEN|CSRF)=([0-9a-z]{26})")
_UNTIDY: Final = re.compile(r'"((?:old_?|new_?)?password)"\s*:\s*"((?:[^"\\]|\\.)*)"', re.IGNORECASE)
_MOST_BODY: Final = 20_000


def listening(flows: Flows, canary: Canary) -> Flows:
    """Return the same flows. The canary hears what they are asked and answer.

    What a use case refuses must be among the refusals that it declares.
    """

    def heard(name: str, flow: Callable[..., Awaitable[Any]], described: UseCase) -> Callable[..., Awaitable[Any]]:
        async def hear(*args: Any) -> Any:
            for arg in args:
                hear_ask(canary, arg)
            try:
                outcome = await flow(*args)
            except Problem as problem:
                demand_declared(name, described, problem.denied)
                raise
            demand_declared(name, described, outcome)
            hear_outcome(canary, outcome)
            return outcome

        return hear

    def heard_subject(name: str, subject: Any) -> Any:
        wrapped = {
            flow: heard(f"{name}.{flow}", getattr(subject, flow), described)
            for flow, function in flows_of(type(subject)).items()
            if (described := use_case_of(function)).kind not in _SILENT
        }
        return dataclasses.replace(subject, **wrapped)

    subjects = {field.name: getattr(flows, field.name) for field in dataclasses.fields(flows)}
    return dataclasses.replace(
        flows, **{name: heard_subject(name, s) for name, s in subjects.items() if dataclasses.is_dataclass(s)}
    )


def demand_declared(name: str, described: UseCase, outcome: Any) -> None:
    """Fail when `outcome` is a refusal that the use case does not declare."""
    if isinstance(outcome, Denied):
        assert outcome.code in described.refusals, f"{name} refused with {outcome.code}, which it does not declare"


def hear_ask(canary: Canary, ask: Any) -> None:
    """By the house's own convention: what a record's repr leaves out is secret, what it shows is not."""
    if not dataclasses.is_dataclass(ask) or isinstance(ask, Origin | Authenticated):
        return
    for field in dataclasses.fields(ask):
        value = getattr(ask, field.name)
        if isinstance(value, str):
            canary.tell(value) if field.repr else canary.learn(field.name, value)
        elif isinstance(value, Mapping):
            for text in value.values():
                canary.tell(str(text))
        else:
            hear_ask(canary, value)


def hear_outcome(canary: Canary, outcome: Any) -> None:
    """What was handed out."""
    if isinstance(outcome, CaptchaTicket):
        canary.learn("captcha session", outcome.session_id)
    if isinstance(outcome, _ISSUED):
        for name in ("token", "refresh", "csrf", "trust"):
            canary.learn(name, getattr(outcome, name, ""))
    if isinstance(outcome, StepNeeded):
        canary.learn("ticket", outcome.ticket)
        canary.learn("cookie of a ticket", outcome.cookie)
    if isinstance(outcome, Begun):
        canary.learn("secret of a factor", outcome.shown.get("secret", ""))
    for code in (*getattr(outcome, "recovery_codes", ()), *getattr(outcome, "codes", ())):
        canary.learn("recovery code", code)
        canary.learn("recovery code", code.replace("-", ""))


# --- on the wire -----------------------------------------------------------------------------------------------------


def hear_request(canary: Canary, path: str, body: bytes) -> None:
    """Passwords of a request, in whatever shape they come."""
    text = body[:_MOST_BODY].decode("utf-8", "replace")
    pairs = parse_qsl(path.partition("?")[2], keep_blank_values=True)
    try:
        parsed = json.loads(text)
    except (ValueError, RecursionError):
        pairs += _UNTIDY.findall(text) or parse_qsl(text, keep_blank_values=True)
    else:
        pairs += [(name, value) for name, value in _fields(parsed) if isinstance(value, str)]
    for name, value in pairs:
        if kind := _SECRET_NAMES.get(name):
            canary.learn(kind, value)
        else:
            canary.tell(value)


def _fields(parsed: Any) -> list[tuple[str, Any]]:
    if isinstance(parsed, list):
        return [pair for inner in parsed for pair in _fields(inner)]
    return list(parsed.items()) if isinstance(parsed, dict) else []


def hear_answer(canary: Canary, headers: list[tuple[str, str]], body: bytes) -> None:
    """Tokens that an answer hands out."""
    for name, value in headers:
        if name.lower() == "token":
            canary.learn("token", value)
        elif name.lower() == "set-cookie" and (match := _COOKIE.match(value)):
            canary.learn("token" if match[1] == "AUTHTOKEN" else "csrf", match[2])
    for found in _HANDED_OUT.finditer(body[:_MOST_BODY]):
        canary.learn(found[1].decode(), found[2].decode())


def refusals_of(asgi: Any, canary: Canary, into: set[str]) -> Any:
    """The same application; what it refused is kept in `into`, and what was asked then is told to the canary."""

    async def application(scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] != "http":
            await asgi(scope, receive, send)
            return
        asked, status, said = bytearray(), 0, bytearray()

        async def hear() -> Any:
            message = await receive()
            asked.extend(message.get("body", b"")[:_MOST_BODY])
            return message

        async def tell(message: Any) -> None:
            nonlocal status
            status = message.get("status", status)
            said.extend(message.get("body", b"")[:_MOST_BODY])
            await send(message)

        await asgi(scope, hear, tell)
        # CareyShop refuses with 200 and a word in the body.
        if status >= 400 or (said.startswith(b'{"status":') and not said.startswith(b'{"status":200')):
            query = scope.get("query_string", b"").decode("latin-1")
            hear_request(canary, f"?{query}", bytes(asked))
            into.add(_TICKET.sub(r"\1", said.decode("utf-8", "replace")))

    return application
