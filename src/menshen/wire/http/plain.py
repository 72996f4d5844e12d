"""Send the answers of calls outside of all dialects: short and never cached."""

from __future__ import annotations

from collections.abc import Iterable

from starlette.types import Send

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
