"""The three login documents, call by call, against a started server."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime, timedelta
from urllib.parse import urlencode

import pytest

from tests.end_to_end.clients import FORM, WEIDU, app_of_host, carey_login, curl_d, send_code, verified
from tests.end_to_end.conftest import PASSWORD
from tests.faults.waiting import wait_until
from tests.server import Answer, Server

ID = r"[ybndrfg8ejkmcpqxot1uwisza345h769]{26}"
USER_INFO = [
    "id", "create_at", "update_at", "username", "mobile", "real_name_verified", "nickname", "avatar_url", "city",
    "province", "country", "gender", "roles", "desc", "major", "level", "refund_rate", "dispute_rate", "serve_num",
    "work_num", "last_password_update",
]  # fmt: skip
SMS_USER_INFO = [
    "id", "create_at", "update_at", "username", "nickname", "avatar_url", "city", "province", "country", "gender",
    "level", "major", "desc", "refund_rate", "dispute_rate", "roles", "mobile", "email", "real_name_verified",
]  # fmt: skip
CAREY_USER = [
    "user_id", "username", "mobile", "is_mobile", "email", "is_email", "nickname", "head_pic", "sex", "birthday",
    "user_level_id", "user_address_id", "group_id", "last_login", "last_ip", "status", "create_time", "update_time",
]  # fmt: skip


def check_session_headers(answer: Answer, prefix: str) -> str:
    """Three cookies in order and form, and the Token; the token."""
    assert answer.one("content-type") == "application/json; charset=utf-8"
    token = answer.one("token")
    assert re.fullmatch(ID, token)
    auth, user, csrf = answer.all("set-cookie")
    when = r"(?P<when>\w{3}, \d\d \w{3} \d{4} \d\d:\d\d:\d\d GMT)"
    form = rf"Path=/; Domain=127\.0\.0\.1; Expires={when}"
    found = re.fullmatch(rf"{prefix}AUTHTOKEN={token}; {form}; HttpOnly; SameSite=Lax", auth)
    assert found
    assert re.fullmatch(rf"{prefix}USERID={ID}; {form}; SameSite=Lax", user)
    assert re.fullmatch(rf"{prefix}CSRF={ID}; {form}; SameSite=Lax", csrf)
    expires = datetime.strptime(found["when"], "%a, %d %b %Y %H:%M:%S GMT").replace(tzinfo=UTC)
    assert abs(expires - datetime.now(UTC) - timedelta(days=30)) < timedelta(minutes=1)
    names = [name.lower() for name, _ in answer.headers]
    assert names.index("content-type") < names.index("set-cookie") < names.index("token")
    return token


@pytest.fixture(scope="module", autouse=True)
def as_documented(server: Server) -> None:
    """The documents' prefix, and their Domain, which is an address: both are settings of the app."""
    server.menshen("app", "set", "default", "--cookie-prefix", "weichuang", "--cookie-domain", "127.0.0.1")
    wait_until(lambda: "weichuangCSRF=; Path=/; Domain=127.0.0.1; " in cookies_of_a_logout(server))


def cookies_of_a_logout(server: Server) -> str:
    login = curl_d(server, f"{WEIDU}/users/login", json.dumps({"login_id": "dnyz529", "password": PASSWORD}))
    gone = server.call("POST", f"{WEIDU}/users/logout", "", {"Authorization": f"Bearer {login.one('token')}"})
    return " | ".join(gone.all("set-cookie"))


def test_password_login_of_the_first_seed(server: Server) -> None:
    line = '{"login_id":"13544285663", "password": "Zk12345678", "captcha_token":"xxxxxx"}'
    answer = curl_d(server, f"{WEIDU}/users/login", line)
    assert answer.status == 200
    body = answer.json()
    assert list(body) == ["code", "result", "user_info"]
    assert (body["code"], body["result"]) == (200, "ok")
    info = body["user_info"]
    assert list(info) == USER_INFO
    assert re.fullmatch(ID, info["id"])
    assert info["mobile"] == "******"
    assert info["gender"] == 0
    assert info["roles"] == "general_user"
    assert b'"refund_rate":0,"dispute_rate":0,"serve_num":0,"work_num":0' in answer.body
    assert info["create_at"] > 1_600_000_000_000
    token = check_session_headers(answer, "weichuang")
    assert f"weichuangUSERID={info['id']};" in answer.all("set-cookie")[1]
    assert verified(server, token)


def test_sms_login_of_the_second_seed(server: Server) -> None:
    host = f"127.0.0.1:{server.port}"
    default = app_of_host(server)
    named = ("--cookie-prefix", "WOLVES", "--cookie-domain", "127.0.0.1")
    server.menshen("app", "add", "wolves", *named, "--host", host)
    try:
        # A server remembers its apps for 250 ms. A captcha of the one app is none of the other.
        wait_until(lambda: app_of_host(server) != default)
        code, captcha = send_code(server, "13544285662")
        line = json.dumps({"login_id": "13544285662", "sms_code": code, "captcha_token": captcha})
        answer = curl_d(server, f"{WEIDU}/users/mobile/login", line)
    finally:
        server.menshen("app", "set", "wolves", "--host", "")
        wait_until(lambda: app_of_host(server) == default)
    assert answer.status == 200, answer.body
    body = answer.json()
    assert list(body) == ["result", "code", "user_info"]
    info = body["user_info"]
    assert list(info) == SMS_USER_INFO
    assert type(info["id"]) is int
    assert info["mobile"] == "13544285662"
    assert info["gender"] == ""
    assert b'"refund_rate":0.0,"dispute_rate":0.0' in answer.body
    assert verified(server, check_session_headers(answer, "WOLVES"))


def test_careyshop_login_of_the_third_seed(server: Server, appkey: str) -> None:
    asked = {"username": "dnyz529", "password": PASSWORD, "platform": "iOS"}
    query = urlencode({"method": "login.user.user", "appkey": appkey, **asked})
    pairs = "/".join(f"{key}/{value}" for key, value in asked.items())
    as_json = json.dumps({"method": "login.user.user", "appkey": appkey, **asked})
    answers = [
        server.call("GET", f"/api/v1/user?{query}"),
        server.call("POST", "/api/v1/user", query, FORM),
        server.call("GET", f"/api/v1/user/method/login.user.user/appkey/{appkey}/{pairs}/"),
        server.call("POST", "/api/v1/user", as_json, {"Content-Type": "application/json"}),
        server.call("POST", "/api/v1/user", as_json, {"Content-Type": "text/plain; charset=utf-8"}),
    ]
    for answer in answers:
        assert answer.status == 200
        assert answer.one("content-type") == "application/json; charset=utf-8"
        body = answer.json()
        assert (list(body), body["status"], body["message"]) == (["status", "message", "data"], 200, "success")
        assert list(body["data"]) == ["user", "token"]
        assert list(body["data"]["user"]) == CAREY_USER
        token = body["data"]["token"]
        assert list(token) == ["group_id", "token", "token_expires", "refresh", "refresh_expires"]
        assert re.fullmatch("[0-9a-f]{32}", token["token"])
        assert re.fullmatch("[0-9a-f]{32}", token["refresh"])
        assert token["refresh_expires"] - token["token_expires"] == 86400
        assert abs(token["token_expires"] - datetime.now(UTC).timestamp() - 2592000) < 60
    alive = [verified(server, answer.json()["data"]["token"]["token"]) for answer in answers]
    assert alive == [False, False, False, False, True]


def test_a_second_login_on_a_platform_ends_the_first_and_no_other(server: Server, appkey: str) -> None:
    def token(platform: str) -> str:
        return str(carey_login(server, appkey, "dnyz529", PASSWORD, platform)["data"]["token"]["token"])

    web, first = token("Web"), token("iOS")
    second = token("IOS  ")
    assert [verified(server, t) for t in (web, first, second)] == [True, False, True]


def test_an_answer_in_xml_and_jsonp(server: Server, appkey: str) -> None:
    asked = {
        "method": "login.user.user",
        "appkey": appkey,
        "username": "dnyz529",
        "password": "wrong-one",
        "platform": "x",
    }
    xml = server.call("GET", f"/api/v1/user?{urlencode({**asked, 'format': 'xml'})}")
    assert xml.one("content-type") == "text/xml; charset=utf-8"
    assert xml.body.decode() == (
        '<?xml version="1.0" encoding="utf-8"?><careyshop><status>500</status><message>账号或密码错误</message>'
        "<data></data></careyshop>"
    )
    jsonp = server.call("GET", f"/api/v1/user?{urlencode({**asked, 'format': 'jsonp', 'callback': 'cb'})}")
    assert jsonp.one("content-type") == "application/javascript; charset=utf-8"
    assert jsonp.body.decode() == 'cb({"status":500,"message":"账号或密码错误","data":null});'
