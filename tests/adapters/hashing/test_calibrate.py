"""`menshen hash calibrate`: the dearest parameters within a time, never below OWASP's minimum; new ones rehash."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from menshen.adapters.hashing.argon2id import Argon2idHasher, Parameters
from menshen.adapters.hashing.calibrate import LEAST, Timer, propose
from menshen.cli import main
from menshen.core.audit.events import Tag
from menshen.core.login.hash_costs import MOST_KIB, MOST_WORK
from tests.harness import open_harness


def linear(per_mib_pass: float) -> Timer:
    """A machine on which time goes with memory and passes."""
    return lambda p: p.memory_kib / 1024 * p.passes * per_mib_pass


def caching(per_mib_pass: float) -> Timer:
    """One whose caches are small: memory beyond 32 MiB takes twice as long."""
    return lambda p: (p.memory_kib + max(0, p.memory_kib - 32 * 1024)) / 1024 * p.passes * per_mib_pass


@given(
    machine=st.sampled_from([linear, caching]),
    speed=st.floats(0.01, 20),
    target=st.integers(1, 10_000),
    most=st.integers(1, 512 * 1024),
)
def test_within_the_target_or_the_least(
    machine: Callable[[float], Timer], speed: float, target: int, most: int
) -> None:
    measure = machine(speed)
    found = propose(target, most, measure)
    chosen = found.parameters
    assert chosen.memory_kib >= LEAST.memory_kib
    assert chosen.passes >= LEAST.passes
    assert found.milliseconds == measure(chosen)
    assert chosen == LEAST or found.milliseconds <= target
    assert chosen.memory_kib <= max(LEAST.memory_kib, min(most, MOST_KIB))
    # What it proposes, the server itself would verify.
    assert chosen.memory_kib * chosen.passes <= MOST_WORK


def test_the_least_is_owasps() -> None:
    assert (LEAST.memory_kib, LEAST.passes) == (19 * 1024, 2)


def test_memory_first_then_passes() -> None:
    at_the_cap = propose(300, 64 * 1024, linear(0.5)).parameters
    assert at_the_cap.memory_kib == 64 * 1024
    assert at_the_cap.passes == 9
    below_it = propose(40, 64 * 1024, linear(0.5)).parameters
    assert below_it == Parameters(40 * 1024, 2)


def test_the_command_says_what_to_set(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["hash", "calibrate", "--target-ms", "1", "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert (told["memory_kib"], told["passes"]) == (19456, 2)
    assert told["milliseconds"] > 0
    assert main(["hash", "calibrate", "--target-ms", "1"]) == 0
    printed = capsys.readouterr().out
    assert "memory_kib = 19456" in printed
    assert "safe minimum" in printed


async def test_changed_parameters_rehash_at_the_next_right_password(tmp_path: Path) -> None:
    async with open_harness(tmp_path) as h:
        await h.add_account(username="rehashed", password="first pass 1")
    async with open_harness(tmp_path, {"MENSHEN_HASH__MEMORY_KIB": "72", "MENSHEN_HASH__PASSES": "2"}) as h:
        hashes = []
        for password, status in (("wrong pass 1", 403), ("first pass 1", 200), ("first pass 1", 200)):
            answer = await h.client.post(
                "/weidu/api/v1/users/login", json={"login_id": "rehashed", "password": password}
            )
            assert (answer.status_code == 200) == (status == 200), answer.text
            account = await h._owner("rehashed")
            hashes.append(account.password_hash)
        assert hashes[0].startswith("$argon2id$v=19$m=64,t=1,")
        assert hashes[1].startswith("$argon2id$v=19$m=72,t=2,")
        assert hashes[2] == hashes[1]
        assert [event.tag for event in await h.events()].count(Tag.PASSWORD_REHASHED) == 1


async def test_a_hash_of_other_parameters_is_outdated_and_right() -> None:
    old, new = Argon2idHasher(Parameters(64, 1), threads=1), Argon2idHasher(Parameters(72, 2), threads=1)
    try:
        stored = await old.hash(b"a password")
        verified = await new.verify(stored, b"a password")
        assert (verified.right, verified.outdated) == (True, True)
        assert not (await old.verify(stored, b"a password")).outdated
    finally:
        old.close()
        new.close()
