"""What a push leaves behind: one word of a row, a line of the log without its path, and room for others."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest
from structlog.testing import capture_logs

from menshen.core.problems import Problem, ProblemCode
from menshen.flows.delivery.receipts import MOST_RECEIPTS, PUSHES_AT_ONCE
from menshen.wire.receipts.pushes import MOST_BODY
from tests.harness import KEYRING
from tests.wire.receipts.site import Desk, aliyun, counted, path

DELIVERED = {"id": "m-1", "result": "DELIVERED"}

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
