"""Answer GET /specimen/me: the caller's own account, and its form in answers."""

from __future__ import annotations

from msgspec import Struct

from menshen.core.account.accounts import Account
from menshen.wire.specimen import carrier
from menshen.wire.specimen.call import Call
from menshen.wire.specimen.envelope import Ok, Reply


class AccountInfo(Struct, frozen=True, kw_only=True):
    """Describe an account to its owner. `id` is public, and never changes."""

    id: str
    username: str


class AccountAnswer(Ok, frozen=True, kw_only=True):
    """Hold the caller's account."""

    account: AccountInfo


def info_of(account: Account) -> AccountInfo:
    """Return what answers tell of an account."""
    return AccountInfo(id=account.public_id, username=account.username_shown or account.username or "")


async def get(call: Call) -> Reply:
    """Read one's own account."""
    caller = await carrier.identify(call)
    return Reply(200, AccountAnswer(account=info_of(caller.account)))
