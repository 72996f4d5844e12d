"""Sealed values: opened by any live key, by nobody else, and not after a byte was turned."""

import pytest

from menshen.adapters.sealing import KeyringSealer
from menshen.core.keys import Key, Keyring
from menshen.ports.sealing import SealBroken

INDEX = Key("index", b"i" * 32)
OLD = Key("old", b"o" * 32)
NEW = Key("new", b"n" * 32)
TEXT = "0123456789abcdef, 密钥"


def test_what_is_sealed_is_opened_and_shows_nothing() -> None:
    sealer = KeyringSealer(Keyring((OLD,), INDEX))
    sealed = sealer.seal(TEXT)
    assert sealer.open(sealed) == TEXT
    assert b"0123456789abcdef" not in sealed
    assert sealer.seal(TEXT) != sealed
    assert sealer.open(sealer.seal("")) == ""


def test_any_live_key_opens_and_the_newest_seals() -> None:
    before, after = KeyringSealer(Keyring((OLD,), INDEX)), KeyringSealer(Keyring((NEW, OLD), INDEX))
    assert after.open(before.seal(TEXT)) == TEXT
    assert b"new" in after.seal(TEXT)[:8]


@pytest.mark.attack("PW-6")
def test_a_key_that_is_gone_opens_nothing() -> None:
    sealed = KeyringSealer(Keyring((OLD,), INDEX)).seal(TEXT)
    with pytest.raises(SealBroken):
        KeyringSealer(Keyring((NEW,), INDEX)).open(sealed)
    with pytest.raises(SealBroken):
        KeyringSealer(Keyring((Key("old", b"x" * 32),), INDEX)).open(sealed)


def test_a_key_that_was_added_after_the_start_is_asked_for() -> None:
    running = KeyringSealer(Keyring((OLD,), INDEX), reread=lambda: Keyring((NEW, OLD), INDEX))
    sealed = KeyringSealer(Keyring((NEW, OLD), INDEX)).seal(TEXT)
    assert running.open(sealed) == TEXT
    assert b"new" in running.seal(TEXT)[:8]


@pytest.mark.attack("PW-6")
def test_every_byte_counts() -> None:
    sealer = KeyringSealer(Keyring((OLD,), INDEX))
    sealed = sealer.seal(TEXT)
    for place in range(len(sealed)):
        altered = bytearray(sealed)
        altered[place] ^= 1
        with pytest.raises(SealBroken):
            sealer.open(bytes(altered))
    for length in range(len(sealed)):
        with pytest.raises(SealBroken):
            sealer.open(sealed[:length])


SHOWN = ("token", "refresh", "1", "192.0.2.0/24")


@pytest.mark.attack("TK-17")
def test_what_is_sealed_for_texts_needs_them_all_and_the_key() -> None:
    old, rotated = KeyringSealer(Keyring((OLD,), INDEX)), KeyringSealer(Keyring((NEW, OLD), INDEX))
    sealed = old.seal_for(SHOWN, TEXT)
    assert old.open_for(SHOWN, sealed) == rotated.open_for(SHOWN, sealed) == TEXT
    assert old.seal_for(SHOWN, TEXT) != sealed
    others = [(), SHOWN[:3], (*SHOWN, ""), SHOWN[::-1], ("tokenrefresh", *SHOWN[2:]), ("tokenr", "efresh", *SHOWN[2:])]
    others += [(*SHOWN[:n], "x", *SHOWN[n + 1 :]) for n in range(4)]
    for other in others:
        with pytest.raises(SealBroken):
            old.open_for(other, sealed)
    with pytest.raises(SealBroken):
        old.open(sealed)
    with pytest.raises(SealBroken):
        old.open_for(SHOWN, old.seal(TEXT))
    for key in (NEW, Key("old", b"x" * 32)):
        with pytest.raises(SealBroken):
            KeyringSealer(Keyring((key,), INDEX)).open_for(SHOWN, sealed)
    for place in range(len(sealed)):
        altered = bytearray(sealed)
        altered[place] ^= 1
        with pytest.raises(SealBroken):
            old.open_for(SHOWN, bytes(altered))
    for length in range(len(sealed)):
        with pytest.raises(SealBroken):
            old.open_for(SHOWN, sealed[:length])


def test_a_node_that_does_not_know_the_key_yet_reads_it() -> None:
    running = KeyringSealer(Keyring((OLD,), INDEX), reread=lambda: Keyring((NEW, OLD), INDEX))
    assert running.open_for(SHOWN, KeyringSealer(Keyring((NEW, OLD), INDEX)).seal_for(SHOWN, TEXT)) == TEXT
