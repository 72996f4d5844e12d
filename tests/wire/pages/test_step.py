"""The second step of a login, and the factor that an app demands. (docs/contracts/factors.md sections 3, 7 and 9.)"""

from __future__ import annotations

import json
import re

import pyotp
import pytest

from menshen.core.account.accounts import Account
from menshen.core.apps import SecondFactorRule
from menshen.core.factors.pending import TRIES
from menshen.core.identifiers import Identifier, Kind
from menshen.core.time import MINUTE, SECOND
from tests.harness import BASE, Harness
from tests.softkey import SoftKey
from tests.wire.pages.members import PASSWORD, PHONE, Person, stranger
from tests.wire.two_steps import code_of, enrol_app, give_recovery_codes


async def owner(h: Harness) -> Account:
    """The account of everybody here."""
    found = await h.store.read.accounts.find_owner(Identifier(Kind.PHONE, f"+86{PHONE}"))
    assert found is not None
    return found


async def begin(h: Harness, account: str = PHONE, **more: str) -> Person:
    """A browser in which the password was right, and a step is due."""
    person = stranger(h)
    page = await person.get("/login?way=password")
    (form,) = [form for form in page.forms if "password" in form.fields]
    await person.send(form, account=account, password=PASSWORD, do="login", **more)
    return person


@pytest.fixture
async def stepping(pages: Harness) -> Person:
    await enrol_app(pages, await owner(pages))
    return await begin(pages)


def cookies(person: Person) -> set[str]:
    return {cookie.name for cookie in person.client.cookies.jar}


async def test_a_code_of_the_app_opens_the_session(pages: Harness, stepping: Person) -> None:
    assert stepping.leads_to == "/login/step"
    assert "ms_session" not in cookies(stepping)
    page = await stepping.follow()
    assert page.form("/login/step").fields["by"] == "totp"
    await stepping.press("/login/step", code=code_of(pages))
    assert stepping.leads_to == "/account"
    assert "ms_session" in cookies(stepping)
    assert (await stepping.follow()).heading
    # What waited is over.
    await stepping.get("/login/step")
    assert stepping.leads_to == "/login"


async def test_where_the_person_wanted_to_go_outlives_the_step(pages: Harness) -> None:
    await enrol_app(pages, await owner(pages))
    person = await begin(pages, next="/account/devices")
    await person.follow()
    await person.press("/login/step", code=code_of(pages))
    assert person.leads_to == "/account/devices"


async def test_a_wrong_code_says_how_many_tries_are_left_and_the_last_ends_the_login(
    pages: Harness, stepping: Person
) -> None:
    await stepping.follow()
    for left in range(TRIES - 1, 0, -1):
        await stepping.press("/login/step", code="000000")
        assert f"{left} tries are left" in stepping.page.said["alert"]
    await stepping.press("/login/step", code="000000")
    assert stepping.leads_to == "/login"
    assert "too many wrong tries" in (await stepping.follow()).said["status"]
    await stepping.get("/login/step")
    assert stepping.leads_to == "/login"


async def test_an_empty_code_is_no_try(pages: Harness, stepping: Person) -> None:
    await stepping.follow()
    for _ in range(TRIES + 1):
        await stepping.press("/login/step", code=" ")
        assert stepping.page.said["alert"]
    await stepping.press("/login/step", code=f" {code_of(pages)} ")
    assert stepping.leads_to == "/account"


async def test_a_recovery_code_is_another_way(pages: Harness, stepping: Person) -> None:
    codes = await give_recovery_codes(pages, await owner(pages))
    person = await begin(pages)
    page = await person.follow()
    assert "/login/step?by=recovery" in page.links
    await person.get("/login/step?by=recovery")
    await person.press("/login/step", code=codes[0])
    assert person.leads_to == "/account"


async def test_a_code_by_sms_is_another_way(pages: Harness) -> None:
    await pages.change_app(sms_step=True)
    await enrol_app(pages, await owner(pages))
    person = await begin(pages)
    assert "/login/step?by=sms" in (await person.follow()).links
    await person.get("/login/step?by=sms")
    await person.press("/login/step/code")
    assert person.leads_to == "/login/step?by=sms"
    assert "135****5663" in (await person.follow()).said["status"]
    await person.press("/login/step", code=(await pages.messages())[-1].code)
    assert person.leads_to == "/account"


async def test_a_trusted_device_is_not_asked_again(pages: Harness, stepping: Person) -> None:
    await stepping.follow()
    await stepping.press("/login/step", code=code_of(pages), trust="1")
    assert any(name.endswith("TRUST") for name in cookies(stepping))
    await stepping.get("/logout")
    await stepping.press("/logout")
    page = await stepping.get("/login?way=password")
    (form,) = [form for form in page.forms if "password" in form.fields]
    await stepping.send(form, account=PHONE, password=PASSWORD, do="login")
    assert stepping.leads_to == "/account"


@pytest.mark.attack("PG-3")
@pytest.mark.parametrize("lost", ["STEP", "ms_kept", "ms_browser"])
async def test_no_other_browser_takes_the_step(pages: Harness, stepping: Person, lost: str) -> None:
    await stepping.follow()
    form = stepping.page.form("/login/step")
    for cookie in list(stepping.client.cookies.jar):
        if cookie.name.endswith(lost):
            stepping.client.cookies.jar.clear(cookie.domain, cookie.path, cookie.name)
    await stepping.send(form, code=code_of(pages))
    assert "ms_session" not in cookies(stepping)
    assert stepping.answer.status_code == 403 or stepping.leads_to == "/login"


async def test_the_step_ends_with_its_time(pages: Harness, stepping: Person) -> None:
    await stepping.follow()
    pages.clock.advance(11 * MINUTE)
    await stepping.press("/login/step", code=code_of(pages))
    assert stepping.leads_to == "/login"


async def test_the_ticket_is_on_no_page_and_in_no_address(pages: Harness, stepping: Person) -> None:
    ticket = re.compile(r"[ybndrfg8ejkmcpqxot1uwisza345h769]{26}")
    page = await stepping.follow()
    shown = set(ticket.findall(stepping.answer.text)) - {form.fields["csrf"] for form in page.forms}
    assert not shown
    assert not ticket.search(stepping.leads_to)


async def demanded(pages: Harness) -> Person:
    """A browser whose person must enrol a factor, and has proved the phone."""
    await pages.change_app(second_factor=SecondFactorRule.REQUIRED)
    person = await begin(pages)
    assert person.leads_to == "/login/step"
    await person.follow()
    assert person.leads_to == "/login/enroll"
    page = await person.follow()
    assert "135****5663" in page.said["status"]
    await person.press("/login/enroll/begin", {"kind": "totp"}, code="")
    assert person.page.said["alert"]
    await person.press("/login/enroll/code")
    await person.follow()
    return person


async def test_a_demanded_factor_is_enrolled_and_its_recovery_codes_are_shown_once(pages: Harness) -> None:
    person = await demanded(pages)
    code = (await pages.messages())[-1].code
    await person.press("/login/enroll/begin", {"kind": "totp"}, code=code)
    form = person.page.form("/login/enroll")
    secret = form.fields["secret"]
    assert " ".join(re.findall("....", secret)) in person.page.text
    assert "<svg" in person.answer.text
    pages.canary.learn("secret of a factor", secret)

    await person.send(form, code="000000")
    assert "tries are left" in person.page.said["alert"]
    assert person.page.form("/login/enroll").fields["secret"] == secret

    now = pyotp.TOTP(secret).at(pages.clock.now() // SECOND)
    await person.press("/login/enroll", code=now)
    codes = re.findall(r"<code>([^<]+)</code>", person.answer.text)
    assert len(codes) == 10
    assert "/account" in person.page.links
    assert "ms_session" in cookies(person)
    # They are in no cookie, and on no further page.
    assert not any(one.replace("-", "") in str(cookie.value) for one in codes for cookie in person.client.cookies.jar)
    await person.get("/account")
    assert person.answer.status_code == 200
    assert codes[0] not in person.answer.text


async def test_a_demanded_passkey_is_enrolled(pages: Harness) -> None:
    person, key = await demanded(pages), SoftKey(origin=BASE)
    code = (await pages.messages())[-1].code
    form = person.page.form("/login/enroll", kind="passkey")
    asked = (await person.post("/login/enroll/options", form.fields | {"code": code})).json()
    made = json.dumps(key.create(asked["publicKey"]))
    await person.send(form, credential=made)
    assert person.answer.text.count("<code>") == 10
    assert "ms_session" in cookies(person)


@pytest.mark.parametrize("path", ["/login/step", "/login/step/code", "/login/enroll", "/login/enroll/begin"])
async def test_without_a_waiting_login_each_page_leads_to_the_first_step(pages: Harness, path: str) -> None:
    person = stranger(pages)
    page = await person.get("/login?way=password")
    await person.post(path, {"csrf": page.forms[0].fields["csrf"], "by": "totp", "code": "123456", "kind": "totp"})
    assert person.leads_to == "/login"
