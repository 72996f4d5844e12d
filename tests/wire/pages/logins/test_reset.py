"""The reset of a password in two steps."""

from __future__ import annotations

import pytest

from menshen.core.delivery.messages import Template
from menshen.core.pages.settings import Way
from tests.wire.pages.browsing import Visitor
from tests.wire.pages.logins.people import EMAIL, OTHER, PASSWORD, PHONE, TERMS, Site, has_session

NEW = "battery staple horse"


async def first(site: Site, me: Visitor, who: str = PHONE) -> None:
    """Do the first step: ask for the code."""
    await me.get("/reset")
    await me.submit(do="next", account=who, solution=await site.solved(me))


@pytest.mark.parametrize("who", [PHONE, EMAIL, f"+86 {PHONE}", EMAIL.upper()])
async def test_a_code_sets_the_password_and_ends_the_sessions(who: str, site: Site) -> None:
    await site.add_alice()
    elsewhere = site.visitor("198.51.100.7")
    await elsewhere.get("/login?way=password")
    await elsewhere.submit(do="login", account=PHONE, password=PASSWORD, agree=TERMS)
    assert has_session(elsewhere)
    me = site.visitor()
    await first(site, me, who)
    form = me.page.forms[0]
    assert form.fields["username"] in {f"+86{PHONE}", EMAIL}
    assert form.inputs["password"]["autocomplete"] == "new-password"
    await me.submit(do="next", code=await site.last_code(), password=NEW)
    assert me.path.startswith("/login")
    assert me.page.notes == ["Your password is changed. Please log in with it."]
    await elsewhere.get("/account")
    assert elsewhere.path.startswith("/login")
    assert [message.template for message in await site.harness.messages()].count(Template.PASSWORD_CHANGED) == 1
    for password, path in ((PASSWORD, "/login?way=password"), (NEW, "/account")):
        await me.get("/login?way=password")
        await me.submit(do="login", account=PHONE, password=password, agree=TERMS)
        assert me.path == path


@pytest.mark.parametrize("who", ["", "x", "alice_1", "12", "a@", "é" * 300])
async def test_only_a_number_or_an_address_gets_a_code(who: str, site: Site) -> None:
    await site.add_alice()
    me = site.visitor()
    await first(site, me, who)
    assert me.page.alerts == ["Please enter a complete phone number, e-mail address or username."]
    assert me.page.forms[0].inputs["account"]["aria-invalid"] == "true"
    assert await site.harness.messages() == []


@pytest.mark.attack("EN-3")
async def test_unknown_and_known_are_answered_by_the_same_bytes(site: Site) -> None:
    await site.add_alice()
    shown = set()
    for who in (PHONE, OTHER, EMAIL, "nobody@b.example"):
        me = site.visitor()
        await first(site, me, who)
        wrong = f"{(int(await site.last_code()) + 1) % 1_000_000:06}"
        await me.submit(do="login", code=wrong, password=NEW)
        text = me.answer.text.replace(who, "WHO").replace("+86WHO", "WHO")
        for field in ("key", "csrf"):
            text = text.replace(me.page.forms[0].fields[field], field)
        shown.add(text)
    assert len(shown) == 1


async def test_only_the_right_code_tells_that_there_is_no_account(site: Site) -> None:
    me = site.visitor()
    await first(site, me, OTHER)
    await me.submit(do="login", code=await site.last_code(), password=NEW)
    assert me.page.alerts == ["There is no account for this. Please check it, or create one."]
    assert "account" in me.page.forms[0].inputs


async def test_a_weak_password_spends_no_code_and_says_why(site: Site) -> None:
    await site.add_alice()
    me = site.visitor()
    await first(site, me)
    code = await site.last_code()
    for password, said in (("1234567", "too short"), ("12345678", "Many people"), ("alice_1!", "your own name")):
        await me.submit(do="login", code=code, password=password)
        assert said in me.page.alerts[0]
        assert me.page.forms[0].inputs["password"]["aria-invalid"] == "true"
    await me.submit(do="login", code=code, password=NEW)
    assert me.path.startswith("/login")


@pytest.mark.attack("PG-4")
async def test_a_reset_that_comes_twice_gets_the_same_answer(site: Site) -> None:
    await site.add_alice()
    me = site.visitor()
    await first(site, me)
    form, kept = me.page.forms[0], me.cookie("ms_kept")
    fields = form.fields | {"do": "login", "code": await site.last_code(), "password": NEW}
    for _ in range(2):
        me.client.cookies.set("ms_kept", str(kept), domain="127.0.0.1", path="/")
        await me.post(form.action, fields)
        assert me.page.notes == ["Your password is changed. Please log in with it."]


@pytest.mark.parametrize(("given", "wrong"), [({"code": "", "password": NEW}, "code"), ({"code": "1"}, "password")])
async def test_what_is_missing_is_named(given: dict[str, str], wrong: str, site: Site) -> None:
    me = site.visitor()
    await first(site, me)
    await me.submit(do="login", **given)
    assert me.page.forms[0].inputs[wrong]["aria-invalid"] == "true"


async def test_where_nobody_has_passwords_there_is_no_reset(site: Site) -> None:
    await site.settle(ways=(Way.SMS,))
    me = site.visitor()
    await me.get("/reset")
    assert me.answer.status_code == 404


async def test_a_second_step_without_a_first_one_begins_anew(site: Site) -> None:
    me = site.visitor()
    await me.get("/reset")
    me.leave_out("account")
    await me.submit(do="login", code="123456", password=NEW)
    assert me.path == "/reset"
    assert "account" in me.page.forms[0].inputs
