"""`menshen sms receipt` asks the vendor about one message, and notes the answer as a pushed receipt."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from tests.cli.conftest import Menshen
from tests.cli.sms.conftest import Choose, Vendor, home, put

HOOK = {"name": "hook", "type": "webhook", "url": "https://sms.example/", "secret": "0123456789abcdef"}


def outcome(menshen: Menshen) -> str:
    return str(menshen("outbox", "--json").json()[0]["outcome"])


@pytest.mark.parametrize("by", ["number", "receipt"])
@pytest.mark.parametrize(
    ("told", "says", "kept"),
    [
        ({"result": "DELIVERED"}, "delivered", "delivered"),
        ({"result": "FAILED", "reason": "UNDELIV"}, "failed:UNDELIV", "failed:UNDELIV"),
        ({"result": "FAILED", "reason": "13800138001"}, "failed:other", "failed:other"),
        ({"result": "ON ITS WAY"}, "nothing certain yet", ""),
    ],
)
def test_the_answer_is_told_and_noted(
    menshen: Menshen, data: Path, vendor: Vendor, choose: Choose, *, told: dict[str, str], says: str, kept: str, by: str
) -> None:
    choose(home(vendor))
    number = put(data, "home", "m-1")
    vendor.answer = 200, json.dumps({"id": "m-1", **told})
    done = menshen("sms", "receipt", str(number) if by == "number" else "m-1", "--json")
    assert done.json() == {"id": number, "sender": "home", "receipt": "m-1", "told": says, "outcome": kept}
    assert outcome(menshen) == kept
    assert vendor.asked == [("GET", "/v1/m-1", "")]


def test_the_first_word_stays(menshen: Menshen, data: Path, vendor: Vendor, choose: Choose) -> None:
    choose(home(vendor))
    number = put(data, "home", "m-1")
    for result, says in (("DELIVERED", "delivered"), ("FAILED", "failed:other")):
        vendor.answer = 200, json.dumps({"id": "m-1", "result": result})
        told = menshen("sms", "receipt", str(number), "--json").json()
        assert (told["told"], told["outcome"]) == (says, "delivered")


@pytest.mark.parametrize(
    ("answer", "code", "verdict"),
    [
        ((401, '{"code": "WRONG_KEY"}'), 1, "rejected:config"),
        ((500, "busy"), 2, "unknown"),
        ((200, '{"id": "m-2", "result": "DELIVERED"}'), 2, "unknown"),
        ((200, '{"id": "m-1"}'), 2, "unknown"),
        (None, 2, "unknown"),
    ],
)
def test_what_is_no_answer_changes_nothing(
    menshen: Menshen, data: Path, vendor: Vendor, choose: Choose, *, answer: tuple[int, str] | None, code: int,
    verdict: str,
) -> None:  # fmt: skip
    choose(home(vendor))
    number = put(data, "home", "m-1")
    vendor.answer = answer
    done = menshen("sms", "receipt", str(number))
    assert (done.code, done.err) == (code, "")
    assert re.search(f"^verdict +{verdict}$", done.out, re.MULTILINE)
    assert outcome(menshen) == ""


@pytest.mark.parametrize(
    ("asked", "sentence"),
    [
        ("99", "there is no message 99"),
        ("m-9", "there is no message m-9"),
        ("9" * 40, f"there is no message {'9' * 40}"),
        ("1", "message 1 has no receipt: its vendor gave it no number"),
        ("h-1", "sender hook cannot be asked: webhook has no call for it"),
        ("3", "message 3 was handed over by no sender of the settings"),
        ("4", "message 4 was handed over by no sender of the settings"),
    ],
)
def test_what_cannot_be_asked_has_its_sentence(
    menshen: Menshen, data: Path, vendor: Vendor, choose: Choose, asked: str, sentence: str
) -> None:
    choose(home(vendor), HOOK)
    put(data, "home")
    put(data, "hook", "h-1")
    put(data, "gone", "g-1")
    put(data)
    done = menshen("sms", "receipt", asked)
    assert (done.code, done.out, done.err) == (1, "", f"menshen: {sentence}\n")
    assert vendor.asked == []
