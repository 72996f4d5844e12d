"""The login page: its ways, codes with a countdown, consents, and forms that come twice."""

from __future__ import annotations

import pytest

from menshen.core.apps import RegisterRule
from menshen.core.audit.events import Tag
from menshen.core.pages.settings import FurtherConsent, Way
from menshen.core.time import MINUTE, SECOND
from tests.harness import Harness
from tests.wire.pages.browsing import Visitor
from tests.wire.pages.logins.people import EMAIL, OTHER, PASSWORD, PHONE, TERMS, Site, has_session

SENT = "The code is on its way. It is good for 5 minutes."


async def test_the_first_way_of_the_app_is_shown_and_the_others_are_links(site: Site) -> None:
    me = site.visitor()
    page = await me.get("/login")
    assert page.headings == ["Log in to Spruce Shop"]
    assert {"phone", "code", "agree", "key", "solution"} <= page.forms[0].inputs.keys()
    assert [link for link in page.links if "way=" in link and "lang" not in link] == [
        "/login?way=sms",
        "/login?way=password",
        "/login?way=email",
    ]
    await site.settle(ways=(Way.PASSWORD, Way.EMAIL))
    assert {"account", "password"} <= (await me.get("/login")).forms[0].inputs.keys()
    # A way that the app does not allow is none.
    assert "account" in (await me.get("/login?way=sms")).forms[0].inputs


async def test_what_enter_presses_stands_first_and_does_what_is_due(site: Site) -> None:
    await site.add_alice()
    me = site.visitor()
    page = await me.get("/login")
    assert page.forms[0].buttons[0]["value"] == "next"
    await me.submit(do="next", phone=PHONE, solution=await site.solved(me))
    assert SENT in me.page.text
    await me.submit(do="next", code=await site.last_code(), agree=TERMS)
    assert me.path == "/account"
    assert has_session(me)


async def test_enter_on_an_empty_code_sends_no_second_code_at_once(site: Site) -> None:
    me = site.visitor()
    await site.ask(me, phone=PHONE)
    await me.submit(do="next", solution=await site.solved(me))
    assert me.page.alerts == ["Please enter the code that was sent to you."]
    assert len(await site.harness.messages()) == 1
    site.harness.clock.advance(MINUTE)
    await me.submit(do="next", solution=await site.solved(me))
    assert len(await site.harness.messages()) == 2


async def test_after_sending_the_number_stays_and_the_seconds_count_also_after_a_reload(site: Site) -> None:
    me = site.visitor()
    await site.ask(me, phone=PHONE)
    assert [answer.status_code for answer in me.steps] == [303, 200]
    for left in (60, 43):
        (form,) = [form for form in me.page.forms if "code" in form.inputs]
        assert form.fields["phone"] == PHONE
        (button,) = [each for each in form.buttons if each.get("value") == "send"]
        assert button["data-again"] == str(left)
        assert f"You can ask for the next one in {left} seconds." in me.page.text
        assert "autofocus" in form.inputs["code"]
        site.harness.clock.advance(17 * SECOND)
        await me.get("/login?way=sms")
    site.harness.clock.advance(5 * MINUTE)
    page = await me.get("/login?way=sms")
    assert SENT not in page.text


async def test_a_wait_is_said_and_counted(site: Site) -> None:
    me, other = site.visitor(), site.visitor()
    await site.ask(me, phone=PHONE)
    site.harness.clock.advance(20 * SECOND)
    await site.ask(other, phone=PHONE)
    assert other.page.alerts == ["That was too often. Please try again in 40 seconds."]
    (button,) = [each for each in other.page.forms[0].buttons if each.get("value") == "send"]
    assert button["data-again"] == "40"


@pytest.mark.attack("PG-4")
async def test_a_form_that_comes_twice_sends_one_code_and_gets_the_same_answer(site: Site) -> None:
    me = site.visitor()
    await me.get("/login?way=sms")
    form = me.page.forms[0]
    fields = form.fields | {"do": "send", "phone": PHONE, "solution": await site.solved(me)}
    first = await me.post(form.action, fields)
    shown = [me.answer.status_code, first.notes, me.page.forms[0].fields["phone"]]
    second = await me.post(form.action, fields)
    assert [me.answer.status_code, second.notes, me.page.forms[0].fields["phone"]] == shown
    assert len(await site.harness.messages()) == 1
    # The browser that never saw the first answer, too.
    me.client.cookies.delete("ms_kept")
    third = await me.post(form.action, fields)
    assert third.notes == first.notes
    assert len(await site.harness.messages()) == 1


@pytest.mark.attack("PG-4")
async def test_a_refused_form_that_comes_twice_does_not_say_that_a_code_was_sent(site: Site) -> None:
    me = site.visitor()
    await me.get("/login?way=sms")
    fields = me.page.forms[0].fields | {"do": "send", "phone": PHONE}
    await me.post("/login?way=sms", fields)
    assert me.page.alerts == ["Please confirm that you are no robot, and try again."]
    await me.post("/login?way=sms", fields | {"solution": await site.solved(me)})
    assert SENT not in me.page.text
    assert me.page.alerts[0].startswith("This form was sent twice.")
    await me.submit(do="send", solution=await site.solved(me))
    assert SENT in me.page.text


async def test_another_number_in_the_same_form_is_another_form(site: Site) -> None:
    me = site.visitor()
    await me.get("/login?way=sms")
    form = me.page.forms[0]
    for phone in (PHONE, OTHER):
        await me.post(form.action, form.fields | {"do": "send", "phone": phone, "solution": await site.solved(me)})
    assert [message.to for message in await site.harness.messages()] == [f"+86{PHONE}", f"+86{OTHER}"]


async def test_a_login_that_comes_twice_goes_on(site: Site) -> None:
    me = site.visitor()
    await site.ask(me, phone=PHONE)
    fields = me.page.forms[0].fields | {"do": "login", "code": await site.last_code(), "agree": TERMS}
    for _ in range(2):
        await me.post("/login?way=sms", fields)
        assert me.path == "/account"


@pytest.mark.parametrize(("way", "field", "who"), [("sms", "phone", PHONE), ("email", "email", EMAIL)])
async def test_each_way_with_a_code_logs_in(way: str, field: str, who: str, site: Site) -> None:
    await site.add_alice()
    me = site.visitor()
    await site.ask(me, f"/login?way={way}", **{field: who})
    await me.submit(do="login", code=await site.last_code(), agree=TERMS)
    assert me.path == "/account"
    assert "alice_1" in me.page.text


async def test_a_password_logs_in(site: Site) -> None:
    await site.add_alice()
    me = site.visitor()
    await me.get("/login?way=password")
    await me.submit(do="next", account="Alice_1", password=PASSWORD, agree=TERMS)
    assert me.path == "/account"


async def test_a_wrong_password_keeps_the_name_and_forgets_the_password(site: Site) -> None:
    await site.add_alice()
    me = site.visitor()
    await me.get("/login?way=password")
    await me.submit(do="login", account="alice_1", password="wrong wrong", agree=TERMS)
    assert me.answer.status_code == 200
    form = me.page.forms[0]
    assert me.page.alerts == ["Wrong account or password. Please check both and try again."]
    assert (form.fields["account"], form.fields["password"]) == ("alice_1", "")
    assert form.inputs["password"]["aria-invalid"] == "true"
    assert "autofocus" in form.inputs["password"]
    assert "wrong wrong" not in me.answer.text


@pytest.mark.parametrize(
    ("way", "fields", "wrong", "said"),
    [
        ("sms", {"do": "send", "phone": "123"}, "phone", "Please enter a complete phone number."),
        ("sms", {"do": "send", "phone": ""}, "phone", "Please enter a complete phone number."),
        ("sms", {"do": "login", "phone": PHONE}, "code", "Please enter the code that was sent to you."),
        ("email", {"do": "send", "email": "alice@"}, "email", "Please enter a complete e-mail address."),
        ("password", {"do": "login", "account": "x"}, "password", "Please enter your password."),
        ("password", {"do": "login", "password": "x"}, "account", "Please enter a complete phone number, e-mail addr"),
        ("sms", {"do": "login", "phone": PHONE, "code": "123456"}, "agree", "Please read and accept the terms first."),
        (
            "password",
            {"do": "login", "account": "a", "password": "b"},
            "agree",
            "Please read and accept the terms first.",
        ),
    ],
)
async def test_what_is_missing_is_named_and_gets_the_focus(
    way: str, fields: dict[str, str], wrong: str, said: str, site: Site
) -> None:
    me = site.visitor()
    await me.get(f"/login?way={way}")
    await me.submit(**fields)
    assert me.answer.status_code == 200
    assert me.page.alerts[0].startswith(said)
    marked = [name for name, given in me.page.forms[0].inputs.items() if "aria-invalid" in given]
    assert marked == [wrong]
    assert me.page.forms[0].inputs[wrong]["aria-describedby"] == "say"


async def test_a_wrong_code_is_told_and_not_kept(site: Site) -> None:
    me = site.visitor()
    await site.ask(me, phone=PHONE)
    wrong = f"{(int(await site.last_code()) + 1) % 1_000_000:06}"
    await me.submit(do="login", code=wrong, agree=TERMS)
    assert me.page.alerts == ["This code is wrong or used up. Please check it, or ask for a new one."]
    assert me.page.forms[0].fields["code"] == ""
    assert not has_session(me)


@pytest.mark.attack("EN-3")
async def test_unknown_and_known_numbers_are_answered_by_the_same_bytes(site: Site) -> None:
    await site.add_alice()
    await disable_account_of(site, OTHER)
    bodies: set[object] = set()
    for phone in (PHONE, "13912345678", OTHER):
        me = site.visitor()
        await me.get("/login?way=sms")
        csrf, key = me.csrf, me.page.forms[0].fields["key"]
        await me.send(do="send", phone=phone, solution=await site.solved(me))
        assert (me.answer.status_code, me.answer.headers["location"]) == (303, "/login?way=sms")
        names = sorted(name for name, _ in me.answer.headers.multi_items())
        page = await me.get("/login?way=sms")
        text = me.answer.text.replace(phone, "NUMBER").replace(csrf, "CSRF")
        text = text.replace(page.forms[0].fields["key"], "KEY").replace(key, "KEY")
        bodies.add((tuple(names), _without_options(text)))
        await me.submit(do="login", code="000000", agree=TERMS)
        bodies.add(tuple(me.page.alerts))
    assert len(bodies) == 2


def _without_options(text: str) -> str:
    """Leave out the challenge for passkeys, which is random."""
    before, mark, after = text.partition("data-auto=")
    return before + mark + after.partition(">")[2]


async def disable_account_of(site: Site, phone: str) -> None:
    await site.harness.add_account("closed_1", phone=phone, password=PASSWORD)
    await site.harness.disable(phone)


async def test_a_disabled_account_is_told_only_after_the_right_code(site: Site) -> None:
    await disable_account_of(site, OTHER)
    me = site.visitor()
    await site.ask(me, phone=OTHER)
    await me.submit(do="login", code=await site.last_code(), agree=TERMS)
    assert me.page.alerts == ["This account is closed for now. Please contact support."]


async def test_a_number_of_another_region(harness: Harness) -> None:
    site = Site(harness)
    await site.settle()
    me = site.visitor()
    page = await me.get("/login?way=sms")
    # One region is no choice.
    assert "region" not in page.forms[0].inputs
    await me.submit(do="send", phone="+852 5123 4567", solution=await site.solved(me))
    assert me.page.alerts == ["Messages cannot be sent to this country. Please use another way."]
    assert me.page.forms[0].inputs["phone"]["aria-invalid"] == "true"
    # The prefix in the field is read as such, not after the region's.
    assert me.page.forms[0].fields["phone"] == "+852 5123 4567"


async def test_a_login_leads_where_the_person_wanted_to_go(site: Site) -> None:
    await site.settle(page_origins=("https://shop.example",))
    me = site.visitor()
    page = await me.get("/login?next=https%3A%2F%2Fshop.example%2Fcart")
    assert page.forms[0].fields["next"] == "https://shop.example/cart"
    assert "form-action 'self' https://shop.example" in me.answer.headers["content-security-policy"]
    await me.submit(do="send", phone=PHONE, solution=await site.solved(me))
    assert me.page.forms[0].fields["next"] == "https://shop.example/cart"
    await me.submit(do="login", code=await site.last_code(), agree=TERMS)
    assert (me.answer.status_code, me.answer.headers["location"]) == (303, "https://shop.example/cart")


@pytest.mark.attack("RD-1")
@pytest.mark.parametrize("next_", ["https://evil.example/", "//evil.example", "/\\evil.example", "javascript:alert(1)"])
async def test_a_login_leads_to_no_foreign_page(next_: str, site: Site) -> None:
    await site.add_alice()
    me = site.visitor()
    await me.client.get("/login", params={"next": next_})
    await me.get("/login?way=password")
    await me.submit(do="login", account=PHONE, password=PASSWORD, agree=TERMS, next=next_)
    assert me.path == "/account"


class TestConsents:
    async def test_the_box_is_not_ticked_by_itself_and_stays_ticked_while_a_code_is_sent(self, site: Site) -> None:
        me = site.visitor()
        page = await me.get("/login?way=sms")
        assert "checked" not in page.forms[0].inputs["agree"]
        assert page.forms[0].inputs["agree"]["value"] == TERMS
        assert "https://spruce.example/terms" in page.links
        await me.submit(do="send", phone=PHONE, agree=TERMS, solution=await site.solved(me))
        assert "checked" in me.page.forms[0].inputs["agree"]

    @pytest.mark.parametrize("agree", ["", "2025-01", "on"])
    async def test_another_version_is_no_consent_and_no_code_is_judged(self, agree: str, site: Site) -> None:
        me = site.visitor()
        await site.ask(me, phone=PHONE)
        code = await site.last_code()
        for _ in range(6):
            await me.submit(do="login", code="000000", agree=agree)
        assert me.page.alerts == ["Please read and accept the terms first."]
        await me.submit(do="login", code=code, agree=TERMS)
        assert me.path == "/account"

    async def test_what_was_agreed_here_is_a_line_until_there_is_a_new_version(self, site: Site) -> None:
        await site.add_alice()
        me = site.visitor()
        await site.enter(me)
        await _log_out(me)
        page = await me.get("/login?way=password")
        assert "agree" not in page.forms[0].inputs
        assert "You accepted the" in page.text
        await me.submit(do="login", account=PHONE, password=PASSWORD)
        assert me.path == "/account"
        await _log_out(me)
        await site.settle(terms_version="2027-01")
        assert "agree" in (await me.get("/login")).forms[0].inputs

    async def test_it_is_kept_with_the_account_once(self, site: Site) -> None:
        me = site.visitor()
        await site.enter(me)
        await _log_out(me)
        site.harness.clock.advance(MINUTE)
        await site.ask(me, phone=PHONE)
        await me.submit(do="login", code=await site.last_code())
        assert me.path == "/account"
        agreed = [event.reason for event in await site.harness.events() if event.tag == Tag.TERMS_AGREED]
        assert agreed == [f"terms:{TERMS}"]

    async def test_another_app_asks_for_itself(self, site: Site) -> None:
        me = site.visitor()
        me.client.cookies.set("ms_agreed", f"99:terms:{TERMS}/x/{'y' * 30}")
        assert "agree" in (await me.get("/login")).forms[0].inputs

    async def test_no_terms_no_box(self, site: Site) -> None:
        await site.add_alice()
        await site.settle(terms_url="")
        me = site.visitor()
        assert "agree" not in (await me.get("/login?way=password")).forms[0].inputs
        await me.submit(do="login", account=PHONE, password=PASSWORD)
        assert me.path == "/account"

    async def test_further_consents_have_boxes_of_their_own(self, site: Site) -> None:
        await site.add_alice()
        abroad = FurtherConsent(
            "abroad", "2", "数据出境", "Data goes abroad", "https://spruce.example/abroad", required=True
        )
        news = FurtherConsent("news", "1", "新闻", "Send me news")
        await site.settle(consents=(abroad, news))
        me = site.visitor()
        await me.get("/login?way=password")
        typed = {"account": PHONE, "password": PASSWORD, "agree": TERMS}
        assert "required" not in me.page.forms[0].inputs["consent.news"]
        await me.submit(do="login", **typed)
        assert me.page.alerts == ["Please give the consent that is needed, too."]
        assert "aria-invalid" in me.page.forms[0].inputs["consent.abroad"]
        await me.submit(do="login", **typed, **{"consent.abroad": "2"})
        assert me.path == "/account"


async def _log_out(me: Visitor) -> None:
    await me.get("/logout")
    await me.submit()


async def test_who_is_logged_in_goes_on_at_once(site: Site) -> None:
    me = site.visitor()
    await site.enter(me)
    await me.get("/login")
    assert me.path == "/account"


async def test_a_login_ends_the_session_of_the_browser_whoever_had_it(site: Site) -> None:
    await site.add_alice()
    await site.harness.add_account("bob_12", phone=OTHER, password=PASSWORD)
    me, shared = site.visitor(), site.visitor()
    await me.get("/login?way=password")
    shared.client.cookies = me.client.cookies
    form = me.page.forms[0]
    await me.submit(do="login", account=PHONE, password=PASSWORD, agree=TERMS)
    before = str(me.cookie("ms_session"))
    await me.post(form.action, form.fields | {"do": "login", "account": OTHER, "password": PASSWORD, "agree": TERMS})
    assert "bob_12" in me.page.text
    answer = await site.harness.client.get("/auth/verify", headers={"authorization": f"Bearer {before}"})
    assert answer.status_code == 401


@pytest.mark.parametrize("rule", [RegisterRule.OFF, RegisterRule.BARE])
async def test_a_new_number_is_registered_only_where_the_app_allows_it(rule: RegisterRule, site: Site) -> None:
    await site.harness.change_app(register=rule)
    me = site.visitor()
    page = await me.get("/login?way=sms")
    allowed = rule is RegisterRule.BARE
    assert ("A new phone number gets an account" in page.text) is allowed
    await site.enter(me)
    assert has_session(me) is allowed
    if not allowed:
        assert me.page.alerts == ["There is no account for this. Please check it, or create one."]
