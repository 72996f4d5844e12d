"""Tokens, their digests, and the keys that derive everything else."""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from menshen.app.world import SystemWorld
from menshen.core.keys import Key, Keyring, Use
from menshen.core.tokens import TOKEN_BYTES, TokenStyle, base32, digest, spell

RULES = "ybndrfg8ejkmcpqxot1uwisza345h769"
RFC_4648 = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"
OLD, NEW, OTHER = Key("old", b"o" * 32), Key("new", b"n" * 32), Key("other", b"x" * 32)
INDEX = Key("index", b"i" * 32)
BEFORE, ROTATED, AFTERWARDS = Keyring((OLD,), INDEX), Keyring((NEW, OLD), INDEX), Keyring((NEW,), INDEX)


@given(st.binary(max_size=40))
def test_base32_is_the_standards_in_another_alphabet(raw: bytes) -> None:
    standard = base64.b32encode(raw).decode().rstrip("=")
    assert base32(raw) == standard.translate(str.maketrans(RFC_4648, RULES))


@given(st.binary(min_size=TOKEN_BYTES, max_size=TOKEN_BYTES))
def test_a_token_is_26_characters_or_32_hex(raw: bytes) -> None:
    assert len(spell(raw, TokenStyle.BASE32)) == 26
    assert spell(raw, TokenStyle.HEX) == raw.hex()
    assert len(raw.hex()) == 32


@pytest.mark.attack("LG-7")
def test_tokens_do_not_repeat_and_use_every_symbol_everywhere() -> None:
    world = SystemWorld()
    tokens = [base32(world.token_bytes(TOKEN_BYTES)) for _ in range(20_000)]
    assert len(set(tokens)) == len(tokens)
    for position in range(25):
        assert {token[position] for token in tokens} == set(RULES)
    # 128 bits leave three of the last character's five.
    assert len({token[25] for token in tokens}) == 8


@pytest.mark.attack("LG-7")
def test_hex_tokens_use_every_symbol_everywhere() -> None:
    world = SystemWorld()
    tokens = [spell(world.token_bytes(TOKEN_BYTES), TokenStyle.HEX) for _ in range(2_000)]
    assert len(set(tokens)) == len(tokens)
    for position in range(32):
        assert {token[position] for token in tokens} == set("0123456789abcdef")


@pytest.mark.attack("LG-7")
def test_digits_are_equally_likely_and_keep_their_zeros() -> None:
    world = SystemWorld()
    codes = [world.digits(6) for _ in range(6_000)]
    assert {len(code) for code in codes} == {6}
    assert all(code.isascii() and code.isdigit() for code in codes)
    for position in range(6):
        counts = Counter(code[position] for code in codes)
        # 600 of each expected; eight standard deviations are 186.
        assert all(414 < counts[digit] < 786 for digit in "0123456789")


@given(st.text())
def test_a_digest_is_sha256_of_the_exact_text(token: str) -> None:
    assert digest(token) == hashlib.sha256(token.encode("utf-8", "surrogatepass")).digest()


def test_no_other_spelling_has_the_same_digest() -> None:
    token = "3r6ebp6gabf6unbee35eu8u6bo"
    others = [
        token[:-1], token + "y", token.upper(), token + " ", " " + token, token + "\0", token + "\n", token + "=",
        token.replace("3", "%33"), "", "\ud800",
    ]  # fmt: skip
    assert len({digest(text) for text in [token, *others]}) == len(others) + 1


# --- keys -------------------------------------------------------------------------------------------------------------


@pytest.mark.attack("PW-2")
def test_values_of_one_use_never_verify_as_another() -> None:
    assert len({OLD.derive(use) for use in Use}) == len(Use)
    assert len({BEFORE.mac(use, "x") for use in Use}) == len(Use)
    assert OLD.derive(Use.CODE) != NEW.derive(Use.CODE)
    assert all(len(OLD.derive(use)) == 32 for use in Use)


def test_a_mac_is_hmac_sha256_of_length_prefixed_parts() -> None:
    message = b"\0\0\0\x01a\0\0\0\x03\xe4\xbd\xa0"
    assert BEFORE.mac(Use.CODE, "a", "你") == hmac.digest(OLD.derive(Use.CODE), message, "sha256")


@pytest.mark.attack("PW-2", "IN-10")
@given(st.lists(st.text(max_size=4), max_size=4), st.lists(st.text(max_size=4), max_size=4))
def test_no_two_lists_of_parts_meet(one: list[str], other: list[str]) -> None:
    assert (BEFORE.mac(Use.CODE, *one) == BEFORE.mac(Use.CODE, *other)) == (one == other)


@pytest.mark.attack("PW-2")
@pytest.mark.parametrize("parts", [("ab", "c"), ("a", "bc"), ("abc",), ("", "abc"), ("abc", "")])
def test_moving_a_character_makes_another_mac(parts: tuple[str, ...]) -> None:
    assert BEFORE.mac(Use.CODE, "a", "b", "c") != BEFORE.mac(Use.CODE, *parts)


@pytest.mark.attack("PW-6", "LG-3")
def test_rotation_makes_new_values_and_verifies_old_ones() -> None:
    made = BEFORE.mac(Use.CODE, "123456")
    assert ROTATED.mac(Use.CODE, "123456") != made
    assert ROTATED.macs(Use.CODE, "123456") == (ROTATED.mac(Use.CODE, "123456"), made)
    assert made not in AFTERWARDS.macs(Use.CODE, "123456")
    assert ROTATED.current is NEW


@pytest.mark.attack("IN-10", "LG-3")
def test_counters_keep_their_names_through_rotation() -> None:
    assert BEFORE.counter_key("a", "b") == ROTATED.counter_key("a", "b") == AFTERWARDS.counter_key("a", "b")
    assert BEFORE.counter_key("a", "b") != Keyring((OLD,), OTHER).counter_key("a", "b")
    assert BEFORE.counter_key("a", "b") != BEFORE.counter_key("ab")


@pytest.mark.attack("CK-3", "TY-10")
def test_a_csrf_value_is_its_sessions_own() -> None:
    value = BEFORE.csrf("session")
    assert len(value) == 26
    assert BEFORE.csrf_fits("session", value)
    for wrong in ("", value[:-1], value + "y", value.upper(), "null", BEFORE.csrf("other"), "é", "\ud800"):
        assert not BEFORE.csrf_fits("session", wrong)
    assert not BEFORE.csrf_fits("other", value)


@pytest.mark.attack("PW-6", "LG-3")
def test_a_csrf_value_survives_rotation_until_its_key_goes() -> None:
    value = BEFORE.csrf("session")
    assert ROTATED.csrf("session") != value
    assert ROTATED.csrf_fits("session", value)
    assert ROTATED.csrf_fits("session", ROTATED.csrf("session"))
    assert not AFTERWARDS.csrf_fits("session", value)


def test_a_key_never_shows_its_secret() -> None:
    for shown in (repr(OLD), str(OLD), f"{ROTATED}", repr(ROTATED)):
        assert "ooo" not in shown
        assert "nnn" not in shown
    assert "old" in repr(ROTATED)
