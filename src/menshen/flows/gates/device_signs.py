"""Spending a device's sign that is good once: what makes an hmac sign worthless to whoever saw it. (decision 0029.)"""

from __future__ import annotations

from typing import Final

from menshen.core.problems import Denied, ProblemCode
from menshen.core.rules import Origin
from menshen.ports.store.store import WriteTx

SIGN_REFUSALS: Final = frozenset({ProblemCode.DEVICE_SIGN_INVALID})
"""What `spend_sign` refuses."""


async def spend_sign(tx: WriteTx, origin: Origin) -> Denied | None:
    """Spend the sign that came with a request, in the caller's transaction; the refusal when it was spent before.

    None too where nothing is to be spent, which then costs no statement. Of racers with one sign, on whatever nodes,
    one gets None. Call it where the request is about to be judged by a secret or to cost something, past what is
    refused unjudged: who must solve a captcha before that may come back with the same sign. Who is asked for one
    behind a right password signs anew. Denied: DEVICE_SIGN_INVALID, as for a wrong one.
    (docs/contracts/weidu.md section 4.2.)
    """
    device = origin.device
    if not device.spends or await tx.captchas.spend_nonce(device.spends, device.spends_until):
        return None
    return Denied(ProblemCode.DEVICE_SIGN_INVALID, field="device_sign")
