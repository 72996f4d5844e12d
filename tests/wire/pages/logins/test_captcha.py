"""The captcha of pages: a test for scripts, a picture without them, and which of both is enough."""

from __future__ import annotations

import gzip
from pathlib import Path

import pytest

import menshen.wire.pages
from menshen.core.apps import CaptchaRule
from menshen.core.gates.captcha import CHALLENGE_LIFETIME
from menshen.wire.pages.look.assets import shipped
from tests.harness import Harness, open_harness
from tests.wire.pages.browsing import Visitor
from tests.wire.pages.logins.people import OTHER, PASSWORD, PHONE, TERMS, Site

ASSETS = Path(menshen.wire.pages.__file__).with_name("assets")
SENT = "The code is on its way."


def test_the_solver_is_below_its_budget() -> None:
    assert len(gzip.compress((ASSETS / "pow.js").read_bytes(), 9)) < 1000
    assert {"captcha.js", "pow.js"} <= shipped().keys()


async def test_a_test_is_only_made_when_it_is_asked_for(site: Site) -> None:
    me = site.visitor()
    page = await me.get("/login?way=sms")
    field = page.forms[0].inputs["solution"]
    assert field["data-worker"].endswith("/pow.js")
    assert "data-challenge" not in field
    assert "data-wanted" not in field
    answer = await me.client.get("/login/challenge")
    assert answer.headers["content-type"].startswith("application/json")
    assert answer.headers["cache-control"] == "no-store"
    assert answer.json().keys() == {"parameters", "signature"}


async def test_the_code_that_was_sent_with_a_test_needs_no_second_one(site: Site) -> None:
    me = site.visitor()
    await site.ask(me, phone=PHONE)
    await me.submit(do="login", code=await site.last_code(), agree=TERMS, solution="")
    assert me.path == "/account"


async def test_without_a_test_no_code_is_sent(site: Site) -> None:
    me = site.visitor()
    await me.get("/login?way=sms")
    await me.submit(do="send", phone=PHONE)
    assert me.page.alerts == ["Please confirm that you are no robot, and try again."]
    assert await site.harness.messages() == []
    field = me.page.forms[0].inputs["solution"]
    assert "data-wanted" in field
    assert "signature" in field["data-challenge"]


@pytest.mark.parametrize("solution", ["x", "e30=", "é", "A" * 8193])
async def test_a_solution_that_is_none_is_refused(solution: str, site: Site) -> None:
    me = site.visitor()
    await me.get("/login?way=sms")
    await me.submit(do="send", phone=PHONE, solution=solution)
    assert me.answer.status_code == 200
    assert SENT not in me.page.text
    assert len(me.page.alerts) == 1


async def test_a_solution_is_good_once_and_in_its_time(site: Site) -> None:
    me = site.visitor()
    solution = await site.solved(me)
    await me.get("/login?way=sms")
    await me.submit(do="send", phone=PHONE, solution=solution)
    await me.get("/login?way=email")
    await me.submit(do="send", email="a@b.example", solution=solution)
    assert me.page.alerts == ["That confirmation did not work. Please do it once more."]
    late = await site.solved(me)
    site.harness.clock.advance(CHALLENGE_LIFETIME)
    await me.get("/login?way=email")
    await me.submit(do="send", email="a@b.example", solution=late)
    assert me.page.alerts == ["That confirmation did not work. Please do it once more."]
    assert len(await site.harness.messages()) == 1


class TestPicture:
    async def asked(self, site: Site) -> tuple[Visitor, str]:
        """A page that shows a picture, and its id."""
        me = site.visitor()
        await me.get("/login?way=sms")
        await me.submit(do="next", phone=PHONE, agree=TERMS)
        return me, me.page.forms[0].fields["picture"]

    async def test_it_is_shown_after_a_refusal_and_earns_the_code(self, site: Site) -> None:
        me, picture = await self.asked(site)
        assert f'src="/login/picture/{picture}"' in me.answer.text
        drawn = await me.client.get(f"/login/picture/{picture}")
        assert (drawn.status_code, drawn.headers["content-type"]) == (200, "image/png")
        assert me.page.forms[0].inputs["answer"]["aria-invalid"] == "true"
        await me.submit(do="next", answer=await site.read_picture(picture))
        assert SENT in me.page.text
        await me.submit(do="next", code=await site.last_code())
        assert me.path == "/account"

    @pytest.mark.attack("PG-5")
    async def test_a_picture_allows_one_try(self, site: Site) -> None:
        me, picture = await self.asked(site)
        right = await site.read_picture(picture)
        await me.submit(do="send", answer="wrong")
        assert me.page.alerts == ["That confirmation did not work. Please do it once more."]
        assert me.page.forms[0].fields["picture"] != picture
        await me.submit(do="send", picture=picture, answer=right)
        assert me.page.alerts == ["That confirmation is too old. Please do it once more."]
        assert await site.harness.messages() == []

    async def test_another_picture_keeps_what_was_typed_and_blames_nobody(self, site: Site) -> None:
        me, picture = await self.asked(site)
        await me.submit(do="picture")
        form = me.page.forms[0]
        assert me.page.alerts == []
        assert form.fields["picture"] != picture
        assert form.fields["phone"] == PHONE
        assert "checked" in form.inputs["agree"]

    @pytest.mark.attack("PG-5")
    async def test_a_picture_is_not_enough_where_more_is_deserved(self, tmp_path: Path) -> None:
        async with open_harness(tmp_path, send_per_address=2) as harness:
            site = Site(harness)
            await site.settle()
            for number in range(2):
                await site.ask(site.visitor(), phone=f"1390000000{number}")
            me = site.visitor()
            await me.get("/login?way=sms")
            await me.submit(do="send", phone=PHONE)
            assert "picture" not in me.page.forms[0].fields
            assert "Please turn on scripts in your browser" in me.page.text
            assert '"difficulty":' in me.page.forms[0].inputs["solution"]["data-challenge"]

    @pytest.mark.attack("PG-5")
    async def test_a_pass_of_a_picture_buys_no_harder_one(self, tmp_path: Path) -> None:
        async with open_harness(tmp_path, send_per_address=2) as harness:
            site = Site(harness)
            await site.settle()
            me, picture = await self.asked(site)
            for number in range(2):
                await site.ask(site.visitor(), phone=f"1390000000{number}")
            await me.submit(do="send", answer=await site.read_picture(picture))
            assert SENT not in me.page.text
            assert len(await harness.messages()) == 2

    async def test_an_id_that_was_not_given_draws_nothing(self, site: Site) -> None:
        me = site.visitor()
        for name in ("0" * 32, "x"):
            assert (await me.client.get(f"/login/picture/{name}")).status_code == 404

    async def test_pictures_of_a_network_have_a_limit(self, tmp_path: Path) -> None:
        async with open_harness(tmp_path, captcha_per_network=1) as harness:
            site = Site(harness)
            await site.settle()
            me, _ = await self.asked(site)
            await me.submit(do="picture")
            assert "picture" not in me.page.forms[0].fields


class TestPasswords:
    async def test_a_guess_too_many_asks_and_the_password_is_typed_again(self, site: Site) -> None:
        await site.add_alice()
        me = site.visitor()
        await me.get("/login?way=password")
        for _ in range(3):
            await me.submit(do="login", account=PHONE, password="wrong wrong", agree=TERMS)
        assert "picture" not in me.page.forms[0].fields
        await me.submit(do="login", account=PHONE, password=PASSWORD, agree=TERMS)
        assert me.page.alerts == ["Please confirm that you are no robot, and try again."]
        picture = me.page.forms[0].fields["picture"]
        await me.submit(do="login", password=PASSWORD, answer=await site.read_picture(picture), agree=TERMS)
        assert me.path == "/account"

    async def test_the_test_of_a_script_does_as_well(self, site: Site) -> None:
        await site.harness.change_app(captcha=CaptchaRule.ALWAYS)
        await site.add_alice()
        me = site.visitor()
        await me.get("/login?way=password")
        await me.submit(do="login", account=PHONE, password=PASSWORD, agree=TERMS)
        assert "data-wanted" in me.page.forms[0].inputs["solution"]
        solution = await site.solved(me)
        await me.submit(do="login", password=PASSWORD, solution=solution, agree=TERMS)
        assert me.path == "/account"


async def test_an_app_with_a_vendor_says_that_its_test_is_not_here(tmp_path: Path) -> None:
    vendor = {
        "MENSHEN_CAPTCHA__VENDORS": '[{"name": "one", "type": "turnstile", "secret": "s"}]',
    }
    async with open_harness(tmp_path, vendor) as harness:
        await _with_vendor(harness)


async def _with_vendor(harness: Harness) -> None:
    await harness.change_app(captcha_vendor="one")
    site = Site(harness)
    await site.settle()
    me = site.visitor()
    assert (await me.client.get("/login/challenge")).status_code == 404
    await me.get("/login?way=sms")
    await me.submit(do="send", phone=OTHER)
    assert "picture" not in me.page.forms[0].fields
    assert "The check of this app cannot be shown here." in me.page.text
