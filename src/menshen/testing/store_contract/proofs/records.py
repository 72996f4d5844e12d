"""Make the records of factors that the suites store. Their fields differ, so that a mix-up shows."""

from __future__ import annotations

from typing import Any

from menshen.core.account.accounts import Account
from menshen.core.factors.passkeys import Passkey
from menshen.core.factors.pending import PendingLogin
from menshen.core.factors.trusted_devices import TrustedDevice
from menshen.core.time import DAY, SECOND, Instant, after
from menshen.core.tokens import digest
from menshen.ports.store.store import Store, WriteTx
from menshen.testing.store_contract.records import NOW

CROWD = 50
"""Racers for what is good once."""

SOON = after(NOW, 300 * SECOND)
KIND = "totp"
SECRET, BEGUN = b"a sealed secret", b"the sealed secret of an enrolment"
CODES = [b"mac%d" % n for n in range(10)]
HANDLE = b"handle" * 5 + b"00"


def passkey_of(account: Account, name: str, **given: Any) -> Passkey:
    """Return a passkey that was never used. Its credential is the digest of its name."""
    fields: dict[str, Any] = {
        "account_number": account.number,
        "credential": digest(name),
        "public_key": b"key of " + name.encode(),
        "rp_id": "login.example",
        "name": f"{name} 钥匙",
        "counter": 7,
        "synced": False,
        "backed_up": False,
        "step_only": False,
        "transports": "usb nfc",
        "created_at": NOW,
    }
    return Passkey(passkey_id=name, **fields | given)


def pending_of(account: Account, name: str, **given: Any) -> PendingLogin:
    """Return a login that waits for its second step. The digest of its name is that of its ticket."""
    fields: dict[str, Any] = {
        "account_number": account.number,
        "app_id": 3,
        "dialect": "weidu",
        "platform": "web 网",
        "began": "password",
        "methods": "pwd",
        "password_version": 4,
        "factors_version": 5,
        "network": "192.0.2.0/24",
        "device": digest("device"),
        "in_browser": 1,
        "replaces": digest("replaced"),
        "cookie": digest("cookie"),
        "enroll": 0,
        "phone_due": 1,
        "created_at": NOW,
        "expires_at": SOON,
    }
    return PendingLogin(ticket=digest(name), **fields | given)


def trusted_of(account: Account, name: str, **given: Any) -> TrustedDevice:
    """Return a trusted device of app 3."""
    fields: dict[str, Any] = {
        "account_number": account.number,
        "app_id": 3,
        "device": digest("device"),
        "name": f"{name} 手机",
        "ip": "192.0.2.7",
        "created_at": NOW,
        "expires_at": after(NOW, 30 * DAY),
    }
    return TrustedDevice(trust_id=name, **fields | given)


async def enrol_in(
    tx: WriteTx, account: Account, secret: bytes = SECRET, *, counter: int = 5, now: Instant = NOW
) -> None:
    """Give an account a confirmed factor."""
    await tx.factors.begin(account.number, KIND, secret, after(now, 1))
    assert await tx.factors.confirm(account.number, KIND, secret, counter=counter, now=now)


async def give_all(store: Store, account: Account) -> None:
    """Give an account one of everything: a factor and the enrolment of another, and what is named after the account."""
    number, name = account.number, account.username or ""

    async def fill(tx: WriteTx) -> None:
        await enrol_in(tx, account)
        await tx.factors.begin(number, KIND, BEGUN, SOON)
        assert await tx.passkeys.add(passkey_of(account, name))
        await tx.passkeys.keep_handle(number, name.encode())
        await tx.recovery_codes.replace(number, CODES, NOW)
        await tx.pending_logins.add(pending_of(account, name), most=3)
        await tx.trusted_devices.add(trusted_of(account, name), digest(name), most=20)

    await store.write(fill)


async def held_by(store: Store, account: Account) -> tuple[int, int, bytes, int, bool, int]:
    """Return what is left of it: factors, passkeys, the handle, codes, the pending login, trusted devices."""
    read, number, name = store.read, account.number, account.username or ""
    return (
        len(await read.factors.list_of(number)),
        len(await read.passkeys.list_of(number)),
        await read.passkeys.handle_of(number),
        await read.recovery_codes.left(number),
        await read.pending_logins.find(digest(name)) is not None,
        len(await read.trusted_devices.list_of(number, NOW)),
    )
