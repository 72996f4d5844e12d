"""Judge what a passkey answered: burn its challenge, verify it, note its use. (docs/contracts/factors.md section 6.)

Three steps, because the signature is verified between two transactions: `burn_assertion` in the first one,
`verify_assertion` between, `note_assertion` in the second one.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from menshen.core.factors.passkeys import Asserted, Ceremony, Passkey
from menshen.core.factors.proofs import Proof
from menshen.core.keys import Keyring
from menshen.core.policy import Policy
from menshen.core.problems import Denied
from menshen.core.rules import Origin
from menshen.core.time import Instant
from menshen.ports.passkeys import PasskeyJudge
from menshen.ports.store.store import WriteTx


async def burn_assertion(
    tx: WriteTx,
    credential: Mapping[str, Any],
    ceremony: Ceremony,
    bound_to: str,
    origin: Origin,
    *,
    account_number: int | None,
    keyring: Keyring,
    policy: Policy,
    passkey_judge: PasskeyJudge,
    now: Instant,
) -> Passkey | Denied:
    """Spend the challenge of an answer, and find the passkey that it names.

    `bound_to` is the ticket or the session id of the ceremony, "" for a login. With an `account_number`, the passkey must
    be of that account; without one, the answer must name the user handle of its owner.
    Denied: CHALLENGE_EXPIRED (too old, or spent before), WRONG_PASSKEY, PASSKEY_UNKNOWN (no account has it).
    """
    raise NotImplementedError


def verify_assertion(
    credential: Mapping[str, Any],
    passkey: Passkey,
    origin: Origin,
    *,
    policy: Policy,
    passkey_judge: PasskeyJudge,
    verified_user: bool,
) -> Asserted | None:
    """Verify the signature at the site of the request. None if anything of it is wrong. Call `get_ready` before."""
    raise NotImplementedError


async def note_assertion(
    tx: WriteTx, passkey: Passkey, asserted: Asserted, origin: Origin, *, keyring: Keyring, policy: Policy, now: Instant
) -> Proof | Denied:
    """Note the use of a passkey, and return what it proves. The account is held by the caller.

    A counter that did not rise is refused for a key of one device, with an event and a notice to the owner, and noted for
    a synced one. Denied: WRONG_PASSKEY.
    """
    raise NotImplementedError
