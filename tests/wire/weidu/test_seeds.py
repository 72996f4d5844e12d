"""The two login documents, byte for byte: bodies, headers, order. (docs/contracts/weidu.md sections 2 and 3.)"""

import re
from dataclasses import replace

import httpx
import pytest

from menshen.core.account.accounts import Gender, Profile
from menshen.core.apps import SessionRule
from menshen.core.gates.captcha import PassPresented
from menshen.core.login.asks import CodeLogin, CodeSignup, PasswordLogin
from menshen.core.time import Instant
from menshen.core.tokens import TokenStyle
from menshen.testing.scripted_flows import APP, NOW
from tests.wire.weidu.scripted import CSRF, TOKEN, ScriptedWeidu, account, granted

PASSWORD_ANSWER = (
    b'{"code":200,"result":"ok","user_info":{"id":"7wnaasfa47bebbtjbazajef3eh","create_at":1601963204584,'
    b'"update_at":1601963204584,"username":"1313354987295739904","mobile":"******","real_name_verified":false,'
    b'"nickname":"","avatar_url":"","city":"","province":"","country":"","gender":0,"roles":"general_user","desc":"",'
    b'"major":"","level":"","refund_rate":0,"dispute_rate":0,"serve_num":0,"work_num":0,"last_password_update":0}}'
)
CODE_ANSWER = (
    '{"result":"ok","code":200,"user_info":{"id":8970,"create_at":1578050603718,"update_at":1578050603718,'
    '"username":"hello_ken","nickname":"呵呵哒","avatar_url":"http://xxxxxxx","city":"深圳","province":"广东",'
    '"country":"中国","gender":"男","level":"等级xx","major":"主营xx","desc":"个人简介","refund_rate":0.0,'
    '"dispute_rate":0.0,"roles":"user","mobile":"13544285662","email":"13544285662@163.com",'
    '"real_name_verified":true}}'
).encode()
KEN = account(
    created_at=Instant(1578050603718),
    updated_at=Instant(1578050603718),
    username="hello_ken",
    username_shown="hello_ken",
    phone="+8613544285662",
    email="13544285662@163.com",
    email_verified=True,
    roles="user",
    profile=Profile(
        nickname="呵呵哒",
        avatar_url="http://xxxxxxx",
        city="深圳",
        province="广东",
        country="中国",
        gender=Gender.MALE,
        level="等级xx",
        major="主营xx",
        description="个人简介",
        real_name_verified=True,
    ),
)
EXPIRES = "Tue, 03 Nov 2020 09:19:55 GMT"
PASSWORD_BODY = b'{"login_id":"13544285663", "password": "Zk12345678", "captcha_token":"xxxxxx"}'
CODE_BODY = b'{"login_id":"13544285662", "sms_code": "482913", "captcha_token":"xxxxxx"}'
DOCUMENTED = replace(APP, cookie_prefix="weichuang", cookie_domain="129.28.198.139")
CURL = {"content-type": "application/x-www-form-urlencoded"}


async def post(
    script: ScriptedWeidu, path: str, body: bytes, base_url: str = "http://129.28.198.139:9004"
) -> httpx.Response:
    async with script.client(base_url) as client:
        return await client.post(path, content=body, headers=CURL)


async def test_the_password_seed(script: ScriptedWeidu) -> None:
    """Prefix and Domain of the document are settings of the app."""
    script.app = DOCUMENTED
    script.answers["login.password"] = granted()
    response = await post(script, "/users/login", PASSWORD_BODY)
    assert response.status_code == 200
    assert response.content == PASSWORD_ANSWER
    assert [(name.decode().lower(), value.decode()) for name, value in response.headers.raw][:5] == [
        ("content-type", "application/json; charset=utf-8"),
        (
            "set-cookie",
            f"weichuangAUTHTOKEN={TOKEN}; Path=/; Domain=129.28.198.139; Expires={EXPIRES}; HttpOnly; SameSite=Lax",
        ),
        (
            "set-cookie",
            (
                "weichuangUSERID=7wnaasfa47bebbtjbazajef3eh; "
                f"Path=/; Domain=129.28.198.139; Expires={EXPIRES}; SameSite=Lax"
            ),
        ),
        ("set-cookie", f"weichuangCSRF={CSRF}; Path=/; Domain=129.28.198.139; Expires={EXPIRES}; SameSite=Lax"),
        ("token", TOKEN),
    ]
    ((ask, origin),) = script.asks("login.password")
    assert ask == PasswordLogin("13544285663", "Zk12345678", captcha=PassPresented("xxxxxx"))
    assert (origin.app, origin.ip, origin.network, origin.language) == (DOCUMENTED, "127.0.0.1", "127.0.0.0/24", "zh")
    assert origin.rules.dialect == "weidu"
    assert origin.rules.style is TokenStyle.BASE32
    assert origin.rules.session_rule is SessionRule.ONE_PER_DEVICE


async def test_the_code_seed(script: ScriptedWeidu) -> None:
    script.app = replace(DOCUMENTED, cookie_prefix="WOLVES")
    script.answers["login.code"] = granted(KEN)
    response = await post(script, "/users/mobile/login", CODE_BODY, "http://129.28.198.139:8089")
    assert response.status_code == 200
    assert response.content == CODE_ANSWER
    forms = [
        rf"WOLVESAUTHTOKEN=[a-z0-9]{{26}}; Path=/; Domain=129\.28\.198\.139; Expires={EXPIRES}; HttpOnly; SameSite=Lax",
        rf"WOLVESUSERID=[a-z0-9]{{26}}; Path=/; Domain=129\.28\.198\.139; Expires={EXPIRES}; SameSite=Lax",
        rf"WOLVESCSRF=[a-z0-9]{{26}}; Path=/; Domain=129\.28\.198\.139; Expires={EXPIRES}; SameSite=Lax",
    ]
    cookies = response.headers.get_list("set-cookie")
    assert len(cookies) == len(forms)
    assert all(re.fullmatch(form, cookie) for form, cookie in zip(forms, cookies, strict=True))
    assert response.headers["token"] == TOKEN
    ((ask, _),) = script.asks("login.code")
    assert ask == CodeLogin("+8613544285662", "482913", PassPresented("xxxxxx"))


async def test_the_login_by_mail_answers_as_the_one_by_sms(script: ScriptedWeidu) -> None:
    script.answers["login.code"] = granted(KEN)
    body = b'{"login_id":"13544285662@163.COM","email_code":"482913","captcha_token":"x"}'
    response = await post(script, "/users/email/login", body)
    assert response.content == CODE_ANSWER
    ((ask, _),) = script.asks("login.code")
    assert ask == CodeLogin("13544285662@163.com", "482913", PassPresented("x"))


async def test_a_sign_up_answers_the_bare_envelope_with_the_same_headers(script: ScriptedWeidu) -> None:
    script.answers["login.sign_up"] = granted()
    body = b'{"mobile":"+86 135 4428 5663","sms_code":"482913","passwd":"Zk12345678","captcha_token":"x"}'
    response = await post(script, "/users/mobile/signup", body)
    assert response.content == b'{"code":200,"result":"ok"}'
    assert len(response.headers.get_list("set-cookie")) == 3
    assert response.headers["token"] == TOKEN
    ((ask, _),) = script.asks("login.sign_up")
    assert ask == CodeSignup("+8613544285663", "482913", "Zk12345678", PassPresented("x"))


@pytest.mark.attack("RS-3")
@pytest.mark.parametrize("kind", ["", "text/plain", "application/json", "multipart/form-data; boundary=x", "nonsense"])
async def test_the_body_is_json_whatever_the_content_type_says(script: ScriptedWeidu, kind: str) -> None:
    script.answers["login.password"] = granted()
    async with script.client() as client:
        response = await client.post(
            "/users/login", content=PASSWORD_BODY, headers={"content-type": kind} if kind else {}
        )
    assert response.content == PASSWORD_ANSWER


async def test_what_an_account_lacks_is_empty_text_never_null(script: ScriptedWeidu) -> None:
    bare = account(phone=None, phone_verified=False, username=None, username_shown=None)
    script.answers["login.password"] = script.answers["login.code"] = granted(bare)
    by_password = (await post(script, "/users/login", PASSWORD_BODY)).json()["user_info"]
    by_code = (await post(script, "/users/mobile/login", CODE_BODY)).json()["user_info"]
    assert (by_password["mobile"], by_password["username"]) == ("", "")
    assert (by_code["mobile"], by_code["email"], by_code["username"]) == ("", "", "")
    assert by_code["gender"] == ""
    assert None not in (*by_password.values(), *by_code.values())


async def test_the_code_login_shows_nothing_that_was_never_proved(script: ScriptedWeidu) -> None:
    script.answers["login.code"] = granted(replace(KEN, email_verified=False, phone_verified=False))
    info = (await post(script, "/users/mobile/login", CODE_BODY)).json()["user_info"]
    assert (info["email"], info["mobile"]) == ("", "")


async def test_rates_and_counts_are_numbers(script: ScriptedWeidu) -> None:
    rated = account(profile=Profile(refund_rate=0.25, dispute_rate=1.0, serve_num=7, work_num=3, gender=Gender.FEMALE))
    script.answers["login.password"] = script.answers["login.code"] = granted(rated)
    by_password = (await post(script, "/users/login", PASSWORD_BODY)).content
    by_code = (await post(script, "/users/mobile/login", CODE_BODY)).content
    assert b'"gender":2,' in by_password
    assert b'"refund_rate":0.25,"dispute_rate":1,"serve_num":7,"work_num":3' in by_password
    assert '"gender":"女",'.encode() in by_code
    assert b'"refund_rate":0.25,"dispute_rate":1.0,' in by_code


@pytest.mark.parametrize(
    ("host", "domain"),
    [
        # Several clients keep no cookie of an address or of a name without sub-domains that has a Domain.
        ("0.0.0.0", ""),
        ("127.0.0.1:8400", ""),
        ("localhost:8400", ""),
        ("menshen", ""),
        ("login.example.", ""),
        ("app.localhost", "Domain=app.localhost; "),
        ("login.example:8443", "Domain=login.example; "),
        ("LOGIN.example", "Domain=login.example; "),
        # No Domain can name an IPv6 address: the cookie stays with its host.
        ("[::1]:8400", ""),
        ("evil.example;x", ""),
    ],
)
async def test_the_cookies_domain_is_the_hosts_name(script: ScriptedWeidu, host: str, domain: str) -> None:
    script.answers["login.password"] = granted()
    async with script.client() as client:
        response = await client.post("/users/login", content=PASSWORD_BODY, headers={"host": host})
    assert response.headers.get_list("set-cookie")[2] == (
        f"menshenCSRF={CSRF}; Path=/; {domain}Expires={EXPIRES}; SameSite=Lax"
    )


async def test_an_app_may_set_the_domain(script: ScriptedWeidu) -> None:
    script.app = replace(APP, cookie_domain="weidu.example")
    script.answers["login.password"] = granted()
    response = await post(script, "/users/login", PASSWORD_BODY)
    assert all("; Domain=weidu.example; " in cookie for cookie in response.headers.get_list("set-cookie"))


async def test_cookies_are_secure_over_https(script: ScriptedWeidu) -> None:
    script.answers["login.password"] = granted()
    response = await post(script, "/users/login", PASSWORD_BODY, "https://login.example")
    first, second, third = response.headers.get_list("set-cookie")
    assert first.endswith("; HttpOnly; Secure; SameSite=Lax")
    assert second.endswith("GMT; Secure; SameSite=Lax")
    assert third.endswith("GMT; Secure; SameSite=Lax")


@pytest.mark.parametrize(("proxies", "secure"), [(0, False), (1, True)])
async def test_only_a_trusted_proxy_can_say_https(script: ScriptedWeidu, proxies: int, secure: bool) -> None:
    script.proxies = proxies
    script.answers["login.password"] = granted()
    async with script.client() as client:
        headers = {"x-forwarded-proto": "https"}
        response = await client.post("/users/login", content=PASSWORD_BODY, headers=headers)
    assert ("; Secure" in response.headers["set-cookie"]) == secure


async def test_an_app_may_ask_for_host_only_cookies(script: ScriptedWeidu) -> None:
    script.app = replace(APP, host_only_cookies=True, cookie_domain="weidu.example")
    script.answers["login.password"] = granted()
    response = await post(script, "/users/login", PASSWORD_BODY, "https://login.example")
    assert response.headers.get_list("set-cookie") == [
        f"__Host-menshenAUTHTOKEN={TOKEN}; Path=/; Expires={EXPIRES}; HttpOnly; Secure; SameSite=Lax",
        f"__Host-menshenUSERID=7wnaasfa47bebbtjbazajef3eh; Path=/; Expires={EXPIRES}; Secure; SameSite=Lax",
        f"__Host-menshenCSRF={CSRF}; Path=/; Expires={EXPIRES}; Secure; SameSite=Lax",
    ]


async def test_the_request_belongs_to_the_app_of_its_host(script: ScriptedWeidu) -> None:
    script.hosts = {"wolves.example:8089": replace(APP, app_id=2, cookie_prefix="WOLVES")}
    script.answers["login.password"] = granted()
    response = await post(script, "/users/login", PASSWORD_BODY, "http://Wolves.example:8089")
    assert response.headers["set-cookie"].startswith("WOLVESAUTHTOKEN=")
    assert script.asks("login.password")[0][1].app.app_id == 2
    response = await post(script, "/users/login", PASSWORD_BODY, "http://wolves.example:9000")
    assert response.headers["set-cookie"].startswith("menshenAUTHTOKEN=")


async def test_times_are_milliseconds(script: ScriptedWeidu) -> None:
    script.answers["login.password"] = granted(account(password_changed_at=NOW))
    info = (await post(script, "/users/login", PASSWORD_BODY)).json()["user_info"]
    assert info["last_password_update"] == NOW
