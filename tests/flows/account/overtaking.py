"""Let a transaction of a flow miss what another one has done."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

from menshen.core.account.accounts import Account
from menshen.core.identifiers import Identifier
from tests.flows.site import Site
from tests.substitutes import Substitute


def overtaken(site: Site) -> Site:
    """Give the same installation, where the first look-up of an owner in a transaction finds none."""
    first = iter([True])

    def altered(tx: Any) -> Any:
        def missing(look_up: Callable[[Identifier], Awaitable[Account | None]]) -> Any:
            async def find(identifier: Identifier) -> Account | None:
                return None if next(first, False) else await look_up(identifier)

            return find

        inner = tx.accounts
        found = {"find_owner": missing(inner.find_owner), "hold_owner": missing(inner.hold_owner)}
        return Substitute(tx, accounts=Substitute(inner, **found))

    async def write(work: Callable[[Any], Awaitable[Any]]) -> Any:
        return await site.store.write(lambda tx: work(altered(tx)))

    return site.over(store=Substitute(site.store, write=write))
