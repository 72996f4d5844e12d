"""An account with everything beside its first proof, and sessions that proved it or did not."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from menshen.core.account.accounts import Account
from menshen.core.factors.passkeys import Passkey
from menshen.core.factors.pending import LIFETIME, PendingLogin
from menshen.core.factors.trusted_devices import TrustedDevice
from menshen.core.login.outcomes import Granted
from menshen.core.time import DAY, MINUTE, Instant, after
from menshen.ports.store.store import WriteTx
from tests.flows.site import AWAY, Site

KEY, SECRET, MAC, TICKET, TRUST = b"the public key", b"the sealed secret", b"a mac", b"a ticket", b"a trust"
HANDLE = b"a handle of 32 random bytes here"


async def ask_two(site: Site, account: Account, *, on: bool = True) -> None:
    """Turn the second step on: whoever is logged in stays so."""
    now = site.clock.now()
    await site.store.write(lambda tx: tx.accounts.change_factors(account.number, now=now, second_step=on))


async def prove_factor(site: Site, granted: Granted) -> None:
    """Note that this session proved a second factor just now."""
    session_id, now = granted.session.session_id, site.clock.now()
    proved = await site.store.write(lambda tx: tx.sessions.prove_twice(session_id, now, level=2, methods="pwd otp"))
    assert proved


async def give_factors(site: Site, account: Account, *, tag: str = "1") -> None:
    """Give one of each: a factor, a passkey, two codes, a trusted device and a pending login."""
    now, app = site.clock.now(), site.harness.app.app_id
    await site.store.write(lambda tx: put_factors(tx, account, app, now, tag=tag))


async def put_factors(tx: WriteTx, account: Account, app: int, now: Instant, *, tag: str = "1") -> None:
    number = account.number
    passkey = Passkey(
        f"passkey-{tag}", number, tag.encode(), KEY, "login.example", "My phone", 7,
        synced=True, backed_up=True, step_only=False, transports="internal", created_at=now, used_at=after(now, 2),
    )  # fmt: skip
    device = TrustedDevice(f"trust-{tag}", number, app, b"", "Firefox", AWAY, now, after(now, 30 * DAY))
    pending = PendingLogin(
        TICKET + tag.encode(), number, app, "weidu", "weidu", "password", "pwd", account.password_version,
        account.factors_version, "203.0.113.0/24", b"", 0, b"", b"", 0, 0, now, after(now, LIFETIME),
    )  # fmt: skip
    await tx.factors.begin(number, "totp", SECRET, after(now, 10 * MINUTE))
    assert await tx.factors.confirm(number, "totp", SECRET, counter=1, now=now)
    assert await tx.passkeys.add(passkey)
    await tx.passkeys.keep_handle(number, HANDLE)
    await tx.recovery_codes.replace(number, [MAC + b"1", MAC + b"2"], now)
    await tx.trusted_devices.add(device, TRUST + tag.encode(), most=20)
    await tx.pending_logins.add(pending, most=3)


@dataclass(frozen=True)
class Kept:
    """How many of each an account has."""

    factors: int
    passkeys: int
    codes: int
    trusted: int
    pending: int


async def kept(site: Site, account: Account, *, tag: str = "1") -> Kept:
    read, number = site.store.read, account.number
    pending = await read.pending_logins.find(TICKET + tag.encode())
    return Kept(
        len(await read.factors.list_of(number)),
        len(await read.passkeys.list_of(number)),
        await read.recovery_codes.left(number),
        len(await read.trusted_devices.list_of(number, site.clock.now())),
        int(pending is not None),
    )


ALL, CHANGED, NONE = Kept(1, 1, 2, 1, 1), Kept(1, 1, 2, 0, 0), Kept(0, 0, 0, 0, 0)
"""Nothing happened; a password or an identifier changed; all factors are removed."""


async def stepped(site: Site, **origin: Any) -> tuple[Account, Granted]:
    """Return an account that asks for two proofs, and a session of a moment ago that proved one."""
    account = await site.kevin()
    mine = await site.login(origin=site.origin(**origin))
    await give_factors(site, await site.account(account))
    await ask_two(site, account)
    return await site.account(account), mine
