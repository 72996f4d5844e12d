"""2F: a page elsewhere can neither act for the person at a browser nor read what is said to them."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import httpx
import pytest

from menshen.wire.careyshop.methods import METHODS
from menshen.wire.http.cookies import read_cookie
from menshen.wire.weidu import ROUTES
from tests.cost import Judge, judged
from tests.harness import BASE, Harness, open_harness
from tests.wire.careyshop.shop import Shop
from tests.wire.weidu.client import OK, PASSWORD, Client, said

PREFIX = "/weidu/api/v1"
FOREIGN = (
    "https://evil.example", "null", "http://127.0.0.1", "http://127.0.0.1:8401", "https://127.0.0.1:8400",
    "http://127.0.0.1:8400.evil.example", "http://evil.example/http://127.0.0.1:8400", "http://127.0.0.1:8400@evil.example",
    "http://localhost:8400", "http://127.0.0.1:84000", "http://127.0.0.1:8400 http://evil.example", "file://", "chrome-extension://x",
)  # fmt: skip


async def logged_in(h: Harness, name: str = "alice1") -> Client:
    browser = Client(h, browser=True)
    assert said(await browser.log_in(name)) == OK
    return browser


def jar(browser: Client) -> dict[str, str]:
    """Headers of a request that carries the browser's cookies, and nothing else that only its own page knows."""
    return {"cookie": "; ".join(f"{name}={value}" for name, value in browser.cookies.items())}


def csrf(browser: Client) -> str:
    return next(value for name, value in browser.cookies.items() if name.endswith("CSRF"))


async def logs_out(h: Harness, headers: dict[str, str] | list[tuple[str, str]], content: bytes = b"{}") -> int:
    return (await h.client.post(f"{PREFIX}/users/logout", content=content, headers=headers)).status_code


@pytest.mark.parametrize(
    "kind", ["text/plain", "multipart/form-data; boundary=x", "application/xml", "text/json", "*/*"]
)
async def test_ck_1_cookies_write_nothing_under_other_content_types(harness: Harness, kind: str) -> None:
    await harness.add_account("alice1", password=PASSWORD)
    browser = await logged_in(harness)
    headers = {**jar(browser), "x-csrf-token": csrf(browser), "content-type": kind, "sec-fetch-site": "same-origin"}
    answer = await harness.client.put(f"{PREFIX}/users/update", content=b'{"nickname":"x"}', headers=headers)
    assert said(answer) == (403, "csrf")
    assert (await browser.get("/users/info")).json()["user_info"]["nickname"] == ""


@pytest.mark.parametrize("origin", FOREIGN)
async def test_ck_2_a_page_elsewhere_logs_nobody_in(harness: Harness, origin: str) -> None:
    await harness.add_account("alice1", password=PASSWORD)
    body = json.dumps({"login_id": "alice1", "password": PASSWORD})
    for headers in (
        {"origin": origin},
        {"origin": origin, "sec-fetch-site": "cross-site"},
        {"sec-fetch-site": "same-site"},
    ):
        answer = await harness.client.post(f"{PREFIX}/users/login", content=body, headers=headers)
        assert said(answer) == (403, "csrf"), headers
        assert "set-cookie" not in answer.headers
        assert "token" not in answer.headers
    for verb in ("GET", "HEAD"):
        answer = await harness.client.request(verb, f"{PREFIX}/users/login?login_id=alice1&password={PASSWORD}")
        assert answer.status_code == 405


async def test_ck_3_only_the_value_of_this_very_session_will_do(harness: Harness) -> None:
    await harness.add_account("alice1", password=PASSWORD)
    await harness.add_account("bobby1", password=PASSWORD)
    browser, other = await logged_in(harness), await logged_in(harness, "bobby1")
    right, site = csrf(browser), {"sec-fetch-site": "same-origin"}
    planted = {**browser.cookies, "weichuangCSRF": "planted"}
    cookie = "; ".join(f"{name}={value}" for name, value in planted.items())
    assert await logs_out(harness, {"cookie": cookie, "x-csrf-token": "planted", **site}) == 403
    for value in (
        "",
        "null",
        "[]",
        " ",
        right[:-1],
        right.upper(),
        right + "x",
        csrf(other),
        browser.cookies["weichuangAUTHTOKEN"],
        "é",
    ):
        headers = [*jar(browser).items(), ("x-csrf-token", value), *site.items()]
        assert (
            await logs_out(harness, [(n, v) for n, v in headers if v.isascii()] if value.isascii() else headers[:1])
            == 403
        )
    assert await logs_out(harness, {**jar(browser), **site}) == 403
    assert (
        await logs_out(
            harness, [*jar(browser).items(), ("x-csrf-token", right), ("x-csrf-token", right), *site.items()]
        )
        == 403
    )
    odd = [
        (b"cookie", jar(browser)["cookie"].encode()),
        (b"x-csrf-token", "é€".encode()),
        (b"sec-fetch-site", b"same-origin"),
    ]
    assert (await harness.client.post(f"{PREFIX}/users/logout", content=b"{}", headers=odd)).status_code == 403
    # Rotated with each login, and the old one is worth nothing.
    before = right
    await browser.log_in("alice1")
    assert csrf(browser) != before
    assert await logs_out(harness, {**jar(browser), "x-csrf-token": before, **site}) == 403
    assert await logs_out(harness, {**jar(browser), "x-csrf-token": csrf(browser), **site}) == 200


@pytest.mark.parametrize("origin", FOREIGN)
async def test_ck_4_origins_are_compared_whole(harness: Harness, origin: str) -> None:
    await harness.add_account("alice1", password=PASSWORD)
    browser = await logged_in(harness)
    headers = {**jar(browser), "x-csrf-token": csrf(browser), "origin": origin}
    assert await logs_out(harness, headers) == 403
    assert await logs_out(harness, {**headers, "origin": BASE}) == 200


async def test_ck_4_two_origins_are_none_of_ours(harness: Harness) -> None:
    await harness.add_account("alice1", password=PASSWORD)
    browser = await logged_in(harness)
    base = [*jar(browser).items(), ("x-csrf-token", csrf(browser))]
    assert await logs_out(harness, [*base, ("origin", BASE), ("origin", "https://evil.example")]) == 403
    assert await logs_out(harness, [*base, ("sec-fetch-site", "same-origin"), ("sec-fetch-site", "none")]) == 403


async def test_ck_5_a_bearer_needs_no_value_and_never_falls_back_on_the_cookie(harness: Harness) -> None:
    await harness.add_account("alice1", password=PASSWORD)
    await harness.add_account("bobby1", password=PASSWORD)
    browser = await logged_in(harness)
    program = Client(harness)
    await program.log_in("bobby1")
    both = {**jar(browser), "authorization": f"Bearer {program.token}"}
    answer = await harness.client.get(f"{PREFIX}/users/info", headers=both)
    assert answer.json()["user_info"]["username"] == "bobby1"
    for bad in ("Bearer x", "Bearer ", "Basic YTpi", "bearer", ""):
        headers = {**jar(browser), "authorization": bad, "x-csrf-token": csrf(browser), "sec-fetch-site": "same-origin"}
        assert await logs_out(harness, headers) == 401
        assert (await harness.client.get("/auth/verify", headers=headers)).status_code == 401
    assert await logs_out(harness, {"authorization": f"Bearer {program.token}"}) == 200
    assert said(await browser.get("/users/info")) == OK


@pytest.mark.parametrize("listed", ["[]", '["https://shop.example"]'])
async def test_ck_6_no_foreign_page_reads_an_answer(tmp_path: Path, listed: str) -> None:
    async with open_harness(tmp_path, {"MENSHEN_SERVER__CORS_ORIGINS": listed}) as h:
        hostile = [
            *FOREIGN, "https://shop.example.evil.example", "https://evilshop.example", "http://shop.example", "https://SHOP.example",
            "https://shop.example:443", "https://sub.shop.example", "https://shop.example/", "*", "https://shop.example\u00ad",
        ]  # fmt: skip
        for origin in hostile:
            headers = [(b"origin", origin.encode())]
            for answer in (
                await h.client.get(f"{PREFIX}/users/behavior/challenge", headers=headers),
                await h.client.post("/api/v1/app", content=b"method=get.app.captcha", headers=headers),
                await h.client.options(
                    f"{PREFIX}/users/login", headers=[*headers, (b"access-control-request-method", b"POST")]
                ),
                await h.client.get("/auth/verify", headers=headers),
                await h.client.get("/openapi.json", headers=headers),
            ):
                assert "access-control-allow-origin" not in answer.headers, origin
                assert "access-control-allow-credentials" not in answer.headers
        if listed != "[]":
            answer = await h.client.get(
                f"{PREFIX}/users/behavior/challenge", headers={"origin": "https://shop.example"}
            )
            assert answer.headers["access-control-allow-origin"] == "https://shop.example"
            assert "Origin" in answer.headers["vary"]


@judged
async def test_ck_6_a_preflight_costs_nothing_however_much_it_asks_for(tmp_path: Path, judge: Judge) -> None:
    async with open_harness(tmp_path, {"MENSHEN_SERVER__CORS_ORIGINS": '["https://shop.example"]'}) as h:
        for origin in ("https://shop.example", FOREIGN[0]):
            asked = {"origin": origin, "access-control-request-method": "POST"}
            begun = time.perf_counter()
            await h.client.options(
                f"{PREFIX}/users/login", headers={**asked, "access-control-request-headers": "," * 100_000}
            )
            assert time.perf_counter() - begun < judge.bound(0.5)


@pytest.mark.parametrize(
    "callback",
    [
        "<script>",
        "a;b",
        "a(b)",
        "alert(1)//",
        "a b",
        "1a",
        "",
        "a" * 65,
        "a\n",
        "a-b",
        "a[0]",
        "é",
        "//",
        "a.b;c",
        "%00",
    ],
)
async def test_ck_7_a_callback_is_a_name(harness: Harness, callback: str) -> None:
    answer = await harness.client.post(
        "/api/v1/app", data={"method": "get.app.captcha", "format": "jsonp", "callback": callback}
    )
    if callback == "":
        assert answer.text.startswith("jsonpReturn(")
    else:
        assert answer.headers["content-type"] == "application/json; charset=utf-8"
        assert callback not in answer.text
    assert answer.headers["x-content-type-options"] == "nosniff"


async def test_ck_7_what_needs_a_token_answers_no_script_without_one_and_xml_is_always_xml(harness: Harness) -> None:
    await harness.add_account("alice1", password=PASSWORD)
    shop = Shop(harness)
    held = (await shop.log_in("alice1", PASSWORD))["token"]["token"]
    answer = await harness.client.get("/api/v1/user?method=get.user.info&format=jsonp&callback=a")
    assert '"status":403' in answer.text
    # The session lives in no cookie here: a script tag brings no login along.
    answer = await shop.send("get.user.info", client_id="1", token=held, format="jsonp", callback="a")
    assert answer.text.startswith("a({")
    assert "set-cookie" not in answer.headers
    for odd in ("]]>", "<x>", "a\u0001b", "\ufffe", "&amp;", "a\u000bb", "😀"):
        await shop.call("set.user.item", client_id="1", token=held, nickname=odd)
        answer = await shop.send("get.user.info", client_id="1", token=held, format="xml")
        tree = ET.fromstring(answer.text)
        assert tree.findtext("status") == "200"


async def test_ck_8_every_answer_forbids_framing_sniffing_and_storing(harness: Harness) -> None:
    answers: list[httpx.Response] = []
    for route in ROUTES:
        path = PREFIX + route.path.replace("{id}", "x" * 26)
        answers += [await harness.client.request(verb, path) for verb in (route.verb, "PATCH")]
    for answer in [*answers, await harness.client.get(f"{PREFIX}/nothing")]:
        assert answer.headers["content-security-policy"] == "default-src 'none'; frame-ancestors 'none'"
        assert answer.headers["cross-origin-opener-policy"] == "same-origin"
        assert answer.headers["cross-origin-resource-policy"] == "same-origin"
    for method in METHODS:
        answers.append(await harness.client.post(f"/api/v1/{method.controller}", data={"method": method.name}))
    answers += [
        await harness.client.get(path)
        for path in ("/", "/livez", "/readyz", "/docs", "/openapi.json", "/auth/verify", "/api")
    ]
    for answer in answers:
        assert answer.headers["cache-control"] == "no-store", answer.url
        if answer.status_code not in {204, 401} or answer.content:
            assert answer.headers["x-content-type-options"] == "nosniff", answer.url
    page = await harness.client.get("/docs")
    assert "frame-ancestors 'none'" in page.headers["content-security-policy"]


async def test_ck_9_of_two_cookies_of_one_name_neither_counts(harness: Harness) -> None:
    await harness.add_account("alice1", password=PASSWORD)
    browser = await logged_in(harness)
    name = "weichuangAUTHTOKEN"
    good, tossed = f"{name}={browser.cookies[name]}", f"{name}=planted"
    for cookie in (f"{good}; {tossed}", f"{tossed}; {good}", f"{good}; {good}", f"{good}; {name}="):
        assert (await harness.client.get(f"{PREFIX}/users/info", headers={"cookie": cookie})).status_code == 401
        assert (await harness.client.get("/auth/verify", headers={"cookie": cookie})).status_code == 401
    pair: Any = [("cookie", good), ("cookie", tossed)]
    assert (await harness.client.get(f"{PREFIX}/users/info", headers=pair)).status_code == 401
    crowd = "; ".join(f"c{number}=x" for number in range(200))
    assert (await harness.client.get(f"{PREFIX}/users/info", headers={"cookie": f"{crowd}; {good}"})).status_code == 200


async def test_ck_9_a_host_cookie_is_spelt_as_it_is_and_bound_to_its_host(harness: Harness) -> None:
    await harness.change_app(host_only_cookies=True)
    await harness.add_account("alice1", password=PASSWORD)
    answer = await harness.client.post(f"{PREFIX}/users/login", json={"login_id": "alice1", "password": PASSWORD})
    lines = answer.headers.get_list("set-cookie")
    harness.client.cookies.clear()
    for line in lines:
        assert line.startswith("__Host-")
        assert "Domain" not in line
        assert "Secure" in line
        assert "Path=/" in line
    value = lines[0].partition(";")[0].partition("=")[2]
    for name, status in (
        ("__Host-weichuangAUTHTOKEN", 200), ("__host-weichuangAUTHTOKEN", 401), ("__HOST-weichuangAUTHTOKEN", 401),
        ("weichuangAUTHTOKEN", 401), (" __Host-weichuangAUTHTOKEN", 200), ("=__Host-weichuangAUTHTOKEN", 401),
    ):  # fmt: skip
        answer = await harness.client.get(f"{PREFIX}/users/info", headers={"cookie": f"{name}={value}"})
        assert answer.status_code == status, name
    assert read_cookie(["__Host-a=1; a=2"], "a") == "2"
