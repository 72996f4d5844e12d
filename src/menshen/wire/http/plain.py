"""Send the answers of calls outside of all dialects: short and never cached."""

from __future__ import annotations

from collections.abc import Iterable
from http import HTTPStatus

from starlette.types import Receive, Scope, Send

HARDENING: tuple[tuple[bytes, bytes], ...] = (
    (b"cache-control", b"no-store"),
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"no-referrer"),
)


async def answer(
    send: Send, status: int, body: bytes = b"", kind: bytes = b"text/plain; charset=utf-8",
    headers: Iterable[tuple[bytes, bytes]] = (),
) -> None:  # fmt: skip
    """Send one whole answer. A 204 has no body and no content type."""
    head = [*headers, *HARDENING]
    if status != 204:
        head += [(b"content-type", kind), (b"content-length", str(len(body)).encode())]
    await send({"type": "http.response.start", "status": status, "headers": head})
    await send({"type": "http.response.body", "body": body})


async def overloaded(scope: Scope, receive: Receive, send: Send) -> None:
    """Answer 503 with Retry-After."""
    body = b'{"error":"overloaded","retry_after":1}'
    await answer(send, 503, body, b"application/json; charset=utf-8", [(b"retry-after", b"1")])


def raw_refusal(status: HTTPStatus) -> bytes:
    """Return the bytes of the last answer of a connection, for what is no request that an application could answer."""
    text = status.phrase.encode() + b"\n"
    retry = b"retry-after: 1\r\n" if status is HTTPStatus.SERVICE_UNAVAILABLE else b""
    head = b"".join(name + b": " + value + b"\r\n" for name, value in HARDENING)
    return (
        b"HTTP/1.1 %d %s\r\ncontent-type: text/plain; charset=utf-8\r\ncontent-length: %d\r\n%s%sconnection: close"
        b"\r\n\r\n%s" % (status, status.phrase.encode(), len(text), retry, head, text)
    )
