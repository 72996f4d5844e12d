"""An offer to upgrade that is not taken changes nothing; calls without a body wait for none. (RFC 9110 section 7.8)"""

from __future__ import annotations

import pytest

from menshen.wire.http.heads import head_without_offer
from tests.wire.http.site import CONTINUE, EXPECT, GET, POST, Start, until

H2C = b"connection: Upgrade, HTTP2-Settings\r\nupgrade: h2c\r\nhttp2-settings: AAMAAABkAAQAAP__\r\n"
OFFERS = {
    "h2c": H2C,
    "websocket": b"connection: upgrade\r\nupgrade: websocket\r\nsec-websocket-version: 13\r\n",
    "TLS": b"Connection: Upgrade\r\nUpgrade: TLS/1.2, HTTP/2.0\r\n",
    "two lines": b"connection: keep-alive\r\nconnection: UPGRADE\r\nupgrade: h2c\r\nupgrade: websocket\r\n",
    "in front": b"upgrade: h2c\r\nconnection: upgrade,keep-alive\r\n",
}
THREE = b"content-length: 3\r\n"


@pytest.mark.parametrize("offer", OFFERS.values(), ids=list(OFFERS))
@pytest.mark.parametrize("version", [b"1.1", b"1.0"])
async def test_the_request_is_answered_with_its_body(start: Start, offer: bytes, version: bytes) -> None:
    site = await start()
    keep = b"" if b"keep-alive" in offer or version == b"1.1" else b"connection: keep-alive\r\n"
    first = POST.replace(b"1.1", version) + offer + keep + THREE + b"\r\nabc"
    caller = await site.connect(first + POST + b"content-length: 2\r\n\r\nxy")
    if version == b"1.1":
        await caller.hear(b"2\n")
        assert caller.statuses() == [b"200", b"200"]
    assert b"3\n" in await caller.hear(b"3\n")


@pytest.mark.parametrize("offer", OFFERS.values(), ids=list(OFFERS))
async def test_it_does_not_matter_how_the_bytes_arrive(start: Start, offer: bytes) -> None:
    site = await start()
    caller = await site.connect(b"")
    for byte in POST + offer + THREE + b"\r\nabc":
        await caller.send(bytes([byte]))
    await caller.hear(b"3\n")
    await caller.send(POST + offer + b"transfer-encoding: chunked\r\n\r\n4\r\nabcd\r\n0\r\n\r\n")
    await caller.hear(b"4\n")
    await caller.send(POST + offer + EXPECT + b"content-length: 5\r\n\r\n")
    await caller.hear(CONTINUE)
    await caller.send(b"abcde" + GET)
    await caller.hear(b"0\n")
    assert caller.statuses() == [b"200", b"200", b"100", b"200", b"200"]


@pytest.mark.attack("HD-8")
async def test_an_offer_hides_nothing(start: Start) -> None:
    """What is refused without it is refused with it, and no bytes are read twice."""
    site = await start()
    for bad in (
        POST + H2C + THREE + b"content-length: 4\r\n\r\nabcd",
        POST + H2C + THREE + b"transfer-encoding: chunked\r\n\r\n0\r\n\r\n",
        POST.replace(b"1.1", b"1.0") + H2C + b"transfer-encoding: chunked\r\n\r\n0\r\n\r\n",
        b"POST http://b/ HTTP/1.1\r\nhost: a\r\n" + H2C + b"\r\n",
        POST + H2C + b"".join(b"x-%d: y\r\n" % n for n in range(site.limits.headers)) + b"\r\n",
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    ):
        caller = await site.connect(bad + GET)
        await caller.hear(b"")
        assert caller.statuses() == [b"400"], bad
    assert not site.begun
    caller = await site.connect((POST + H2C + b"\r\n") * (site.limits.ahead + 20))
    await caller.hear(b"")
    assert caller.statuses() == [b"200"] * (site.limits.ahead + 1)
    caller = await site.connect(b"CONNECT a:1 HTTP/1.1\r\nhost: a\r\n" + H2C + b"\r\n" + GET)
    await caller.hear(b"")
    assert len(caller.statuses()) == 1


def test_only_the_offer_is_taken_away() -> None:
    headers = [
        (b"connection", b"close , upgrade"), (b"upgrade", b"h2c"), (b"host", b"a"), (b"connection", b"Upgrade"),
        (b"x", b"upgrade"),
    ]  # fmt: skip
    assert head_without_offer(b"PUT", b"/?a", "1.0", headers) == (
        b"PUT /?a HTTP/1.0\r\nconnection: close\r\nhost: a\r\nconnection: \r\nx: upgrade\r\n\r\n"
    )


@pytest.mark.parametrize("path", [b"/auth/verify", b"/auth/verify/proved-phone", b"/livez", b"/readyz"])
@pytest.mark.parametrize("verb", [b"GET", b"HEAD", b"POST"])
async def test_calls_without_a_body_do_not_wait_for_one(start: Start, verb: bytes, path: bytes) -> None:
    """nginx without `proxy_pass_request_body off` announces a body that it does not send."""
    site = await start(body_seconds=60)
    head = b"%s %s HTTP/1.1\r\nhost: a\r\ncontent-length: 100\r\n\r\n" % (verb, path)
    caller = await site.connect(head)
    await caller.hear(b"")
    assert caller.statuses() == [b"200"]
    assert b"connection: close" in caller.heard


@pytest.mark.attack("HD-8")
async def test_a_body_that_nobody_waited_for_is_no_request(start: Start) -> None:
    site = await start()
    caller = await site.connect(b"POST /livez HTTP/1.1\r\nhost: a\r\ncontent-length: %d\r\n\r\n" % len(GET))
    await caller.hear(b"\r\n\r\n")
    await caller.send(GET + GET)
    await caller.hear(b"")
    assert caller.statuses() == [b"200"]


async def test_a_body_in_the_same_read_costs_no_connection(start: Start) -> None:
    site = await start()
    caller = await site.connect(b"POST /livez HTTP/1.1\r\nhost: a\r\ncontent-length: 3\r\n\r\nabc" + GET)
    await caller.hear(b"0\n")
    assert caller.statuses() == [b"200", b"200"]


async def test_a_check_behind_another_request_waits_for_no_body_either(start: Start) -> None:
    site = await start(body_seconds=60)
    later = b"GET /later HTTP/1.1\r\nhost: a\r\n\r\n"
    caller = await site.connect(later + b"POST /auth/verify HTTP/1.1\r\nhost: a\r\ncontent-length: 5\r\n\r\n")
    await until(lambda: site.begun == ["/later"])
    site.go_on.set()
    await caller.hear(b"")
    assert caller.statuses() == [b"200", b"200"]
