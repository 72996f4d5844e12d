"""Whole lives of an account, from the behaviour test to the login by mail: by bearer token, then by cookies only."""

import asyncio

import pytest

from menshen.core.time import DAY, MINUTE
from tests.harness import Harness
from tests.wire.weidu.client import OK, OTHER_PASSWORD, PASSWORD, Client, said

PHONE, NEW_PHONE, MAIL = "13544285662", "13800138000", "ken@example.com"


@pytest.mark.parametrize("browser", [False, True], ids=["bearer", "cookies"])
async def test_a_life(harness: Harness, browser: bool) -> None:
    me, other = Client(harness, browser=browser), Client(harness, browser=browser)
    await sign_up(me)
    await fill_in_the_profile(me)
    await add_a_mail_address(me)
    await use_more_devices(me, other, Client(harness, browser=browser))
    await change_the_phone(me, other)
    await change_the_password(me, other)
    await reset_it_by_mail(me, other)
    await log_in_by_mail(Client(harness, browser=browser), Client(harness, browser=browser))


async def sign_up(me: Client) -> None:
    assert (await me.post("/users/mobile/exist", mobile=PHONE)).json()["is_exist"] is False
    code, token = await me.code(PHONE, "signup")
    assert len(code) == 6
    signup = {"mobile": PHONE, "passwd": PASSWORD, "captcha_token": token}
    wrong = f"{(int(code) + 1) % 10**6:06}"
    assert said(await me.post("/users/mobile/signup", **signup, sms_code=wrong)) == (401, "wrong_code")
    assert said(await me.post("/users/mobile/signup", **signup, sms_code=code)) == OK
    assert bool(me.token) != me.browser
    assert len(me.cookies) == 3
    assert (await me.post("/users/mobile/exist", mobile="+86 " + PHONE)).json()["is_exist"] is True


async def fill_in_the_profile(me: Client) -> None:
    fresh = (await me.get("/users/info")).json()["user_info"]
    assert (fresh["mobile"], fresh["username"].isdigit(), fresh["nickname"]) == ("135****5662", True, "")
    changes = {"username": "Hello_Ken", "nickname": "呵呵哒", "gender": "男", "city": "深圳", "desc": "个人简介"}
    updated = await me.call("PUT", "/users/update", changes)
    shown = (await me.get("/users/info")).json()["user_info"]
    assert updated.json()["user_info"] == shown
    assert {name: shown[name] for name in changes} == {**changes, "gender": 1}
    assert {key for key in shown if shown[key] != fresh[key]} <= {*changes, "update_at"}


async def add_a_mail_address(me: Client) -> None:
    """Within ten minutes of the proof that the sign-up was."""
    code, _ = await me.code(MAIL, "bind")
    bound = await me.post("/users/email/bind", email=MAIL, email_code=code)
    assert bound.json()["user_info"]["email"] == "k***n@example.com"


async def use_more_devices(me: Client, other: Client, third: Client) -> None:
    """By every identifier. A login on a device replaces the one it had; the list shows what lives, and ends it."""
    two = {"device_id": "d-2", "device_model": "P40", "device_name": "Ken's"}
    second = Client(me.harness, browser=me.browser)
    assert said(await second.log_in("HELLO_ken", **two)) == OK
    assert said(await other.log_in_by_code(PHONE, device_id="d-3")) == OK
    assert said(await third.log_in("Ken@Example.COM", **two)) == OK
    assert [await one.alive() for one in (me, second, other, third)] == [True, False, True, True]

    listed = (await me.get("/users/sessions")).json()["sessions"]
    assert {(one["device_id"], one["current"]) for one in listed} == {("", True), ("d-2", False), ("d-3", False)}
    (shown,) = (one for one in listed if one["device_id"] == "d-2")
    assert (shown["device_model"], shown["device_name"], shown["ip"]) == ("P40", "Ken's", "127.0.0.1")
    assert said(await me.call("DELETE", f"/users/sessions/{shown['id']}")) == OK
    assert said(await me.call("DELETE", f"/users/sessions/{shown['id']}")) == (404, "not_found")
    assert [await one.alive() for one in (me, other, third)] == [True, True, False]
    assert said(await me.call("DELETE", "/users/sessions")) == OK
    assert [await one.alive() for one in (me, other)] == [True, False]


async def change_the_phone(me: Client, other: Client) -> None:
    """The sign-up's proof is old by now, so it takes a fresh one."""
    assert said(await other.log_in("hello_ken", device_id="d-3")) == OK
    me.harness.clock.advance(11 * MINUTE)
    code, _ = await me.code(NEW_PHONE, "bind")
    bind = {"mobile": NEW_PHONE, "sms_code": code}
    assert said(await me.post("/users/mobile/bind", **bind)) == (403, "proof_required")
    assert said(await me.post("/users/mobile/bind", **bind, password="not it")) == (401, "wrong_credentials")
    proof, _ = await me.code(PHONE, "proof")
    assert said(await me.post("/users/mobile/bind", **bind, proof_code=proof)) == OK
    assert [await one.alive() for one in (me, other)] == [True, False]
    assert (await me.get("/users/info")).json()["user_info"]["mobile"] == "138****8000"
    assert said(await other.log_in(PHONE)) == (401, "wrong_credentials")


async def change_the_password(me: Client, other: Client) -> None:
    assert said(await other.log_in(NEW_PHONE)) == OK
    change = {"old_password": PASSWORD, "password": OTHER_PASSWORD}
    assert said(await me.post("/users/password", **{**change, "old_password": "x"})) == (401, "wrong_credentials")
    assert said(await me.post("/users/password", **{**change, "password": "short"})) == (400, "weak_password")
    assert said(await me.post("/users/password", **change)) == OK
    assert [await one.alive() for one in (me, other)] == [True, False]
    assert said(await other.log_in(MAIL)) == (401, "wrong_credentials")


async def reset_it_by_mail(me: Client, other: Client) -> None:
    """Every session ends, and nobody is logged in by it."""
    assert said(await other.log_in(MAIL, OTHER_PASSWORD)) == OK
    code, token = await me.code(MAIL, "reset")
    reset = {"email": MAIL, "email_code": code, "captcha_token": token, "password": PASSWORD}
    answer = await me.post("/users/email/reset", **reset)
    assert said(answer) == OK
    assert "token" not in answer.headers
    assert answer.headers.get_list("set-cookie") == []
    assert [await one.alive() for one in (me, other)] == [False, False]
    assert said(await me.post("/users/email/reset", **reset)) == (401, "wrong_code")


async def log_in_by_mail(me: Client, other: Client) -> None:
    """By the password, by a code; and out."""
    assert said(await me.log_in(MAIL, OTHER_PASSWORD)) == (401, "wrong_credentials")
    assert said(await me.log_in(MAIL)) == OK
    code, token = await other.code(MAIL)
    by_mail = await other.post("/users/email/login", login_id=MAIL, email_code=code, captcha_token=token)
    info = by_mail.json()["user_info"]
    assert (info["email"], info["mobile"], info["gender"]) == (MAIL, NEW_PHONE, "男")
    assert said(await me.post("/users/logout")) == OK
    assert not me.cookies
    assert [await one.alive() for one in (me, other)] == [False, True]


async def test_a_reset_by_phone(harness: Harness) -> None:
    await harness.add_account("ken_account", PHONE, password=PASSWORD)
    me, other = Client(harness), Client(harness)
    assert said(await other.log_in(PHONE)) == OK
    code, token = await me.code(PHONE, "reset")
    reset = {"mobile": PHONE, "sms_code": code, "captcha_token": token}
    assert said(await me.post("/users/mobile/reset", **reset, password="1234")) == (400, "weak_password")
    assert said(await me.post("/users/mobile/reset", **reset, password=OTHER_PASSWORD)) == OK
    assert not await other.alive()
    assert said(await me.log_in(PHONE)) == (401, "wrong_credentials")
    assert said(await me.log_in(PHONE, OTHER_PASSWORD)) == OK


async def test_an_sms_login_makes_the_account_of_an_unknown_phone(harness: Harness) -> None:
    me = Client(harness)
    first = await me.log_in_by_code(PHONE)
    again = await me.log_in_by_code(PHONE)
    info = first.json()["user_info"]
    assert list(first.json()) == ["result", "code", "user_info"]
    assert (info["mobile"], info["email"], info["roles"], info["gender"]) == (PHONE, "", "general_user", "")
    assert again.json()["user_info"]["id"] == info["id"] == 1
    # The same account under its public name, in the record and in the cookie.
    shown = (await me.get("/users/info")).json()["user_info"]
    assert shown["id"] == me.cookies["menshenUSERID"]
    assert shown["create_at"] == info["create_at"]


async def test_sessions_slide_for_thirty_days_and_end_after_a_hundred_and_eighty(harness: Harness) -> None:
    await harness.add_account("ken_account", PHONE, password=PASSWORD)
    used, idle, browser = Client(harness), Client(harness), Client(harness, browser=True)
    for one in (used, idle, browser):
        assert said(await one.log_in(PHONE)) == OK
    for day in range(0, 174, 29):
        assert await used.alive(), day
        prolonged = await browser.get("/users/info")
        assert len(prolonged.headers.get_list("set-cookie")) == (3 if day else 0)
        await written_back(used)
        harness.clock.advance(29 * DAY)
    assert not await idle.alive()
    assert await used.alive()
    assert await browser.alive()
    harness.clock.advance(6 * DAY)
    assert not await used.alive()
    assert not await browser.alive()


async def written_back(client: Client) -> None:
    """Uses are written together, a moment later."""
    async with asyncio.timeout(60):
        while True:
            await asyncio.sleep(0.02)
            sessions = (await client.get("/users/sessions")).json()["sessions"]
            if sum(one["last_activity_at"] == client.harness.clock.now() for one in sessions) >= 2:
                return


async def test_two_apps_keep_their_codes_cookies_and_captchas_apart(harness: Harness) -> None:
    await harness.add_app("wolves", host="wolves.example", cookie_prefix="WOLVES")
    ours = Client(harness)
    theirs = Client(harness, base_url="http://wolves.example")
    code, token = await ours.code(PHONE)
    login = {"login_id": PHONE, "sms_code": code}
    assert said(await theirs.post("/users/mobile/login", **login, captcha_token=token)) == (428, "captcha_invalid")
    fresh = await theirs.captcha()
    assert said(await theirs.post("/users/mobile/login", **login, captcha_token=fresh)) == (401, "wrong_code")
    assert said(await ours.post("/users/mobile/login", **login, captcha_token=token)) == OK
    answer = await theirs.log_in_by_code(PHONE)
    assert answer.headers["set-cookie"].startswith("WOLVESAUTHTOKEN=")
    assert "Domain=wolves.example" in answer.headers["set-cookie"]
    assert answer.json()["user_info"]["id"] == 1
