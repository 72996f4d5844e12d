"""Send the answer of a page, with its headers and cookies."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Final

from starlette.types import Send

from menshen.core.problems import Denied, ProblemCode
from menshen.wire.pages import headers
from menshen.wire.pages.answers import Answer, Header, Page, Raw, Refused, SeeOther
from menshen.wire.pages.call import Call
from menshen.wire.pages.look.looks import looks_of
from menshen.wire.pages.look.rendering import render
from menshen.wire.pages.request import kept

_HTML: Final = "text/html; charset=utf-8"
_VARY: Final = ("vary", "Accept-Language, Cookie")
_STATUSES: Final = {
    ProblemCode.NOT_FOUND: 404,
    ProblemCode.FORBIDDEN: 403,
    ProblemCode.TOO_MANY_REQUESTS: 429,
    ProblemCode.OVERLOADED: 503,
    ProblemCode.UNAVAILABLE: 503,
    ProblemCode.INTERNAL: 500,
}


@dataclass(frozen=True, slots=True)
class Ready:
    """Hold an answer as bytes."""

    status: int
    kind: str
    body: bytes = field(repr=False)
    headers: tuple[Header, ...]


def refusal(call: Call, refused: Refused) -> Page | Raw:
    """Return the page that says why a request was refused. `menshen.texts.pages` has its words."""
    page = call.page("refused.html", title=call.words(f"page.{refused.text}"), sentence=refused.denied)
    return _with_status(call, page, refused.status, refused.headers)


def problem(call: Call, denied: Denied) -> Page | Raw:
    """Return the page for a refusal that no form shows."""
    page = call.page("refused.html", title=call.words.problem(denied), sentence=None)
    wait = (("retry-after", str(denied.retry_after)),) if denied.retry_after else ()
    return _with_status(call, page, _STATUSES.get(denied.code, 400), wait)


def _with_status(call: Call, page: Page, status: int, more: tuple[Header, ...]) -> Raw:
    return Raw(_body(call, page), _HTML, status, (headers.policy(), *more))


async def send(send: Send, call: Call, ready: Ready, *, bare: bool) -> None:
    """Send one whole answer. `bare`: without its body, as HEAD wants it."""
    kept.write(call.jar, call.kept, call.browser, call.flows.page_value, call.now)
    head = [
        *headers.PAGE,
        *ready.headers,
        ("x-request-id", call.origin.request_id),
        *(("set-cookie", line) for line in call.jar.written),
    ]
    if ready.kind:
        head.append(("content-type", ready.kind))
    head.append(("content-length", str(len(ready.body))))
    await send({"type": "http.response.start", "status": ready.status, "headers": headers.encode(_newest(head))})
    await send({"type": "http.response.body", "body": b"" if bare else ready.body})


def prepare(call: Call, answer: Answer) -> Ready:
    """Return an answer as bytes. A page takes what was said once."""
    match answer:
        case SeeOther(to):
            return Ready(303, "", b"", (("location", to),))
        case Raw(body, kind, status, more):
            return Ready(status, kind, body, more)
        case Page(_, _, status, leads_to):
            return Ready(status, _HTML, _body(call, answer), (headers.policy(leads_to), _VARY))


def _body(call: Call, page: Page) -> bytes:
    said, call_values = call.kept.said, _values(call)
    body = render(page.template, {**call_values, **page.values, "said": call.words(said) if said else ""})
    if said:
        call.keep(said="")
    return body


def _values(call: Call) -> dict[str, Any]:
    """Return what every template may use."""
    return {
        "call": call,
        "t": call.words,
        "app_name": call.app_name,
        "settings": call.settings,
        "looks": looks_of(call.app, call.settings),
        "csrf": call.csrf,
        "next": call.next,
        "who": call.caller,
        "error": "",
        "wrong": "",
    }


def _newest(head: list[Header]) -> list[Header]:
    """Return the headers without those that a later one of the same name replaces; each cookie stays."""
    last = {name: place for place, (name, _) in enumerate(head)}
    return [entry for place, entry in enumerate(head) if entry[0] == "set-cookie" or last[entry[0]] == place]
