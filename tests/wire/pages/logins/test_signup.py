"""The sign-up in two steps: by a phone or an address, with what the app asks for."""

from __future__ import annotations

import pytest

from menshen.core.account.accounts import Account, Gender
from menshen.core.apps import RegisterRule
from menshen.core.factors.proofs import BY_MAIL
from menshen.core.identifiers import classify
from menshen.core.pages.settings import SignupPassword, Way
from tests.wire.pages.browsing import Visitor
from tests.wire.pages.logins.people import EMAIL, OTHER, PASSWORD, PHONE, TERMS, Site, has_session

NEW = "new@mail.example"


async def first(site: Site, me: Visitor, by: str = "phone", who: str = OTHER) -> None:
    """Do the first step: ask for the code."""
    await me.get(f"/signup?by={by}")
    await me.submit(do="send", agree=TERMS, solution=await site.solved(me), **{by: who})


async def owner(site: Site, who: str) -> Account | None:
    identifier = classify(who)
    assert identifier is not None
    found: Account | None = await site.harness.store.read.accounts.find_owner(identifier)
    return found


@pytest.mark.parametrize(("by", "who"), [("phone", OTHER), ("email", NEW)])
async def test_a_code_makes_the_account_and_logs_in(by: str, who: str, site: Site) -> None:
    me = site.visitor()
    await first(site, me, by, who)
    assert [answer.status_code for answer in me.steps] == [303, 200]
    form = me.page.forms[0]
    assert {"code", "password", "username"} <= form.inputs.keys()
    assert form.inputs["username"]["autocomplete"] == "username"
    assert form.fields["username"] in {f"+86{OTHER}", NEW}
    await me.submit(do="login", code=await site.last_code(), password=PASSWORD)
    assert me.path == "/account"
    made = await owner(site, who)
    assert made is not None
    assert (made.phone_verified, made.email_verified) == (by == "phone", by == "email")
    again = site.visitor()
    await again.get("/login?way=password")
    await again.submit(do="login", account=who, password=PASSWORD, agree=TERMS)
    assert again.path == "/account"


async def test_a_session_of_a_sign_up_by_mail_says_so(site: Site) -> None:
    me = site.visitor()
    await first(site, me, "email", NEW)
    await me.submit(do="login", code=await site.last_code())
    made = await owner(site, NEW)
    assert made is not None
    (session,) = await site.harness.store.read.sessions.list_of(made.number)
    assert BY_MAIL.methods[0] in session.methods


async def test_terms_come_before_the_code(site: Site) -> None:
    me = site.visitor()
    await me.get("/signup")
    await me.submit(do="send", phone=OTHER, solution=await site.solved(me))
    assert me.page.alerts == ["Please read and accept the terms first."]
    assert me.page.forms[0].fields["phone"] == OTHER
    assert await site.harness.messages() == []


@pytest.mark.parametrize("rule", SignupPassword)
async def test_the_password_is_asked_for_as_the_app_says(rule: SignupPassword, site: Site) -> None:
    await site.settle(signup_password=rule)
    me = site.visitor()
    await first(site, me)
    assert ("password" in me.page.forms[0].inputs) is (rule is not SignupPassword.NONE)
    code = await site.last_code()
    await me.submit(do="login", code=code)
    assert has_session(me) is (rule is not SignupPassword.REQUIRED)
    if rule is SignupPassword.REQUIRED:
        assert me.page.alerts == ["This password is too short. Please use at least 8 characters."]
        # Nothing was spent.
        await me.submit(do="login", code=code, password=PASSWORD)
        assert has_session(me)
    made = await owner(site, OTHER)
    assert made is not None
    assert bool(made.password_hash) is (rule is SignupPassword.REQUIRED)


@pytest.mark.parametrize(
    ("password", "said"),
    [
        ("short", "This password is too short. Please use at least 8 characters."),
        ("password1", "Many people use this password, so it is guessed first. Please choose another one."),
        (OTHER, "This password is made of your own name, number or address. Please choose another one."),
        ("x" * 1025, "This password is too long. Please use at most 1024 characters."),
    ],
)
async def test_why_a_password_is_refused_is_told(password: str, said: str, site: Site) -> None:
    me = site.visitor()
    await first(site, me)
    code = await site.last_code()
    await me.submit(do="login", code=code, password=password)
    assert me.page.alerts == [said]
    form = me.page.forms[0]
    assert form.inputs["password"]["aria-invalid"] == "true"
    assert (form.fields["password"], form.fields["code"]) == ("", "")
    await me.submit(do="login", code=code, password=PASSWORD)
    assert has_session(me)


async def test_the_fields_that_the_app_asks_for_are_kept(site: Site) -> None:
    await site.settle(signup_fields=("nickname", "gender", "birthday", "city"))
    me = site.visitor()
    await first(site, me)
    code = await site.last_code()
    typed = {"nickname": "Ken", "gender": "1", "birthday": "1990-02-31", "city": "深圳", "country": "CN"}
    await me.submit(do="login", code=code, **typed)
    form = me.page.forms[0]
    assert me.page.alerts == ["Please enter a day such as 1990-05-21."]
    assert (form.fields["nickname"], form.fields["city"], form.fields["gender"]) == ("Ken", "深圳", "1")
    await me.submit(do="login", code=code, birthday="1990-02-28")
    made = await owner(site, OTHER)
    assert made is not None
    profile = made.profile
    assert (profile.nickname, profile.gender, profile.birthday, profile.city, profile.country) == (
        "Ken", Gender.MALE, "1990-02-28", "深圳", "",
    )  # fmt: skip


@pytest.mark.attack("EN-3")
@pytest.mark.parametrize(("by", "who"), [("phone", PHONE), ("email", EMAIL)])
async def test_that_somebody_has_it_is_told_only_after_the_right_code(by: str, who: str, site: Site) -> None:
    await site.add_alice()
    shown = []
    for each in (who, {"phone": OTHER, "email": NEW}[by]):
        me = site.visitor()
        await first(site, me, by, each)
        wrong = f"{(int(await site.last_code()) + 1) % 1_000_000:06}"
        await me.submit(do="login", code=wrong)
        text = me.answer.text.replace(each, "WHO")
        for field in ("key", "csrf"):
            text = text.replace(me.page.forms[0].fields[field], field)
        shown.append(text)
        if each == who:
            await me.submit(do="login", code=(await site.harness.messages())[-1].code)
            assert "belongs to an account already. Please log in with it." in me.page.alerts[0]
            # Its code is spent: the page begins anew.
            assert by in me.page.forms[0].inputs
            assert not has_session(me)
    assert shown[0] == shown[1]


@pytest.mark.attack("PG-4")
async def test_a_sign_up_that_comes_twice_makes_one_account_and_no_error(site: Site) -> None:
    me = site.visitor()
    await first(site, me)
    form = me.page.forms[0]
    fields = form.fields | {"do": "login", "code": await site.last_code(), "password": PASSWORD}
    kept = me.cookie("ms_kept")
    await me.post(form.action, fields)
    assert has_session(me)
    # The browser that had sent both before it saw the first answer.
    me.client.cookies.delete("ms_session")
    me.client.cookies.set("ms_kept", str(kept), domain="127.0.0.1", path="/")
    await me.post(form.action, fields)
    assert me.path.startswith("/login")
    assert me.page.notes == ["Your account is ready. Please log in."]
    assert len([event for event in await site.harness.events() if event.tag == "account.registered"]) == 1


async def test_another_code_can_be_asked_for_and_another_number_chosen(site: Site) -> None:
    me = site.visitor()
    await first(site, me)
    site.harness.clock.advance(60_000)
    await me.submit(do="send", solution=await site.solved(me))
    assert len(await site.harness.messages()) == 2
    (other,) = {link for link in me.page.links if "other=" in link and "lang" not in link}
    page = await me.get(other)
    assert "phone" in page.forms[0].inputs
    # Terms were ticked in the first form; they travel with the code.
    await me.get("/signup")
    await me.submit(do="next", code=await site.last_code())
    assert me.path == "/account"


@pytest.mark.parametrize(
    ("rule", "ways", "kinds"),
    [
        (RegisterRule.BARE, (Way.SMS, Way.EMAIL), {"phone", "email"}),
        (RegisterRule.BARE, (Way.PASSWORD,), {"phone"}),
        (RegisterRule.PHONE, (Way.SMS, Way.EMAIL), {"phone"}),
        (RegisterRule.OFF, (Way.SMS, Way.EMAIL), set()),
    ],
)
async def test_the_rule_of_the_app_holds(
    rule: RegisterRule, ways: tuple[Way, ...], kinds: set[str], site: Site
) -> None:
    await site.harness.change_app(register=rule)
    await site.settle(ways=ways)
    me = site.visitor()
    for kind in ("phone", "email"):
        page = await me.get(f"/signup?by={kind}")
        assert (kind in page.forms[0].inputs if page.forms else False) is (kind in kinds)
    if not kinds:
        assert me.answer.status_code == 403
        assert me.page.headings == ["No accounts can be created here."]


async def test_a_second_step_without_a_first_one_begins_anew(site: Site) -> None:
    me = site.visitor()
    await me.get("/signup")
    me.leave_out("phone", "solution")
    await me.submit(do="login", code="123456")
    assert me.path == "/signup?by=phone"
    assert "phone" in me.page.forms[0].inputs
