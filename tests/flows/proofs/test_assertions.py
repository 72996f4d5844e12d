"""Answers of passkeys behind a ticket or a session: whose they are, and for which ceremony.

(docs/contracts/factors.md section 6, docs/security/attacks.md PK-2, PK-4, MF-5.)
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any

import pytest

from menshen.core.account.accounts import Account
from menshen.core.factors.challenges import RANDOM_BYTES
from menshen.core.factors.passkeys import Ceremony, Passkey
from menshen.core.factors.proofs import Method, Proof
from menshen.core.problems import Denied, ProblemCode
from menshen.flows.proofs.assertions import burn_assertion, note_assertion, request_options, verify_assertion
from tests.flows.factors.passkey_site import asked, enrolled, here
from tests.flows.site import OTHER_PHONE, Site
from tests.softkey import BE, UP, UV, SoftKey, b64

WRONG = Denied(ProblemCode.WRONG_PASSKEY)
EXPIRED = Denied(ProblemCode.CHALLENGE_EXPIRED)
TICKET = "ybndrfg8ejkmcpqxot1uwisza3"


async def owner(site: Site, key: SoftKey, username: str = "kevin", **given: Any) -> tuple[Account, Passkey]:
    await site.kevin(username=username, **given)
    caller = await site.caller(await site.login(username))
    return caller.account, await enrolled(site, caller, key)


def options(
    site: Site, allowed: list[Passkey] | None, ceremony: Ceremony = Ceremony.STEP, bound_to: str = TICKET
) -> Mapping[str, Any]:
    site_ = site.harness.assembled
    return request_options(
        ceremony, bound_to, here(site), allowed=allowed, keyring=site_.keyring, policy=site_.policy,
        chance=site.clock.token_bytes(RANDOM_BYTES), now=site.clock.now(),
    ).options  # fmt: skip


async def burn(
    site: Site, credential: Mapping[str, Any], number: int, ceremony: Ceremony = Ceremony.STEP, bound_to: str = TICKET
) -> Passkey | Denied:
    ports = site.harness.assembled.ports
    return await site.store.write(
        lambda tx: burn_assertion(
            tx, credential, ceremony, bound_to, here(site), account_number=number, keyring=ports.keyring,
            policy=ports.policy, passkey_judge=ports.passkey_judge, now=site.clock.now(),
        )
    )  # fmt: skip


async def judged(site: Site, credential: Mapping[str, Any], number: int) -> Proof | Denied | None:
    """All three steps, as a second step takes them. None for a wrong signature."""
    ports = site.harness.assembled.ports
    passkey = await burn(site, credential, number)
    if isinstance(passkey, Denied):
        return passkey
    await ports.passkey_judge.get_ready()
    asserted = verify_assertion(
        credential, passkey, here(site), policy=ports.policy, passkey_judge=ports.passkey_judge, verified_user=False
    )
    if asserted is None:
        return None

    async def work(tx: Any) -> Proof | Denied:
        await tx.accounts.hold(number)
        return await note_assertion(
            tx, passkey, asserted, here(site), keyring=ports.keyring, policy=ports.policy, now=site.clock.now()
        )

    return await site.store.write(work)


async def test_a_key_for_steps_alone_is_a_step(site: Site) -> None:
    key = SoftKey(flags=UP, rk=False)
    account, passkey = await owner(site, key)
    asked_for = options(site, [passkey])
    assert asked_for["userVerification"] == "preferred"
    assert [each["id"] for each in asked_for["allowCredentials"]] == [b64(key.credential)]
    got = await judged(site, key.get(asked_for, handle=b""), account.number)
    assert got == Proof((Method.DEVICE_KEY,)), "it names no handle, as U2F keys do"


async def test_a_verified_user_is_two_proofs(site: Site) -> None:
    key = SoftKey(flags=UP | UV | BE)
    account, passkey = await owner(site, key)
    assert await judged(site, key.get(options(site, [passkey])), account.number) == Proof(
        (Method.SYNCED_KEY, Method.USER), 2
    )
    assert await judged(site, key.get(options(site, [passkey]), signature=b"\0" * 64), account.number) is None


@pytest.mark.attack("MF-5")
@pytest.mark.attack("PK-4")
async def test_a_passkey_of_another_account_is_no_step(site: Site) -> None:
    key, others = SoftKey(), SoftKey()
    account, passkey = await owner(site, key)
    other, _ = await owner(site, others, "other", phone=OTHER_PHONE, email=None)
    assert await burn(site, others.get(options(site, [passkey])), account.number) == WRONG
    assert await burn(site, key.get(options(site, [passkey])), other.number) == WRONG
    assert await burn(site, key.get(options(site, [passkey]), handle=others.handle), account.number) == WRONG
    assert await burn(site, key.get(options(site, [passkey])), account.number) == passkey
    stranger = SoftKey(handle=key.handle).get(options(site, [passkey]))
    assert await burn(site, stranger, account.number) == Denied(ProblemCode.PASSKEY_UNKNOWN)


@pytest.mark.attack("PK-2")
async def test_ceremonies_tickets_and_sessions_never_cross(site: Site) -> None:
    key = SoftKey()
    account, passkey = await owner(site, key)
    number = account.number
    login = key.get(await asked(site))
    assert await burn(site, login, number) == WRONG
    for made in Ceremony:
        for wanted in (Ceremony.STEP, Ceremony.PROVE):
            credential = key.get(options(site, [passkey], made))
            assert await burn(site, credential, number, wanted) == (passkey if made is wanted else WRONG)
    assert await burn(site, key.get(options(site, [passkey])), number, bound_to=TICKET[::-1]) == WRONG


@pytest.mark.attack("PK-2")
async def test_one_answer_is_good_once(two: list[Site]) -> None:
    site, key = two[0], SoftKey()
    account, passkey = await owner(site, key)
    credential = key.get(options(site, [passkey]))
    outcomes = await asyncio.gather(*(judged(two[n % 2], credential, account.number) for n in range(50)))
    assert outcomes.count(EXPIRED) == 49
    assert sum(isinstance(each, Proof) for each in outcomes) == 1


async def test_a_passkey_that_is_removed_in_between_proves_nothing(site: Site) -> None:
    key, ports = SoftKey(), site.harness.assembled.ports
    account, passkey = await owner(site, key)
    credential = key.get(options(site, [passkey]))
    assert await burn(site, credential, account.number) == passkey
    await ports.passkey_judge.get_ready()
    asserted = verify_assertion(
        credential, passkey, here(site), policy=ports.policy, passkey_judge=ports.passkey_judge, verified_user=True
    )
    assert asserted is not None
    await site.store.write(lambda tx: tx.passkeys.remove(passkey.passkey_id, account.number))
    noted = await site.store.write(
        lambda tx: note_assertion(
            tx, passkey, asserted, here(site), keyring=ports.keyring, policy=ports.policy, now=site.clock.now()
        )
    )
    assert noted == WRONG
