"""Pushes of vendors: who may push, what is refused, and that a receipt changes one word of one row."""

from __future__ import annotations

import asyncio
import dis
import json
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from structlog.testing import capture_logs

from menshen.core.delivery.messages import MessageState
from menshen.core.problems import Problem, ProblemCode
from menshen.flows.delivery.receipts import MOST_RECEIPTS, PUSHES_AT_ONCE, ReceiptDesk
from menshen.ports.receipts import Push
from menshen.wire.receipts.pushes import MOST_BODY
from tests.harness import BASE, KEYRING, open_harness
from tests.wire.receipts.site import SID, Desk, aliyun, counted, open_desk, path, signed, twilio

DELIVERED = {"id": "m-1", "result": "DELIVERED"}
SECRET = KEYRING.receipt_secret("main")
BOMBS = [
    b"[" * 60_000,
    b'{"a":' * 12_000,
    b'[{"a":' * 10_000,
    b"[" + b"1," * 30_000 + b"1]",
    b"1" * 60_000,
    b'{"id":"m-1","result":' + b'"\\ud800' * 8000,
    b"\xff\xfe\x00",
    b"",
    b"null",
    b"NaN",
]


@pytest.fixture
async def desk(tmp_path: Path) -> AsyncIterator[Desk]:
    async with open_desk(tmp_path) as made:
        yield made


async def test_a_receipt_is_noted_and_the_vendor_gets_its_answer(desk: Desk) -> None:
    await desk.sent("main", "900^0")
    await desk.sent("home", "m-1")
    before = counted("main", "delivered"), counted("home", "failed")
    told = await desk.push_main(aliyun("900^0"))
    assert (told.status_code, told.content) == (200, b'{"code":0,"msg":"OK"}')
    assert told.headers["content-type"].startswith("application/json")
    assert told.headers["cache-control"] == "no-store"
    told = await desk.push_home({"id": "m-1", "result": "FAILED", "reason": "UNREACHABLE"})
    assert (told.status_code, told.content) == (200, b'{"received":true}')
    assert await desk.outcomes() == ["delivered", "failed:UNREACHABLE"]
    assert (counted("main", "delivered"), counted("home", "failed")) == (before[0] + 1, before[1] + 1)
    assert [row.state for row in await desk.rows()] == [MessageState.SENT] * 2


async def test_what_is_under_way_is_no_receipt(desk: Desk) -> None:
    await desk.sent("home", "m-1")
    assert (await desk.push_home({"id": "m-1", "result": "ON ITS WAY"})).status_code == 200
    assert await desk.outcomes() == [""]


async def test_off_the_path_is_as_unknown_as_any_other(tmp_path: Path) -> None:
    async with open_desk(tmp_path, {"MENSHEN_SMS__RECEIPTS": "false"}) as desk:
        assert desk.harness.assembled.receipts is None
        unknown = await desk.push("/nothing", b"")
        told = await desk.push_main(aliyun("900^0"))
        assert (told.status_code, told.content, told.headers) == (404, unknown.content, unknown.headers)


async def test_without_a_word_of_the_settings_it_is_off(tmp_path: Path) -> None:
    async with open_harness(tmp_path) as harness:
        assert harness.assembled.receipts is None


# --- who may push -----------------------------------------------------------------------------------------------------


@pytest.mark.attack("RC-4")
@pytest.mark.parametrize("method", ["GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS"])
@pytest.mark.parametrize(
    "where",
    [
        "/receipts",
        "/receipts/",
        "/receipts/main",
        "/receipts/main/",
        f"/receipts/main/{SECRET[:-1]}",
        f"/receipts/main/{SECRET[:-1]}{'y' if SECRET[-1] != 'y' else 'b'}",
        f"/receipts/main/{SECRET}/",
        f"/receipts/main/{SECRET}/more",
        f"/receipts//main/{SECRET}",
        f"//receipts/main/{SECRET}",
        f"/receipts/main/{SECRET.upper()}",
        f"/receipts/home/{SECRET}",
        f"/receipts/MAIN/{SECRET}",
        f"/receipts/nobody/{KEYRING.receipt_secret('nobody')}",
        f"/receipts//{KEYRING.receipt_secret('')}",
        f"/receipts/silent/{KEYRING.receipt_secret('silent')}",
        "/receipts/main/%ff%00%ed%a0%80",
        f"/receipts/main/{'y' * 20_000}",
    ],
)
async def test_without_the_secret_a_path_is_unknown(desk: Desk, where: str, method: str) -> None:
    unknown = await desk.push("/nothing", b"{}", method=method)
    told = await desk.push(where, b"{}", method=method)
    assert (told.status_code, told.content, told.headers) == (404, unknown.content, unknown.headers)


@pytest.mark.attack("RC-4")
async def test_a_secret_is_compared_in_constant_time_and_unknown_senders_cost_as_much(desk: Desk) -> None:
    """By construction: one `compare_digest` of 32 bytes comes first, for each name, and nothing else compares."""
    steps = [*dis.get_instructions(ReceiptDesk.admits)]
    compares = [n for n, step in enumerate(steps) if step.argval == "compare_digest"]
    assert len(compares) == 1
    branches = [n for n, step in enumerate(steps) if "JUMP" in step.opname or step.opname == "CONTAINS_OP"]
    assert min(branches) > compares[0]
    assert "COMPARE_OP" not in {step.opname for step in steps}
    made = desk.harness.assembled.receipts
    assert made is not None
    assert {len(secret) for secret in (*made._secrets.values(), made._other)} == {32}
    assert not made.admits("nobody", made._other.decode())


@pytest.mark.attack("RC-4")
def test_a_secret_is_of_its_sender_and_its_installation() -> None:
    other = replace(KEYRING, index=replace(KEYRING.index, secret=b"o" * 32))
    secrets = {ring.receipt_secret(name) for ring in (KEYRING, other) for name in ("main", "home", "")}
    assert len(secrets) == 6
    assert {len(secret) for secret in secrets} == {32}
    # Rotation makes a new key for new values. The address stays.
    rotated = replace(KEYRING, keys=(replace(KEYRING.current, key_id="new", secret=b"n" * 32), *KEYRING.keys))
    assert rotated.receipt_secret("main") == SECRET


@pytest.mark.parametrize("method", ["GET", "HEAD", "PUT", "DELETE", "OPTIONS", "PATCH"])
async def test_it_is_pushed_by_post_alone(desk: Desk, method: str) -> None:
    told = await desk.push(path("main"), b"", method=method)
    assert (told.status_code, told.headers["allow"]) == (405, "POST")


# --- forged, replayed, doubled ----------------------------------------------------------------------------------------


@pytest.mark.attack("RC-1")
@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"x-vendor-signature": ""},
        {"x-vendor-signature": "0" * 64},
        {"x-vendor-signature": "ÿ"},
        {"x-vendor-signature": signed(f"{BASE}{path('home')}", json.dumps(DELIVERED).encode(), key="other")},
        {"x-vendor-signature": signed(f"{BASE}/elsewhere", json.dumps(DELIVERED).encode())},
        {"x-vendor-signature": signed(f"{BASE}{path('home')}", b'{"id": "m-2", "result": "DELIVERED"}')},
    ],
)
async def test_a_push_without_the_signature_of_its_vendor_changes_nothing(desk: Desk, headers: dict[str, str]) -> None:
    await desk.sent("home", "m-1")
    before = counted("home", "refused")
    told = await desk.push(path("home"), json.dumps(DELIVERED).encode(), headers)
    assert (told.status_code, told.json()) == (403, {"error": "unsigned"})
    assert await desk.outcomes() == [""]
    assert counted("home", "refused") == before + 1


@pytest.mark.attack("RC-1")
async def test_a_push_of_twilio_is_judged_by_the_public_address(desk: Desk) -> None:
    await desk.sent("abroad", SID)
    form = {"MessageSid": SID, "MessageStatus": "delivered", "AccountSid": "AC" + "0" * 32}
    url = f"{BASE}{path('abroad')}?a=b%20c"
    for wrong in (f"{BASE}{path('abroad')}", f"{BASE}{path('abroad')}?a=b c", url.replace("http:", "https:")):
        body, headers = twilio(wrong, form)
        assert (await desk.push(f"{path('abroad')}?a=b%20c", body, headers)).status_code == 403
    assert await desk.outcomes() == [""]
    body, headers = twilio(url, form)
    assert (await desk.push(f"{path('abroad')}?a=b%20c", body, headers)).status_code == 200
    assert await desk.outcomes() == ["delivered"]


@pytest.mark.attack("RC-2")
async def test_the_first_word_stays_however_often_others_follow(desk: Desk) -> None:
    await desk.sent("home", "m-1")
    before = {outcome: counted("home", outcome) for outcome in ("delivered", "failed", "unmatched")}
    for told in (DELIVERED, DELIVERED, {"id": "m-1", "result": "FAILED", "reason": "LATE"}, DELIVERED):
        assert (await desk.push_home(told)).status_code == 200
    assert await desk.outcomes() == ["delivered"]
    # What comes again is not counted again.
    assert counted("home", "delivered") == before["delivered"] + 1
    assert (counted("home", "failed"), counted("home", "unmatched")) == (before["failed"], before["unmatched"])


@pytest.mark.attack("RC-2")
async def test_one_push_that_says_two_things_of_a_message_keeps_the_first(desk: Desk) -> None:
    await desk.sent("main", "900^0")
    await desk.push_main(aliyun("900^0", success=False, code="MN:0001"), aliyun("900^0"), aliyun("900^0"))
    assert await desk.outcomes() == ["failed:MN:0001"]


@pytest.mark.attack("RC-2")
async def test_of_the_same_push_many_times_at_once_one_is_counted(desk: Desk) -> None:
    await desk.sent("home", "m-1")
    before = counted("home", "delivered")
    told = await asyncio.gather(*(desk.push_home(DELIVERED) for _ in range(PUSHES_AT_ONCE)))
    assert {answer.status_code for answer in told} == {200}
    assert (await desk.outcomes(), counted("home", "delivered")) == (["delivered"], before + 1)


@pytest.mark.attack("RC-2")
async def test_a_receipt_sends_nothing(desk: Desk) -> None:
    await desk.sent("main", "900^0")
    await desk.push_main(aliyun("900^0", success=False, code="MOBILE_NOT_ON_SERVICE"))
    now = desk.harness.clock.now()
    assert await desk.harness.store.read.outbox.backlog() == (0, 0)
    (row,) = await desk.rows()
    assert (row.state, row.sent_at, row.failures, row.outcome) == (
        MessageState.SENT, now, 0, "failed:MOBILE_NOT_ON_SERVICE",
    )  # fmt: skip
    assert [event.tag for event in await desk.harness.events()] == []


@pytest.mark.attack("RC-3")
async def test_a_sender_says_nothing_of_the_messages_of_another(desk: Desk) -> None:
    await desk.sent("home", "900^0")
    await desk.sent("main", "m-1")
    before = counted("main", "unmatched"), counted("home", "unmatched")
    assert (await desk.push_main(aliyun("900^0"), aliyun("901^0"))).status_code == 200
    assert (await desk.push_home(DELIVERED)).status_code == 200
    assert await desk.outcomes() == ["", ""]
    assert (counted("main", "unmatched"), counted("home", "unmatched")) == (before[0] + 2, before[1] + 1)


@pytest.mark.attack("RC-3")
async def test_a_message_without_a_number_of_its_vendor_is_found_by_none(desk: Desk) -> None:
    await desk.sent("home", "")
    for number in ("", "0", "%", "_", "' OR ''='", "\x00", "\ud800", "门"):
        assert (await desk.push_home({"id": number, "result": "DELIVERED"})).status_code == 200
    assert await desk.outcomes() == [""]


# --- bodies -----------------------------------------------------------------------------------------------------------


@pytest.mark.attack("RC-5")
async def test_a_push_of_64_kib_is_read_and_one_byte_more_is_not(desk: Desk) -> None:
    await desk.sent("main", "900^0")
    body = json.dumps([aliyun("900^0")]).encode()
    assert (await desk.push(path("main"), body + b" " * (MOST_BODY + 1 - len(body)))).status_code == 413
    assert await desk.outcomes() == [""]
    assert (await desk.push(path("main"), body + b" " * (MOST_BODY - len(body)))).status_code == 200
    assert await desk.outcomes() == ["delivered"]


@pytest.mark.attack("RC-6")
@pytest.mark.parametrize("body", BOMBS, ids=range(len(BOMBS)))
async def test_what_cannot_be_read_is_refused_and_changes_nothing(desk: Desk, body: bytes) -> None:
    await desk.sent("main", "900^0")
    await desk.sent("home", "m-1")
    assert (await desk.push(path("main"), body)).status_code == 400
    headers = {"x-vendor-signature": signed(f"{BASE}{path('home')}", body)}
    told = await desk.push(path("home"), body, headers)
    assert (told.status_code, told.json()) == (400, {"error": "unreadable"})
    assert (await desk.push(path("abroad"), body)).status_code == 403
    assert await desk.outcomes() == ["", ""]


@pytest.mark.attack("RC-6")
async def test_a_reader_that_raises_has_read_nothing(desk: Desk) -> None:
    class Broken:
        """Does what no reader that ships does."""

        def read_push(self, push: Push) -> None:
            raise RecursionError(len(push.body))

    made = desk.harness.assembled.receipts
    assert made is not None
    made._readers["main"] = Broken()
    assert (await desk.push_main(aliyun("900^0"))).status_code == 400


# --- headers ----------------------------------------------------------------------------------------------------------


@pytest.mark.attack("RC-7")
async def test_without_a_proxy_no_header_moves_the_address(desk: Desk) -> None:
    await desk.sent("home", "m-1")
    moved = {"x-forwarded-host": "other.example", "x-forwarded-proto": "https", "forwarded": "host=other.example"}
    assert (await desk.push_home(DELIVERED, headers=moved)).status_code == 200
    assert await desk.outcomes() == ["delivered"]


@pytest.mark.attack("RC-7")
async def test_behind_a_proxy_the_address_is_the_one_it_saw(tmp_path: Path) -> None:
    async with open_desk(tmp_path, {"MENSHEN_SERVER__TRUSTED_PROXIES": "1"}) as desk:
        await desk.sent("home", "m-1")
        body = json.dumps(DELIVERED).encode()
        right = {"x-vendor-signature": signed(f"https://login.example{path('home')}", body)}
        seen = {"x-forwarded-proto": "https", "x-forwarded-host": "login.example"}
        for wrong in ({}, {**seen, "x-forwarded-proto": "http"}, {**seen, "x-forwarded-host": "login.example, x"}):
            assert (await desk.push(path("home"), body, right | wrong)).status_code == 403, wrong
        assert await desk.outcomes() == [""]
        assert (await desk.push(path("home"), body, right | seen)).status_code == 200
        assert await desk.outcomes() == ["delivered"]


@pytest.mark.attack("RC-7")
async def test_a_signature_that_stands_twice_is_none(desk: Desk) -> None:
    await desk.sent("home", "m-1")
    body = json.dumps(DELIVERED).encode()
    right = signed(f"{BASE}{path('home')}", body)
    for pair in ((right, "x"), ("x", right), (right, right)):
        headers = [("x-vendor-signature", value) for value in pair]
        told = await desk.harness.client.post(path("home"), content=body, headers=headers)
        assert told.status_code == 403
    assert await desk.outcomes() == [""]


@pytest.mark.attack("RC-7")
async def test_a_name_that_is_not_served_is_no_way_in(desk: Desk) -> None:
    await desk.sent("main", "900^0")
    told = await desk.push(path("main"), json.dumps([aliyun("900^0")]).encode(), {"host": "other.example"})
    assert told.status_code == 421
    assert await desk.outcomes() == [""]


# --- what is kept and told --------------------------------------------------------------------------------------------


@pytest.mark.attack("RC-8")
@pytest.mark.parametrize(
    ("reason", "kept"),
    [
        ("UNDELIV", "failed:UNDELIV"),
        ("isv.MOBILE:0001_x-y", "failed:isv.MOBILE:0001_x-y"),
        ("", "failed:other"),
        ("+8613800138001", "failed:other"),
        ("to 13800138001", "failed:other"),
        ("MN13800138001", "failed:other"),
        ("code 482913", "failed:other"),
        ("验证码", "failed:other"),
        ("A" * 65, "failed:other"),
        ("A\nB", "failed:other"),
        ("\x1b[2J", "failed:other"),
        ("delivered\n", "failed:other"),
        (["UNDELIV"], "failed:other"),
    ],
)
async def test_a_row_keeps_a_word_and_neither_text_nor_number(desk: Desk, reason: Any, kept: str) -> None:
    await desk.sent("home", "m-1")
    await desk.push_home({"id": "m-1", "result": "FAILED", "reason": reason})
    assert await desk.outcomes() == [kept]


@pytest.mark.attack("RC-8")
async def test_the_log_tells_a_refusal_and_not_its_path(desk: Desk) -> None:
    with capture_logs() as lines:
        await desk.push(path("home"), b"{}")
        await desk.push(path("main"), b"{}")
        await desk.push(path("main"), b" " * (MOST_BODY + 1))
        await desk.push("/receipts/main/wrong", b"{}")
        await desk.push_main(aliyun("900^0"))
    assert [(line["dialect"], line["reason"]) for line in lines] == [
        ("receipts", "unsigned"),
        ("receipts", "unreadable"),
        ("receipts", "too_large"),
    ]
    told = json.dumps(lines)
    assert not [name for name in ("home", "main") if KEYRING.receipt_secret(name) in told]
    assert "13800138001" not in told


# --- a flood ----------------------------------------------------------------------------------------------------------


@pytest.mark.attack("RC-9")
async def test_of_one_push_so_many_receipts_are_looked_at_in_short_transactions(desk: Desk) -> None:
    await desk.sent("main", "1^0")
    await desk.sent("main", "2^0")
    before, writes = counted("main", "unmatched"), 0
    inner = desk.harness.store.write

    async def counting(work: Any) -> Any:
        nonlocal writes
        writes += 1
        return await inner(work)

    made = desk.harness.assembled.receipts
    assert made is not None
    made._store = type("Counting", (), {"write": staticmethod(counting)})()
    items = [{"success": True, "biz_id": f"x{n}"} for n in range(MOST_RECEIPTS - 1)]
    body = json.dumps([{"success": True, "biz_id": "1^0"}, *items, {"success": True, "biz_id": "2^0"}])
    assert (await desk.push(path("main"), body.encode())).status_code == 200
    assert await desk.outcomes() == ["delivered", ""]
    assert counted("main", "unmatched") == before + MOST_RECEIPTS - 1
    assert writes == 10


@pytest.mark.attack("RC-9")
async def test_so_many_pushes_of_a_sender_are_taken_at_once(desk: Desk) -> None:
    """Those that come while others are under way come again: nothing queues, and other senders go on."""
    go_on, inner = asyncio.Event(), desk.harness.store
    waiting = 0

    class Slow:
        @staticmethod
        async def write(work: Any) -> Any:
            nonlocal waiting
            waiting += 1
            await go_on.wait()
            return await inner.write(work)

    made = desk.harness.assembled.receipts
    assert made is not None
    await desk.sent("main", "900^0")
    made._store = Slow()  # type: ignore[assignment]
    before = counted("main", "refused")
    first = [asyncio.create_task(desk.push_main(aliyun("900^0"))) for _ in range(PUSHES_AT_ONCE)]
    async with asyncio.timeout(10):
        while waiting < PUSHES_AT_ONCE:  # noqa: ASYNC110 - what is waited for reports no event
            await asyncio.sleep(0)
    told = await desk.push_main(aliyun("900^0"))
    assert (told.status_code, told.headers["retry-after"], told.json()) == (503, "1", {"error": "busy"})
    assert counted("main", "refused") == before + 1
    other = asyncio.create_task(desk.push_home(DELIVERED))
    go_on.set()
    assert [answer.status_code for answer in await asyncio.gather(*first, other)] == [200] * (PUSHES_AT_ONCE + 1)
    assert (await desk.push_main(aliyun("900^0"))).status_code == 200
    assert await desk.outcomes() == ["delivered"]


async def test_a_database_that_is_away_lets_the_vendor_push_again(desk: Desk) -> None:
    class Away:
        @staticmethod
        async def write(_: Any) -> Any:
            raise Problem(ProblemCode.UNAVAILABLE)

    made = desk.harness.assembled.receipts
    assert made is not None
    kept, made._store = made._store, Away()  # type: ignore[assignment]
    await desk.sent("main", "900^0")
    told = await desk.push_main(aliyun("900^0"))
    assert (told.status_code, told.headers["retry-after"]) == (503, "1")
    made._store = kept
    assert (await desk.push_main(aliyun("900^0"))).status_code == 200
    assert await desk.outcomes() == ["delivered"]
