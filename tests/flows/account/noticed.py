"""Owners who change what they log in with, and what was noticed of it."""

from __future__ import annotations

from typing import Any

from menshen.core.audit.events import Tag
from menshen.core.codes.asks import CodeSent
from menshen.core.codes.one_time_codes import Purpose
from menshen.core.gates.limits import Tally
from menshen.core.time import SECOND
from tests.flows.account.calls import change
from tests.flows.site import NEW, OTHER_PHONE, PASSWORD, Site


async def own(site: Site, *subjects: str, name: str = "owner") -> None:
    given: dict[str, Any] = {"email" if "@" in subject else "phone": subject for subject in subjects}
    await site.harness.add_account(name, password=PASSWORD, **given)


async def changes(site: Site, count: int, name: str = "owner", seconds: float = 1) -> list[Any]:
    """Change a password there and back, over one session that stays."""
    mine, words = await site.login(name), [PASSWORD, NEW]
    done = []
    for n in range(count):
        done.append(await change(site, mine, words[n % 2], words[(n + 1) % 2]))
        site.clock.advance(round(seconds * SECOND))
    return done


async def dropped(site: Site) -> list[str]:
    return [event.reason for event in await site.events(tag=Tag.NOTICE_DROPPED)]


async def used(site: Site, *key: str) -> int:
    counter = site.harness.assembled.keyring.counter_key(Tally.CODE_BUDGET, *key)
    return int(await site.store.write(lambda tx: tx.counters.peek(counter, site.clock.now())))


async def later_code(site: Site) -> str:
    """A code to bind a new number, now: the login stays recent."""
    assert await site.ask_code(OTHER_PHONE, Purpose.BIND, site.elsewhere()) == CodeSent()
    return (await site.harness.messages())[-1].code
