"""The client against real sockets: what each way to fail means."""

from __future__ import annotations

import asyncio
import logging
import socket

import pytest

from menshen.adapters.outward.client import HttpOutward
from menshen.core.networks import NetworkSet
from menshen.ports.outward import MOST_ANSWER, Answer, NotReached, Request, Unknown
from tests.adapters.outward.service import LOOPBACK, client, saying, service, with_a_certificate

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nX-Told: Yes\r\n\r\nok"
SECONDS = 60.0
"""A bound for a busy machine. Only tests of the bound itself wait for one, and theirs is short."""


def post(port: int, *, scheme: str = "http", path: str = "/send?n=1", **given: object) -> Request:
    times = {"seconds": SECONDS, "connect_seconds": SECONDS}
    return Request("POST", f"{scheme}://vendor.example:{port}{path}", body=b"code 482913", **(times | given))  # type: ignore[arg-type]


async def test_an_exchange_sends_what_was_asked_and_gives_the_whole_answer() -> None:
    async with service(saying(OK)) as vendor:
        outcome = await client().exchange(post(vendor.port, path="/a/../b%2F?q=%20~&x=*", headers={"X-Key": "k"}))
    assert outcome == Answer(200, {"content-length": "2", "x-told": "Yes"}, b"ok")
    (heard,) = vendor.heard
    head, _, body = heard.partition(b"\r\n\r\n")
    lines = head.split(b"\r\n")
    # The target is what was given, byte for byte: vendors sign it.
    assert lines[0] == b"POST /a/../b%2F?q=%20~&x=* HTTP/1.1"
    assert {line.lower() for line in lines[1:]} == {
        f"host: vendor.example:{vendor.port}".encode(),
        b"accept-encoding: identity",
        b"x-key: k",
        b"content-length: 11",
    }
    assert body == b"code 482913"


@pytest.mark.parametrize("status", [301, 302, 307, 308])
async def test_a_redirect_is_an_answer_and_is_not_followed(status: int) -> None:
    async with service(saying(OK)) as elsewhere:
        moved = f"HTTP/1.1 {status} Moved\r\nLocation: http://127.0.0.1:{elsewhere.port}/\r\nContent-Length: 0\r\n\r\n"
        async with service(saying(moved.encode())) as vendor:
            outcome = await client().exchange(post(vendor.port))
    assert isinstance(outcome, Answer)
    assert outcome.status == status
    assert (len(vendor.heard), len(elsewhere.heard)) == (1, 0)


@pytest.mark.parametrize(
    "answer",
    [
        b"",
        b"HTTP/1.1 200 OK\r\nContent-Le",
        b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nff\r\nhalf",
        b"SSH-2.0-OpenSSH\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % (MOST_ANSWER + 1) + b"x" * (MOST_ANSWER + 1),
        b"HTTP/1.1 200 OK\r\n\r\n" + b"x" * 1_000_000,
    ],
)
async def test_a_cut_strange_or_too_long_answer_is_unknown(answer: bytes) -> None:
    async with service(saying(answer)) as vendor:
        outcome = await client().exchange(post(vendor.port))
    assert isinstance(outcome, Unknown)
    assert len(vendor.heard) == 1


async def test_the_longest_answer_is_read() -> None:
    answer = b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % MOST_ANSWER + b"x" * MOST_ANSWER
    async with service(saying(answer)) as vendor:
        outcome = await client().exchange(post(vendor.port))
    assert isinstance(outcome, Answer)
    assert len(outcome.body) == MOST_ANSWER


async def test_a_slow_drip_ends_with_the_deadline_of_the_whole_exchange() -> None:
    async def drip(writer: asyncio.StreamWriter) -> None:
        # Each byte comes sooner than any timeout of a single read.
        while not writer.is_closing():
            writer.write(b"HTTP/1.1 200 OK\r\nX: "[:1])
            await writer.drain()
            await asyncio.sleep(0.01)

    async with service(drip) as vendor:
        outcome = await client().exchange(post(vendor.port, seconds=1.0))
    assert outcome == Unknown("TimeoutError")
    assert len(vendor.heard) == 1


async def test_a_service_that_says_nothing_is_unknown() -> None:
    async def hang(writer: asyncio.StreamWriter) -> None:
        await asyncio.sleep(SECONDS)

    async with service(hang) as vendor:
        # The time to connect is over long before; the request has left, so that it means nothing any more.
        outcome = await client().exchange(post(vendor.port, seconds=1.0, connect_seconds=0.9))
    assert outcome == Unknown("TimeoutError")


async def test_nobody_there_is_not_reached() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        outcome = await client().exchange(post(taken.getsockname()[1]))
    assert outcome == NotReached("ConnectError")


async def test_an_address_that_is_dead_makes_room_for_the_next() -> None:
    async with service(saying(OK)) as vendor:
        outcome = await client("127.0.0.9", "127.0.0.1").exchange(post(vendor.port))
    assert isinstance(outcome, Answer)


async def test_a_request_that_may_have_left_goes_to_no_other_address() -> None:
    async with service(saying(b"")) as vendor:
        outcome = await client("127.0.0.1", "127.0.0.1").exchange(post(vendor.port))
    assert isinstance(outcome, Unknown)
    assert len(vendor.heard) == 1


async def test_tls_that_hangs_is_not_reached() -> None:
    async with service(saying(b"")) as vendor:
        outcome = await client().exchange(post(vendor.port, scheme="https", connect_seconds=0.5))
        assert isinstance(outcome, NotReached)
        assert vendor.heard == []
        # The socket is closed at once, not when its memory is looked through.
        await vendor.left.wait()


async def test_tls_keeps_the_name_while_the_address_is_pinned() -> None:
    async with service(saying(OK), with_a_certificate()) as vendor:
        good = await client(trusting=True).exchange(post(vendor.port, scheme="https"))
        untrusted = await client().exchange(post(vendor.port, scheme="https"))
        other = Request("POST", f"https://other.example:{vendor.port}/", seconds=SECONDS, connect_seconds=SECONDS)
        wrong_name = await client(trusting=True).exchange(other)
    assert isinstance(good, Answer)
    assert (untrusted, wrong_name) == (NotReached("ConnectError"), NotReached("ConnectError"))
    (heard,) = vendor.heard
    assert f"Host: vendor.example:{vendor.port}".encode() in heard


@pytest.mark.parametrize("address", ["127.0.0.1", "::ffff:127.0.0.1", "10.0.0.1", "169.254.169.254"])
async def test_a_name_that_leads_inside_is_not_reached(address: str) -> None:
    async with service(saying(OK)) as vendor:
        outcome = await client(address, networks=NetworkSet()).exchange(post(vendor.port))
    assert outcome == NotReached("AddressRefusedError")
    assert vendor.heard == []


async def test_a_name_is_resolved_once_so_that_it_cannot_answer_otherwise() -> None:
    asked: list[str] = []

    async def rebind(host: str, port: int) -> list[str]:
        asked.append(host)
        return ["127.0.0.1"] if len(asked) == 1 else ["127.0.0.9"]

    async with service(saying(OK)) as vendor:
        assert isinstance(await HttpOutward(LOOPBACK, resolve=rebind).exchange(post(vendor.port)), Answer)
    assert asked == ["vendor.example"]


async def test_an_own_host_may_be_private_and_a_public_one_may_not() -> None:
    async with service(saying(OK)) as vendor:
        outward = client(networks=NetworkSet())
        assert isinstance(await outward.exchange(post(vendor.port, own_host=True)), Answer)
        assert isinstance(await outward.exchange(post(vendor.port)), NotReached)


async def test_proxies_of_the_environment_are_ignored(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    async with service(saying(OK)) as vendor:
        assert isinstance(await client().exchange(post(vendor.port)), Answer)


async def test_no_cookie_goes_from_one_exchange_into_the_next() -> None:
    async with service(saying(OK.replace(b"X-Told: Yes", b"Set-Cookie: a=b; Path=/"))) as vendor:
        outward = client()
        for _ in range(2):
            await outward.exchange(post(vendor.port))
    assert b"cookie" not in vendor.heard[1].lower()


async def test_nothing_of_a_request_is_logged_or_shown(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    async with service(saying(OK)) as vendor:
        request = post(vendor.port, path="/path-canary?q=query-canary", headers={"X-Key": "header-canary"})
        await client().exchange(request)
        await client("10.0.0.1").exchange(request)
    shown = caplog.text + repr(request) + repr(Answer(200, {"a": "header-canary"}, b"body-canary"))
    assert "canary" not in shown
    assert "482913" not in shown


@pytest.mark.parametrize("url", ["ftp://vendor.example/", "vendor.example/", "https:///x", "file:///etc/passwd"])
async def test_only_http_addresses_are_asked(url: str) -> None:
    with pytest.raises(ValueError, match="http or https"):
        await client().exchange(Request("GET", url))


async def test_what_ends_the_caller_ends_the_exchange() -> None:
    async def hang(writer: asyncio.StreamWriter) -> None:
        asked.set()
        await asyncio.sleep(SECONDS)

    asked = asyncio.Event()
    async with service(hang) as vendor:
        outward = client()
        task = asyncio.create_task(outward.exchange(post(vendor.port)))
        await asked.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        await outward.close()
