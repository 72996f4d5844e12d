"""Serve POST /receipts/<sender>/<secret>: take what a vendor says of messages that it took before.

A caller without the secret gets the 404 of any unknown path, before a byte of the body is waited for. So a flood of
strangers costs one comparison a request. What callers with the secret may send is bounded by the desk. Nothing here
writes the path anywhere: it holds the secret. (docs/contracts/vendors.md section 3, docs/security/attacks.md RC-1 to
RC-9, decision 0069.)
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final, Protocol

from starlette.datastructures import Headers
from starlette.requests import ClientDisconnect
from starlette.types import ASGIApp, Receive, Scope, Send

from menshen.core.delivery.receipts import PREFIX, PushAnswer, PushRefusal
from menshen.core.problems import Problem
from menshen.core.time import Instant
from menshen.wire.http.address import client_ip, public_url
from menshen.wire.http.body import BODY_LIMIT, BodyTooLargeError, BodyTooSlowError, read_body
from menshen.wire.http.plain import answer
from menshen.wire.http.refusals import Refusals

MOST_BODY: Final = 64 * 1024
"""Longest push, in bytes. Vendors put many receipts into one, so it may be longer than other requests."""

_JSON: Final = b"application/json; charset=utf-8"
_CLOSE: Final = ((b"connection", b"close"),)
_LATER: Final = ((b"retry-after", b"1"),)
_REFUSED: Final[Mapping[PushRefusal, tuple[int, str]]] = {
    PushRefusal.UNSIGNED: (403, "unsigned"),
    PushRefusal.UNREADABLE: (400, "unreadable"),
    PushRefusal.BUSY: (503, "busy"),
}


class Desk(Protocol):
    """Take pushes. The flows offer one (`menshen.flows.delivery.receipts`)."""

    def admits(self, sender: str, secret: str) -> bool: ...
    async def take(self, sender: str, url: str, headers: Mapping[str, str], body: bytes) -> PushAnswer | PushRefusal:
        """Take one push, or say why not. Raises Problem where the database takes no changes."""
        ...


def receipts_app(desk: Desk, now: Callable[[], Instant], trusted_proxies: int) -> ASGIApp:
    """Return the endpoint. `trusted_proxies` is the number of our own proxies before the server."""
    refusals = Refusals()

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        sender, _, secret = scope["path"].removeprefix(PREFIX).partition("/")
        if not desk.admits(sender, secret):
            await answer(send, 404, b'{"error":"not_found"}', _JSON)
            return
        headers = Headers(scope=scope)

        async def refuse(status: int, reason: str, more: tuple[tuple[bytes, bytes], ...] = ()) -> None:
            refusals.note("receipts", reason, lambda: client_ip(scope, headers, trusted_proxies), now())
            await answer(send, status, b'{"error":"%s"}' % reason.encode(), _JSON, more)

        if scope["method"] != "POST":
            await answer(send, 405, headers=[(b"allow", b"POST")])
            return
        length = headers.get("content-length", "")
        if "expect" in headers and length.isdecimal() and BODY_LIMIT < int(length[:20]) <= MOST_BODY:
            # The connection asks for no body of that length. Told so, the client sends it without being asked.
            await refuse(417, "expectation", _CLOSE)
            return
        try:
            body = await read_body(receive, length, MOST_BODY)
            told = await desk.take(sender, public_url(scope, headers, trusted_proxies), _joined(headers), body)
        except BodyTooLargeError:
            await refuse(413, "too_large", _CLOSE)
        except BodyTooSlowError:
            await refuse(408, "too_slow", _CLOSE)
        except ClientDisconnect:
            return
        except Problem:
            await refuse(503, "unavailable", _LATER)
        else:
            if isinstance(told, PushAnswer):
                await answer(send, 200, told.body, told.content_type.encode())
            else:
                status, reason = _REFUSED[told]
                await refuse(status, reason, _LATER if status == 503 else ())

    return app


def _joined(headers: Headers) -> dict[str, str]:
    """Return the headers by their names in lower case. One that stands twice is joined, so that it fits nothing."""
    joined: dict[str, str] = {}
    for name, value in headers.items():
        joined[name] = f"{joined[name]}, {value}" if name in joined else value
    return joined
