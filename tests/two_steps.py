"""Accounts with a second step, and the codes of their authenticator app, for tests of every floor.

The rows are written by the ports, so that a test of logins needs no call that enrols.
"""

from __future__ import annotations

import base64
import hashlib
import hmac

from menshen.core.account.accounts import Account
from menshen.core.factors.recovery_codes import ALPHABET, HOW_MANY, LENGTH, mac_of
from menshen.core.time import MINUTE, SECOND, after
from menshen.ports.store.store import WriteTx
from tests.harness import Harness

SECRET = "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ"
"""What the app of everybody here holds: the 20 bytes of RFC 6238's examples."""


async def enrol_app(h: Harness, account: Account, *, step: bool = True) -> None:
    """Give an account the codes of an app, and turn its second step on."""
    h.canary.learn("secret of a factor", SECRET)
    now = h.clock.now()
    sealed = h.assembled.ports.sealer.seal_for((str(account.number), "totp"), SECRET)

    async def work(tx: WriteTx) -> None:
        await tx.factors.begin(account.number, "totp", sealed, after(now, MINUTE))
        assert await tx.factors.confirm(account.number, "totp", sealed, counter=0, now=now)
        await tx.accounts.change_factors(account.number, now=now, second_step=step)

    await h.store.write(work)


async def give_recovery_codes(h: Harness, account: Account) -> list[str]:
    """Give an account a set of recovery codes, and return them as they are typed."""
    codes = [f"{number:0{LENGTH}}" for number in range(HOW_MANY)]
    assert set("".join(codes)) <= set(ALPHABET)
    macs = [mac_of(h.assembled.keyring, account.number, code) for code in codes]
    await h.store.write(lambda tx: tx.recovery_codes.replace(account.number, macs, h.clock.now()))
    return codes


def code_of(h: Harness, steps: int = 0, secret: str = SECRET) -> str:
    """The app's code at the test's time, or some steps of 30 s later."""
    at = (h.clock.now() // SECOND // 30 + steps).to_bytes(8)
    mac = hmac.digest(base64.b32decode(secret), at, hashlib.sha1)
    cut = mac[-1] & 15
    return f"{(int.from_bytes(mac[cut : cut + 4]) & 0x7FFFFFFF) % 10**6:06}"
