"""kill -9 of a server in the middle of second steps, enrolments and trusted logins, at each of their points.

What was acknowledged is there, a proof that was used stays used, a counted try stays counted, and what nobody was
answered opens nothing. (docs/contracts/factors.md sections 2 and 4, decision 0003.)
"""

from __future__ import annotations

import asyncio
import itertools
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.faults.caller import Caller, Fate
from tests.faults.referee import Referee
from tests.faults.site import Site, settled
from tests.faults.steps import acts
from tests.faults.steps.acts import Act, Happened
from tests.faults.steps.dying_server import DyingServer, dying_server
from tests.faults.steps.people import PASSKEYS, Person, give_factors, make_admins, require_factors_of_admins
from tests.patience import PATIENT
from tests.postgres import PostgresServer
from tests.server import Server

ACTS = pytest.mark.parametrize(
    "kind",
    [
        acts.Step,
        acts.RecoveryStep,
        acts.PasskeyStep,
        acts.PasskeyLogin,
        acts.WrongStep,
        acts.Enrolment,
        acts.EnrolmentByTicket,
        acts.TrustedLogin,
    ],
)
ACCOUNTS = 48
MOST_POINTS = 100


@dataclass
class Scene:
    """A site, one server of it that lives, and accounts that nothing has happened to."""

    site: Site
    lives: Server
    unused: Iterator[int]

    def people(self, kind: type[Act], how_many: int) -> list[Person]:
        """People as an act wants them."""
        numbers = list(itertools.islice(self.unused, how_many))
        assert len(numbers) == how_many
        if kind.must_enrol:
            make_admins(self.site, numbers)
        if kind.has_factors:
            return give_factors(self.site, numbers, [self.lives.port])
        return [Person(number, Caller([self.lives.port])) for number in numbers]


@contextmanager
def scene_of(folder: Path, url: str, accounts: int) -> Iterator[Scene]:
    """Raises AssertionError at the end when sessions are not exactly those that were audited."""
    with settled(folder, url, accounts, **PATIENT, **PASSKEYS) as site:
        require_factors_of_admins(site)
        yield Scene(site, site.start(), iter(range(accounts)))
        site.close()
        sessions = site.rows("SELECT session_id, token_digest, account_number, slot FROM sessions")
        events = site.rows("SELECT tag, session_id, account_number, reason FROM audit")
        breaches: list[str] = []
        Referee._ledger(sessions, events, set(), breaches.append)
        assert breaches == []


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def scene(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scene]:
    server: PostgresServer | None = None
    if request.param == "postgresql":
        server = request.getfixturevalue("postgres_server")
    with scene_of(tmp_path_factory.mktemp("killed"), server.create() if server else "", ACCOUNTS) as made:
        yield made


async def _die_at(server: DyingServer, act: Act, at: int, *, edges_only: bool) -> tuple[bool, Happened]:
    """Let the server die at one point of the call. Return whether it answered, and how far it came."""
    await act.prepare()
    server.arm(at, edges_only=edges_only)
    told = await act.call(act.person.by(Caller([server.port])))
    answered = act.is_answered(told)
    assert answered or (told.fate is Fate.LOST and server.has_died()), told
    server.kill()
    return answered, await act.judge(told if answered else None)


def kill_at_each_point(
    scene: Scene, kind: type[Act], most: int, *, edges_only: bool, answers: int = 1
) -> list[Happened]:
    """Kill a server at the first point, another one at the second, and so on, until so many of them have answered.

    Return how far each of the others came.
    """
    came: list[Happened] = []
    for at, person in enumerate(scene.people(kind, most), 1):
        with dying_server(scene.site) as server:
            answered, happened = asyncio.run(_die_at(server, kind(scene.site, person), at, edges_only=edges_only))
        if not answered:
            came.append(happened)
            continue
        assert happened is Happened.ALL
        answers -= 1
        if not answers:
            return came
    pytest.fail(f"the call has more than {most} points")


@ACTS
def test_a_server_is_killed_before_and_after_each_commit(scene: Scene, kind: type[Act]) -> None:
    assert kill_at_each_point(scene, kind, len(kind.edges) + 1, edges_only=True) == kind.edges


@pytest.mark.long
@pytest.mark.timeout(3600)
@pytest.mark.parametrize("store", ["sqlite", "postgresql"])
@ACTS
def test_a_server_is_killed_before_each_statement(
    tmp_path: Path, postgres_url: str, store: str, kind: type[Act]
) -> None:
    """On PostgreSQL the order of its counters' keys decides how many statements clear them for an account.

    So the last point of one account may be none of the next one, and that after the last COMMIT is not always met.
    """
    with scene_of(tmp_path, postgres_url if store == "postgresql" else "", MOST_POINTS) as scene:
        came = kill_at_each_point(scene, kind, MOST_POINTS, edges_only=False, answers=3)
        print(store, kind.__name__, Counter(came))
        assert {*came, Happened.ALL} == set(kind.edges)
        assert len(came) > 3 * len(kind.edges)
