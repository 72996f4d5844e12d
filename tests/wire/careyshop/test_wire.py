"""docs/contracts/careyshop.md sections 1 and 2 over HTTP: verbs, order of checks, formats, statuses, browsers, junk."""

import json
import os
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import httpx
import pytest
from structlog.testing import capture_logs

from menshen.wire.careyshop import DIALECT, methods
from menshen.wire.careyshop.methods import METHODS, Who
from menshen.wire.dialect import DialectContext
from tests.harness import BASE, Harness, open_harness
from tests.substitutes import Substitute, raising
from tests.wire.careyshop.shop import SECRET, Shop
from tests.wire.careyshop.signing import sign

FORM = "application/x-www-form-urlencoded"
FORBIDDEN = '{"status":403,"message":"权限不足","data":null}'


@pytest.mark.attack("HD-7")
@pytest.mark.parametrize("verb", ["PUT", "DELETE", "PATCH", "FOO", "TRACE", "PROPFIND"])
async def test_other_verbs(harness: Harness, verb: str) -> None:
    response = await harness.client.request(verb, "/api/v1/user?method=login.user.user")
    assert (response.status_code, response.json()["message"]) == (200, "不支持的请求方式")
    xml = await harness.client.request(verb, "/api/v9/nope?format=xml")
    assert "<status>500</status><message>不支持的请求方式</message>" in xml.text


@pytest.mark.attack("HD-7")
async def test_head_is_no_get(shop: Shop) -> None:
    asked = shop.asked("login.user.user", username="alice1", password="Passw0rd!", platform="pc")
    assert (await shop.client.head("/api/v1/user", params=asked)).status_code == 200
    assert (await shop.log_in())["user"]["last_login"] == ""


@pytest.mark.parametrize(
    "path", ["/api", "/api/v1", "/api/V1/user", "/api/v2/user", "/api/v1/nope", "/api/v1/user.json"]
)
async def test_unknown_addresses(harness: Harness, path: str) -> None:
    for response in (await harness.client.get(path), await harness.client.post(path, data={"token": "0" * 32})):
        assert response.status_code == 200
        assert response.text == '{"status":404,"message":"请求地址不存在","data":null}'


@pytest.mark.attack("HD-6")
@pytest.mark.parametrize(
    "path", ["//api//v1//user", "/index.php/api/v1/user", "/api/v1/User.html", "/api/v1/user/index"]
)
async def test_other_spellings(shop: Shop, path: str) -> None:
    asked = shop.asked("check.user.username", username="fresh1")
    response = await shop.client.post(f"{BASE}{path}", data=asked)
    assert response.json()["data"] is True


async def test_the_order_of_checks(shop: Shop) -> None:
    token = (await shop.log_in())["token"]["token"]
    wrong: dict[str, Any] = {"timestamp": "1", "token": "0" * 32, "appkey": "99999999", "sign": "0" * 32}
    told = [(await shop.client.put("/api/v1/user", data=wrong)).json()["message"]]
    for name, right in (
        ("timestamp", None), ("token", "0"), ("token", token), ("appkey", "11111111"), ("sign", ""), ("sign", None),
    ):  # fmt: skip
        told.append(await shop.refused("get.user.item", **wrong))
        if name == "sign" and right is None:
            break
        wrong[name] = right
    told.append(await shop.refused("get.user.item", token=token))
    assert told == [
        "不支持的请求方式",
        "timestamp已过期",
        "未授权或授权已过期",
        "权限不足",
        "appkey已禁用或不存在",
        "sign错误",
        "sign不存在",
        "账号编号不能为空",
    ]


async def test_answers_by_their_bytes(shop: Shop) -> None:
    asked = {"method": "check.user.username", "username": "alice1"}
    text = '{"status":500,"message":"账号已存在","data":null}'
    head = '<?xml version="1.0" encoding="utf-8"?>'
    xml = f"{head}<careyshop><status>500</status><message>账号已存在</message><data></data></careyshop>"
    for format_, callback, content_type, body in (
        ("", "", "application/json; charset=utf-8", text),
        ("json", "cb", "application/json; charset=utf-8", text),
        ("jsonp", "", "application/javascript; charset=utf-8", f"jsonpReturn({text});"),
        ("jsonp", "cb_1.x", "application/javascript; charset=utf-8", f"cb_1.x({text});"),
        ("xml", "", "text/xml; charset=utf-8", xml),
    ):
        response = await shop.client.post("/api/v1/user", data=asked | {"format": format_, "callback": callback})
        assert response.status_code == 200
        assert (response.headers["content-type"], response.text) == (content_type, body)
        assert response.headers["cache-control"] == "no-store"
        assert response.headers["x-content-type-options"] == "nosniff"
        assert response.headers["content-length"] == str(len(body.encode()))


async def test_errors_speak_the_asked_format(shop: Shop) -> None:
    asked = {"format": "jsonp", "callback": "cb", "timestamp": "1"}
    response = await shop.client.post("/api/v1/user", data=asked)
    assert response.text == 'cb({"status":500,"message":"timestamp已过期","data":null});'
    response = await shop.client.post("/api/v1/user", data={"format": "html"})
    assert response.text == '{"status":500,"message":"format必须在 json,jsonp,xml 范围内","data":null}'


@pytest.mark.attack("CK-7")
@pytest.mark.parametrize(
    "callback", ["<script>alert(1)</script>", "alert(1)//", "a" * 65, "a" * 256, "\u2028", "a\r\nb"]
)
async def test_an_illegal_callback_is_never_written(shop: Shop, callback: str) -> None:
    for extra in ({}, {"timestamp": "1"}, {"appkey": "1"}):
        asked = {"method": "check.user.username", "username": "x", "format": "jsonp", "callback": callback, **extra}
        response = await shop.client.get("/api/v1/user", params=asked)
        assert response.headers["content-type"] == "application/json; charset=utf-8"
        assert response.json()["status"] == 500
        assert callback not in response.text


@pytest.mark.attack("CK-7")
async def test_xml_is_always_escaped(shop: Shop) -> None:
    token = (await shop.log_in())["token"]["token"]
    nickname = "小明 Bob<b>&\"']]>"
    await shop.done("set.user.item", client_id="1", token=token, nickname=nickname)
    response = await shop.send("get.user.item", client_id="1", token=token, format="xml")
    assert "<nickname>小明 Bob&lt;b&gt;&amp;&quot;&#39;]]&gt;</nickname>" in response.text
    tree = ET.fromstring(response.content)
    assert tree.findtext("data/nickname") == "小明 Bob<b>&\"']]>"
    assert "\n" not in response.text


async def test_http_status_over_https(tmp_path: Path) -> None:
    async with open_harness(tmp_path, {"MENSHEN_SERVER__TRUSTED_PROXIES": "1"}) as harness:
        for proto, status in (("https", True), ("http", False), ("", False)):
            headers = {"x-forwarded-proto": proto} if proto else {}
            for verb, path, expected in (
                ("GET", "/api/v1/user?method=get.user.item&token=x", 401),
                ("GET", "/api/v1/user", 403),
                ("GET", "/api/v9/user", 404),
                ("PUT", "/api/v1/user", 500),
                ("GET", "/api/v1/index?method=get.system.version", 200),
            ):
                response = await harness.client.request(verb, path, headers=headers)
                assert response.status_code == (expected if status else 200)
                assert response.json()["status"] == expected


async def test_nobody_else_is_believed_about_https(harness: Harness) -> None:
    headers = {"x-forwarded-proto": "https", "forwarded": "proto=https", "x-forwarded-ssl": "on"}
    assert (await harness.client.get("/api/v1/user", headers=headers)).status_code == 200
    direct = harness.client_from("127.0.0.1", "https://127.0.0.1:8400")
    assert (await direct.get("/api/v1/user")).status_code == 403


async def test_an_app_may_always_mirror(shop: Shop) -> None:
    await shop.harness.add_app("mirror", appkey="22222222", mirror_status=True)
    get = shop.client.get
    assert (await get("/api/v1/user?appkey=22222222")).status_code == 403
    assert (await get("/api/v1/user?appkey=22222222&timestamp=1")).status_code == 500
    assert (await shop.client.put("/api/v1/user?appkey=22222222")).status_code == 500
    assert (await shop.client.post("/api/v1/user?appkey=22222222", content=b"x" * 20_000)).status_code == 500
    assert (await get("/api/v1/user?appkey=11111111")).status_code == 200
    assert (await get("/api/v1/user")).status_code == 200


async def test_the_version_of_the_interface(harness: Harness) -> None:
    response = await harness.client.get("/api/v1/index?method=get.system.version")
    assert response.text == '{"status":200,"message":"success","data":{"version":"1.3.1"}}'


# --- browsers ---


async def test_browsers_of_nobody(harness: Harness) -> None:
    for verb in ("GET", "OPTIONS"):
        response = await harness.client.request(verb, "/api/v1/user", headers={"origin": "https://shop.example"})
        assert not [name for name in response.headers if name.startswith("access-control")]
    preflight = await harness.client.options("/api/v1/user")
    assert (preflight.status_code, preflight.headers["allow"]) == (204, "GET, POST, OPTIONS")


@pytest.mark.attack("CK-6")
async def test_browsers_that_the_settings_name(tmp_path: Path) -> None:
    environ = {
        "MENSHEN_SERVER__CORS_ORIGINS": '["https://shop.example", "capacitor://localhost"]',
        "MENSHEN_SERVER__CORS_HEADERS": '["X-Client-Build"]',
    }
    async with open_harness(tmp_path, environ) as harness:
        asked = {"origin": "https://shop.example", "access-control-request-method": "POST"}
        preflight = await harness.client.options("/api/batch", headers=asked)
        assert preflight.status_code == 204
        assert preflight.content == b""
        assert preflight.headers["access-control-allow-origin"] == "https://shop.example"
        assert preflight.headers["access-control-allow-methods"] == "GET, POST"
        names = {name.strip().lower() for name in preflight.headers["access-control-allow-headers"].split(",")}
        assert {"authorization", "content-type", "x-requested-with", "traceparent", "x-client-build"} < names
        assert not {"*", "x-forwarded-for", "x-real-ip", "x-account-id"} & names
        view = await harness.client.options("/api/v1/user", headers=asked | {"origin": "capacitor://localhost"})
        assert view.headers["access-control-allow-origin"] == "capacitor://localhost"
        for path in ("/api/v1/user", "/api/v9/x"):
            response = await harness.client.get(path, headers={"origin": "https://shop.example"})
            assert response.headers["access-control-allow-origin"] == "https://shop.example"
            assert response.headers["access-control-expose-headers"] == "X-Request-Id, Retry-After"
            assert response.headers["vary"] == "Origin"
        for origin in ("null", "https://shop.example.evil", "http://shop.example", "https://SHOP.example", "*", ""):
            for verb in ("GET", "OPTIONS"):
                response = await harness.client.request(verb, "/api/v1/user", headers={"origin": origin})
                assert "access-control-allow-origin" not in response.headers
                assert response.headers["vary"] == "Origin"
        assert "access-control-allow-credentials" not in preflight.headers


# --- junk ---

JUNK: list[tuple[bytes, str]] = [
    (b"", FORM),
    (b"\xff\xfe\x00", FORM),
    (b"%FF=%FF", FORM),
    (b"method=login.user.user&appkey=11111111&username=ab%FFcd&password=123456&platform=pc", FORM),
    (b"method=login.user.user&appkey=11111111&username=alice1%00&password=123456&platform=pc", FORM),
    (b"<a/>", "application/xml"),
    (b"5", "application/json"),
    (b"[1,2]", "application/json"),
    (b'{"method":', "text/plain"),
    (b'{"method":NaN}', "application/json"),
    (b'{"method":"\\ud800"}', "application/json"),
    (b'{"method":"\\u0000"}', "application/json"),
    (b'{"a":1,"a":2}', "application/json"),
    (b"\x1f\x8b\x08\x00garbage", "application/json"),
    (b"--X\r\n", "multipart/form-data; boundary=X"),
    (b"--X\r\n", 'multipart/form-data; boundary="'),
]


@pytest.mark.attack("TY-4", "TY-5", "RS-3")
@pytest.mark.parametrize(("raw", "content_type"), JUNK)
async def test_junk_is_no_parameters(harness: Harness, raw: bytes, content_type: str) -> None:
    response = await harness.client.post("/api/v1/user", content=raw, headers={"content-type": content_type})
    assert (response.status_code, response.text) == (200, FORBIDDEN)
    response = await harness.client.post("/api/v1/user?format=xml", content=raw, headers={"content-type": content_type})
    assert "<status>403</status>" in response.text


@pytest.mark.attack("RS-3", "RS-6")
@pytest.mark.parametrize(
    ("query", "raw", "content_type", "text"),
    [
        ("", b"a=" + b"x" * 16 * 1024, FORM, "请求内容不能超过 16 KiB"),
        ("", b"&".join(b"a%d=1" % n for n in range(65)), FORM, "请求参数不能超过 64 个"),
        ("&".join(f"a{n}=1" for n in range(65)), b"", FORM, "请求参数不能超过 64 个"),
        (
            "&".join(f"a{n}=1" for n in range(40)),
            b"&".join(b"b%d=1" % n for n in range(40)),
            FORM,
            "请求参数不能超过 64 个",
        ),
        ("", b"[" * 10_000 + b"]" * 6_000, "application/json", "请求参数嵌套不能超过 8 层"),
        ("", b'{"a":' * 2_000, "text/plain", "请求参数嵌套不能超过 8 层"),
        ("a" + "[x]" * 9 + "=1", b"", FORM, "请求参数嵌套不能超过 8 层"),
    ],
)
async def test_too_much(harness: Harness, query: str, raw: bytes, content_type: str, text: str) -> None:
    response = await harness.client.post(f"/api/v1/user?{query}", content=raw, headers={"content-type": content_type})
    assert (response.status_code, response.json()) == (200, {"status": 500, "message": text, "data": None})


async def test_what_was_not_read_ends_the_connection(harness: Harness) -> None:
    async def endless() -> Any:
        for _ in range(100):
            yield b"x" * 1024

    for body in (b"x" * 100_000, endless()):
        response = await harness.client.post("/api/v1/user?format=xml", content=body)
        assert "请求内容不能超过 16 KiB" in response.text
        assert response.headers["connection"] == "close"


STRANGE: list[Any] = [
    None, True, False, 0, -1, 1.5, 1e300, 2**63 - 1, -(2**63), [], ["x"], {}, {"$ne": 1}, [[[]]], "\u202e",
    "\U0010ffff", "x" * 5000,
    "'--", "%s{0.__class__}{{7*7}}", "\r\nX: y", "１２３４５６７８", "null", "ſ", "Å", "\ufdfa" * 20,
]  # fmt: skip


@pytest.mark.attack("TY-1")
@pytest.mark.parametrize("method", [method.name for method in METHODS])
async def test_every_field_of_every_method_stands_every_type(shop: Shop, method: str) -> None:
    """A clear answer, never a traceback, and never the house's own last resort."""
    known = {m.name: m for m in METHODS}[method]
    right: dict[str, Any] = {
        "username": "fresh1", "password": "Secret-12", "password_confirm": "Secret-12", "password_old": "Secret-12",
        "platform": "pc", "mobile": "13900000001", "email": "a@example.com", "nickname": "n", "head_pic": "h",
        "sex": "1", "birthday": "1990-01-01", "client_id": "1", "code": "123456", "number": "13900000001",
        "is_check": "1", "refresh": "0" * 32, "session_id": "0" * 32, "login_code": "abcd",
        "generate": "base64", "exclude_id": "1",
    }  # fmt: skip
    token = (await shop.log_in())["token"]["token"] if known.who is Who.ACCOUNT else None
    fields = [*right, "token", "timestamp", "format", "callback", "sign", "appkey", "method"]
    for index, field in enumerate(fields):
        strange = STRANGE[index % 3 :: 3] if field in right else STRANGE
        client = shop.harness.client_from(f"10.{len(method)}.{index}.1")
        for value in strange:
            asked = shop.asked(method, **right, token=token)
            changed = asked | {field: value}
            if field not in ("sign", "token", "appkey", "timestamp", "format", "callback", "method"):
                changed["sign"] = sign(changed, SECRET)
            with capture_logs() as logs:
                response = await client.post(
                    f"/api/v1/{known.controller}", content=json.dumps(changed), headers={"content-type": "text/plain"}
                )
            assert response.status_code == 200
            assert not [line for line in logs if line["event"] == "unhandled"], (field, value, logs)
            assert "系统繁忙" not in response.text
            if method == "logout.user.user" and '"status":200' in response.text:
                token = (await shop.log_in())["token"]["token"]


async def test_slashes_and_markup_in_paths(shop: Shop) -> None:
    path = "/api/v1/user/method/check.user.username/username/a%2Fb%2F..%2Fc/format/xml"
    response = await shop.client.get(path)
    assert "账号只能是字母、数字和下划线_及破折号-" in response.text
    for path in ("/api/v1/%2e%2e/user", "/api/v1/user%00", "/api/v1/user;x", "/api/v1/us%FFer", "/api/%76%31/user"):
        assert (await shop.client.get(f"{BASE}{path}")).json()["status"] == 404


async def test_the_last_resort(harness: Harness) -> None:
    apps = Substitute(harness.flows.apps, by_key=raising(RuntimeError("secret: Passw0rd!")))
    flows: Any = Substitute(harness.flows, apps=apps)
    app = DIALECT.build(DialectContext(flows, 0, os.urandom))
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url=BASE) as client:
        with capture_logs() as logs:
            response = await client.get("/api/v1/user?format=xml&appkey=11111111&password=Passw0rd!")
    assert response.status_code == 200
    assert "<status>500</status><message>系统繁忙，请稍后重试</message><data></data>" in response.text
    assert [(line["event"], line["error"]) for line in logs] == [("unhandled", "RuntimeError")]
    assert "Passw0rd" not in str(logs)


async def test_a_client_that_goes_away_is_no_fault(harness: Harness) -> None:
    async def receive() -> dict[str, Any]:
        return {"type": "http.disconnect"}

    sent: list[Any] = []

    async def send(message: Any) -> None:
        sent.append(message)

    scope = {
        "type": "http", "method": "POST", "path": "/api/v1/user", "raw_path": b"/api/v1/user", "query_string": b"",
        "headers": [(b"host", b"127.0.0.1"), (b"content-length", b"10")], "client": ("127.0.0.1", 1),
        "scheme": "http", "http_version": "1.1",
    }  # fmt: skip
    with capture_logs() as logs:
        await harness.asgi(scope, receive, send)
    assert sent == []
    assert logs == []


# --- the table ---


def test_the_routes_are_the_methods() -> None:
    assert DIALECT.name == "careyshop"
    assert DIALECT.prefix == "/api"
    assert len(DIALECT.endpoints) == len(METHODS) + 1
    paths = [endpoint.path for endpoint in DIALECT.endpoints]
    assert "/api/v1/user/method/login.user.user" in paths
    assert "/api/batch" in paths
    assert len(set(paths)) == len(paths)


def test_who_may_call_what() -> None:
    own = {
        "get.user.item",
        "get.user.info",
        "set.user.item",
        "set.user.password",
        "logout.user.user",
        "refresh.user.token",
    }
    assert {m.name for m in METHODS if m.who is Who.ACCOUNT} == own
    assert all(m.app and m.sign for m in METHODS if m.who is Who.ACCOUNT)
    with_app = {"login.user.user", "second.user.user"}
    assert {m.name for m in METHODS if m.app and m.who is Who.ANYONE} == with_app
    assert not any(m.sign for m in METHODS if m.who is Who.ANYONE)
    assert {m.controller for m in METHODS} <= methods.CONTROLLERS
