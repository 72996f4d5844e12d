"""One account and session core behind every dialect: whatever is set in one is so in the other."""

from __future__ import annotations

import json

from tests.end_to_end.clients import WEIDU, captcha_token, carey_login, curl_d, send_code, verified
from tests.server import Server

PHONE = "13911112222"


def test_an_account_logs_in_through_all_three_with_one_password(server: Server, appkey: str) -> None:
    server.menshen(
        "account",
        "add",
        "--username",
        "everywhere",
        "--phone",
        PHONE,
        "--verified",
        "--password-stdin",
        stdin="first pass 1",
    )

    def weidu(login_id: str, password: str) -> int:
        asked = {"login_id": login_id, "password": password, "captcha_token": captcha_token(server)}
        return curl_d(server, f"{WEIDU}/users/login", json.dumps(asked)).status

    assert carey_login(server, appkey, "everywhere", "first pass 1", "iOS")["status"] == 200
    assert weidu(PHONE, "first pass 1") == 200
    assert weidu("everywhere", "first pass 1") == 200
    code, captcha = send_code(server, PHONE)
    answer = curl_d(
        server,
        f"{WEIDU}/users/mobile/login",
        json.dumps({"login_id": PHONE, "sms_code": code, "captcha_token": captcha}),
    )
    assert answer.status == 200
    token = answer.one("token")
    changed = server.call(
        "POST",
        f"{WEIDU}/users/password",
        json.dumps({"old_password": "first pass 1", "password": "second pass 2"}),
        {"Authorization": f"Bearer {token}", "Content-Type": "application/json"},
    )
    assert changed.status == 200, changed.body
    assert carey_login(server, appkey, "everywhere", "first pass 1", "iOS")["status"] == 500
    assert carey_login(server, appkey, "everywhere", "second pass 2", "iOS")["status"] == 200
    assert weidu("+86 " + PHONE, "second pass 2") == 200


def test_an_account_registered_by_sms_has_a_name_that_logs_in(server: Server, appkey: str) -> None:
    phone = "13911113333"
    code, captcha = send_code(server, phone, "signup")
    asked = {"mobile": phone, "sms_code": code, "passwd": "a fine pass", "captcha_token": captcha}
    signed_up = curl_d(server, f"{WEIDU}/users/mobile/signup", json.dumps(asked))
    assert signed_up.status == 200, signed_up.body
    assert verified(server, signed_up.one("token"))
    info = server.call("GET", f"{WEIDU}/users/info", headers={"Authorization": f"Bearer {signed_up.one('token')}"})
    name = info.json()["user_info"]["username"]
    assert len(name) == 19
    assert name.isdigit()
    assert carey_login(server, appkey, name, "a fine pass", "Android")["data"]["user"]["is_mobile"] == 1
