"""`menshen sms list` and `menshen outbox`: who sends what, where receipts go, and whose codes are shown."""

from __future__ import annotations

import json
from functools import partial
from pathlib import Path

import pytest

from menshen.app.installation.opening import Installation
from menshen.core.audit.events import Event, Tag
from menshen.core.delivery.messages import Channel, MessageState, Try
from menshen.core.delivery.verdicts import Verdict
from menshen.core.text.hidden import MASK
from menshen.core.time import after
from menshen.ports.store.store import WriteTx
from tests.cli.conftest import Menshen
from tests.cli.sms.conftest import NUMBER, Choose, Vendor, home, inside, put

EMAIL = "a@x.example"
HOOK = {"name": "hook", "type": "webhook", "url": "https://sms.example/", "secret": "0123456789abcdef"}
KEPT = {"name": "kept", "type": "outbox"}


def test_the_senders_with_their_terms_and_their_day(menshen: Menshen, vendor: Vendor, choose: Choose) -> None:
    choose(
        home(vendor, countries=["+86"], per_day=9, cost_per_day_micros=90_000),
        {**HOOK, "purposes": ["login", "notice"], "order": 2, "weight": 7},
        SMS__RECEIPTS="true",
    )
    assert menshen("sms", "test", "--to", NUMBER).code == 0
    told = menshen("sms", "list", "--json").json()
    assert told["receipts"] is True
    first, second = told["senders"]
    assert first.pop("receipt_path").startswith("/receipts/home/")
    assert first == {
        "sender": "home", "type": "specimen", "countries": ["+86"],
        "purposes": ["login", "signup", "reset", "bind", "proof", "verify", "step", "notice"],
        "order": 1, "weight": 100,
        "messages_today": 1, "per_day": 9, "cost_micros_today": 45_000, "cost_per_day_micros": 90_000,
        "last_change": None,
    }  # fmt: skip
    assert second == {
        "sender": "hook", "type": "webhook", "countries": ["*"], "purposes": ["login", "notice"], "order": 2,
        "weight": 7, "messages_today": 0, "per_day": None, "cost_micros_today": 0, "cost_per_day_micros": None,
        "last_change": None, "receipt_path": None,
    }  # fmt: skip
    head, line, _, empty, about, *more = menshen("sms", "list").out.splitlines()
    assert head.split() == [
        "sender", "type", "countries", "purposes", "order", "weight", "messages", "cost_micros", "last_change",
        "receipts",
    ]  # fmt: skip
    assert line.split()[:8] == ["home", "specimen", "+86", "all", "1", "100", "1/9", "45000/90000"]
    assert (empty, more) == ("", [])
    # No breaker is made up: each worker has its own.
    assert about == "Each worker has breakers of its own: menshen_sms_breaker in /metrics shows them."


def test_the_address_stays_and_says_whether_it_is_open(
    menshen: Menshen, vendor: Vendor, choose: Choose, monkeypatch: pytest.MonkeyPatch
) -> None:
    choose(home(vendor))
    path = menshen("sms", "list", "--json").json()["senders"][0]["receipt_path"]
    assert "Receipts are not taken: [sms] receipts is false." in menshen("sms", "list").out
    menshen("keys", "rotate")
    monkeypatch.setenv("MENSHEN_SMS__RECEIPTS", "true")
    assert menshen("sms", "list", "--json").json()["senders"][0]["receipt_path"] == path
    assert "not taken" not in menshen("sms", "list").out
    assert len(path) == len("/receipts/home/") + 32


def test_the_last_word_of_the_audit_is_shown(menshen: Menshen, data: Path, vendor: Vendor, choose: Choose) -> None:
    choose(home(vendor), home(vendor, name="other"))

    async def work(found: Installation) -> None:
        now = found.world.now()
        for ago, tag, reason in (
            (3, Tag.SENDER_BACK, "home"),
            (2, Tag.SENDER_DOWN, "home:WRONG_KEY"),
            (1, Tag.SENDER_SPENT, "other"),
        ):
            event = Event(tag, after(now, -ago), reason=reason)
            await found.store.write(partial(append, event))

    async def append(event: Event, tx: WriteTx) -> None:
        await tx.audit.append(event)

    inside(data, work)
    one, other = menshen("sms", "list", "--json").json()["senders"]
    assert one["last_change"].startswith("down 2")
    assert one["last_change"].endswith("Z WRONG_KEY")
    assert other["last_change"].startswith("spent 2")


def test_without_tables_the_one_sender_is_listed(menshen: Menshen) -> None:
    menshen("migrate")
    (row,) = menshen("sms", "list", "--json").json()["senders"]
    assert (row["sender"], row["type"], row["receipt_path"]) == ("outbox", "outbox", None)


# --- whose codes are shown --------------------------------------------------------------------------------------------


def code_of(menshen: Menshen) -> str:
    row = menshen("outbox", "--json").json()[-1]
    shown = str(row["code"])
    assert shown in {"482913", MASK}
    assert (("482913" in row["text"]), (MASK in row["text"])) == (shown == "482913", shown == MASK)
    assert shown in menshen("outbox").out
    return shown


def test_a_code_that_waits_for_the_outbox_alone_is_shown(menshen: Menshen, data: Path, choose: Choose) -> None:
    choose(KEPT)
    put(data)
    assert code_of(menshen) == "482913"
    choose(KEPT, HOOK)
    # The second sender could get it.
    assert code_of(menshen) == MASK
    choose(KEPT, {**HOOK, "countries": ["+852"]})
    assert code_of(menshen) == "482913"
    choose(KEPT, {**HOOK, "purposes": ["reset"]})
    assert code_of(menshen) == "482913"
    # None serves it.
    choose({**KEPT, "countries": ["+852"]})
    assert code_of(menshen) == MASK


def test_a_code_that_was_handed_over_is_shown_where_the_outbox_got_it(
    menshen: Menshen, data: Path, choose: Choose
) -> None:
    choose(KEPT, HOOK)
    put(data, "kept")
    assert code_of(menshen) == "482913"
    put(data, "hook")
    assert code_of(menshen) == MASK
    # Nobody knows what the sender was that the settings do not name any more.
    choose(KEPT)
    assert code_of(menshen) == MASK


def test_a_code_that_is_tried_again_may_go_to_any_sender(menshen: Menshen, data: Path, choose: Choose) -> None:
    choose(KEPT, HOOK)
    number = put(data)

    async def work(found: Installation) -> None:
        now = found.world.now()
        tried = Try(number, "kept", now)
        await found.store.write(lambda tx: tx.outbox.claim(tried))
        await found.store.write(lambda tx: tx.outbox.mark_failed(tried, Verdict.NOT_REACHED, now))

    inside(data, work)
    assert code_of(menshen) == MASK
    choose(KEPT)
    assert code_of(menshen) == "482913"


def test_a_code_by_mail_follows_the_sender_of_mail(
    menshen: Menshen, data: Path, choose: Choose, monkeypatch: pytest.MonkeyPatch
) -> None:
    choose(HOOK)
    put(data, channel=Channel.EMAIL, to=EMAIL)
    assert code_of(menshen) == "482913"
    for key, value in {"": "smtp", "_HOST": "mail.example", "_FROM": "a@x.example"}.items():
        monkeypatch.setenv(f"MENSHEN_EMAIL__{'SENDER' if not key else f'SMTP{key}'}", value)
    assert code_of(menshen) == MASK


def test_the_outbox_tells_sender_verdict_tries_receipt_and_outcome(
    menshen: Menshen, data: Path, vendor: Vendor, choose: Choose
) -> None:
    choose(home(vendor))
    number = put(data, "home", "m-1")

    async def work(found: Installation) -> None:
        await found.store.write(lambda tx: tx.outbox.note_outcome("home", "m-1", "failed:UNDELIV"))
        stored, now = await found.store.read.outbox.get(number), found.world.now()
        assert stored is not None
        again = await found.store.write(lambda tx: tx.outbox.put(stored.message))
        first, second = Try(again, "home", now), Try(again, "home", after(now, 1))
        assert await found.store.write(lambda tx: tx.outbox.claim(first))
        await found.store.write(lambda tx: tx.outbox.mark_failed(first, Verdict.CONFIG, now))
        assert await found.store.write(lambda tx: tx.outbox.claim(second))
        await found.store.write(lambda tx: tx.outbox.mark_failed(second, Verdict.CONFIG, MessageState.GIVEN_UP))

    inside(data, work)
    first, second = menshen("outbox", "--json").json()
    picked = ("sender", "verdict", "tries", "receipt", "outcome", "state")
    assert [first[key] for key in picked] == ["home", "accepted", 1, "m-1", "failed:UNDELIV", "sent"]
    assert [second[key] for key in picked] == ["home", "rejected:config", 2, "", "", "given_up"]
    head, line, _ = menshen("outbox").out.splitlines()
    assert head.split() == [
        "id", "created", "state", "to", "template", "code", "sender", "tries", "verdict", "receipt", "outcome",
    ]  # fmt: skip
    assert line.split()[-5:] == ["home", "1", "accepted", "m-1", "failed:UNDELIV"]
    assert "482913" not in json.dumps([first, second])
