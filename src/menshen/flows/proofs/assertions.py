"""Judge what a passkey answered: burn its challenge, verify it, note its use. (docs/contracts/factors.md section 6.)

Three steps, because the signature is verified between two transactions: `burn_assertion` in the first one,
`verify_assertion` between, `note_assertion` in the second one.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from hmac import compare_digest
from typing import Any

from menshen.core.account.accounts import Account
from menshen.core.audit.events import Tag
from menshen.core.delivery.messages import Template
from menshen.core.factors.challenges import Purpose, make_challenge, read_challenge
from menshen.core.factors.options import request
from menshen.core.factors.passkeys import (
    Asserted,
    Ceremony,
    Passkey,
    Presented,
    PublicKeyOptions,
    Site,
    is_clone_suspected,
    proof_by,
)
from menshen.core.factors.proofs import Proof
from menshen.core.keys import Keyring
from menshen.core.policy import Policy
from menshen.core.problems import Denied, ProblemCode
from menshen.core.rules import Origin
from menshen.core.time import Instant
from menshen.flows.account.notices import notify
from menshen.flows.audit.recording import event_of
from menshen.ports.passkeys import PasskeyJudge
from menshen.ports.store.store import WriteTx


def site_of(origin: Origin, policy: Policy) -> Site:
    """Return where the passkeys of a request are used."""
    return policy.passkeys.site_of(origin.step.site)


def request_options(
    ceremony: Ceremony,
    bound_to: str,
    origin: Origin,
    *,
    allowed: Sequence[Passkey] | None,
    keyring: Keyring,
    policy: Policy,
    chance: bytes,
    now: Instant,
) -> PublicKeyOptions:
    """Return the options of a signature, with a new challenge. `chance` are `challenges.RANDOM_BYTES` random bytes.

    `allowed` are the passkeys of the ticket or session that the ceremony is bound to, None for a login. A login asks
    the key to verify its user, and the others prefer it.
    """
    rp_id = site_of(origin, policy).rp_id
    challenge = make_challenge(keyring, Purpose(ceremony, origin.app.app_id, rp_id, bound_to), chance, now)
    return request(challenge, rp_id=rp_id, allowed=allowed, verify_user=ceremony is Ceremony.LOGIN)


async def burn_challenge(
    tx: WriteTx,
    presented: Presented | None,
    ceremony: Ceremony,
    bound_to: str,
    origin: Origin,
    *,
    keyring: Keyring,
    policy: Policy,
    now: Instant,
) -> Denied | None:
    """Spend the challenge that a credential answers, before anything else of it is judged.

    Denied: CHALLENGE_EXPIRED (too old, spent before, or of an older epoch), WRONG_PASSKEY (not made for this ceremony,
    app, RP id, ticket or session).
    """
    if presented is None:
        return Denied(ProblemCode.WRONG_PASSKEY)
    purpose = Purpose(ceremony, origin.app.app_id, site_of(origin, policy).rp_id, bound_to)
    made = read_challenge(keyring, purpose, presented.challenge)
    if made is None:
        return Denied(ProblemCode.WRONG_PASSKEY)
    if now >= made.expires_at or not await tx.captchas.spend_challenge(made.nonce, made.issued_at, made.expires_at):
        return Denied(ProblemCode.CHALLENGE_EXPIRED)
    return None


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

    `bound_to` is the ticket or the session id of the ceremony, "" for a login. With an `account_number`, the passkey
    must be of that account. Without one, it must be one that logs in alone, and the answer must name the user handle of
    its owner. A handle that is named must be the owner's in each case. (docs/security/attacks.md PK-4, MF-5, MF-6.)
    Denied: CHALLENGE_EXPIRED (too old, or spent before), WRONG_PASSKEY, PASSKEY_UNKNOWN (no account has it).
    """
    presented = passkey_judge.read(credential)
    refusal = await burn_challenge(
        tx, presented, ceremony, bound_to, origin, keyring=keyring, policy=policy, now=now
    )  # fmt: skip
    if presented is None or refusal:
        return refusal or Denied(ProblemCode.WRONG_PASSKEY)
    passkey = await tx.passkeys.find(presented.credential)
    if passkey is None:
        return Denied(ProblemCode.PASSKEY_UNKNOWN)
    alone = account_number is None
    if passkey.step_only if alone else passkey.account_number != account_number:
        return Denied(ProblemCode.WRONG_PASSKEY)
    if presented.handle or alone:
        handle = await tx.passkeys.handle_of(passkey.account_number)
        if not handle or not compare_digest(presented.handle, handle):
            return Denied(ProblemCode.WRONG_PASSKEY)
    return passkey


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
    presented = passkey_judge.read(credential)
    if presented is None:
        return None
    return passkey_judge.verify(
        credential,
        # `burn_assertion` spent this challenge: it is genuine.
        challenge=presented.challenge,
        site=site_of(origin, policy),
        passkey=passkey,
        verified_user=verified_user,
    )


async def note_assertion(
    tx: WriteTx, passkey: Passkey, asserted: Asserted, origin: Origin, *, keyring: Keyring, policy: Policy, now: Instant
) -> Proof | Denied:
    """Note the use of a passkey, and return what it proves. The account is held by the caller.

    The passkey is read again behind that lock: its counter is that of its last use. Where it did not rise, a key of one
    device is refused, with an event and a notice to the owner. For a synced one, that is only noted.
    Denied: WRONG_PASSKEY, also for a passkey that was removed meanwhile.
    """
    present = await tx.passkeys.find(passkey.credential)
    if present is None or present.passkey_id != passkey.passkey_id:
        return Denied(ProblemCode.WRONG_PASSKEY)
    copied = is_clone_suspected(present, asserted)
    if copied and not present.synced:
        return await _refuse_copy(tx, present, origin, keyring=keyring, policy=policy, now=now)
    counter = max(present.counter, asserted.counter)
    if not await tx.passkeys.use(present, counter=counter, backed_up=asserted.backed_up, now=now):
        return Denied(ProblemCode.WRONG_PASSKEY)
    if copied:
        noted = event_of(Tag.PASSKEY_CLONE_SUSPECTED, origin, now, account=present.account_number, reason="noted")
        await tx.audit.append(noted)
    return proof_by(present, asserted)


async def _refuse_copy(
    tx: WriteTx, passkey: Passkey, origin: Origin, *, keyring: Keyring, policy: Policy, now: Instant
) -> Denied:
    account: Account | None = await tx.accounts.find(passkey.account_number)
    contacts = account.proved if account else ()
    await notify(tx, contacts, Template.PASSKEY_COPIED, now, origin=origin, keyring=keyring, policy=policy)
    await tx.audit.append(
        event_of(Tag.PASSKEY_CLONE_SUSPECTED, origin, now, account=passkey.account_number, reason="refused")
    )
    return Denied(ProblemCode.WRONG_PASSKEY)
