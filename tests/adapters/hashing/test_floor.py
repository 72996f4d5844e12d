"""How long a refusal takes at least: reckoned at first, timed later, nothing where only today's hashes are."""

from __future__ import annotations

import asyncio
from functools import partial

import pytest

from menshen.adapters.hashing.argon2_texts import affordable
from menshen.adapters.hashing.argon2id import Argon2idHasher, Parameters
from menshen.adapters.hashing.floor import HELD, MARGIN, MOST_HEADS, PACES, STRETCH, TIMINGS, RefusalFloor, dummy_of
from menshen.adapters.hashing.legacy import careyshop_hash, is_legacy
from menshen.core.login.hash_costs import head_of
from menshen.core.problems import Problem
from menshen.ports.hashing import Verified

OWN, DEARER, BCRYPT = "$argon2id$v=19$m=64,t=1,p=1$", "$argon2id$v=19$m=65536,t=3,p=4$", "$2b$10$"
TAIL = f"{'A' * 22}${'A' * 43}"


@pytest.mark.parametrize(
    ("stored", "head"),
    [
        (OWN + TAIL, OWN), (DEARER + "broken", DEARER), ("$argon2i$v=19$m=8,t=3,p=1$x", "$argon2i$v=19$m=8,t=3,p=1$"),
        (BCRYPT + "." * 53, BCRYPT), ("$2y$14$", "$2y$14$"), (careyshop_hash(b"x"), ""), ("", ""), ("!", ""),
        ("$2b$1$", ""), ("$argon2d$v=19$m=8,t=3,p=1$x", ""), ("$argon2id$v=19$m=12345678,t=1,p=1$", ""),
        (" " + BCRYPT, ""), ("$2b$१०$", ""),
    ],
)  # fmt: skip
def test_a_head_says_how_long_and_nothing_else(stored: str, head: str) -> None:
    assert head_of(stored) == head


def test_a_dummy_is_judged_at_the_cost_of_its_head() -> None:
    assert is_legacy(dummy_of(BCRYPT))
    assert affordable(dummy_of(DEARER))
    # What is refused for its cost, or was never any, costs what nobody's costs.
    assert [dummy_of(head) for head in ("$2b$15$", "$2b$03$", "$argon2id$v=19$m=9999999,t=99,p=1$", "")] == [""] * 4


def test_todays_own_hashes_alone_hold_nobody_up() -> None:
    floor = RefusalFloor(OWN)
    assert floor.ms == 0
    floor.expect([OWN, "$2b$15$", "$argon2id$v=19$m=9999999,t=99,p=1$", "nonsense"])
    assert (floor.ms, floor.untimed()) == (0, None)


def test_what_is_not_timed_yet_is_reckoned_high() -> None:
    floor = RefusalFloor("$argon2id$v=19$m=19456,t=2,p=1$")
    floor.expect([BCRYPT])
    ten = floor.ms
    # 60 ms of bcrypt and 25 of argon2id, on the machines we know.
    assert ten > MARGIN * 85
    floor.expect([BCRYPT, "$2a$12$"])
    assert floor.ms > 2 * ten
    floor.expect(["$argon2id$v=19$m=8192,t=1,p=1$"])
    assert floor.ms >= MARGIN * 25, "a cheaper one is made up for, and held to the floor too"


def test_what_was_timed_counts_and_what_is_gone_does_not() -> None:
    floor = RefusalFloor(OWN)
    floor.expect([BCRYPT, DEARER])
    for head, ms in ((DEARER, 200.0), (BCRYPT, 70.0), (OWN, 1.0)):
        for extra in (0, 900, 1):
            assert floor.untimed() == head
            floor.note(head, ms + extra)
    assert floor.untimed() is None
    # The middle one of three: a start that was held up once does not hold everybody up for ever.
    assert floor.ms == MARGIN * 201
    floor.expect([BCRYPT])
    assert floor.ms == MARGIN * 71
    floor.expect([OWN])
    assert floor.ms == 0
    floor.expect([BCRYPT])
    assert (floor.ms, floor.untimed()) == (MARGIN * 71, None)


def test_of_many_heads_the_dearest_are_timed() -> None:
    floor = RefusalFloor(OWN)
    many = [f"$argon2id$v=19$m={1000 + n},t=1,p=1$" for n in range(100)]
    floor.expect(many)
    timed = set()
    while head := floor.untimed():
        timed.add(head)
        for _ in range(TIMINGS):
            floor.note(head, 1.0)
    assert timed == {OWN, *many[-MOST_HEADS:]}


async def test_the_hasher_tells_how_much_too_early_it_is() -> None:
    times = iter(range(0, 10_000, 10))
    clock = partial(next, times)
    hasher = Argon2idHasher(Parameters(64, 1), threads=1, elapsed_ms=clock, worked_ms=clock)
    assert hasher.head == OWN
    assert await hasher.verify("", b"x") == Verified(right=False)
    hasher.expect([OWN, "$2b$04$"])
    # Every verdict takes 10 ms by this clock.
    assert (await hasher.verify("", b"x")).short_ms == pytest.approx(MARGIN * (0.07 * 16 + 0.064) - 10, abs=10)
    await hasher.learn()
    assert (await hasher.verify("", b"x")).short_ms == MARGIN * 10 - 10
    assert (await hasher.verify(await hasher.hash(b"x"), b"x")) == Verified(right=True, short_ms=5)
    hasher.expect([OWN])
    assert await hasher.verify("", b"x") == Verified(right=False)
    hasher.close()


async def test_a_verdict_slower_than_the_floor_owes_nothing() -> None:
    times = iter(range(0, 10_000_000, 1000))
    hasher = Argon2idHasher(Parameters(64, 1), threads=1, elapsed_ms=lambda: next(times))
    hasher.expect(["$2b$04$"])
    assert (await hasher.verify("", b"x")).short_ms == 0
    hasher.close()


async def test_what_is_timed_is_the_processor_however_busy_the_machine_is() -> None:
    late, worked = iter(range(0, 10_000_000, 1000)), iter(range(0, 10_000, 10))
    hasher = Argon2idHasher(
        Parameters(64, 1), threads=1, elapsed_ms=partial(next, late), worked_ms=partial(next, worked)
    )
    hasher.expect(["$2b$04$"])
    await hasher.learn()
    assert hasher._floor.ms == MARGIN * 10
    # Verdicts that take a hundred times as long lift it, within bounds.
    await hasher.verify("", b"x")
    assert hasher._floor.ms == PACES[-1] * MARGIN * 10
    hasher.close()


async def test_learning_takes_one_place_and_gives_way_to_a_full_queue() -> None:
    hasher = Argon2idHasher(Parameters(64, 1), threads=1, queue=0)
    hasher.expect(["$2b$04$", "$2b$05$"])
    under_way = asyncio.ensure_future(hasher.verify("", b"x"))
    await asyncio.sleep(0)
    with pytest.raises(Problem):
        await hasher.learn()
    await under_way
    learning = asyncio.ensure_future(hasher.learn())
    most = 0
    while not learning.done():
        most = max(most, hasher.waiting)
        await asyncio.sleep(0)
    await learning
    assert most == 1
    hasher.close()


# --- a busy machine ---------------------------------------------------------------------------------------------------


def timed() -> RefusalFloor:
    """Today's own takes 10 ms, bcrypt 100."""
    floor = RefusalFloor(OWN)
    floor.expect([OWN, BCRYPT])
    while head := floor.untimed():
        floor.note(head, 10 if head == OWN else 100)
    return floor


def test_what_slows_one_verdict_down_holds_up_those_after_it_whoever_they_are() -> None:
    for stored, idle in (("", 10), (OWN + TAIL, 10), (careyshop_hash(b"x"), 10), (dummy_of(BCRYPT), 100)):
        floor = timed()
        assert floor.short(stored, idle) == MARGIN * 100 - idle
        # Its own wait is the one of the calm machine: it must not wait by its own noise.
        assert floor.short(stored, idle * 1.4) == pytest.approx(MARGIN * 100 - idle * 1.4)
        assert floor.short("", 10) == 2 * MARGIN * 100 - 10


def test_on_a_calm_machine_the_floor_stands_still() -> None:
    """What a verdict took must not show in the answer of the next one."""
    floor = timed()
    for slower in (0.5, 1.0, 1.1, STRETCH, 1.05):
        floor.short("", 10 * slower)
        floor.short(dummy_of(BCRYPT), 100 * slower)
        assert floor.ms == MARGIN * 100


@pytest.mark.parametrize("slower", [1.3, 1.9, 2.5, 4.0, 5.9])
def test_a_slow_machine_hides_a_dear_hash_as_well_as_a_fast_one(slower: float) -> None:
    floor = timed()
    floor.short("", 10 * slower)
    answered = [
        took + floor.short(stored, took) for stored, took in (("", 10 * slower), (dummy_of(BCRYPT), 100 * slower))
    ]
    assert answered[0] == pytest.approx(answered[1])


def test_a_machine_that_calms_down_holds_nobody_up_for_long() -> None:
    floor = timed()
    floor.short("", 10_000)
    paces = [floor.ms / (MARGIN * 100)]
    for _ in range(3 * HELD):
        floor.short("", 10)
        paces.append(floor.ms / (MARGIN * 100))
    assert paces == [4] * (HELD + 1) + [2] * (HELD + 1) + [1] * (HELD - 1)


def test_one_slow_verdict_in_many_keeps_the_pace() -> None:
    floor = timed()
    for n in range(10 * HELD):
        floor.short("", 19 if n % HELD == 0 else 10)
        assert floor.ms == 2 * MARGIN * 100
