"""The security page: password, contacts, factors, trusted devices, and a fresh proof before each act."""

from __future__ import annotations

import json
import re
from html import unescape

import pyotp
import pytest

from menshen.core.account.accounts import Account
from menshen.core.identifiers import Identifier, Kind
from menshen.core.time import MINUTE, SECOND
from tests.harness import BASE, Harness
from tests.softkey import SoftKey
from tests.wire.pages.members import PASSWORD, PHONE, Person, log_in, stranger
from tests.wire.two_steps import code_of, enrol_app, give_recovery_codes

NEW = "another horse battery"
PATHS = [
    "/account/security",
    "/account/security/password",
    "/account/security/phone",
    "/account/security/email",
    "/account/security/second-step",
    "/account/security/passkeys/abc",
    "/account/prove",
]
ACTS = [
    ("/account/security/phone/drop", {}),
    ("/account/security/authenticator/begin", {}),
    ("/account/security/authenticator/remove", {}),
    ("/account/security/passkeys/remove", {"passkey": "x"}),
    ("/account/security/codes", {}),
    ("/account/security/second-step", {"on": "1", "kept": "1"}),
]


async def owner(h: Harness) -> Account:
    found = await h.store.read.accounts.find_owner(Identifier(Kind.PHONE, f"+86{PHONE}"))
    assert found is not None
    return found


@pytest.mark.parametrize("path", PATHS)
async def test_a_stranger_is_sent_to_the_login_and_back(pages: Harness, path: str) -> None:
    person = stranger(pages)
    await person.get(path)
    assert person.leads_to == f"/login?next={path.replace('/', '%2F')}"


async def test_the_page_shows_how_the_person_logs_in(alice: Person) -> None:
    page = await alice.get("/account/security")
    assert "135****5663" in page.text
    assert "Logged in with the password" in page.text
    for anchor in ("password", "phone", "email", "passkeys", "authenticator", "events"):
        assert f'id="{anchor}"' in alice.answer.text


async def test_the_password_is_changed_by_the_old_one_and_other_devices_end(pages: Harness, alice: Person) -> None:
    other = await log_in(pages)
    await alice.get("/account/security/password")
    await alice.press("/account/security/password", old="wrong", password=NEW)
    assert alice.page.wrong == ["old"]
    await alice.press("/account/security/password", old=PASSWORD, password="qwertyuiop")
    assert alice.page.wrong == ["password"]
    assert PASSWORD not in alice.answer.text
    await alice.press("/account/security/password", old=PASSWORD, password=NEW)
    assert alice.leads_to == "/account/security"
    assert "was changed" in (await alice.follow()).said["status"]
    await other.get("/account/security")
    assert other.leads_to.startswith("/login")


async def test_a_first_password_is_set(pages: Harness, alice: Person) -> None:
    number = (await owner(pages)).number
    await pages.store.write(lambda tx: tx.accounts.set_password(number, "", now=pages.clock.now()))
    page = await alice.get("/account/security/password")
    assert "old" not in page.form("/account/security/password").fields
    await alice.press("/account/security/password", password="qwertyuiop")
    assert alice.page.wrong == ["password"]
    await alice.press("/account/security/password", password=NEW)
    assert alice.leads_to == "/account/security"
    assert (await owner(pages)).password_hash


@pytest.mark.parametrize(("path", "fields"), ACTS)
async def test_an_act_without_a_fresh_proof_leads_to_one_and_back(
    pages: Harness, alice: Person, path: str, fields: dict[str, str]
) -> None:
    pages.clock.advance(11 * MINUTE)
    page = await alice.get("/account/security")
    csrf = page.forms[0].fields["csrf"]
    await alice.post(path, {"csrf": csrf, "back": "/account/security", **fields})
    assert alice.leads_to == "/account/prove?next=%2Faccount%2Fsecurity"
    await alice.follow()
    await alice.press("/account/prove", password="wrong")
    assert alice.page.said["alert"]
    await alice.press("/account/prove", password=PASSWORD)
    assert alice.leads_to == "/account/security"
    await alice.post(path, {"csrf": csrf, "back": "/account/security", **fields})
    assert not alice.leads_to.startswith("/account/prove")


async def test_who_proved_just_now_goes_on_at_once(alice: Person) -> None:
    await alice.get("/account/prove?next=/account/data")
    assert alice.leads_to == "/account/data"
    await alice.get("/account/prove?next=https://evil.example/")
    assert alice.leads_to == "/account"


async def test_a_code_proves_identity(pages: Harness, alice: Person) -> None:
    pages.clock.advance(11 * MINUTE)
    await alice.get("/account/prove?by=code&next=/account/security")
    await alice.press("/account/prove", do="send", to="0", solution=await alice.solution())
    assert alice.leads_to.startswith("/account/prove"), alice.page.said
    await alice.follow()
    await alice.press("/account/prove", do="prove", code="000000")
    assert alice.page.wrong == ["code"]
    await alice.press("/account/prove", do="prove", code=(await pages.messages())[-1].code)
    assert alice.leads_to == "/account/security"


async def test_an_account_with_a_second_step_proves_by_a_factor_alone(pages: Harness, alice: Person) -> None:
    await enrol_app(pages, await owner(pages))
    pages.clock.advance(11 * MINUTE)
    page = await alice.get("/account/prove?by=password&next=/account/security")
    assert page.form("/account/prove").fields["by"] == "totp"
    await alice.press("/account/prove", code="000000")
    assert alice.page.wrong == ["code"]
    await alice.press("/account/prove", code=code_of(pages))
    assert alice.leads_to == "/account/security"


async def test_the_authenticator_is_added_renewed_and_removed(pages: Harness, alice: Person) -> None:
    await alice.get("/account/security")
    await alice.press("/account/security/authenticator/begin")
    form = alice.page.form("/account/security/authenticator")
    secret = form.fields["secret"]
    pages.canary.learn("secret of a factor", secret)
    await alice.send(form, code="000000")
    assert alice.page.wrong == ["code"]
    assert alice.page.form("/account/security/authenticator").fields["secret"] == secret
    await alice.press("/account/security/authenticator", code=pyotp.TOTP(secret).at(pages.clock.now() // SECOND))
    codes = re.findall(r"<code>([^<]+)</code>", alice.answer.text)
    assert len(codes) == 10
    await alice.get("/account/security")
    assert not any(code in alice.answer.text for code in codes)
    assert "10 codes are left" in alice.page.text
    await alice.press("/account/security/authenticator/remove")
    assert alice.leads_to == "/account/security"
    assert (await owner(pages)).factors_version > 0


async def test_the_second_step_is_turned_on_by_a_typed_code_and_off(pages: Harness, alice: Person) -> None:
    account = await owner(pages)
    await enrol_app(pages, account, step=False)
    codes = await give_recovery_codes(pages, account)
    person = await log_in(pages)
    await person.get("/account/security/second-step")
    await person.press("/account/security/second-step", code="wrong")
    assert person.page.said, person.leads_to
    await person.press("/account/security/second-step", code=codes[0])
    assert person.leads_to == "/account/security"
    assert (await owner(pages)).second_step
    await person.get("/account/prove?next=/account/security")
    if person.leads_to != "/account/security":
        await person.press("/account/prove", code=code_of(pages))
    await person.get("/account/security/second-step")
    await person.press("/account/security/second-step")
    assert person.leads_to == "/account/security"
    assert not (await owner(pages)).second_step


async def test_a_passkey_is_added_renamed_and_removed(pages: Harness, alice: Person) -> None:
    key = SoftKey(origin=BASE)
    page = await alice.get("/account/security")
    form = page.form("/account/security/passkeys")
    asked = (await alice.post("/account/security/passkeys/options", form.fields)).json()
    await alice.send(form, credential=json.dumps(key.create(asked["publicKey"])))
    assert alice.answer.text.count("<code>") == 10
    page = await alice.get("/account/security")
    (path,) = [link for link in page.links if link.startswith("/account/security/passkeys/")]
    await alice.get(path)
    await alice.press("/account/security/passkeys/rename", name="  ")
    assert alice.page.wrong == ["name"]
    await alice.press("/account/security/passkeys/rename", name="Key <b>of</b> Ann")
    assert alice.leads_to == "/account/security"
    await alice.follow()
    assert "Key <b>of</b> Ann" in unescape(alice.answer.text)
    assert "<b>of</b>" not in alice.answer.text

    # It logs in.
    person = stranger(pages)
    await person.get("/login")
    options = (await person.post("/login/passkey/options", person.page.form("/login/passkey").fields)).json()
    await person.press("/login/passkey", credential=json.dumps(key.get(options["publicKey"])))
    assert person.leads_to == "/account"

    # And it proves identity.
    pages.clock.advance(11 * MINUTE)
    await alice.get("/account/prove?by=passkey&next=/account/security")
    form = alice.page.form("/account/prove")
    options = (await alice.post("/account/prove/options", form.fields)).json()
    await alice.send(form, credential=json.dumps(key.get(options["publicKey"])))
    assert alice.leads_to == "/account/security"
    await alice.get(path)
    await alice.press("/account/security/passkeys/remove")
    assert alice.leads_to == "/account/security"


async def test_the_things_of_another_account_are_not_there(pages: Harness, alice: Person) -> None:
    await pages.add_account("bob_001", phone="13544285670", password=PASSWORD)
    key = SoftKey(origin=BASE)
    form = (await alice.get("/account/security")).form("/account/security/passkeys")
    asked = (await alice.post("/account/security/passkeys/options", form.fields)).json()
    await alice.send(form, credential=json.dumps(key.create(asked["publicKey"])))
    page = await alice.get("/account/security")
    (path,) = [link for link in page.links if link.startswith("/account/security/passkeys/")]

    bob = await log_in(pages, "13544285670")
    await bob.get(path)
    assert bob.page.said["alert"]
    csrf = (await bob.get("/account/security")).forms[0].fields["csrf"]
    for act in ("rename", "remove"):
        fields = {"csrf": csrf, "passkey": path.rpartition("/")[2], "name": "mine"}
        await bob.post(f"/account/security/passkeys/{act}", fields)
        assert bob.page.said["alert"]
    assert len(await pages.store.read.passkeys.list_of((await owner(pages)).number)) == 1


async def test_a_contact_is_bound_by_its_code_and_dropped(pages: Harness, alice: Person) -> None:
    await alice.get("/account/security/email")
    await alice.press("/account/security/email", do="bind", email="new@mail.example", code="123456")
    assert alice.page.wrong == ["code"]
    await alice.press("/account/security/email", do="send", email="nonsense")
    assert alice.page.wrong == ["email"]
    await alice.press("/account/security/email", do="send", email="new@mail.example", solution=await alice.solution())
    assert alice.leads_to == "/account/security/email"
    await alice.follow()
    code = (await pages.messages())[-1].code
    await alice.press("/account/security/email", do="bind", email="new@mail.example", code=code)
    assert alice.leads_to == "/account/security"
    assert (await owner(pages)).email == "new@mail.example"
    await alice.get("/account/security")
    await alice.press("/account/security/email/drop")
    assert alice.leads_to == "/account/security"
    assert (await owner(pages)).email is None
    # The last one stays.
    await alice.get("/account/security")
    await alice.press("/account/security/phone/drop")
    assert alice.page.said["alert"]
    assert (await owner(pages)).phone
