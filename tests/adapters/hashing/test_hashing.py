"""`menshen.ports.hashing`: what is right, what is outdated, and that every call costs one argon2id."""

from __future__ import annotations

import asyncio
import os
import sys
import threading
from collections.abc import AsyncIterator, Iterator

import bcrypt
import pytest
from hypothesis import given
from hypothesis import strategies as st
from nacl.pwhash import argon2i, argon2id

from menshen.adapters.hashing.argon2id import Argon2idHasher, Parameters
from menshen.adapters.hashing.legacy import careyshop_hash, is_legacy, verify_legacy
from menshen.core.problems import Problem, ProblemCode
from menshen.ports.hashing import PasswordHasher, Verified

CHEAP = Parameters(memory_kib=64, passes=1)
PASSWORD = b"Passw0rd!"
RIGHT, RIGHT_BUT_OLD, WRONG = Verified(right=True), Verified(right=True, outdated=True), Verified(right=False)


@pytest.fixture
def hasher() -> Iterator[Argon2idHasher]:
    made = Argon2idHasher(CHEAP, threads=2, queue=4)
    yield made
    made.close()


def argon2(memory_kib: int, passes: int, password: bytes = PASSWORD) -> str:
    return argon2id.str(password, opslimit=passes, memlimit=memory_kib * 1024).rstrip(b"\0").decode()


def bcrypt_of(password: bytes, prefix: str = "$2b$") -> str:
    return prefix + bcrypt.hashpw(password[:72], bcrypt.gensalt(4)).decode()[4:]


# (stored, verdict on PASSWORD, whether another password is merely wrong)
STORED = {
    "today's": (argon2(64, 1), RIGHT),
    "more memory": (argon2(128, 1), RIGHT_BUT_OLD),
    "more passes": (argon2(64, 2), RIGHT_BUT_OLD),
    "argon2i": (
        argon2i.str(PASSWORD, opslimit=3, memlimit=64 * 1024).rstrip(b"\0").decode(),
        RIGHT_BUT_OLD,
    ),
    "careyshop": ("careyshop$56cfa86be43299fb5e25e1ec6160c7d1", RIGHT_BUT_OLD),
    "bcrypt a": (bcrypt_of(PASSWORD, "$2a$"), RIGHT_BUT_OLD),
    "bcrypt b": (bcrypt_of(PASSWORD), RIGHT_BUT_OLD),
    "bcrypt x": (bcrypt_of(PASSWORD, "$2x$"), RIGHT_BUT_OLD),
    "bcrypt y": (bcrypt_of(PASSWORD, "$2y$"), RIGHT_BUT_OLD),
    "nobody": ("", WRONG),
    "locked": ("!", WRONG),
    "star": ("*", WRONG),
    "plain": ("Passw0rd!", WRONG),
    "md5 alone": ("56cfa86be43299fb5e25e1ec6160c7d1", WRONG),
    "careyshop in capitals": ("careyshop$56CFA86BE43299FB5E25E1EC6160C7D1", WRONG),
    "careyshop and more": ("careyshop$56cfa86be43299fb5e25e1ec6160c7d1\n", WRONG),
    "bcrypt too dear": ("$2b$15$" + "." * 53, WRONG),
    "bcrypt too cheap": ("$2b$03$" + "." * 53, WRONG),
    "bcrypt cut": ("$2b$10$" + "." * 52, WRONG),
    "argon2d": (argon2(64, 1).replace("argon2id", "argon2d"), WRONG),
    "argon2 cut": (argon2(64, 1)[:-4], WRONG),
    "argon2 altered": (argon2(64, 1)[:-2] + ("AA" if argon2(64, 1)[-2:] != "AA" else "BB"), WRONG),
    "argon2 without version": (argon2(64, 1).replace("$v=19", ""), WRONG),
    "argon2 of giants": (argon2(64, 1).replace("m=64", "m=9999999"), WRONG),
    "argon2 for ever": (argon2(64, 1).replace("t=1,", "t=99,").replace("m=64", "m=262144"), WRONG),
    "argon2 of nothing": (argon2(64, 1).replace("m=64", "m=0"), WRONG),
    "argon2 without passes": (argon2(64, 1).replace("t=1,", "t=0,"), WRONG),
    "argon2 without lanes": (argon2(64, 1).replace("p=1", "p=0"), WRONG),
    "argon2 of many lanes": (argon2(64, 1).replace("p=1", "p=99"), WRONG),
    "argon2 too long": (argon2(64, 1) + "A" * 60, WRONG),
    "argon2 of less than nothing": (argon2(64, 1).replace("m=64", "m=-1"), WRONG),
    "careyshop of no hash": ("careyshop$" + "g" * 32, WRONG),
    "another scheme": ("md5$" + "0" * 32, WRONG),
    "nul": ("\0", WRONG),
    "not ascii": ("$argon2id$ü", WRONG),
}  # fmt: skip


@pytest.mark.attack("PW-3", "PW-4")
@pytest.mark.parametrize("kind", STORED)
async def test_verdicts(hasher: PasswordHasher, kind: str) -> None:
    stored, verdict = STORED[kind]
    got = await hasher.verify(stored, PASSWORD)
    assert got.right == verdict.right
    assert not verdict.right or got == verdict
    assert not (await hasher.verify(stored, b"passw0rd!")).right
    assert not (await hasher.verify(stored, None)).right


@pytest.mark.attack("EN-1", "EN-2", "PW-4")
@pytest.mark.parametrize("kind", STORED)
@pytest.mark.parametrize("password", [PASSWORD, b"wrong", None])
async def test_every_verdict_costs_one_argon2id(
    hasher: Argon2idHasher, monkeypatch: pytest.MonkeyPatch, kind: str, password: bytes | None
) -> None:
    calls: list[bytes] = []
    verify = argon2id.verify

    def counted(stored: bytes, given_password: bytes) -> bool:
        calls.append(stored)
        return verify(stored, given_password)

    # Patched: what is counted are the calls of libsodium itself, below every seam of ours.
    monkeypatch.setattr("menshen.adapters.hashing.argon2id.argon2id.verify", counted)
    await hasher.verify(STORED[kind][0], password)
    assert len(calls) == 1


async def test_a_new_hash_is_todays_salted_and_verifies(hasher: PasswordHasher) -> None:
    one, other = await hasher.hash(PASSWORD), await hasher.hash(PASSWORD)
    assert one != other
    assert one.startswith("$argon2id$v=19$m=64,t=1,p=1$")
    assert await hasher.verify(one, PASSWORD) == RIGHT


async def test_the_default_is_the_contracts() -> None:
    assert Parameters() == Parameters(memory_kib=19 * 1024, passes=2)


@pytest.mark.attack("PW-1")
@pytest.mark.parametrize("length", [1, 71, 72, 73, 200, 1024])
async def test_all_of_a_password_counts_but_for_bcrypt(hasher: PasswordHasher, length: int) -> None:
    password = (b"0123456789abcdef" * 64)[:length]
    stored = await hasher.hash(password)
    assert (await hasher.verify(stored, password)).right
    assert not (await hasher.verify(stored, password + b"x")).right
    assert not (await hasher.verify(stored, password[:-1])).right
    # bcrypt never saw more than 72 bytes; imported hashes of longer passwords verify all the same.
    assert (await hasher.verify(bcrypt_of(password), password)).right


async def test_argon2_of_four_lanes(hasher: PasswordHasher) -> None:
    """As other programs make it: RFC 9106 section 4 recommends four lanes, ours have one."""
    stored = "$argon2id$v=19$m=65536,t=3,p=4$MIIRqgvgQbgj220jfp0MPA$YfwJSVjtjSU0zzV/P3S9nnQ/USre2wvJMjfCIjrTQbg"
    assert await hasher.verify(stored, b"correct horse battery staple") == RIGHT_BUT_OLD
    assert not (await hasher.verify(stored, PASSWORD)).right


def test_a_careyshop_hash_is_the_recorded_one() -> None:
    """docs/contracts/careyshop.md section 5.12."""
    assert careyshop_hash(PASSWORD) == "careyshop$56cfa86be43299fb5e25e1ec6160c7d1"
    # Whoever has the hash has no password.
    assert not verify_legacy("careyshop$56cfa86be43299fb5e25e1ec6160c7d1", b"56cfa86be43299fb5e25e1ec6160c7d1")


@given(st.from_regex(r"\$2[abxy]\$(0[4-5])\$[./A-Za-z0-9]{53}", fullmatch=True))
def test_no_bcrypt_text_breaks_it(stored: str) -> None:
    assert is_legacy(stored)
    assert not verify_legacy(stored, b"x")


@given(st.text(max_size=120))
def test_no_stored_text_breaks_it(stored: str) -> None:
    cheap = Argon2idHasher(Parameters(8, 1), threads=1)
    assert not cheap._verify(stored, b"x").right
    cheap.close()


# --- the queue --------------------------------------------------------------------------------------------------------


class HeldHasher(Argon2idHasher):
    """Hash once `release` is set."""

    release: threading.Event

    def _hash(self, password: bytes) -> str:
        assert self.release.wait(60)
        return super()._hash(password)


class HasherWithoutMemory(Argon2idHasher):
    """Find no memory for the first hash."""

    tries = 0

    def _hash(self, password: bytes) -> str:
        self.tries += 1
        if self.tries == 1:
            raise MemoryError
        return super()._hash(password)


@pytest.fixture
async def held() -> AsyncIterator[tuple[Argon2idHasher, threading.Event]]:
    """A hasher of one thread and two places to wait, whose hashes take until the event."""
    hasher = HeldHasher(CHEAP, threads=1, queue=2)
    hasher.release = release = threading.Event()
    yield hasher, release
    release.set()
    hasher.close()


async def test_beyond_the_queue_callers_are_refused_at_once(held: tuple[Argon2idHasher, threading.Event]) -> None:
    hasher, release = held
    waiting = [asyncio.ensure_future(hasher.hash(PASSWORD)) for _ in range(3)]
    await asyncio.sleep(0)
    assert hasher.waiting == 3
    for refused in (hasher.hash(PASSWORD), hasher.verify("", PASSWORD)):
        with pytest.raises(Problem) as caught:
            await refused
        assert (caught.value.denied.code, caught.value.denied.retry_after) == (ProblemCode.OVERLOADED, 1)
    release.set()
    assert len(set(await asyncio.gather(*waiting))) == 3
    assert hasher.waiting == 0
    assert await hasher.hash(PASSWORD)


async def test_who_goes_away_frees_no_place_before_the_hash_has_ended(
    held: tuple[Argon2idHasher, threading.Event],
) -> None:
    hasher, release = held
    waiting = [asyncio.ensure_future(hasher.hash(PASSWORD)) for _ in range(3)]
    await asyncio.sleep(0.01)
    for one in waiting:
        one.cancel()
    await asyncio.wait(waiting)
    assert hasher.waiting == 3
    with pytest.raises(Problem):
        await hasher.hash(PASSWORD)
    release.set()
    async with asyncio.timeout(60):
        while hasher.waiting:  # noqa: ASYNC110 - a thread tells nobody
            await asyncio.sleep(0.01)
    assert await hasher.hash(PASSWORD)


async def test_without_memory_it_is_overloaded_and_lives_on() -> None:
    hasher = HasherWithoutMemory(CHEAP, threads=1)
    with pytest.raises(Problem) as caught:
        await hasher.hash(PASSWORD)
    assert caught.value.denied.code is ProblemCode.OVERLOADED
    assert await hasher.hash(PASSWORD)
    hasher.close()


async def test_a_closed_one_is_unavailable(hasher: Argon2idHasher) -> None:
    hasher.close()
    with pytest.raises(Problem) as caught:
        await hasher.hash(PASSWORD)
    assert caught.value.denied.code is ProblemCode.UNAVAILABLE
    assert hasher.waiting == 0


@pytest.mark.attack("RACE-12")
async def test_twenty_at_once_never_mix_up_whose_password_it_is() -> None:
    hasher = Argon2idHasher(CHEAP, threads=8, queue=64)
    hashes = await asyncio.gather(*(hasher.hash(b"password %d" % n) for n in range(20)))
    crossed = await asyncio.gather(*(hasher.verify(hashes[n], b"password %d" % ((n + 1) % 20)) for n in range(20)))
    right = await asyncio.gather(*(hasher.verify(hashes[n], b"password %d" % n) for n in range(20)))
    hasher.close()
    assert not any(verdict.right for verdict in crossed)
    assert all(verdict.right for verdict in right)


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux has a niceness for each thread")
@pytest.mark.parametrize("niceness", [0, 7])
async def test_hashing_threads_have_the_niceness_that_is_set(niceness: int) -> None:
    own = os.getpriority(os.PRIO_PROCESS, 0)
    seen: list[int] = []

    def worked_ms() -> float:
        seen.append(os.getpriority(os.PRIO_PROCESS, threading.get_native_id()))
        return 0.0

    hasher = Argon2idHasher(CHEAP, threads=1, queue=4, niceness=niceness, worked_ms=worked_ms, elapsed_ms=worked_ms)
    try:
        await hasher.verify(await hasher.hash(PASSWORD), PASSWORD)
    finally:
        hasher.close()
    assert set(seen) == {niceness or own}
    assert os.getpriority(os.PRIO_PROCESS, 0) == own
