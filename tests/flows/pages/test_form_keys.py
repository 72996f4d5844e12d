"""One-time keys of forms: of all submits one is the first, and the others learn whether it did its work."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from menshen.core.pages.form_keys import FORM_KEY_LIFETIME, Submit, is_form_key
from menshen.core.problems import Denied, ProblemCode
from menshen.core.time import MINUTE
from tests.flows.site import Site, open_site

KEY, OTHER = "a" * 26, "b" * 26


async def spend(site: Site, key: str = KEY, about: str = "browser|send") -> Any:
    return await site.flows.pages.spend_form_key(key, about, site.origin())


async def test_a_second_submit_knows_whether_the_first_was_done(site: Site) -> None:
    assert await spend(site) is Submit.FIRST
    assert await spend(site) is Submit.AGAIN
    await site.flows.pages.finish_form(KEY, "browser|send", site.origin())
    assert await spend(site) is Submit.DONE
    site.clock.advance(MINUTE)
    # Later than a person's second press: it is told to send the form anew.
    assert await spend(site) is Submit.AGAIN


async def test_another_key_browser_or_act_is_another_form(site: Site) -> None:
    assert await spend(site) is Submit.FIRST
    assert await spend(site, OTHER) is Submit.FIRST
    assert await spend(site, about="browser|sign up") is Submit.FIRST
    assert await spend(site, about="other|send") is Submit.FIRST


@pytest.mark.attack("PG-4")
async def test_of_many_at_once_exactly_one_is_the_first(two: list[Site]) -> None:
    got = await asyncio.gather(*(spend(two[number % 2]) for number in range(20)))
    assert got.count(Submit.FIRST) == 1
    assert got.count(Submit.AGAIN) == 19


@pytest.mark.parametrize("key", ["", "a" * 25, "a" * 27, "A" * 26, "ä" * 26, "a" * 25 + "\n", "a" * 10_000])
async def test_what_is_no_key_is_refused(key: str, site: Site) -> None:
    assert not is_form_key(key)
    assert await spend(site, key) == Denied(ProblemCode.INVALID_REQUEST, field="key")


async def test_a_network_has_so_many_in_an_hour(folder: Any) -> None:
    async with open_site(folder, solve_per_network=2) as site:
        for key in (KEY, OTHER):
            assert await spend(site, key) is Submit.FIRST
        refused = await spend(site, "c" * 26)
        assert (refused.code, refused.retry_after) == (ProblemCode.TOO_MANY_REQUESTS, 3600)


async def test_keys_are_swept_when_they_are_old(site: Site) -> None:
    await spend(site)
    site.clock.advance(FORM_KEY_LIFETIME - 1)
    assert await spend(site) is Submit.AGAIN
