"""A refusal is heard by a client that is still sending, and lingering has an end. (RS-10; RFC 9112 section 9.6.)"""

from __future__ import annotations

import asyncio

import pytest

from menshen.wire.http.body import BODY_LIMIT
from tests.wire.http.site import GET, PATIENCE, POST, Caller, Site, Start, until

HUGE = 3_000_000


async def send_until_closed(site: Site, sent: bytes, more: bytes, times: int) -> Caller:
    """Send `sent` and then `more`, without reading anything. Raises when the connection is reset."""
    caller = await site.connect(sent, room=4096)
    for _ in range(times):
        await caller.send(more)
        await asyncio.sleep(0)
    return caller


@pytest.mark.attack("RS-10", "RS-1")
@pytest.mark.parametrize(
    ("sent", "status"),
    [
        (POST + b"content-length: %d\r\n\r\n" % HUGE, b"413"),
        (POST + b"transfer-encoding: chunked\r\n\r\n%x\r\n" % HUGE, b"413"),
        (POST + b"expect: 100-continue\r\ncontent-length: %d\r\n\r\n" % HUGE, b"413"),
        (POST + b"x-a: " + b"y" * 40_000, b"431"),
        (b"\x16\x03\x01 nothing that is HTTP\r\n\r\n", b"400"),
    ],
    ids=["long", "chunk", "unasked", "head", "no HTTP"],
)
async def test_who_is_still_sending_hears_the_refusal(start: Start, sent: bytes, status: bytes) -> None:
    site = await start()
    caller = await send_until_closed(site, sent, b"x" * 10_000, HUGE // 10_000)
    await caller.hear(b"\r\n\r\n")
    await caller.hear(b"")
    assert caller.statuses()[0] == status
    assert b"connection: close" in caller.heard
    assert len(caller.statuses()) == 1
    caller.raw.close()
    await until(lambda: not site.made[0].counts.total)


async def send_for_ever(caller: Caller) -> None:
    async with asyncio.timeout(PATIENCE):
        while True:
            await caller.send(b"x" * 1_000)
            await asyncio.sleep(0.001)


@pytest.mark.attack("RS-10", "RS-2")
async def test_who_does_not_stop_sending_is_cut_off(start: Start) -> None:
    """After that many bytes, or that much time."""
    for limits in ({"linger_bytes": 100_000, "linger_seconds": 60}, {"linger_seconds": 0.2, "linger_bytes": 1 << 40}):
        site = await start(**limits)
        caller = await site.connect(POST + b"content-length: %d\r\n\r\n" % HUGE + b"x" * (BODY_LIMIT + 1))
        with pytest.raises(ConnectionError):
            await send_for_ever(caller)
        counts = site.made[0].counts
        await until(lambda counts=counts: not counts.total)  # type: ignore[misc]


@pytest.mark.attack("RS-10", "RS-2")
async def test_who_is_silent_is_cut_off_too(start: Start) -> None:
    site = await start(linger_seconds=0.2)
    caller = await site.connect(b"nothing that is HTTP\r\n\r\n")
    await caller.hear(b"")
    await until(lambda: not site.made[0].counts.total)


async def test_what_comes_after_a_refusal_is_not_answered(start: Start) -> None:
    site = await start()
    caller = await site.connect(POST + b"content-length: %d\r\n\r\n" % HUGE + b"x" * (BODY_LIMIT + 1))
    await caller.hear(b"")
    await caller.send(b"x" * (HUGE - BODY_LIMIT - 1) + GET)
    caller.raw.close()
    await until(lambda: not site.made[0].counts.total)
    assert site.begun == ["/"]


async def test_an_answer_before_the_end_of_a_body_is_the_only_one(start: Start) -> None:
    """Its connection ends, whether the application says so or not: a second answer would be taken for the next."""
    site = await start()
    caller = await site.connect(POST.replace(b"/ ", b"/open ") + b"content-length: %d\r\n\r\n" % HUGE)
    for _ in range(HUGE // 10_000):
        await caller.send(b"x" * 10_000)
    await caller.send(GET)
    await caller.hear(b"")
    assert caller.statuses() == [b"413"]


async def test_a_shutdown_does_not_wait_for_those_who_linger(start: Start) -> None:
    site = await start(linger_seconds=60, farewell_seconds=0.05)
    caller = await site.connect(b"nothing that is HTTP\r\n\r\n")
    await caller.hear(b"")
    site.made[0].shutdown()
    await until(lambda: not site.made[0].counts.total)
