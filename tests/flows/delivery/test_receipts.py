"""Receipts change one word of one row: matched by sender and number, once, in short transactions."""

from __future__ import annotations

import re
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from menshen.core.delivery.messages import Channel, Message, Template, Try
from menshen.core.delivery.receipts import ReceiptOutcome, outcome_text
from menshen.flows.delivery.receipts import MOST_IN_ONE, note_receipts
from menshen.ports.receipts import Receipt
from tests.harness import Harness


async def sent(h: Harness, sender: str, receipts: Sequence[str]) -> None:
    for receipt in receipts:
        message = Message(Channel.SMS, "+8613800138001", Template.CODE_LOGIN, "zh", h.clock.now(), code="482913")
        number = await h.store.write(lambda tx, message=message: tx.outbox.put(message))
        tried = Try(number, sender, h.clock.now())
        await h.store.write(lambda tx, tried=tried: tx.outbox.claim(tried))
        await h.store.write(lambda tx, tried=tried, r=receipt: tx.outbox.mark_sent(tried, tried.at, receipt=r))


async def outcomes(h: Harness) -> dict[str, str]:
    return {row.receipt: row.outcome for row in await h.store.read.outbox.list_all()}


async def test_each_receipt_is_noted_in_its_row(harness: Harness) -> None:
    count = 2 * MOST_IN_ONE + 3
    names = [f"r-{n}" for n in range(count)]
    await sent(harness, "main", names)
    told = [Receipt(name, delivered=bool(n % 2), code="UNDELIV") for n, name in enumerate(names)]
    noted = await note_receipts("main", told, store=harness.store)
    assert noted == {ReceiptOutcome.DELIVERED: count // 2, ReceiptOutcome.FAILED: count - count // 2}
    assert await outcomes(harness) == {name: "delivered" if n % 2 else "failed:UNDELIV" for n, name in enumerate(names)}
    assert await note_receipts("main", told, store=harness.store) == {}


async def test_what_belongs_to_no_message_of_the_sender_is_dropped(harness: Harness) -> None:
    await sent(harness, "main", ["r-1"])
    told = [Receipt("r-1", delivered=True), Receipt("r-2", delivered=True), Receipt("", delivered=True)]
    assert await note_receipts("other", told, store=harness.store) == {ReceiptOutcome.UNMATCHED: 3}
    assert await outcomes(harness) == {"r-1": ""}


async def test_no_receipt_is_no_transaction(harness: Harness) -> None:
    class NoStore:
        """Has nothing to write to."""

    assert await note_receipts("main", [], store=NoStore()) == {}  # type: ignore[arg-type]


@pytest.mark.parametrize("first", [True, False])
async def test_of_two_words_on_one_message_the_first_stays(harness: Harness, first: bool) -> None:
    await sent(harness, "main", ["r-1"])
    told = [
        Receipt("z", delivered=True),
        Receipt("r-1", delivered=first, code="A"),
        Receipt("r-1", delivered=not first),
    ]
    await note_receipts("main", told, store=harness.store)
    assert await outcomes(harness) == {"r-1": "delivered" if first else "failed:A"}


@given(st.booleans(), st.text() | st.from_regex(r"[A-Za-z0-9._:-]{0,70}", fullmatch=True))
def test_what_a_row_keeps_is_short_and_holds_no_number(delivered: bool, code: str) -> None:
    kept = outcome_text(delivered=delivered, code=code)
    if delivered:
        assert kept == "delivered"
        return
    assert re.fullmatch(r"failed:[A-Za-z0-9._:-]{1,64}", kept)
    assert not re.search("[0-9]{7}", kept)
    assert kept in {f"failed:{code}", "failed:other"}
