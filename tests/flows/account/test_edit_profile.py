"""Editing a profile: field by field, and nothing of the server's."""

from __future__ import annotations

from typing import Any

import pytest

from menshen.core.account.accounts import Gender, Profile
from menshen.core.account.asks import Edited, ProfileEdit
from menshen.core.audit.events import Tag
from menshen.core.problems import Denied, Problem, ProblemCode
from tests.flows.account.calls import edit
from tests.flows.site import (
    PASSWORD,
    Site,
)

WRONG_CREDENTIALS = Denied(ProblemCode.WRONG_CREDENTIALS)


async def test_a_profile_is_edited_field_by_field(site: Site) -> None:
    account = await site.kevin()
    who = await site.login()
    got = await edit(site, who, "Kevin_W", nickname="小明", gender=Gender.MALE)
    assert isinstance(got, Edited)
    assert got.account.profile == Profile(nickname="小明", gender=Gender.MALE)
    assert (got.account.username, got.account.username_shown) == ("kevin_w", "Kevin_W")
    assert await site.account(account) == got.account
    (event,) = await site.events(account, Tag.PROFILE_CHANGED)
    assert event.reason == "gender,nickname,username"
    await site.login("kevin_w")
    assert await site.try_password("kevin") == WRONG_CREDENTIALS


@pytest.mark.attack("TK-13")
@pytest.mark.parametrize(
    "field",
    ["roles", "status", "phone_verified", "password_hash", "number", "public_id", "real_name_verified", "refund_rate",
     "serve_num", "work_num", "dispute_rate", "created_at", "phone", "email", "x"],
)  # fmt: skip
async def test_what_is_the_servers_is_refused_whole(site: Site, field: str) -> None:
    """(docs/security/attacks.md TK-13.)"""
    account = await site.kevin()
    who = await site.login()
    before = await site.account(account)
    edited: dict[str, Any] = {"nickname": "x", field: 1}
    assert await edit(site, who, **edited) == Denied(ProblemCode.FORBIDDEN, field=field)
    assert await site.account(account) == before


@pytest.mark.attack("EN-8")
async def test_a_name_that_is_taken_or_none_changes_nothing(site: Site) -> None:
    account = await site.kevin()
    await site.harness.add_account("other")
    who = await site.login()
    before = await site.account(account)
    assert await edit(site, who, "OTHER", city="x") == Denied(ProblemCode.ALREADY_TAKEN, field="username")
    for name in ("", "a", "13544285662", "a b c d"):
        assert await edit(site, who, name, city="x") == Denied(ProblemCode.INVALID_REQUEST, field="username")
    assert await site.account(account) == before


async def test_where_nicknames_are_unique_a_taken_one_is_refused(site: Site) -> None:
    await site.kevin()
    await site.harness.add_account("other", password=PASSWORD)
    await edit(site, await site.login("other"), nickname="Fox")
    who = await site.login()
    assert await edit(site, who, unique=True, nickname="Fox") == Denied(ProblemCode.ALREADY_TAKEN, field="nickname")
    assert isinstance(await edit(site, who, unique=True, nickname="Wolf"), Edited)
    assert isinstance(await edit(site, who, unique=True, nickname="Wolf"), Edited)
    assert isinstance(await edit(site, who, unique=True, nickname=""), Edited)
    assert isinstance(await edit(site, who, nickname="Fox"), Edited)


async def test_an_account_that_was_closed_meanwhile_is_not_edited(site: Site) -> None:
    await site.kevin()
    caller = await site.caller(await site.login())
    await site.harness.close_account("kevin")
    with pytest.raises(Problem) as raised:
        await site.flows.account.edit_profile(ProfileEdit({"city": "x"}), caller, site.origin())
    assert raised.value.denied == Denied(ProblemCode.UNAUTHENTICATED)
