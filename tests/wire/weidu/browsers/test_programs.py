"""Programs that are built on a browser log in, and no page can look like one. (Decision 0057, CK-2, HD-10.)

Mini programs in WeChat for Windows and in its developer tools send Sec-Fetch-Site: cross-site, and no Origin.
"""

from __future__ import annotations

import httpx
import pytest

from menshen.wire.dialect import Access
from menshen.wire.weidu import ROUTES
from tests.wire.weidu.scripted import CSRF, TOKEN, ScriptedWeidu, granted

LOGIN = b'{"login_id":"ken","password":"Zk12345678"}'
WINDOWS = {
    "xweb_xhr": "1",
    "user-agent": "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 Chrome/107.0.0.0 MicroMessenger/7.0.20",
    "content-type": "application/json",
    "accept": "*/*",
    "sec-fetch-site": "cross-site",
    "sec-fetch-mode": "cors",
    "sec-fetch-dest": "empty",
    "referer": "https://servicewechat.com/wx0123456789abcdef/12/page-frame.html",
}
DEVELOPER_TOOLS = {
    **{name: value for name, value in WINDOWS.items() if name != "xweb_xhr"},
    "referer": "https://servicewechat.com/wx0123456789abcdef/devtools/page-frame.html",
}
BARE = {"sec-fetch-site": "cross-site", "xweb_xhr": "1", "referer": "https://servicewechat.com/wx0/1/page-frame.html"}
PROGRAMS = [
    WINDOWS,
    DEVELOPER_TOOLS,
    BARE,
    WINDOWS | {"content-type": "application/json; charset=UTF-8"},
    {"sec-fetch-site": "cross-site", "content-type": "Application/JSON"},
    WINDOWS | {"authorization": f"Bearer {TOKEN}"},
    WINDOWS | {"origin": "https://shop.example"},
]
"""The last one's Origin is listed."""
OWN = "http://127.0.0.1:8400"
FORGED = [
    *({"origin": origin} for origin in ("null", "", "https://evil.example", "https://servicewechat.com", OWN)),
    *({"cookie": cookie} for cookie in ("", "theme=dark", f"menshenAUTHTOKEN={TOKEN}")),
    *({"sec-fetch-site": site} for site in ("same-site", "", "CROSS-SITE", "cross-site, none", "none, cross-site")),
    *({"sec-fetch-mode": mode} for mode in ("navigate", "no-cors", "same-origin", "websocket", "", "cors, cors")),
    *({"sec-fetch-dest": dest} for dest in ("document", "iframe", "script", "image", "serviceworker", "")),
]
"""What a browser would add to, or change in, the request of a page."""
SIMPLE = ["", "text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x", "application/jsonp"]
"""Types that need no preflight, and one that is no JSON."""
SHOP = "https://shop.example"


@pytest.fixture
def script() -> ScriptedWeidu:
    made = ScriptedWeidu(origins=frozenset({SHOP}), answers={"login.password": granted()})
    made.log_in()
    return made


async def log_in(script: ScriptedWeidu, headers: dict[str, str]) -> httpx.Response:
    async with script.client() as client:
        return await client.post("/users/login", content=LOGIN, headers=headers)


def refused(script: ScriptedWeidu, answer: httpx.Response) -> bool:
    """Whether it was refused as a forged one: nothing was asked, nothing is given to keep."""
    return (
        (answer.status_code, answer.json().get("error")) == (403, "csrf")
        and script.asked == []
        and not {"set-cookie", "token"} & set(answer.headers)
    )


@pytest.mark.parametrize("headers", PROGRAMS, ids=lambda headers: headers.get("referer", "")[-24:])
async def test_a_program_on_a_browser_logs_in(script: ScriptedWeidu, headers: dict[str, str]) -> None:
    answer = await log_in(script, headers)
    assert (answer.status_code, answer.headers["token"]) == (200, TOKEN)
    (_, origin), *_ = script.asks("login.password")
    assert origin.cookie == b""


@pytest.mark.attack("HD-10")
@pytest.mark.parametrize("headers", PROGRAMS[:-1], ids=lambda headers: headers.get("referer", "")[-24:])
async def test_its_answer_has_no_cookies(script: ScriptedWeidu, headers: dict[str, str]) -> None:
    """So a browser that a page could make send this would not be logged in by it."""
    assert (await log_in(script, headers)).headers.get_list("set-cookie") == []


@pytest.mark.attack("CK-2", "HD-10")
@pytest.mark.parametrize("program", [WINDOWS, DEVELOPER_TOOLS, BARE], ids=["windows", "tools", "bare"])
@pytest.mark.parametrize("forged", FORGED, ids=str)
async def test_what_a_browser_adds_to_the_request_of_a_page_refuses_it(
    script: ScriptedWeidu, program: dict[str, str], forged: dict[str, str]
) -> None:
    assert refused(script, await log_in(script, program | forged))


@pytest.mark.attack("CK-2", "HD-10")
@pytest.mark.parametrize("kind", SIMPLE)
async def test_a_request_that_needs_no_preflight_is_refused(script: ScriptedWeidu, kind: str) -> None:
    """A form can post JSON under these types. No form and no simple request has the header xweb_xhr."""
    headers = DEVELOPER_TOOLS | {"content-type": kind}
    if not kind:
        del headers["content-type"]
    assert refused(script, await log_in(script, headers))


@pytest.mark.attack("CK-2", "HD-10")
async def test_two_types_are_no_json(script: ScriptedWeidu) -> None:
    twice = [*((k, v) for k, v in DEVELOPER_TOOLS.items()), ("content-type", "application/json")]
    async with script.client() as client:
        assert refused(script, await client.post("/users/login", content=LOGIN, headers=twice))


@pytest.mark.attack("CK-6", "HD-10")
@pytest.mark.parametrize("origin", ["https://evil.example", "null", "https://servicewechat.com"])
@pytest.mark.parametrize("asked", ["xweb_xhr", "content-type", "content-type,xweb_xhr"])
async def test_no_foreign_page_passes_the_preflight_that_it_would_need(
    script: ScriptedWeidu, origin: str, asked: str
) -> None:
    headers = {"origin": origin, "access-control-request-method": "POST", "access-control-request-headers": asked}
    async with script.client() as client:
        answer = await client.options("/users/login", headers=headers)
    assert answer.status_code == 405
    assert not [name for name in answer.headers if name.startswith("access-control")]


@pytest.mark.attack("CK-2", "CK-3", "HD-10")
@pytest.mark.parametrize("route", [route for route in ROUTES if route.access is Access.PRIVATE], ids=lambda r: r.path)
async def test_it_writes_nothing_by_a_cookie(script: ScriptedWeidu, route: object) -> None:
    verb, path = route.verb, route.path.replace("{id}", "x" * 26)  # type: ignore[attr-defined]
    if verb == "GET":
        return
    headers = WINDOWS | {"cookie": f"menshenAUTHTOKEN={TOKEN}; menshenCSRF={CSRF}", "x-csrf-token": CSRF}
    async with script.client() as client:
        assert refused(script, await client.request(verb, path, content=b"{}", headers=headers))


async def test_its_token_header_writes(script: ScriptedWeidu) -> None:
    script.answers["sessions.list"] = []
    async with script.client() as client:
        answer = await client.get("/users/sessions", headers=WINDOWS | {"token": TOKEN})
        assert answer.status_code == 200
