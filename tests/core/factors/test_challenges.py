"""Challenges that no row holds: each is for one ceremony, and for nothing else.

(docs/security/attacks.md PK-2, TK-10.)
"""

from __future__ import annotations

from dataclasses import replace

import pytest

from menshen.core.factors.challenges import LENGTH, RANDOM_BYTES, Purpose, make_challenge, read_challenge
from menshen.core.factors.passkeys import CHALLENGE_LIFETIME, Ceremony
from menshen.core.keys import Key, Keyring
from menshen.core.time import Instant

NOW = Instant(1_795_219_200_000)
CHANCE = bytes(range(RANDOM_BYTES))
OLD = Keyring((Key("old", b"o" * 32),), Key("index", b"i" * 32))
ROTATED = Keyring((Key("new", b"n" * 32), *OLD.keys), OLD.index)
PURPOSE = Purpose(Ceremony.STEP, 1, "login.example", "ticket")


def test_a_challenge_says_when_it_was_made_and_when_it_ends() -> None:
    given = make_challenge(OLD, PURPOSE, CHANCE, NOW)
    made = read_challenge(OLD, PURPOSE, given)
    assert made is not None
    assert len(given) == LENGTH
    assert (made.issued_at, made.expires_at) == (NOW, NOW + CHALLENGE_LIFETIME)
    assert CHANCE.hex() in made.nonce


@pytest.mark.attack("PK-2")
@pytest.mark.parametrize(
    "other",
    [
        *(replace(PURPOSE, ceremony=each) for each in Ceremony if each is not PURPOSE.ceremony),
        replace(PURPOSE, app_id=2),
        replace(PURPOSE, rp_id="example"),
        replace(PURPOSE, bound_to=""),
        replace(PURPOSE, bound_to="ticket2"),
        replace(PURPOSE, rp_id="login.exampleticket", bound_to=""),
    ],
)
def test_a_challenge_is_for_nothing_else(other: Purpose) -> None:
    given = make_challenge(OLD, PURPOSE, CHANCE, NOW)
    assert read_challenge(OLD, other, given) is None


def test_no_flipped_bit_and_no_other_length_is_read() -> None:
    given = make_challenge(OLD, PURPOSE, CHANCE, NOW)
    for bit in range(8 * LENGTH):
        changed = bytearray(given)
        changed[bit // 8] ^= 1 << bit % 8
        assert read_challenge(OLD, PURPOSE, bytes(changed)) is None
    for other in (b"", given[:-1], given + b"\0", given[1:]):
        assert read_challenge(OLD, PURPOSE, other) is None


def test_challenges_outlive_a_rotation_while_the_old_key_verifies() -> None:
    given = make_challenge(OLD, PURPOSE, CHANCE, NOW)
    assert read_challenge(ROTATED, PURPOSE, given) == read_challenge(OLD, PURPOSE, given)
    assert read_challenge(Keyring(ROTATED.keys[:1], OLD.index), PURPOSE, given) is None
    assert read_challenge(OLD, PURPOSE, make_challenge(ROTATED, PURPOSE, CHANCE, NOW)) is None
