"""When a body ends: whole, too large, too slow, or its client gone."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from typing import Any

import pytest
from starlette.requests import ClientDisconnect

from menshen.wire.http.body import BODY_SECONDS, BodyTooLargeError, BodyTooSlowError, read_body


async def received(parts: Iterable[Any], length: str | None = None, limit: int = 10, seconds: float = 60) -> bytes:
    """Parts are chunks, a message, or a number of seconds to wait."""
    waiting = list(parts)

    async def receive() -> Any:
        part = waiting.pop(0)
        if isinstance(part, dict):
            return part
        if isinstance(part, float):
            await asyncio.sleep(part)
            part = b""
        return {"type": "http.request", "body": part, "more_body": bool(waiting)}

    return await read_body(receive, length, limit, seconds)


async def test_a_body_comes_whole_in_however_many_pieces() -> None:
    assert await received([b""]) == b""
    assert await received([b"0123456789"]) == b"0123456789"
    assert await received([b"0123", b"", b"456789"]) == b"0123456789"
    assert await received([{"type": "http.request"}]) == b""


@pytest.mark.parametrize("parts", [[b"0123456789x"], [b"01234", b"56789x"], [b"0" * 11, b""], [b"x"] * 11])
async def test_a_longer_one_is_refused_whatever_it_said(parts: list[bytes]) -> None:
    for length in (None, "3", "-1", "x", "١٢"):
        with pytest.raises(BodyTooLargeError):
            await received(parts, length)


@pytest.mark.parametrize("length", ["11", "1000000000", "9" * 100])
async def test_one_that_says_so_is_refused_unread(length: str) -> None:
    with pytest.raises(BodyTooLargeError):
        await received([], length)


async def test_who_goes_away_sends_nothing() -> None:
    for parts in ([{"type": "http.disconnect"}], [b"01", {"type": "http.disconnect"}]):
        with pytest.raises(ClientDisconnect):
            await received([*parts, b""])


async def test_who_takes_too_long_is_not_waited_for() -> None:
    assert BODY_SECONDS == 15
    for parts in ([1.0], [b"0", 1.0], [b"0", 0.02, 0.02, 0.02, 0.02, b""]):
        with pytest.raises(BodyTooSlowError):
            await received(parts, seconds=0.05)
