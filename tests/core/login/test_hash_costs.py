"""Check what the prefix of a stored hash says about its work."""

from __future__ import annotations

import pytest

from menshen.core.login.hash_costs import LONGEST, argon2_prefix, argon2_work, head_of


@pytest.mark.parametrize(
    ("stored", "prefix", "work"),
    [
        ("$argon2id$v=19$m=65536,t=3,p=4$c2FsdA$aGFzaA", "$argon2id$v=19$m=65536,t=3,p=4$", 3 * 65536),
        ("$argon2i$v=19$m=8,t=1,p=1$c2FsdA$aGFzaA", "$argon2i$v=19$m=8,t=1,p=1$", 8),
        ("$2b$10$abcdefghijklmnopqrstuv", "$2b$10$", 0),
        ("0123456789abcdef0123456789abcdef", "", 0),
        ("$argon2id$v=19$m=065536,t=3,p=4$c2FsdA$aGFzaA", "", 0),
        ("x$2b$10$abcdefghijklmnopqrstuv", "", 0),
        ("", "", 0),
    ],
)
def test_the_prefix_tells_the_work_of_argon2_and_nothing_else(stored: str, prefix: str, work: int) -> None:
    assert head_of(stored) == prefix
    assert argon2_work(stored) == work


def test_the_longest_prefix_is_in_sight() -> None:
    longest = "$argon2id$v=19$m=9999999,t=99,p=99$"
    assert head_of(longest) == longest
    assert len(longest) <= LONGEST


def test_the_prefix_of_todays_parameters_is_read_back() -> None:
    assert argon2_work(argon2_prefix(19_456, 2)) == 2 * 19_456
