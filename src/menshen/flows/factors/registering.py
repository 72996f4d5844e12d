"""Register a passkey: what the calls in a session and those by a ticket share. (docs/contracts/factors.md section 6.)

As with signatures there are three steps: `burn_registration`, `attest` between the transactions, `keep_passkey`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from menshen.core.account.accounts import Account
from menshen.core.factors.challenges import Purpose, make_challenge
from menshen.core.factors.options import creation
from menshen.core.factors.passkeys import MOST, Attested, Ceremony, Passkey, PublicKeyOptions
from menshen.core.keys import Keyring
from menshen.core.plain_text import is_plain
from menshen.core.policy import Policy
from menshen.core.problems import Denied, ProblemCode
from menshen.core.rules import Origin
from menshen.core.text.typed import shown
from menshen.core.time import Instant
from menshen.flows.proofs.assertions import burn_challenge, site_of
from menshen.ports.passkeys import PasskeyJudge
from menshen.ports.store.store import WriteTx

LONGEST_NAME: Final = 64
"""Characters of a passkey's name."""


def typed_name(name: str) -> str | Denied:
    """Return a name as it is kept, "" for none. Denied: INVALID_REQUEST with the field `name`."""
    kept = shown(name).strip()
    if len(kept) > LONGEST_NAME or not is_plain(kept):
        return Denied(ProblemCode.INVALID_REQUEST, field="name")
    return kept


def creation_options(
    account: Account,
    handle: bytes,
    existing: Sequence[Passkey],
    bound_to: str,
    origin: Origin,
    *,
    keyring: Keyring,
    policy: Policy,
    chance: bytes,
    now: Instant,
) -> PublicKeyOptions:
    """Return the options of a registration, with a new challenge. `chance` are `challenges.RANDOM_BYTES` random bytes.

    `handle` is the user handle that `keep_handle` returned, and `bound_to` the ticket or the session id.
    """
    rp_id = site_of(origin, policy).rp_id
    challenge = make_challenge(keyring, Purpose(Ceremony.REGISTER, origin.app.app_id, rp_id, bound_to), chance, now)
    return creation(account, handle, existing, challenge, rp_id=rp_id, rp_name=policy.product)


async def burn_registration(
    tx: WriteTx,
    credential: Mapping[str, Any],
    bound_to: str,
    origin: Origin,
    *,
    keyring: Keyring,
    policy: Policy,
    passkey_judge: PasskeyJudge,
    now: Instant,
) -> bytes | Denied:
    """Spend the challenge of a registration, and return it. `bound_to` is the ticket or the session id.

    Denied: CHALLENGE_EXPIRED, WRONG_PASSKEY.
    """
    presented = passkey_judge.read(credential)
    refusal = await burn_challenge(
        tx, presented, Ceremony.REGISTER, bound_to, origin, keyring=keyring, policy=policy, now=now
    )
    if presented is None or refusal:
        return refusal or Denied(ProblemCode.WRONG_PASSKEY)
    return presented.challenge


def attest(
    credential: Mapping[str, Any], challenge: bytes, origin: Origin, *, policy: Policy, passkey_judge: PasskeyJudge
) -> Attested | None:
    """Judge a registration at the site of the request. None if anything of it is wrong. Call `get_ready` before."""
    return passkey_judge.attest(credential, challenge=challenge, site=site_of(origin, policy))


async def keep_passkey(
    tx: WriteTx, account: Account, attested: Attested, name: str, *, passkey_id: str, now: Instant
) -> Passkey | Denied:
    """Store a passkey of a held account. `name` is what `typed_name` returned; "" gets a numbered name.

    A key that verified no user, or that is not discoverable, is stored as one for steps only.
    Denied: FORBIDDEN (20 passkeys), ALREADY_TAKEN (an account has this credential).
    """
    existing = await tx.passkeys.list_of(account.number)
    if len(existing) >= MOST:
        return Denied(ProblemCode.FORBIDDEN)
    passkey = Passkey(
        passkey_id=passkey_id,
        account_number=account.number,
        credential=attested.credential,
        public_key=attested.public_key,
        rp_id=attested.rp_id,
        name=name or _numbered(existing),
        counter=attested.counter,
        synced=attested.synced,
        backed_up=attested.backed_up,
        step_only=not (attested.verified_user and attested.discoverable),
        transports=attested.transports,
        created_at=now,
    )
    return passkey if await tx.passkeys.add(passkey) else Denied(ProblemCode.ALREADY_TAKEN)


def _numbered(existing: Sequence[Passkey]) -> str:
    """Return the first free name of the form "Passkey 2"."""
    names = {passkey.name for passkey in existing}
    return next(name for name in (f"Passkey {number}" for number in range(1, len(existing) + 2)) if name not in names)
