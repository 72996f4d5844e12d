"""Aliyun's captcha: the parameter as it came, the scene of ours, and which codes are a pass."""

from __future__ import annotations

import itertools
from typing import Any
from urllib.parse import parse_qsl

import pytest

from menshen.ports.captcha import Failed, Passed
from menshen.ports.outward import Unknown
from tests.adapters.captcha.vendors.asking import NOW, answer, case_of, findings

CASE = case_of("aliyun")
FAILED = {f"F{n:03}" for n in range(1, 18)} - {"F006", "F016"}


def response(**said: Any) -> Any:
    """Give an answer with these words of the result; `...` leaves one out."""
    result = {"VerifyResult": True, "VerifyCode": "T001", "CertifyId": "fake", **said}
    words = {key: value for key, value in result.items() if value is not ...}
    return answer({"Code": "Success", "Success": True, "Result": words})


@pytest.mark.parametrize(
    "text",
    ["plain", '{"sceneId":"another"}', "a%2Bb +c&SceneId=x", "eyJjZXJ0In0=", "~-._'()*!", "x" * 8192],
)
async def test_the_parameter_arrives_as_it_is(text: str) -> None:
    verdict, outward = await CASE.verify(CASE.passed, payload=text)
    assert verdict == Passed()
    body = outward.requests[0].body.decode()
    assert parse_qsl(body, strict_parsing=True) == [("CaptchaVerifyParam", text), ("SceneId", "1abcdefg")]
    # A blank is no plus, and a plus is no blank, for each reader of forms.
    assert "+" not in body


async def test_the_address_is_never_sent() -> None:
    _, outward = await CASE.verify(CASE.passed)
    _, withheld = await CASE.verify(CASE.passed, client_ip="")
    assert outward.requests[0].body == withheld.requests[0].body
    assert outward.requests[0].headers == withheld.requests[0].headers


async def test_each_question_has_a_nonce_of_its_own() -> None:
    nonces = []
    for payload, now in itertools.product(("a", "b"), (NOW, NOW + 1)):
        _, outward = await CASE.verify(CASE.passed, payload=payload, now=now)
        nonces.append(outward.requests[0].headers["x-acs-signature-nonce"])
    other = case_of("aliyun", access_key_secret="another")
    _, outward = await other.verify(other.passed, payload="a", now=NOW)
    nonces.append(outward.requests[0].headers["x-acs-signature-nonce"])
    assert len({*nonces}) == 5
    assert {len(nonce) for nonce in nonces} == {32}


@pytest.mark.parametrize("number", range(1, 20))
@pytest.mark.parametrize("letter", "TF")
@pytest.mark.parametrize("result", [True, False])
async def test_result_and_code_say_the_same(letter: str, number: int, result: bool) -> None:
    code = f"{letter}{number:03}"
    verdict, _ = await CASE.verify(response(VerifyResult=result, VerifyCode=code))
    if result and code in {"T001", "T006"}:
        assert verdict == Passed()
    elif not result and code in FAILED:
        assert verdict == Failed(code)
    else:
        assert verdict == Unknown(code if code in {*FAILED, "F006", "F016", "T005"} else "unlisted")


@pytest.mark.parametrize(
    "said",
    [
        *({"VerifyResult": value} for value in ("true", 1, [True], None, ...)),
        *({"VerifyCode": value} for value in ("t001", "T001 ", 1, ["T001"], {"T001": 1}, True, None, ...)),
    ],
)
async def test_a_pass_has_both_words_in_their_types(said: dict[str, Any]) -> None:
    assert (await CASE.verify(response(**said)))[0] == Unknown("unlisted")


@pytest.mark.parametrize("success", ["true", 1, False, None, [True]])
async def test_only_a_true_is_a_success(success: Any) -> None:
    said = {"Success": success, "Result": {"VerifyResult": True, "VerifyCode": "T001"}}
    assert (await CASE.verify(answer(said)))[0] == Unknown("unlisted")


@pytest.mark.parametrize(
    ("status", "code", "reason"),
    [
        (403, "Forbidden.RAM", "Forbidden.RAM"),
        (400, "SignatureNonceUsed", "SignatureNonceUsed"),
        (400, "a secret", "HTTP 400"),
        (400, ["Throttling"], "HTTP 400"),
        (503, None, "HTTP 503"),
    ],
)
async def test_a_listed_error_is_named_and_no_other_text(status: int, code: Any, reason: str) -> None:
    assert (await CASE.verify(answer({"Code": code, "Message": "secret"}, status)))[0] == Unknown(reason)


@pytest.mark.parametrize(
    ("endpoint", "own"),
    [
        ("https://captcha.cn-shanghai.aliyuncs.com", False),
        ("https://captcha.ap-southeast-1.aliyuncs.com/", False),
        ("https://relay.internal.example:8443/", True),
    ],
)
async def test_only_an_endpoint_of_the_operators_own_may_lie_in_a_private_network(endpoint: str, own: bool) -> None:
    case = case_of("aliyun", endpoint=endpoint)
    _, outward = await case.verify(case.passed)
    assert outward.requests[0].url == f"{endpoint.removesuffix('/')}/"
    assert outward.requests[0].own_host is own


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("access_key_id", ""),
        ("access_key_secret", ""),
        ("scene_id", ""),
        ("endpoint", "http://relay.example"),
        ("endpoint", "https://relay.example/path"),
    ],
)
def test_settings_that_cannot_work_are_refused(key: str, value: str) -> None:
    assert [finding.key for finding in findings("aliyun", **{key: value})] == [key]
    assert not findings("aliyun")
