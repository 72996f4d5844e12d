"""Fifty clients at two servers: of what is good once, one gets something.

(docs/security/attacks.md RACE-1, RACE-2, MF-3, MF-11.)
The nodes are processes: on one SQLite file, and on PostgreSQL. Every client is a connection of its own.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.faults.caller import CallResult, Fate
from tests.faults.site import Site, settled
from tests.faults.steps.people import PASSKEYS, Person, account_number, error_of, give_factors, trust_in
from tests.patience import CROWD, PATIENT
from tests.postgres import PostgresServer

PEOPLE = 12
MOST_LIVE = 3
"""Pending logins of one account and network."""

Call = Coroutine[Any, Any, CallResult]


@dataclass
class Two:
    """Two nodes of one site, and people whom nothing has happened to."""

    site: Site
    unused: Iterator[Person]

    def person(self) -> Person:
        """Somebody whose calls go to both nodes by turns."""
        return next(self.unused)

    def sessions(self, person: Person) -> int:
        return len(self._of(person, "SELECT session_id FROM sessions WHERE"))

    def tickets(self, person: Person) -> int:
        return len(self._of(person, "SELECT ticket FROM pending_logins WHERE"))

    def logins(self, person: Person) -> int:
        return len(self._of(person, "SELECT id FROM audit WHERE tag = 'login.succeeded' AND"))

    def wrong(self, person: Person) -> int:
        return len(self._of(person, "SELECT id FROM audit WHERE tag = 'login.step_failed' AND"))

    def _of(self, person: Person, query: str) -> list[tuple[Any, ...]]:
        return self.site.rows(f"{query} account_number = {account_number(self.site, person)}")


@contextmanager
def two_nodes(folder: Path, url: str, people: int) -> Iterator[Two]:
    with settled(folder, url, people, **PATIENT, **PASSKEYS) as site:
        ports = [site.start().port, site.start().port]
        yield Two(site, iter(give_factors(site, range(people), ports)))


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def two(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Two]:
    server: PostgresServer | None = None
    if request.param == "postgresql":
        server = request.getfixturevalue("postgres_server")
    with two_nodes(tmp_path_factory.mktemp("two"), server.create() if server else "", PEOPLE) as made:
        yield made


async def crowd(call: Callable[[int], Call]) -> list[CallResult]:
    """Call fifty times at once."""
    return await asyncio.gather(*(call(n) for n in range(CROWD)))


def words(answers: list[CallResult]) -> Counter[str]:
    """How often each answer came, by its word; "" for what was granted. Raises AssertionError for a fault."""
    assert {answer.fate for answer in answers} <= {Fate.DONE, Fate.REFUSED}, Counter(answer.fate for answer in answers)
    return Counter(map(error_of, answers))


def race_for_one(two: Two, person: Person, call: Callable[[int], Call], refusals: set[str]) -> list[CallResult]:
    """Exactly one of fifty is granted, and has the one session that was opened."""
    before = two.sessions(person)
    answers = asyncio.run(crowd(call))
    found = words(answers)
    assert found[""] == 1, found
    assert set(found) <= {"", *refusals}, found
    (granted,) = [answer for answer in answers if answer.fate is Fate.DONE]
    assert asyncio.run(person.is_good(granted.headers["token"]))
    assert two.sessions(person) == before + 1 == two.logins(person)
    return answers


async def tickets_of(person: Person, how_many: int) -> list[tuple[str, dict[str, str]]]:
    """Tickets of as many devices, each with what names its device."""
    devices = [{"device_id": f"device {n}", "device_model": "Mi 10"} for n in range(how_many)]
    return [(await person.ticket(**device), device) for device in devices]


@pytest.mark.attack("RACE-1")
def test_one_ticket(two: Two) -> None:
    """Whatever right proofs come with it: a code of the app, recovery codes, a passkey."""
    person = two.person()
    ticket = asyncio.run(person.ticket())
    credential = asyncio.run(person.credential(ticket))
    proofs: list[dict[str, Any]] = [
        {"method": "passkey", "credential": credential},
        {"code": person.totp()},
        *({"method": "recovery", "code": code} for code in person.codes[:3]),
    ]
    race_for_one(
        two, person, lambda n: person.second(ticket, **proofs[n % len(proofs)]),
        {"ticket_invalid", "wrong_second_factor", "challenge_expired"},
    )  # fmt: skip
    assert two.tickets(person) == 0


@pytest.mark.attack("OT-9", "RACE-1")
def test_one_step_of_an_app_over_many_tickets(two: Two) -> None:
    person = two.person()
    tickets = asyncio.run(tickets_of(person, MOST_LIVE))
    code = person.totp()

    def step(n: int) -> Call:
        ticket, device = tickets[n % MOST_LIVE]
        return person.second(ticket, code=code, **device)

    race_for_one(two, person, step, {"ticket_invalid", "wrong_second_factor", "too_many_requests"})


@pytest.mark.attack("OT-10", "RACE-1")
def test_one_recovery_code_over_many_tickets(two: Two) -> None:
    person = two.person()
    tickets = asyncio.run(tickets_of(person, MOST_LIVE))

    def step(n: int) -> Call:
        ticket, device = tickets[n % MOST_LIVE]
        return person.second(ticket, "recovery", code=person.codes[0], **device)

    race_for_one(two, person, step, {"ticket_invalid", "wrong_second_factor", "too_many_requests"})
    left = two._of(person, "SELECT count(*) FROM recovery_codes WHERE used_at = 0 AND")
    assert left == [(9,)]


@pytest.mark.attack("PK-2", "RACE-1")
@pytest.mark.parametrize("as_step", [True, False])
def test_one_challenge_of_a_passkey(two: Two, *, as_step: bool) -> None:
    """As a step of one ticket, and as a login. Its answers bear two counters."""
    person = two.person()
    ticket = asyncio.run(person.ticket()) if as_step else ""
    options = asyncio.run(person.options(ticket))
    answers = [person.key.get(options, counter=n % 2) for n in range(CROWD)]

    def prove(n: int) -> Call:
        if as_step:
            return person.second(ticket, "passkey", credential=answers[n])
        return person.caller.weidu("/users/passkey/login", credential=answers[n])

    refusals = {"challenge_expired", "wrong_second_factor", "ticket_invalid"}
    race_for_one(two, person, prove, refusals if as_step else {"challenge_expired", "wrong_passkey"})


@pytest.mark.attack("MF-11", "RACE-1")
def test_one_token_of_a_trusted_device(two: Two) -> None:
    """One login needs no step. A value came back that was replaced, so the device is trusted no more."""
    person = two.person()
    trust = asyncio.run(person.trust())
    answers = race_for_one(two, person, lambda _: person.login(trust_token=trust), _ASKED)
    (granted,) = [answer for answer in answers if answer.fate is Fate.DONE]
    assert error_of(asyncio.run(person.login(trust_token=trust_in(granted)))) in _ASKED
    assert two._of(person, "SELECT trust_id FROM trusted_devices WHERE") == []
    levels = Counter(two._of(person, "SELECT level, methods FROM sessions WHERE"))
    assert levels[1, "pwd trusted"] == 1
    assert sum(levels.values()) == 2


_ASKED = {"second_factor_required", "too_many_requests"}


def test_fifty_logins_of_somebody_with_a_second_step(two: Two) -> None:
    """None opens a session. Three tickets of a network live, and a device that is not known opens twenty an hour."""
    person = two.person()
    answers = asyncio.run(crowd(lambda _: person.login()))
    found = words(answers)
    assert found == {"second_factor_required": 20, "too_many_requests": CROWD - 20}
    tickets = [answer.body["login_ticket"] for answer in answers if answer.status == 428]
    assert len(set(tickets)) == 20
    assert (two.tickets(person), two.sessions(person), two.logins(person)) == (MOST_LIVE, 0, 0)

    async def try_them() -> list[CallResult]:
        """Each with a code that is unused: only what opens a session uses one up."""
        codes, answers = iter(person.codes), []
        code = next(codes)
        for ticket in tickets:
            answers.append(await person.second(ticket, "recovery", code=code))
            code = next(codes) if answers[-1].fate is Fate.DONE else code
        return answers

    done = words(asyncio.run(try_them()))
    assert done == {"": MOST_LIVE, "ticket_invalid": 20 - MOST_LIVE}
    assert two.sessions(person) == MOST_LIVE


@pytest.mark.attack("MF-3", "RACE-2")
def test_fifty_guesses_at_three_tickets(two: Two) -> None:
    """Five are judged, on both nodes together; then a right code waits, too, and the passkey goes on."""
    person = two.person()
    tickets = asyncio.run(tickets_of(person, MOST_LIVE))

    def guess(n: int) -> Call:
        ticket, device = tickets[n % MOST_LIVE]
        return person.second(ticket, code=person.wrong_totp(), **device)

    found = words(asyncio.run(crowd(guess)))
    assert found == {"wrong_second_factor": 5, "too_many_requests": CROWD - 5}
    assert two.wrong(person) == 5

    async def go_on() -> list[CallResult]:
        ticket, device = tickets[0]
        right = await person.second(ticket, code=person.totp(), **device)
        options = await person.caller.weidu("/users/login/second/options", login_ticket=ticket, **device)
        credential = person.key.get(options.body["public_key"])
        return [right, await person.second(ticket, "passkey", credential=credential, **device)]

    assert [error_of(answer) for answer in asyncio.run(go_on())] == ["too_many_requests", ""]
    assert two.sessions(person) == 1


@pytest.mark.long
@pytest.mark.parametrize("store", ["sqlite", "postgresql"])
def test_each_race_many_times(tmp_path: Path, postgres_url: str, store: str) -> None:
    rounds = 25
    with two_nodes(tmp_path, postgres_url if store == "postgresql" else "", 8 * rounds) as two:
        for _ in range(rounds):
            test_one_ticket(two)
            test_one_step_of_an_app_over_many_tickets(two)
            test_one_recovery_code_over_many_tickets(two)
            test_one_challenge_of_a_passkey(two, as_step=True)
            test_one_challenge_of_a_passkey(two, as_step=False)
            test_one_token_of_a_trusted_device(two)
            test_fifty_logins_of_somebody_with_a_second_step(two)
            test_fifty_guesses_at_three_tickets(two)
