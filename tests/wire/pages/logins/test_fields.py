"""The attributes by which keyboards, password managers and readers know a field. (docs/contracts/pages.md section 3)"""

from __future__ import annotations

import pytest

from tests.wire.pages.logins.people import OTHER, Site

ACCOUNT = {"type": "text", "autocomplete": "username webauthn", "autocapitalize": "none", "spellcheck": "false"}
PHONE = {"type": "tel", "inputmode": "tel", "autocomplete": "tel-national webauthn"}
EMAIL = {"type": "email", "inputmode": "email", "autocomplete": "email webauthn", "autocapitalize": "none"}
CODE = {"inputmode": "numeric", "maxlength": "6", "autocomplete": "one-time-code"}
KNOWN = {"type": "password", "autocomplete": "current-password"}
NEW = {"type": "password", "autocomplete": "new-password", "minlength": "8", "passwordrules": "minlength: 8;"}
OWNER = {"type": "text", "autocomplete": "username", "aria-hidden": "true", "tabindex": "-1"}


@pytest.mark.parametrize(
    ("path", "wanted"),
    [
        ("/login?way=sms", {"phone": PHONE, "code": CODE}),
        ("/login?way=email", {"email": EMAIL, "code": CODE}),
        ("/login?way=password", {"account": ACCOUNT, "password": KNOWN}),
        ("/signup", {"phone": PHONE | {"autocomplete": "tel-national"}}),
        ("/signup?by=email", {"email": EMAIL | {"autocomplete": "email"}}),
        ("/reset", {"account": ACCOUNT | {"autocomplete": "username"}}),
    ],
)
async def test_a_field_says_what_it_is(path: str, wanted: dict[str, dict[str, str]], site: Site) -> None:
    me = site.visitor()
    page = await me.get(path)
    for name, attributes in wanted.items():
        given = page.forms[0].inputs[name]
        assert {key: given.get(key) for key in attributes} == attributes
        assert given["id"] == name
        assert f'<label for="{name}">' in me.answer.text


@pytest.mark.parametrize("path", ["/signup", "/reset"])
async def test_a_new_password_stands_beside_the_name_of_its_owner(path: str, site: Site) -> None:
    me = site.visitor()
    page = await me.get(path)
    who = {"account" if path == "/reset" else "phone": OTHER}
    await me.submit(do="send", agree="2026-11", solution=await site.solved(me), **who)
    page = me.page
    for name, attributes in {"password": NEW, "username": OWNER, "code": CODE}.items():
        given = page.forms[0].inputs[name]
        assert {key: given.get(key) for key in attributes} == attributes
    assert page.forms[0].fields["username"] == f"+86{OTHER}"


async def test_each_page_has_one_heading_and_names_itself(site: Site) -> None:
    for path in ("/login", "/signup", "/reset"):
        for language, tag in (("en", "en"), ("zh-CN", "zh-CN")):
            me = site.visitor(language=language)
            page = await me.get(path)
            assert len(page.headings) == 1
            assert f'<html lang="{tag}"' in me.answer.text
            assert f"<title>{page.headings[0]}</title>" in me.answer.text


async def test_the_language_of_a_page_is_changed_on_its_own_way(site: Site) -> None:
    me = site.visitor()
    page = await me.get("/login?way=email")
    (link,) = [link for link in page.links if "lang=" in link]
    page = await me.get(link)
    assert page.headings == ["登录云杉商城"]
    assert "email" in page.forms[0].inputs
