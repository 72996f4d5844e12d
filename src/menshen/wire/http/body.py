"""Read a request's body, within limits of size and time."""

from __future__ import annotations

import asyncio

from starlette.requests import ClientDisconnect
from starlette.types import Message, Receive

BODY_LIMIT = 16 * 1024
"""Longest body, in bytes."""

BODY_SECONDS = 15.0


class BodyTooLargeError(Exception):
    """Report a body above the limit. The rest was not read, so the connection must be closed."""


class BodyTooSlowError(Exception):
    """Report a body that did not arrive in time."""


async def read_body(
    receive: Receive, headers_length: str | None, limit: int = BODY_LIMIT, seconds: float = BODY_SECONDS
) -> bytes:
    """Return the whole body.

    `headers_length` is the Content-Length header. It is used only to refuse early.

    Raises:
        BodyTooLargeError: the body or its Content-Length exceeds `limit` bytes.
        BodyTooSlowError: the body did not arrive within `seconds`.
        ClientDisconnect: the client closed the connection.
    """
    if headers_length and headers_length.isascii() and headers_length.isdigit() and int(headers_length[:20]) > limit:
        raise BodyTooLargeError
    message = await _receive(receive, seconds)
    body: bytes = message.get("body", b"")
    if message.get("more_body", False):
        chunks, size = [body], len(body)
        try:
            async with asyncio.timeout(seconds):
                while message.get("more_body", False):
                    if size > limit:
                        raise BodyTooLargeError
                    message = await _receive(receive, seconds)
                    chunks.append(message.get("body", b""))
                    size += len(chunks[-1])
        except TimeoutError:
            raise BodyTooSlowError from None
        body = b"".join(chunks)
    if len(body) > limit:
        raise BodyTooLargeError
    return body


async def _receive(receive: Receive, seconds: float) -> Message:
    try:
        async with asyncio.timeout(seconds):
            message = await receive()
    except TimeoutError:
        raise BodyTooSlowError from None
    if message["type"] == "http.disconnect":
        raise ClientDisconnect
    return message
