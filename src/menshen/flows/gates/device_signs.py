"""Spend a device sign, which is valid once, so that an intercepted HMAC sign cannot be replayed. (decision 0029.)"""

from __future__ import annotations

from typing import Final

from menshen.core.problems import Denied, ProblemCode
from menshen.core.rules import Origin
from menshen.ports.store.store import WriteTx

SIGN_REFUSALS: Final = frozenset({ProblemCode.DEVICE_SIGN_INVALID})
"""Refusals of `spend_sign`."""


async def spend_sign(tx: WriteTx, origin: Origin) -> Denied | None:
    """Spend the sign of a request, in the caller's transaction. Return a refusal if it was spent before.

    If there is nothing to spend, return None without an SQL statement. Of concurrent requests with the same sign, on
    any nodes, exactly one gets None.

    Call it directly before a secret is checked or a cost arises, and after all refusals that need no such check. A
    client that must first solve a captcha can then send the same sign again. A client that needs a captcha after a
    correct password makes a new sign. Denied: DEVICE_SIGN_INVALID, as for a wrong sign.
    (docs/contracts/weidu.md section 4.2.)
    """
    device = origin.device
    if not device.spends or await tx.captchas.spend_nonce(device.spends, device.spends_until):
        return None
    return Denied(ProblemCode.DEVICE_SIGN_INVALID, field="device_sign")
