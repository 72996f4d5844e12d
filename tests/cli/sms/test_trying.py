"""`menshen sms test` sends a code that opens nothing through one sender, and charges it as a real one."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from menshen.app.installation.opening import Installation
from menshen.core.codes.sms_traffic import day_of
from menshen.core.delivery.senders import SenderDay
from tests.cli.conftest import Menshen
from tests.cli.sms.conftest import KEY, NUMBER, Choose, Vendor, home, inside


def days(data: Path) -> list[SenderDay]:
    async def work(found: Installation) -> list[SenderDay]:
        return list(await found.store.read.sender_days.of_day(day_of(found.world.now())))

    made: list[SenderDay] = inside(data, work)
    return made


def spent(menshen: Menshen) -> dict[str, int]:
    return {row["budget"]: row["spent_today"] for row in menshen("sms-report", "--json").json()["budgets"]}


def test_an_accepted_one_says_what_the_vendor_said(
    menshen: Menshen, data: Path, vendor: Vendor, choose: Choose
) -> None:
    choose(home(vendor))
    done = menshen("sms", "test", "--to", "138 0013 8001", "--json")
    told = done.json()
    assert (told["sender"], told["verdict"], told["receipt"], told["parts"]) == ("home", "accepted", "m-1", 1)
    assert isinstance(told["ms"], int)
    ((method, path, body),) = vendor.asked
    assert (method, path) == ("POST", "/v1")
    asked = json.loads(body)
    assert asked["to"] == NUMBER
    assert re.search("验证码[0-9]{6}，", asked["text"])
    # Not by the outbox, and no row keeps the code.
    assert menshen("outbox", "--json").json() == []
    assert days(data) == [SenderDay("home", 1, 1, 45_000)]
    assert spent(menshen)["all"] == spent(menshen)["country:+86"] == 1
    (event,) = [row for row in menshen("audit", "--json").json() if row["event"] == "sms.sender_tested"]
    assert (event["reason"], event["dialect"], event["subject"]) == ("home", "admin", "138****8001")


@pytest.mark.parametrize(
    ("answer", "code", "verdict", "word"),
    [
        ((200, '{"code": "OK"}'), 0, "accepted", ""),
        ((200, '{"code": "INVALID_NUMBER"}'), 1, "rejected:number", "INVALID_NUMBER"),
        ((401, '{"code": "WRONG_KEY"}'), 1, "rejected:config", "WRONG_KEY"),
        ((200, '{"code": "SOMETHING_NEW"}'), 2, "unknown", ""),
        ((500, "busy"), 2, "unknown", ""),
        (None, 2, "unknown", ""),
    ],
)
def test_the_exit_code_is_the_verdict(
    menshen: Menshen, data: Path, vendor: Vendor, choose: Choose, *, answer: tuple[int, str] | None, code: int,
    verdict: str, word: str,
) -> None:  # fmt: skip
    choose(home(vendor))
    vendor.answer = answer
    done = menshen("sms", "test", "--to", NUMBER, "--json")
    told = json.loads(done.out)
    assert (done.code, told["verdict"], told["code"], done.err) == (code, verdict, word, "")
    assert len(vendor.asked) == 1
    # What nobody has is not charged to the sender; what somebody may have is.
    assert [day.messages for day in days(data)] == [int(code != 1)]
    assert KEY not in done.out
    assert NUMBER[3:] not in done.out


def test_a_vendor_that_is_not_there_was_not_reached(
    menshen: Menshen, data: Path, vendor: Vendor, choose: Choose
) -> None:
    choose(home(vendor, endpoint="http://127.0.0.1:1/v1"))
    done = menshen("sms", "test", "--to", NUMBER)
    assert done.code == 1
    assert re.search("^verdict +not_reached$", done.out, re.MULTILINE)
    assert days(data) == [SenderDay("home", 0, 0, 0)]


def test_the_sender_is_the_one_of_a_real_code_or_the_one_that_is_named(
    menshen: Menshen, vendor: Vendor, choose: Choose
) -> None:
    choose(
        home(vendor, name="late", order=2),
        home(vendor, name="first"),
        home(vendor, name="hk", countries=["+852"]),
        home(vendor, name="notices", purposes=["notice"], order=0),
        SMS__COUNTRIES='["+86", "+852"]',
        LIMITS__SEND_PER_MINUTE="100",
        LIMITS__SEND_PER_HOUR="100",
    )

    def sender(*more: str) -> str:
        return str(menshen("sms", "test", "--json", *more).json()["sender"])

    assert sender("--to", NUMBER) == "first"
    assert sender("--to", NUMBER, "--sender", "late", "--purpose", "reset") == "late"
    assert sender("--to", "+85261234567") == "hk"


@pytest.mark.parametrize(
    ("more", "sentence"),
    [
        (("--to", "12"), "12 is no phone number"),
        (("--to", NUMBER, "--sender", "nobody"), "there is no sender nobody: menshen sms list shows them"),
        (("--to", "+12015550123"), "+12015550123 is no mobile number in [sms] countries"),
        (("--to", NUMBER, "--sender", "hk"), f"sender hk does not serve {NUMBER} for login"),
        (("--to", NUMBER, "--purpose", "bind"), f"no sender serves {NUMBER} for bind"),
        (("--to", "13800138009"), "+8613800138009 is one of [sms] test_numbers: nothing is sent to it"),
        (
            ("--to", NUMBER, "--purpose", "reset"),
            "sender kept is an outbox, which sends nothing: menshen outbox shows messages",
        ),
    ],
)
@pytest.mark.parametrize("dry", [(), ("--dry-run",)], ids=["sent", "dry"])
def test_what_is_not_sent_has_its_sentence_and_costs_nothing(
    menshen: Menshen, data: Path, vendor: Vendor, choose: Choose, *, more: tuple[str, ...], sentence: str,
    dry: tuple[str, ...],
) -> None:  # fmt: skip
    choose(
        home(vendor, purposes=["login"], countries=["+86"]),
        home(vendor, name="hk", countries=["+852"]),
        {"name": "kept", "type": "outbox", "purposes": ["reset"], "countries": ["+86"]},
        SMS__COUNTRIES='["+86", "+852"]',
        SMS__TEST_NUMBERS='{"13800138009": {"code": "123456", "until": "2099-01-01"}}',
    )
    done = menshen("sms", "test", *more, *dry)
    assert (done.code, done.out, done.err) == (1, "", f"menshen: {sentence}\n")
    assert vendor.asked == []
    assert days(data) == []
    assert spent(menshen)["all"] == 0


@pytest.mark.parametrize(
    ("limits", "sentence"),
    [
        ({}, f"{NUMBER} got its codes: wait "),
        ({"LIMITS__SEND_PER_MINUTE": "9"}, "sender home is at its limit of the day"),
        (
            {"LIMITS__SEND_PER_MINUTE": "9", "LIMITS__SEND_BUDGET_PER_DAY": "1"},
            "sender home is at its limit of the day",
        ),
    ],
)
def test_a_limit_holds_a_second_one_back_and_nothing_of_it_is_charged(
    menshen: Menshen, data: Path, vendor: Vendor, choose: Choose, limits: dict[str, str], sentence: str
) -> None:
    choose(home(vendor, per_day=1), **limits)
    assert menshen("sms", "test", "--to", NUMBER).code == 0
    before = days(data), spent(menshen)
    done = menshen("sms", "test", "--to", NUMBER)
    assert (done.code, done.out) == (1, "")
    assert done.err.startswith(f"menshen: {sentence}")
    assert (days(data), spent(menshen)) == before
    assert len(vendor.asked) == 1


def test_a_spent_budget_holds_one_back_and_leaves_the_number_its_codes(
    menshen: Menshen, data: Path, vendor: Vendor, choose: Choose, monkeypatch: pytest.MonkeyPatch
) -> None:
    choose(home(vendor), LIMITS__SEND_BUDGET_PER_DAY="1")
    assert menshen("sms", "test", "--to", NUMBER).code == 0
    other = "+8613800138002"
    for _ in range(2):
        done = menshen("sms", "test", "--to", other)
        assert done.err == "menshen: the budget all of the day is spent: menshen sms-report shows it\n"
    assert days(data) == [SenderDay("home", 1, 1, 45_000)]
    monkeypatch.setenv("MENSHEN_LIMITS__SEND_BUDGET_PER_DAY", "2")
    assert menshen("sms", "test", "--to", other).code == 0
