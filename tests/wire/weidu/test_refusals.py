"""Every refusal of docs/contracts/weidu.md section 6 as a client meets it, and what refusals must not tell."""

import json
from pathlib import Path

import httpx
import pytest

from menshen.core.apps import CaptchaRule
from menshen.core.time import HOUR, MINUTE
from tests.harness import Harness, open_harness
from tests.wire.weidu.client import OK, OTHER_PASSWORD, PASSWORD, Client, said

PHONE, OTHER_PHONE, MAIL = "13544285662", "13800138000", "ken@example.com"


def whole(response: httpx.Response) -> tuple[int, bytes, list[tuple[bytes, bytes]]]:
    """Everything an outsider sees, but for the name of the answer."""
    return (
        response.status_code,
        response.content,
        [(name, b"" if name == b"x-request-id" else value) for name, value in response.headers.raw],
    )


@pytest.mark.attack("EN-3")
async def test_nobody_learns_who_has_an_account_by_logging_in(harness: Harness) -> None:
    await harness.change_app(captcha=CaptchaRule.NEVER)
    await harness.add_account("ken_account", PHONE, MAIL, PASSWORD)
    await harness.add_account("no_password", OTHER_PHONE)
    await harness.add_account("is_disabled", password=PASSWORD)
    await harness.disable("is_disabled")
    await harness.add_account("is_closed", password=PASSWORD)
    await harness.close_account("is_closed")
    await harness.add_account("unproved", "13900139000", "un@example.com", PASSWORD, verified=False)
    me = Client(harness)
    tries = [
        *(("ken_account", "wrong"), ("nobody_here", PASSWORD), ("is_disabled", PASSWORD), ("is_closed", PASSWORD)),
        *(("no_password", PASSWORD), ("13900139000", PASSWORD), ("un@example.com", PASSWORD)),
        *((" ", PASSWORD), ("@", PASSWORD), ("🔑" * 100, PASSWORD), (PHONE, "p" * 4096), (MAIL, "\n")),
    ]
    answers = [whole(await me.log_in(login_id, password)) for login_id, password in tries]
    assert answers == [answers[0]] * len(tries)
    _, body, _ = answers[0]
    assert json.loads(body) == {"code": 401, "result": "账号或密码错误", "error": "wrong_credentials"}
    assert said(await me.log_in("ken_account")) == OK


@pytest.mark.attack("EN-3", "EN-5")
async def test_nobody_learns_who_has_an_account_by_having_codes_sent(harness: Harness) -> None:
    await harness.add_account("ken_account", PHONE, MAIL)
    me = Client(harness)
    for number, purpose in enumerate(("login", "signup", "reset", "bind", "proof")):
        # One network gets four codes to one number in a day.
        me = Client(harness, ip=f"192.0.{number}.1")
        sent = []
        for mobile in (PHONE, OTHER_PHONE):
            harness.clock.advance(HOUR)
            token = await me.captcha()
            body = {"mobile": mobile, "captcha_token": token, "purpose": purpose}
            sent.append(whole(await me.post("/users/sendsms", **body)))
        assert sent[0] == sent[1]
        assert sent[0][1] == b'{"code":200,"result":"ok"}'
        assert [message.to for message in await harness.messages()][-2:] == ["+86" + PHONE, "+86" + OTHER_PHONE]
    harness.clock.advance(HOUR)
    mails = []
    for email in (MAIL, "nobody@example.com"):
        body = {"email": email, "captcha_token": await me.captcha(), "purpose": "reset"}
        mails.append(whole(await me.post("/users/email/code", **body)))
    assert mails[0] == mails[1]


async def test_after_three_failures_a_behaviour_test_comes_ready_to_solve(harness: Harness) -> None:
    await harness.add_account("ken_account", PHONE, password=PASSWORD)
    me = Client(harness)
    for login_id in (PHONE, "ken_account", "KEN_account"):
        assert said(await me.log_in(login_id, "wrong")) == (401, "wrong_credentials")
    asked = await me.log_in(PHONE)
    assert said(asked) == (428, "captcha_required")
    challenge = asked.json()["challenge"]
    assert set(challenge) == {"parameters", "signature"}
    proved = await me.post("/users/behavior/verification", captcha_id=harness.solve(challenge))
    token = proved.json()["captcha_token"]
    again = await me.log_in(PHONE, captcha_token="x" * 26)
    assert said(again) == (428, "captcha_invalid")
    assert "challenge" in again.json()
    assert said(await me.log_in(PHONE, captcha_token=token)) == OK
    # A test is good once.
    used = await me.post("/users/behavior/verification", captcha_id=harness.solve(challenge))
    assert said(used) == (428, "captcha_invalid")


@pytest.mark.attack("EN-6")
async def test_after_ten_failures_there_is_a_pause_that_says_how_long(harness: Harness) -> None:
    await harness.change_app(captcha=CaptchaRule.NEVER)
    await harness.add_account("ken_account", PHONE, password=PASSWORD)
    me = Client(harness)
    for login_id in ("ken_account", "nobody_here"):
        for _ in range(10):
            assert said(await me.log_in(login_id, "wrong")) == (401, "wrong_credentials")
        paused = await me.log_in(login_id)
        assert said(paused) == (429, "too_many_requests")
        seconds = paused.json()["retry_after"]
        assert 0 < seconds <= 900
        assert paused.json()["result"] == f"操作过于频繁，请{seconds}秒后重试"
    # A code keeps the owner in.
    assert said(await Client(harness).log_in_by_code(PHONE)) == OK
    harness.clock.advance(15 * MINUTE)
    assert said(await me.log_in("ken_account")) == OK


async def test_a_suspended_password_says_how_to_get_in(tmp_path: Path) -> None:
    async with open_harness(tmp_path, suspend_after=12, pause_after=11) as harness:
        await harness.change_app(captcha=CaptchaRule.NEVER)
        await harness.add_account("ken_account", PHONE, password=PASSWORD)
        for last in range(1, 13):
            away = Client(harness, ip=f"10.0.{last}.1")
            assert said(await away.log_in(PHONE, "wrong")) == (401, "wrong_credentials")
        me = Client(harness)
        refused = await me.log_in(PHONE)
        assert said(refused) == (429, "too_many_requests")
        assert "短信验证码" in refused.json()["result"]
        assert said(await me.log_in_by_code(PHONE)) == OK
        assert said(await me.log_in(PHONE)) == OK


@pytest.mark.attack("EN-3")
async def test_wrong_spent_expired_and_missing_codes_are_one_answer(harness: Harness) -> None:
    me = Client(harness)
    path = "/users/mobile/login"

    async def attempt(code: str, token: str, phone: str = PHONE) -> httpx.Response:
        return await me.post(path, login_id=phone, sms_code=code, captcha_token=token)

    code, token = await me.code(PHONE)
    wrong = await attempt(f"{(int(code) + 1) % 10**6:06}", token)
    missing = await attempt("123456", await me.captcha(), OTHER_PHONE)
    for_another = await attempt(code, await me.captcha(), OTHER_PHONE)
    assert said(await attempt(code, token)) == OK
    spent = await attempt(code, await me.captcha())
    code, token = await me.code(PHONE)
    harness.clock.advance(5 * MINUTE)
    expired = await attempt(code, await me.captcha())
    code, _ = await me.code(PHONE, "reset")
    other_purpose = await attempt(code, await me.captcha())
    odd = await attempt("４８２９１３", await me.captcha())
    answers = [whole(one) for one in (wrong, missing, for_another, spent, expired, other_purpose, odd)]
    assert answers == [answers[0]] * 7
    assert json.loads(answers[0][1]) == {"code": 401, "result": "验证码错误或已失效", "error": "wrong_code"}


async def test_the_token_a_code_was_sent_with_serves_its_five_tries_and_no_other_phone(harness: Harness) -> None:
    me = Client(harness)
    code, token = await me.code(PHONE)
    wrong = f"{(int(code) + 1) % 10**6:06}"
    for _ in range(4):
        response = await me.post("/users/mobile/login", login_id=PHONE, sms_code=wrong, captcha_token=token)
        assert said(response) == (401, "wrong_code")
    # For another phone it is a token like any: good once.
    stray = {"login_id": OTHER_PHONE, "sms_code": code, "captcha_token": token}
    assert said(await me.post("/users/mobile/login", **stray)) == (401, "wrong_code")
    assert said(await me.post("/users/mobile/login", **stray)) == (428, "captcha_invalid")
    good = {"login_id": PHONE, "sms_code": code, "captcha_token": token}
    assert said(await me.post("/users/mobile/login", **good)) == OK


async def test_five_wrong_tries_kill_a_code(harness: Harness) -> None:
    me = Client(harness)
    code, token = await me.code(PHONE)
    body = {"login_id": PHONE, "captcha_token": token}
    for _ in range(5):
        wrong = f"{(int(code) + 1) % 10**6:06}"
        assert said(await me.post("/users/mobile/login", **body, sms_code=wrong)) == (401, "wrong_code")
    body["captcha_token"] = await me.captcha()
    assert said(await me.post("/users/mobile/login", **body, sms_code=code)) == (401, "wrong_code")


async def test_a_captcha_token_is_good_once_per_action_for_five_minutes_in_its_network(harness: Harness) -> None:
    me, away = Client(harness), Client(harness, ip="10.1.2.3")
    token = await me.captcha()
    send = {"mobile": PHONE, "captcha_token": token}
    refused = await away.post("/users/sendsms", **send)
    assert said(refused) == (428, "captcha_invalid")
    assert "challenge" in refused.json()
    assert said(await me.post("/users/sendsms", **send)) == OK
    harness.clock.advance(MINUTE)
    assert said(await me.post("/users/sendsms", **send)) == (428, "captcha_invalid")
    token = await me.captcha()
    harness.clock.advance(5 * MINUTE)
    assert said(await me.post("/users/sendsms", mobile=PHONE, captcha_token=token)) == (428, "captcha_invalid")


@pytest.mark.attack("OT-18")
@pytest.mark.parametrize("captcha_id", ["x", "e30=", "bnVsbA==", "W10=", "字", "=" * 100, "A" * 8192])
async def test_what_solves_nothing_earns_no_token(harness: Harness, captcha_id: str) -> None:
    response = await Client(harness).post("/users/behavior/verification", captcha_id=captcha_id)
    assert said(response) == (428, "captcha_invalid")
    assert set(response.json()["challenge"]) == {"parameters", "signature"}


@pytest.mark.attack("EN-4")
async def test_a_disabled_account_is_told_after_a_right_code_only(harness: Harness) -> None:
    await harness.add_account("ken_account", PHONE, MAIL, PASSWORD)
    await harness.disable(PHONE)
    me = Client(harness)
    code, token = await me.code(PHONE)
    body = {"login_id": PHONE, "captcha_token": token}
    wrong = f"{(int(code) + 1) % 10**6:06}"
    assert said(await me.post("/users/mobile/login", **body, sms_code=wrong)) == (401, "wrong_code")
    assert said(await me.post("/users/mobile/login", **body, sms_code=code)) == (403, "account_disabled")
    code, token = await me.code(MAIL, "reset")
    reset = {"email": MAIL, "email_code": code, "captcha_token": token, "password": OTHER_PASSWORD}
    assert said(await me.post("/users/email/reset", **reset)) == (403, "account_disabled")


@pytest.mark.attack("TK-4")
async def test_disabling_ends_what_is_logged_in(harness: Harness) -> None:
    await harness.add_account("ken_account", PHONE, password=PASSWORD)
    me = Client(harness)
    assert said(await me.log_in(PHONE)) == OK
    await harness.disable(PHONE)
    assert not await me.alive()


async def test_an_unknown_phone_is_told_after_a_right_code_only(harness: Harness) -> None:
    await harness.change_app(auto_register=False)
    me = Client(harness)
    code, token = await me.code(PHONE)
    body = {"login_id": PHONE, "captcha_token": token}
    wrong = f"{(int(code) + 1) % 10**6:06}"
    assert said(await me.post("/users/mobile/login", **body, sms_code=wrong)) == (401, "wrong_code")
    assert said(await me.post("/users/mobile/login", **body, sms_code=code)) == (404, "not_registered")
    code, token = await me.code(PHONE, "reset")
    reset = {"mobile": PHONE, "sms_code": code, "captcha_token": token, "password": PASSWORD}
    assert said(await me.post("/users/mobile/reset", **reset)) == (404, "not_registered")
    code, token = await me.code(MAIL)
    mail = {"login_id": MAIL, "email_code": code, "captcha_token": token}
    assert said(await me.post("/users/email/login", **mail)) == (404, "not_registered")


async def test_a_taken_phone_is_told_after_a_right_code_only(harness: Harness) -> None:
    await harness.add_account("ken_account", PHONE)
    me = Client(harness)
    code, token = await me.code(PHONE, "signup")
    body = {"mobile": PHONE, "passwd": PASSWORD, "captcha_token": token}
    wrong = f"{(int(code) + 1) % 10**6:06}"
    assert said(await me.post("/users/mobile/signup", **body, sms_code=wrong)) == (401, "wrong_code")
    taken = await me.post("/users/mobile/signup", **body, sms_code=code)
    assert said(taken) == (409, "already_taken")
    assert taken.json()["field"] == "mobile"
    assert "token" not in taken.headers
    assert taken.headers.get_list("set-cookie") == []


async def test_weak_passwords_are_told_before_anything_is_spent(harness: Harness) -> None:
    me = Client(harness)
    code, token = await me.code(PHONE, "signup")
    body = {"mobile": PHONE, "sms_code": code, "captcha_token": token}
    for passwd, result in (
        ("Ab1!", "密码至少需要8个字符"),
        ("密" * 400, "密码过长"),
        ("password", "密码过于常见，请换一个"),
        (PHONE + "x", "密码不能基于账号、手机号等个人信息"),
    ):
        refused = await me.post("/users/mobile/signup", **body, passwd=passwd)
        assert said(refused) == (400, "weak_password")
        assert (refused.json()["field"], refused.json()["result"]) == ("passwd", result)
    assert said(await me.post("/users/mobile/signup", **body, passwd=PASSWORD)) == OK


async def test_a_second_code_within_a_minute_must_wait(harness: Harness) -> None:
    me = Client(harness)
    await me.code(PHONE)
    harness.clock.advance(2_000)
    refused = await me.post("/users/mobile/sms", mobile=PHONE, captcha_token=await me.captcha(), purpose="reset")
    assert said(refused) == (429, "too_many_requests")
    assert refused.json()["retry_after"] == 58
    assert refused.json()["result"] == "操作过于频繁，请58秒后重试"
    assert refused.headers["retry-after"] == "58"


@pytest.mark.parametrize("mobile", ["+85291234567", "+1 202 555 0123"])
async def test_numbers_of_other_regions_get_no_code(harness: Harness, mobile: str) -> None:
    me = Client(harness)
    refused = await me.post("/users/sendsms", mobile=mobile, captcha_token=await me.captcha())
    assert said(refused) == (400, "invalid_request")
    assert (refused.json()["field"], refused.json()["result"]) == ("mobile", "暂不支持该地区的手机号")
    assert await harness.messages() == []


@pytest.mark.attack("EN-7")
async def test_the_oracles_ask_for_a_test_after_five_calls_and_can_be_shut(harness: Harness) -> None:
    await harness.add_account("ken_account", PHONE, MAIL)
    me = Client(harness)
    for _ in range(2):
        assert (await me.post("/users/mobile/exist", mobile=PHONE)).json()["is_exist"] is True
        assert (await me.post("/users/email/exist", email=MAIL.upper())).json()["is_exist"] is True
    assert (await me.post("/users/email/exist", email="no@example.com")).json()["is_exist"] is False
    asked = await me.post("/users/mobile/exist", mobile=PHONE)
    assert said(asked) == (428, "captcha_required")
    token = await me.captcha()
    answer = await me.post("/users/mobile/exist", mobile=PHONE, captcha_token=token)
    assert answer.content == b'{"code":200,"result":"ok","is_exist":true}'
    assert said(await me.post("/users/mobile/exist", mobile=PHONE, captcha_token=token)) == (428, "captcha_invalid")
    await harness.change_app(exist_calls=False)
    assert said(await me.post("/users/mobile/exist", mobile=PHONE)) == (404, "not_found")
    assert said(await me.post("/users/email/exist", email=MAIL)) == (404, "not_found")


@pytest.mark.attack("EN-8", "AD-5", "TK-6", "TK-11")
async def test_nobody_reaches_what_is_anothers(harness: Harness) -> None:
    await harness.add_account("ken_account", PHONE, MAIL, PASSWORD)
    await harness.add_account("eve_account", OTHER_PHONE, "eve@example.com", PASSWORD)
    ken, eve = Client(harness), Client(harness)
    kens = (await ken.log_in("ken_account")).json()["user_info"]
    await eve.log_in("eve_account")

    (kens_session,) = (await ken.get("/users/sessions")).json()["sessions"]
    assert said(await eve.call("DELETE", f"/users/sessions/{kens_session['id']}")) == (404, "not_found")
    assert said(await eve.call("DELETE", "/users/sessions")) == OK
    assert await ken.alive()
    # What names a session in the list does not open it.
    for stolen in (kens_session["id"], kens["id"], ken.cookies["menshenCSRF"], ken.cookies["menshenUSERID"]):
        assert not await Client(harness, token=stolen).alive()

    shown = await eve.get(f"/users/info?user_id={kens['id']}")
    assert not {"mobile", "email", "username", "update_at", "last_password_update"} & set(shown.json()["user_info"])
    assert PHONE[-4:] not in shown.text
    assert "example.com" not in shown.text

    taken = await eve.call("PUT", "/users/update", {"username": "KEN_account"})
    assert (said(taken), taken.json()["field"]) == ((409, "already_taken"), "username")
    code, _ = await eve.code(PHONE, "bind")
    bound = await eve.post("/users/mobile/bind", mobile=PHONE, sms_code=code)
    assert (said(bound), bound.json()["field"]) == ((409, "already_taken"), "mobile")
    code, _ = await eve.code(MAIL, "bind")
    bound = await eve.post("/users/email/bind", email=MAIL, email_code=code)
    assert (said(bound), bound.json()["field"]) == ((409, "already_taken"), "email")
    assert await ken.alive()

    # Eve's cookie with Ken's value, and the other way round.
    for mine, theirs in ((eve, ken), (ken, eve)):
        cookie = f"menshenAUTHTOKEN={mine.cookies['menshenAUTHTOKEN']}"
        response = await Client(harness).call(
            "POST", "/users/logout", cookie=cookie, x_csrf_token=theirs.cookies["menshenCSRF"]
        )
        assert said(response) == (403, "csrf")
    assert await eve.alive()


async def test_texts_speak_english_to_whoever_prefers_it(harness: Harness) -> None:
    response = await Client(harness).call(
        "POST", "/users/login", {"login_id": "nobody_here", "password": "x"}, accept_language="en"
    )
    assert response.json()["result"] == "Wrong account or password"
