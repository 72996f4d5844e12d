"""Section 6 of the contract: every reason has its word, status and sentence."""

import json
from typing import Any

import pytest

from menshen.core.problems import Denied, ProblemCode
from menshen.wire.weidu.problems import TABLE, WIRE_RULES, Refused, invalid, refuse, refuse_at_wire
from menshen.wire.weidu.texts import TEXTS

CONTRACT = {
    "invalid_request": 400,
    "weak_password": 400,
    "device_required": 400,
    "timestamp_skewed": 400,
    "forbidden_field": 400,
    "wrong_credentials": 401,
    "wrong_code": 401,
    "wrong_second_factor": 401,
    "ticket_invalid": 401,
    "wrong_passkey": 401,
    "passkey_unknown": 401,
    "challenge_expired": 401,
    "unauthenticated": 401,
    "account_disabled": 403,
    "device_sign_invalid": 403,
    "csrf": 403,
    "forbidden": 403,
    "proof_required": 403,
    "not_found": 404,
    "not_registered": 404,
    "method_not_allowed": 405,
    "already_taken": 409,
    "payload_too_large": 413,
    "captcha_required": 428,
    "captcha_invalid": 428,
    "second_factor_required": 428,
    "too_many_requests": 429,
    "internal": 500,
    "overloaded": 503,
    "unavailable": 503,
    "delivery_failed": 503,
}


def body(denied: Denied, language: str = "zh", **names: str) -> dict[str, Any]:
    reply = refuse(denied, language, names)
    return {**json.loads(reply.body), "status": reply.status, "headers": dict(reply.headers)}


def test_the_table_is_total() -> None:
    assert set(TABLE) == set(ProblemCode)


def test_it_speaks_the_words_of_the_contract_and_no_others() -> None:
    assert {rule.word: rule.status for rule in (*TABLE.values(), *WIRE_RULES)} == CONTRACT


@pytest.mark.parametrize("code", list(ProblemCode))
@pytest.mark.parametrize("language", ["zh", "en"])
def test_every_reason_is_said(code: ProblemCode, language: str) -> None:
    for denied in (Denied(code), Denied(code, retry_after=7, field="phone", challenge={"parameters": {}})):
        said = body(denied, language, phone="mobile")
        assert said["code"] == said["status"] == TABLE[code].status
        assert said["error"] == TABLE[code].word
        assert "{" not in said["result"]
        chinese = any("\u4e00" <= letter <= "\u9fff" for letter in said["result"])
        assert chinese == (language == "zh")
        assert said.get("retry_after") == denied.retry_after
        assert said["headers"].get("retry-after") == (None if denied.retry_after is None else "7")
        weak = code is ProblemCode.WEAK_PASSWORD
        assert said.get("field") == ("password" if weak else denied.field and "mobile")
        assert said.get("challenge") == denied.challenge


def test_what_a_core_reason_becomes_when_the_contract_knows_fewer_words() -> None:
    assert body(Denied(ProblemCode.CODE_EXPIRED)) == body(Denied(ProblemCode.WRONG_CODE))
    assert body(Denied(ProblemCode.SESSION_EXPIRED)) == body(Denied(ProblemCode.UNAUTHENTICATED))
    assert body(Denied(ProblemCode.CAPTCHA_EXPIRED)) == body(Denied(ProblemCode.CAPTCHA_INVALID))


def test_waiting_is_told_in_seconds_when_they_are_known() -> None:
    assert body(Denied(ProblemCode.TOO_MANY_REQUESTS, 58))["result"] == "操作过于频繁，请58秒后重试"
    assert body(Denied(ProblemCode.TOO_MANY_REQUESTS))["result"] == "操作过于频繁，请稍后重试"
    assert "密码登录已暂停" in body(Denied(ProblemCode.PASSWORD_SUSPENDED))["result"]


@pytest.mark.parametrize(
    ("reason", "chinese"),
    [
        ("short", "密码至少需要8个字符"),
        ("long", "密码过长"),
        ("common", "密码过于常见，请换一个"),
        ("own_words", "密码不能基于账号、手机号等个人信息"),
        (None, "密码过于常见，请换一个"),
    ],
)
def test_a_weak_password_is_told_why(reason: str | None, chinese: str) -> None:
    least = 8 if reason == "short" else None
    said = body(Denied(ProblemCode.WEAK_PASSWORD, field=reason, least=least), password="passwd")
    assert (said["result"], said["field"]) == (chinese, "passwd")
    assert body(Denied(ProblemCode.WEAK_PASSWORD, field=reason))["field"] == "password"


def test_the_order_of_a_refusals_fields() -> None:
    reply = refuse(Denied(ProblemCode.CAPTCHA_REQUIRED, 3, "captcha_token", {"parameters": {}}), "en")
    assert list(json.loads(reply.body)) == ["code", "result", "error", "field", "retry_after", "challenge"]


@pytest.mark.parametrize("rule", WIRE_RULES)
@pytest.mark.parametrize("language", ["zh", "en"])
def test_what_the_wire_refuses(rule: Any, language: str) -> None:
    said = json.loads(refuse_at_wire(Refused(rule, "roles"), language).body)
    assert (said["code"], said["error"], said["field"]) == (rule.status, rule.word, "roles")
    assert said["result"] == TEXTS[rule.message][language == "en"].format(field="roles")


def test_an_invalid_request_names_its_field_to_people_too() -> None:
    assert json.loads(refuse_at_wire(invalid("mobile"), "zh").body)["result"] == "参数 mobile 缺失或不正确"
    assert json.loads(refuse_at_wire(invalid(), "zh").body) == {
        "code": 400,
        "result": "请求格式不正确",
        "error": "invalid_request",
    }
