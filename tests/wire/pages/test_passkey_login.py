"""A login with a passkey at the pages: options for a script, and an ordinary form."""

from __future__ import annotations

import json
import re
from html import unescape

import pytest

from tests.harness import Harness
from tests.wire.pages.members import stranger


async def test_the_page_brings_options_for_suggestions(pages: Harness) -> None:
    person = stranger(pages)
    await person.get("/login")
    (found,) = re.findall(r'data-auto="([^"]+)"', person.answer.text)
    options = json.loads(unescape(found))
    assert options["rpId"] == "testserver" or options["challenge"]
    assert "allowCredentials" not in options or options["allowCredentials"] == []


@pytest.mark.parametrize("credential", ["", "x", "[]", "{}", "{" * 5000, '{"id": 1}', "null"])
async def test_garbage_leads_back_with_a_sentence(pages: Harness, credential: str) -> None:
    person = stranger(pages)
    await person.get("/login")
    await person.press("/login/passkey", credential=credential)
    assert person.leads_to == "/login"
    assert "passkey" in (await person.follow()).said["status"]


async def test_options_need_the_value_of_the_form(pages: Harness) -> None:
    person = stranger(pages)
    await person.get("/login")
    answer = await person.post("/login/passkey/options", {"csrf": "x"})
    assert answer.status_code == 403
