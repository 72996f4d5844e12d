"""What `menshen check` refuses and warns of among the senders of text messages."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from menshen.app.settings.checks import find_problems
from menshen.app.settings.reader import load_settings
from menshen.core.findings import Severity
from menshen.core.time import Instant

NOW = Instant(1_795_219_200_000)
COSTS = {"per_day": 5000, "cost_micros": 45000}
HOME = {
    "name": "home",
    "type": "aliyun",
    "access_key_id": "LTAI0000",
    "access_key_secret": "secret-0000",
    "sign_name": "门神",
    "templates": {"default": "SMS_1"},
    "countries": ["+86"],
    **COSTS,
}
ABROAD = {
    "name": "abroad",
    "type": "twilio",
    "account_sid": "AC" + "0" * 32,
    "auth_token": "token-0000",
    "from": "+15005550006",
    **COSTS,
}
WEBHOOK = {"name": "own", "type": "webhook", "url": "https://sms.example/", "secret": "0123456789abcdef", **COSTS}


def without(table: dict[str, Any], *keys: str) -> dict[str, Any]:
    return {key: value for key, value in table.items() if key not in keys}


def found(*tables: dict[str, Any], countries: tuple[str, ...] = ("+86", "+65")) -> list[tuple[Severity, str]]:
    environ = {"MENSHEN_SMS__SENDERS": json.dumps(tables), "MENSHEN_SMS__COUNTRIES": json.dumps(countries)}
    settings = load_settings(None, environ, Path("data"))
    return [(finding.severity, str(finding)) for finding in find_problems(settings, NOW)]


def test_home_and_abroad_fit_together() -> None:
    assert found(HOME, ABROAD) == []
    assert found(HOME, HOME | {"name": "second", "order": 2}, ABROAD) == []


@pytest.mark.parametrize(
    ("tables", "sentence"),
    [
        ((HOME, HOME | {"name": "second"}), "[[sms.senders]]: none serves +65, which [sms] countries names"),
        (
            (HOME | {"purposes": ["login"]}, ABROAD | {"countries": ["+65"]}),
            "[[sms.senders]]: none sends codes for signup, reset, bind, proof, verify to +86",
        ),
        (
            (HOME | {"templates": {"code_login": "SMS_1"}}, ABROAD),
            "[[sms.senders]]: none sends codes for signup, reset, bind, proof, verify to +86",
        ),
        (
            (HOME | {"purposes": ["login", "notice"]}, WEBHOOK, ABROAD | {"countries": ["+86", "*"]}),
            "[[sms.senders]] home templates: has none for a notice: the sender serves notice",
        ),
        (
            (HOME | {"templates": {"code_login": "1"}, "purposes": ["reset"]}, ABROAD | {"countries": ["+86", "*"]}),
            "[[sms.senders]] home templates: has none for code_reset: the sender serves reset",
        ),
        (
            (HOME | {"templates": {"code_reset": "1"}}, ABROAD | {"countries": ["+86", "*"], "order": 2}),
            "[[sms.senders]] home templates: has none for code_login: the sender serves login",
        ),
        ((HOME | {"parameters": {"code": "1"}}, ABROAD), "[[sms.senders]] home parameters: has no {code}"),
        ((HOME | {"countries": []}, ABROAD), "[[sms.senders]] home countries: is empty"),
        ((HOME, ABROAD | {"cost_micros": 0, "cost_per_day_micros": 9}), "[[sms.senders]] abroad cost_per_day_micros"),
        ((HOME, ABROAD | {"cost_per_day_micros": 44999}), "[[sms.senders]] abroad cost_per_day_micros: is less than"),
        (
            (HOME | {"type": "aliyun_pnvs", "countries": ["+86", "+65"]}, ABROAD),
            "[[sms.senders]] home countries: names +65, and aliyun_pnvs is for +86",
        ),
        ((HOME | {"endpoint": "http://sms.example"}, ABROAD), "[[sms.senders]] home endpoint"),
        ((HOME, WEBHOOK | {"url": "http://sms.example"}), "[[sms.senders]] own url"),
    ],
)
def test_what_refuses_the_start(tables: tuple[dict[str, Any], ...], sentence: str) -> None:
    errors = [text for severity, text in found(*tables) if severity is Severity.ERROR]
    assert any(text.startswith(sentence) for text in errors), errors


@pytest.mark.parametrize(
    ("tables", "sentence"),
    [
        ((ABROAD,), "[[sms.senders]]: has abroad only"),
        ((HOME, without(ABROAD, "per_day")), "[[sms.senders]] abroad per_day: is 0"),
        ((HOME, without(ABROAD, "cost_micros")), "[[sms.senders]] abroad cost_micros: is 0"),
        ((without(HOME, "countries"), ABROAD), "[[sms.senders]] home countries: is *, and aliyun is for +86"),
        ((HOME | {"countries": ["+86", "+65"]}, ABROAD), "[[sms.senders]] home countries: names +65"),
    ],
)
def test_what_is_warned_of(tables: tuple[dict[str, Any], ...], sentence: str) -> None:
    told = found(*tables)
    assert [severity for severity, _ in told if severity is Severity.ERROR] == []
    assert any(text.startswith(sentence) for _, text in told), told


def test_a_limit_in_money_is_a_limit() -> None:
    assert found(HOME, without(ABROAD, "per_day") | {"cost_per_day_micros": 10**9}) == []
