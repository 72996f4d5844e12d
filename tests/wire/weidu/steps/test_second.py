"""The second step of a login, and the calls that get ready for it. (docs/contracts/factors.md section 11.)"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from menshen.core.factors.asks import FactorProof, PasskeyLogin, SecondStep
from menshen.core.factors.outcomes import CodeSent
from menshen.core.factors.passkeys import PublicKeyOptions
from menshen.core.gates.captcha import PassPresented
from menshen.core.problems import Denied, ProblemCode
from menshen.testing.scripted_flows import APP
from menshen.wire.weidu.texts import Message, sentence
from tests.wire.weidu.scripted import TOKEN, ScriptedWeidu, granted
from tests.wire.weidu.steps.asking import (
    BINDS,
    CREDENTIAL,
    FOREIGN,
    GONE,
    HTTP,
    HTTPS,
    LOGINS,
    PAGE,
    STEP_AT,
    TAIL,
    TICKET,
    ask,
    cookies,
)

SECOND, OPTIONS, SMS = "/users/login/second", "/users/login/second/options", "/users/login/second/sms"
STEP: dict[str, Any] = {"login_ticket": TICKET, "code": "482913"}
FLOWS = {SECOND: "login.second", OPTIONS: "login.second_options", SMS: "login.second_code"}
BODIES: dict[str, dict[str, Any]] = {SECOND: STEP, OPTIONS: {"login_ticket": TICKET}, SMS: {"login_ticket": TICKET}}
PUBLIC_KEY = {"challenge": "AQ", "rpId": "login.example", "allowCredentials": [], "userVerification": "required"}
EACH = pytest.mark.parametrize("path", [SECOND, OPTIONS, SMS])


@pytest.mark.parametrize("headers", [{}, PAGE], ids=["program", "page"])
@pytest.mark.parametrize(
    ("path", "began"),
    [
        ("/users/login", "password"),
        ("/users/mobile/login", "code"),
        ("/users/email/login", "code"),
        ("/users/mobile/signup", "signup"),
        ("/users/passkey/login", "passkey"),
    ],
)
async def test_it_is_answered_as_the_login_that_began(
    script: ScriptedWeidu, path: str, began: str, headers: dict[str, str]
) -> None:
    flow, body = LOGINS.get(path, ("login.passkey", {"credential": CREDENTIAL}))
    script.answers[flow] = granted()
    script.answers["login.second"] = replace(granted(), began=began)
    first = await ask(script, path, body, **headers)
    second = await ask(script, SECOND, STEP, **headers)
    assert second.status_code == first.status_code == 200
    assert second.content == first.content
    assert [*second.headers.raw] == [*first.headers.raw]


@pytest.mark.parametrize(
    ("body", "proof", "trusts"),
    [
        ({"code": "482913"}, FactorProof("totp", "482913"), False),
        ({"code": "482913", "method": None}, FactorProof("totp", "482913"), False),
        ({"code": " 4８2913", "method": "totp"}, FactorProof("totp", " 4８2913"), False),
        ({"code": "ABCD-efgh-jkmn", "method": "recovery"}, FactorProof("recovery", "ABCD-efgh-jkmn"), False),
        ({"code": "482913", "method": "sms", "trust_device": True}, FactorProof("sms", "482913"), True),
        ({"credential": CREDENTIAL, "method": "passkey"}, FactorProof("passkey", credential=CREDENTIAL), False),
        ({"credential": CREDENTIAL, "method": "passkey", "code": ""}, FactorProof("passkey", "", CREDENTIAL), False),
    ],
    ids=str,
)
async def test_the_proof_goes_to_the_flow_as_it_was_given(
    script: ScriptedWeidu, body: dict[str, Any], proof: FactorProof, trusts: bool
) -> None:
    script.answers["login.second"] = granted()
    response = await ask(script, SECOND, {"login_ticket": TICKET, **body, "device_id": "d1"})
    assert response.status_code == 200
    ((asked, origin),) = script.asks("login.second")
    assert asked == SecondStep(TICKET, proof, trust_device=trusts)
    assert origin.device.device_id == "d1"


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "code"),
        ({"code": ""}, "code"),
        ({"method": "recovery"}, "code"),
        ({"method": "passkey"}, "credential"),
        ({"method": "passkey", "code": "482913"}, "credential"),
        ({"method": "passkey", "code": "482913", "credential": CREDENTIAL}, "code"),
        ({"code": "482913", "credential": CREDENTIAL}, "credential"),
        ({"code": "4" * 10_000}, "code"),
        ({"code": 482913}, "code"),
        ({"code": ["482913"]}, "code"),
        ({"method": "passkey", "credential": "{}"}, "credential"),
        ({"method": "passkey", "credential": {}}, "credential"),
        ({"method": "passkey", "credential": {str(n): n for n in range(33)}}, "credential"),
        ({"code": "482913", "trust_device": "true"}, "trust_device"),
        ({"code": "482913", "user_id": "x"}, "user_id"),
        ({"code": "482913", "login_ticket": ""}, "login_ticket"),
        ({"code": "482913", "login_ticket": "k" * 129}, "login_ticket"),
    ],
    ids=str,
)
async def test_a_body_that_says_something_else_is_refused(
    script: ScriptedWeidu, body: dict[str, Any], field: str
) -> None:
    response = await ask(script, SECOND, {"login_ticket": TICKET, **body})
    assert (response.status_code, response.json()["error"], response.json()["field"]) == (400, "invalid_request", field)
    assert script.asked == []


@pytest.mark.attack("RS-8", "TY-2")
async def test_a_credential_has_bounds(script: ScriptedWeidu) -> None:
    nested: Any = "x"
    for _ in range(8):
        nested = {"a": nested}
    deep = await ask(script, SECOND, {"login_ticket": TICKET, "method": "passkey", "credential": nested})
    assert (deep.status_code, deep.json()["error"]) == (400, "invalid_request")
    large = {"login_ticket": TICKET, "method": "passkey", "credential": {"id": "A" * 17_000}}
    assert (await ask(script, SECOND, large)).status_code == 413
    assert script.asked == []


@pytest.mark.parametrize(
    ("denied", "status", "content"),
    [
        (
            Denied(ProblemCode.WRONG_SECOND_FACTOR, tries_left=3),
            401,
            '{"code":401,"result":"验证失败，请重试","error":"wrong_second_factor","tries_left":3}',
        ),
        (
            Denied(ProblemCode.TICKET_INVALID),
            401,
            '{"code":401,"result":"登录已失效，请重新登录","error":"ticket_invalid"}',
        ),
        (
            Denied(ProblemCode.CHALLENGE_EXPIRED),
            401,
            '{"code":401,"result":"验证已过期，请重试","error":"challenge_expired"}',
        ),
        (
            Denied(ProblemCode.TOO_MANY_REQUESTS, 900),
            429,
            '{"code":429,"result":"操作过于频繁，请900秒后重试","error":"too_many_requests","retry_after":900}',
        ),
    ],
    ids=lambda value: str(value)[:40],
)
async def test_a_refusal(script: ScriptedWeidu, denied: Denied, status: int, content: str) -> None:
    script.answers["login.second"] = denied
    response = await ask(script, SECOND, STEP)
    assert (response.status_code, response.content) == (status, content.encode())
    assert "token" not in response.headers
    assert cookies(response) == []


@pytest.mark.parametrize("base", [HTTP, HTTPS])
@EACH
async def test_with_its_last_wrong_step_the_cookie_of_a_ticket_is_deleted(
    script: ScriptedWeidu, base: str, path: str
) -> None:
    async def said(denied: Denied, **headers: str) -> list[str]:
        script.answers[FLOWS[path]] = denied
        return cookies(await ask(script, path, BODIES[path], base=base, **headers))

    has = {"cookie": f"{STEP_AT[base]}={BINDS}", **PAGE}
    deleted = [f"{STEP_AT[base]}=; {GONE}; {TAIL[base]}"]
    # It may belong to a newer ticket, which another tab of this browser got.
    assert await said(Denied(ProblemCode.TICKET_INVALID), **has) == []
    assert (
        await said(
            Denied(ProblemCode.TOO_MANY_REQUESTS, 60) if path != OPTIONS else Denied(ProblemCode.UNAVAILABLE), **has
        )
        == []
    )
    if path == SECOND:
        assert await said(Denied(ProblemCode.WRONG_SECOND_FACTOR, tries_left=0), **has) == deleted
        assert await said(Denied(ProblemCode.WRONG_SECOND_FACTOR, tries_left=1), **has) == []
        script.answers["login.second"] = granted()
        done = await ask(script, SECOND, STEP, base=base, **has)
        assert cookies(done)[3:] == deleted
        assert script.asks("login.second")[-1][1].step.cookie == BINDS


@pytest.mark.attack("MF-1", "CK-2")
@EACH
async def test_a_foreign_page_takes_no_step(script: ScriptedWeidu, path: str) -> None:
    """A planted ticket would log the victim in to the account of its owner."""
    for foreign in (FOREIGN, {"origin": "https://evil.example"}, {"origin": "null"}, {"sec-fetch-site": "same-site"}):
        response = await ask(script, path, BODIES[path], **foreign)
        assert (response.status_code, response.json()["error"]) == (403, "csrf")
    assert script.asked == []


@EACH
async def test_a_device_is_judged_as_at_the_login(script: ScriptedWeidu, path: str) -> None:
    script.app = replace(APP, hardened=True)
    response = await ask(script, path, BODIES[path])
    assert (response.status_code, response.json()["error"]) == (400, "device_required")
    assert script.asked == []


async def test_what_gets_ready_for_it(script: ScriptedWeidu) -> None:
    script.answers["login.second_options"] = PublicKeyOptions(PUBLIC_KEY)
    script.answers["login.second_code"] = CodeSent("135****5663")
    options = await ask(script, OPTIONS, {"login_ticket": TICKET, "device_id": "d1"})
    sms = await ask(script, SMS, {"login_ticket": TICKET, "device_id": "d1"})
    assert options.content == (
        b'{"code":200,"result":"ok","public_key":{"challenge":"AQ","rpId":"login.example","allowCredentials":[],'
        b'"userVerification":"required"}}'
    )
    assert sms.content == b'{"code":200,"result":"ok","mobile":"135****5663"}'
    for flow in ("login.second_options", "login.second_code"):
        ((ticket, origin),) = script.asks(flow)
        assert (ticket, origin.device.device_id) == (TICKET, "d1")
    assert cookies(options) == cookies(sms) == []


class TestPasskeyLogin:
    """A login without a name."""

    async def test_its_options_need_nothing(self, script: ScriptedWeidu) -> None:
        script.answers["login.passkey_options"] = PublicKeyOptions(PUBLIC_KEY)
        response = await ask(script, "/users/passkey/options", {})
        assert response.json() == {"code": 200, "result": "ok", "public_key": PUBLIC_KEY}

    async def test_it_is_answered_as_a_password_login(self, script: ScriptedWeidu) -> None:
        script.answers["login.passkey"] = granted()
        script.answers["login.password"] = granted()
        body = {"credential": CREDENTIAL, "device_id": "d1", "captcha_token": "t" * 26}
        response = await ask(script, "/users/passkey/login", body)
        assert response.content == (await ask(script, "/users/login", LOGINS["/users/login"][1])).content
        assert response.headers["token"] == TOKEN
        ((asked, origin),) = script.asks("login.passkey")
        assert asked == PasskeyLogin(CREDENTIAL, captcha=PassPresented("t" * 26))
        assert origin.device.device_id == "d1"

    @pytest.mark.parametrize(
        ("code", "message"),
        [
            (ProblemCode.WRONG_PASSKEY, Message.WRONG_PASSKEY),
            (ProblemCode.PASSKEY_UNKNOWN, Message.PASSKEY_UNKNOWN),
            (ProblemCode.CHALLENGE_EXPIRED, Message.CHALLENGE_EXPIRED),
        ],
    )
    async def test_a_refusal(self, script: ScriptedWeidu, code: ProblemCode, message: Message) -> None:
        script.answers["login.passkey"] = Denied(code)
        response = await ask(script, "/users/passkey/login", {"credential": CREDENTIAL})
        result = sentence(message, "zh")
        assert (response.status_code, response.text) == (401, f'{{"code":401,"result":"{result}","error":"{code}"}}')

    async def test_many_wrong_ones_of_a_network_ask_for_a_behaviour_test(self, script: ScriptedWeidu) -> None:
        script.answers["login.passkey"] = Denied(ProblemCode.CAPTCHA_REQUIRED)
        response = await ask(script, "/users/passkey/login", {"credential": CREDENTIAL})
        assert (response.status_code, response.json()["error"]) == (428, "captcha_required")
        assert "challenge" in response.json()

    @pytest.mark.attack("CK-2")
    async def test_a_foreign_page_logs_nobody_in(self, script: ScriptedWeidu) -> None:
        response = await ask(script, "/users/passkey/login", {"credential": CREDENTIAL}, **FOREIGN)
        assert (response.status_code, response.json()["error"]) == (403, "csrf")
        assert script.asked == []
