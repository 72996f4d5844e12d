"""Take the closing of an account back: a login in its days of grace does so. (decision 0080.)"""

from __future__ import annotations

from dataclasses import replace

from menshen.core.account.accounts import Account
from menshen.core.audit.events import Tag
from menshen.core.delivery.messages import Template
from menshen.core.keys import Keyring
from menshen.core.policy import Policy
from menshen.core.rules import Origin
from menshen.core.time import NEVER, Instant
from menshen.flows.account.notices import notify
from menshen.flows.audit.recording import event_of
from menshen.ports.store.store import WriteTx


async def take_back_closing(
    tx: WriteTx, account: Account, origin: Origin, now: Instant, *, keyring: Keyring, policy: Policy
) -> Account:
    """Keep a locked account from being deleted, with the event and a notice. Return it as it is then.

    An account that is due and not yet deleted stays, too: its owner came before the sweep.
    """
    await tx.accounts.set_closing(account.number, NEVER, now=now)
    await tx.audit.append(event_of(Tag.CLOSING_TAKEN_BACK, origin, now, account=account.number))
    await notify(tx, account.proved, Template.CLOSING_TAKEN_BACK, now, origin=origin, keyring=keyring, policy=policy)
    return replace(account, closes_at=NEVER, updated_at=now)
