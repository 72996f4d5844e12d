"""A restore, or a raised epoch, ends what waits for a second step and what replaces one; factors stay.

(docs/contracts/factors.md section 3, docs/security/attacks.md MF-7, MF-11, LG-4.)
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.faults.caller import Caller, CallResult, Fate
from tests.faults.site import Site, settled
from tests.faults.steps.people import PASSKEYS, Person, account_number, error_of, give_factors
from tests.faults.waiting import until
from tests.nodes.test_moving import menshen
from tests.patience import PATIENT

ASKED, OVER = "second_factor_required", "ticket_invalid"


@dataclass
class Issued:
    """What a person and a thief hold from before."""

    token: str
    ticket: str
    trust: str
    step: Any
    """What the key answered for the ticket."""
    login: Any
    """What the key answered for a login."""

    async def is_dead(self, person: Person) -> None:
        """Nothing of it is good at the server that `person` asks. Raises AssertionError."""
        assert not await person.is_good(self.token)
        assert error_of(await person.second(self.ticket, code=person.totp(1))) == OVER
        assert error_of(await person.second(self.ticket, "recovery", code=person.codes[0])) == OVER
        assert error_of(await person.second(self.ticket, "passkey", credential=self.step)) == OVER
        options = await person.caller.weidu("/users/login/second/options", login_ticket=self.ticket)
        assert error_of(options) == OVER
        assert error_of(await person.login(trust_token=self.trust)) == ASKED
        by_key = await person.caller.weidu("/users/passkey/login", credential=self.login)
        assert error_of(by_key) == "challenge_expired"


async def issue(person: Person) -> Issued:
    trust = await person.trust()
    token = (await done(person.second(await person.ticket(), "recovery", code=person.codes.pop()))).headers["token"]
    ticket = await person.ticket()
    return Issued(token, ticket, trust, await person.credential(ticket), await person.credential())


async def done(call: Any) -> CallResult:
    told: CallResult = await call
    assert told.fate is Fate.DONE, told
    return told


async def logs_in_anew(person: Person) -> None:
    """The second step is still asked for, and each factor completes it."""
    for proof in ({"code": person.totp(1)}, {"method": "recovery", "code": person.codes[0]}):
        assert await person.is_good((await done(person.second(await person.ticket(), **proof))).headers["token"])
    credential = await person.credential()
    await done(person.caller.weidu("/users/passkey/login", credential=credential))


def rows(site: Site, person: Person, table: str) -> int:
    return len(site.rows(f"SELECT * FROM {table} WHERE account_number = {account_number(site, person)}"))


@pytest.mark.attack("MF-7", "MF-11", "LG-4")
def test_a_restore_ends_tickets_and_trust(tmp_path: Path) -> None:
    """Those of before the backup, which it brings back, and those of after it."""
    backup = str(tmp_path / "night.db")
    with settled(tmp_path, "", 1, **PATIENT, **PASSKEYS) as site:
        node = site.start()
        (person,) = give_factors(site, [0], [node.port])
        before = asyncio.run(issue(person))
        menshen(site, "backup", backup)
        after = asyncio.run(issue(person))
        assert node.stop() == 0
        menshen(site, "restore", backup)
        person = person.by(Caller([site.start().port]))

        async def go_on() -> None:
            for issued in (before, after):
                await issued.is_dead(person)
            await logs_in_anew(person)

        asyncio.run(go_on())
        assert rows(site, person, "trusted_devices") == 0


@pytest.mark.attack("MF-7", "MF-11")
@pytest.mark.parametrize("store", ["sqlite", "postgresql"])
def test_a_raised_epoch_ends_tickets_and_trust_on_each_node(tmp_path: Path, postgres_url: str, store: str) -> None:
    with settled(tmp_path, postgres_url if store == "postgresql" else "", 1, **PATIENT, **PASSKEYS) as site:
        ports = [site.start().port, site.start().port]
        (person,) = give_factors(site, [0], ports)
        issued = asyncio.run(issue(person))
        menshen(site, "epoch", "raise")

        async def go_on() -> None:
            async def is_refused() -> bool:
                return not any([(await person.caller.check(issued.token, port)).fate is Fate.DONE for port in ports])

            await until(is_refused)
            for port in ports:
                await issued.is_dead(person.by(Caller([port])))
            await logs_in_anew(person)

        asyncio.run(go_on())
