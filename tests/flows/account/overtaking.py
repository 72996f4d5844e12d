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
        async def find_owner(identifier: Identifier) -> Account | None:
            if next(first, False):
                return None
            found: Account | None = await tx.accounts.find_owner(identifier)
            return found

        return Substitute(tx, accounts=Substitute(tx.accounts, find_owner=find_owner))

    async def write(work: Callable[[Any], Awaitable[Any]]) -> Any:
        return await site.store.write(lambda tx: work(altered(tx)))

    return site.over(store=Substitute(site.store, write=write))
