"""What keeps strangers out of the forms of login, sign-up and reset, and what no browser sends."""

from __future__ import annotations

from pathlib import Path

import httpx
import pytest

from menshen.core.pages.settings import PageSettings
from tests.harness import Harness, open_harness
from tests.wire.pages.logins.people import PASSWORD, PHONE, TERMS, Site, has_session

PATHS = ["/login?way=sms", "/login?way=password", "/login?way=email", "/signup", "/signup?by=email", "/reset"]
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; worker-src 'self'; "
    "manifest-src 'self'; base-uri 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'; "
    "trusted-types menshen; form-action 'self'"
)


@pytest.mark.attack("PG-1")
@pytest.mark.parametrize("path", PATHS)
async def test_nothing_but_our_own_files_runs_on_a_page(path: str, site: Site) -> None:
    me = site.visitor()
    await me.get(path)
    assert me.answer.headers["content-security-policy"] == POLICY
    assert me.answer.headers["cache-control"] == "no-store"
    assert me.answer.headers["cross-origin-opener-policy"] == "same-origin"
    html = me.answer.text
    assert "style=" not in html
    assert " onclick" not in html
    assert html.count("<script") == html.count('<script src="/assets/')


@pytest.mark.attack("PG-1")
async def test_what_is_typed_and_what_stands_in_an_address_is_text(site: Site) -> None:
    evil = "\"><script>alert(1)</script>'"
    me = site.visitor()
    await me.client.get("/login", params={"way": evil, "next": evil, "lang": evil})
    for path, field in (("/login?way=sms", "phone"), ("/login?way=password", "account"), ("/login?way=email", "email")):
        await me.get(path)
        await me.submit(do="send", **{field: evil})
        assert "<script>" not in me.answer.text
        assert me.page.forms[0].fields[field] == evil


@pytest.mark.attack("PG-2")
@pytest.mark.parametrize("path", PATHS)
async def test_a_form_needs_the_value_of_its_browser(path: str, site: Site) -> None:
    me, other = site.visitor(), site.visitor()
    await other.get(path)
    await me.get(path)
    for value in ("", "x", other.csrf):
        form = me.page.forms[0]
        answer = await me.client.post(path, data=form.fields | {"csrf": value, "do": "send"})
        assert answer.status_code == 403
    # Without the cookie, too.
    answer = await site.visitor().client.post(path, data=me.page.forms[0].fields)
    assert answer.status_code == 403


@pytest.mark.attack("PG-2")
@pytest.mark.parametrize(
    "headers",
    [
        {"origin": "https://evil.example"},
        {"origin": "null"},
        {"origin": "http://127.0.0.1:8400.evil.example"},
        {"origin": "https://127.0.0.1:8400"},
        {"sec-fetch-site": "cross-site"},
        {"sec-fetch-site": "same-site"},
    ],
)
async def test_a_form_of_another_site_logs_nobody_in(headers: dict[str, str], site: Site) -> None:
    await site.add_alice()
    me = site.visitor()
    await me.get("/login?way=password")
    typed = {"do": "login", "account": PHONE, "password": PASSWORD, "agree": TERMS}
    await me.post("/login?way=password", me.page.forms[0].fields | typed, headers)
    assert me.answer.status_code == 403
    assert not has_session(me)


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize(
    ("body", "kind", "status"),
    [
        (b"a=" + b"x" * 20_000, "application/x-www-form-urlencoded", 413),
        (b"\xff\xfe\x00", "application/x-www-form-urlencoded", 400),
        (b"a=%ff%fe", "application/x-www-form-urlencoded", 400),
        (b"&".join(b"f%d=1" % n for n in range(100)), "application/x-www-form-urlencoded", 400),
        (b"{}", "application/json", 400),
        (b"--x\r\n", "multipart/form-data; boundary=x", 400),
        (b"", "application/x-www-form-urlencoded", 403),
        (b"csrf=a&csrf=b", "application/x-www-form-urlencoded", 403),
    ],
)
async def test_what_no_browser_sends_is_refused(path: str, body: bytes, kind: str, status: int, site: Site) -> None:
    me = site.visitor()
    await me.get(path)
    answer = await me.client.post(path, content=body, headers={"content-type": kind})
    assert answer.status_code == status
    assert answer.headers["content-type"].startswith("text/html")


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize(
    "value", ["\0", "\x1b[31m", "é" * 300, "\u202e\u200b", "x" * 2000, "　", "\ud7ff\uffff", "%00"]
)
async def test_whatever_is_typed_is_answered_by_the_form(path: str, value: str, site: Site) -> None:
    me = site.visitor()
    await me.get(path)
    hidden = {name: fields.get("type") for name, fields in me.page.forms[0].inputs.items()}
    typed = {name: value for name, kind in hidden.items() if kind != "hidden"}
    for do in ("next", "send", "login", value):
        await me.submit(do=do, **typed, solution=value, picture=value, answer=value)
        assert me.answer.status_code == 200
        assert me.page.forms
    await me.submit(do="send", key=value, **typed)
    assert me.answer.status_code == 200


@pytest.mark.parametrize("path", PATHS)
async def test_only_the_two_verbs_of_a_form_are_answered(path: str, site: Site) -> None:
    answers: list[httpx.Response] = [
        await site.visitor().client.request(verb, path) for verb in ("PUT", "DELETE", "PATCH", "OPTIONS")
    ]
    assert {answer.status_code for answer in answers} == {405}


@pytest.mark.attack("PG-4")
async def test_a_key_of_another_browser_is_of_no_use(site: Site) -> None:
    me, other = site.visitor(), site.visitor()
    await site.ask(me, phone=PHONE)
    await me.get("/login?way=sms")
    key = me.page.forms[0].fields["key"]
    await other.get("/login?way=sms")
    await other.submit(do="send", phone="13912345678", key=key, solution=await site.solved(other))
    site.harness.clock.advance(60_000)
    await me.submit(do="send", solution=await site.solved(me))
    assert len(await site.harness.messages()) == 3


@pytest.mark.attack("PG-4")
async def test_keys_of_a_network_have_a_limit(tmp_path: Path) -> None:
    async with open_harness(tmp_path, solve_per_network=2) as harness:
        site = Site(harness)
        await site.settle()
        me = site.visitor()
        await me.get("/login?way=sms")
        for _ in range(2):
            await me.submit(do="send", phone=PHONE)
            assert me.page.alerts == ["Please confirm that you are no robot, and try again."]
        await me.submit(do="send", phone=PHONE)
        assert me.page.alerts[0].startswith("That was too often.")


async def test_an_app_without_pages_has_none_of_these(harness: Harness) -> None:
    app, now = harness.app.app_id, harness.clock.now()
    await harness.store.write(lambda tx: tx.app_pages.save(app, PageSettings(), now))
    for path in PATHS:
        assert (await harness.client.get(path)).status_code == 404
