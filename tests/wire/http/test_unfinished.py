"""A request begins when it is whole and its client reads; every connection has an end. (RS-10, decision 0047.)"""

from __future__ import annotations

import socket

import pytest

from menshen.wire.http.body import BODY_LIMIT
from menshen.wire.http.connection_counts import ConnectionCounts
from tests.wire.http.site import CONTINUE, EXPECT, FAIR, GET, LARGE, POST, Start, settle, until

# --- Expect -----------------------------------------------------------------------------------------------------------


@pytest.mark.attack("RS-10")
async def test_a_client_is_told_to_go_on_while_nothing_is_at_work(start: Start) -> None:
    site = await start()
    caller = await site.connect(POST + EXPECT + b"content-length: 2\r\n\r\n")
    assert await caller.hear(CONTINUE) == CONTINUE
    assert not site.begun
    await caller.send(b"xy" + GET)
    assert (await caller.hear(b"0\n")).count(b"HTTP/1.1 200 ") == 2
    assert caller.statuses() == [b"100", b"200", b"200"]


@pytest.mark.parametrize(
    ("sent", "statuses"),
    [
        (POST + EXPECT + b"content-length: 2\r\n\r\nxy", [b"200"]),
        (POST + EXPECT + b"content-length: 0\r\n\r\n", [b"200"]),
        (POST + EXPECT + b"\r\n", [b"200"]),
        (POST + EXPECT + b"transfer-encoding: chunked\r\n\r\n1\r\nx\r\n0\r\n\r\n", [b"200"]),
        (POST + b"expect: 200-ok\r\ncontent-length: 2\r\n\r\nxy", [b"200"]),
    ],
    ids=["body in the same read", "empty", "none", "chunks", "another expectation"],
)
async def test_nobody_is_told_to_go_on_who_did(start: Start, sent: bytes, statuses: list[bytes]) -> None:
    """RFC 9110 section 10.1.1: it may be left out."""
    site = await start()
    caller = await site.connect(sent)
    await caller.hear(b"\n\r\n")
    assert caller.statuses() == statuses


async def test_http_1_0_knows_no_interim_answer(start: Start) -> None:
    site = await start()
    caller = await site.connect(POST.replace(b"1.1", b"1.0") + EXPECT + b"content-length: 2\r\n\r\n")
    await settle()
    await caller.send(b"xy")
    await caller.hear(b"")
    assert caller.statuses() == [b"200"]


async def test_the_answer_before_comes_before_the_interim_one(start: Start) -> None:
    site = await start()
    caller = await site.connect(GET.replace(b"/ ", b"/later ") + POST + EXPECT + b"content-length: 2\r\n\r\n")
    await until(lambda: site.begun)
    await settle()
    site.go_on.set()
    await caller.hear(CONTINUE)
    assert caller.statuses() == [b"200", b"100"]
    await caller.send(b"xy")
    await caller.hear(b"2\n")


@pytest.mark.attack("RS-10", "RS-2")
async def test_who_was_told_to_go_on_and_does_not_is_cut_off(start: Start) -> None:
    site = await start(body_seconds=0.2)
    for more in (b"", b"x"):
        caller = await site.connect(POST + EXPECT + b"content-length: 2\r\n\r\n")
        await caller.hear(CONTINUE)
        await caller.send(more)
        await caller.hear(b"")
        assert caller.statuses() == [b"100", b"408"]
    assert not site.begun


@pytest.mark.attack("RS-10", "RS-1")
async def test_a_body_that_is_too_long_is_not_asked_for(start: Start) -> None:
    """The application refuses it, and the connection ends: what follows could be the body."""
    site = await start()
    length = b"content-length: %d\r\n\r\n"
    caller = await site.connect(POST + EXPECT + length % (BODY_LIMIT + 1))
    heard = await caller.hear(b"")
    assert caller.statuses() == [b"413"]
    assert b"too large" in heard
    assert b"connection: close" in heard
    caller = await site.connect(POST + EXPECT + length % BODY_LIMIT)
    await caller.hear(CONTINUE)
    await caller.send(b"x" * BODY_LIMIT)
    await caller.hear(b"%d\n" % BODY_LIMIT)


@pytest.mark.attack("RS-10")
async def test_an_application_that_reads_a_body_that_is_too_long_finds_nobody(start: Start) -> None:
    """It must not wait for a body that nobody was asked for."""
    site = await start()
    caller = await site.connect(POST.replace(b"/ ", b"/raw ") + EXPECT + b"content-length: 1000000\r\n\r\n")
    assert b"http.disconnect" in await caller.hear(b"")


# --- readers ----------------------------------------------------------------------------------------------------------


@pytest.mark.attack("RS-10")
async def test_no_application_waits_for_a_reader(start: Start) -> None:
    site = await start()
    caller = await site.connect(GET.replace(b"/ ", b"/large ") * 40, room=4096)
    await until(lambda: site.begun and site.made[0].transport.get_write_buffer_size() > 1 << 16)
    await settle()
    begun = len(site.begun)
    assert 0 < begun < site.limits.ahead + 1
    assert site.at_work == 0
    assert not site.state.tasks
    # One answer beyond what makes the transport say that it has enough.
    assert site.made[0].transport.get_write_buffer_size() < LARGE + (1 << 17)
    await caller.hear(b"")
    assert caller.statuses() == [b"200"] * (site.limits.ahead + 1)
    assert len(caller.heard) > LARGE * (site.limits.ahead + 1)


async def test_what_breaks_behind_a_request_that_waits_for_its_reader_does_not_overtake_it(start: Start) -> None:
    site = await start()
    caller = await site.connect(GET.replace(b"/ ", b"/large ") * 14, room=4096)
    await until(lambda: site.begun and site.made[0].transport.get_write_buffer_size() > 1 << 16)
    await settle()
    await caller.send(b"\x16\x03\x01 nothing that is HTTP\r\n\r\n")
    await settle()
    await caller.hear(b"")
    assert set(caller.statuses()) == {b"200"}
    assert caller.heard.endswith(b"x")


@pytest.mark.attack("RS-10", "RS-2")
@pytest.mark.parametrize("how", ["keep-alive", "close", "half-closed", "refused"])
async def test_a_connection_that_is_closed_ends_though_nobody_reads(start: Start, how: str) -> None:
    """What is left to write is less than what makes the transport complain, and would be kept for ever."""
    site = await start(keep_alive=0.2 if how == "keep-alive" else 60, write_seconds=0.5)
    last = GET.replace(b"\r\n\r\n", b"\r\nconnection: close\r\n\r\n") if how == "close" else GET
    caller = await site.connect(last.replace(b"/ ", b"/fair "), room=4096)
    await until(lambda: site.begun and not site.at_work)
    await settle()
    (served,) = site.made
    assert 0 < served.transport.get_write_buffer_size() < FAIR
    if how == "half-closed":
        caller.raw.shutdown(socket.SHUT_WR)
    elif how == "refused":
        await caller.send(b"\x16\x03\x01 nothing that is HTTP\r\n\r\n")
    await until(lambda: not served.counts.total)


# --- heads and crowds -------------------------------------------------------------------------------------------------


@pytest.mark.attack("RS-10", "RS-2")
async def test_a_head_that_began_in_the_read_before_has_an_end_too(start: Start) -> None:
    site = await start(head_seconds=0.2)
    caller = await site.connect(GET + POST)
    await caller.hear(b"")
    assert caller.statuses() == [b"200", b"408"]


async def test_a_piece_of_a_head_is_never_taken_for_a_request_line(start: Start) -> None:
    """Verbs that no parser knows are replaced at the beginning of a request, and nowhere else."""
    site = await start()
    caller = await site.connect(GET + b"GET /later HTTP/1.1\r\nhost: a\r\nx-a")
    await caller.hear(b"0\n")
    await settle()
    await caller.send(b"BREW /x: y\r\n\r\n")
    await caller.hear(b"")
    assert caller.statuses() == [b"200", b"400"]


@pytest.mark.attack("RS-10")
def test_networks_of_one_owner_are_counted_together() -> None:
    """A /64 is one customer, a /56 a home, a /48 a tunnel: their ceilings grow, and end."""
    most = 10

    def admitted(addresses: list[str]) -> int:
        counts, open_ones = ConnectionCounts(), 0
        for one in addresses:
            if counts.admits(one, 10_000, most):
                open_ones += 1
            else:
                counts.leave(one)
        return open_ones

    assert admitted([f"2001:db8::{n:x}" for n in range(1, 500)]) == most
    assert admitted([f"2001:db8:0:{n % 256:x}::1" for n in range(5_000)]) == 4 * most
    assert admitted([f"2001:db8:0:{n % 65_536:x}::1" for n in range(5_000)]) == 16 * most
    assert admitted([f"2001:db8:{n:x}::1" for n in range(500)]) == 500
    assert admitted([f"198.51.100.{n % 256}" for n in range(5_000)]) == 256 * most
    counts = ConnectionCounts()
    for address in ("2001:db8::1", "198.51.100.1", "::1", "", "nonsense"):
        counts.admits(address, 10_000, 0)
        counts.leave(address)
    assert counts == ConnectionCounts()
