"""What a browser keeps between two pages: only ours, only of this browser, only for a while."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from menshen.core.keys import Key, Keyring
from menshen.core.time import Instant
from menshen.wire.pages.request import cookies, kept

RING = Keyring((Key("k1", b"1" * 32),), Key("index", b"2" * 32))
NOW = Instant(1_800_000_000_000)
KEPT = kept.Kept(sent=kept.SentCode(kind="phone", subject="+8613900000000", purpose="login"), said="logout.done")


def _written(value: kept.Kept = KEPT, browser: str = "b") -> str:
    jar = cookies.Jar((), secure=True)
    kept.write(jar, value, browser, RING.page_value, NOW)
    (line,) = jar.written
    assert line.startswith("__Host-ms_kept=")
    return line.partition(";")[0]


def _read(line: str, browser: str = "b", now: Instant = NOW, ring: Keyring = RING) -> kept.Kept:
    return kept.read(cookies.Jar((line,), secure=True), browser, ring.page_value_fits, now)


def test_it_is_read_as_it_was_written() -> None:
    read = _read(_written())
    assert (read.sent, read.said) == (KEPT.sent, KEPT.said)


@pytest.mark.attack("PG-3")
def test_another_browser_and_another_key_read_nothing() -> None:
    assert _read(_written(), browser="other") == kept.Kept()
    assert _read(_written(), ring=replace(RING, keys=(Key("k2", b"3" * 32),))) == kept.Kept()
    assert _read(_written(), browser="") == kept.Kept()


def test_a_rotated_key_still_reads() -> None:
    rotated = replace(RING, keys=(Key("k2", b"3" * 32), *RING.keys))
    assert _read(_written(), ring=rotated).said == KEPT.said


def test_it_ends() -> None:
    assert _read(_written(), now=Instant(NOW + kept.LIFETIME - 1)).said
    assert _read(_written(), now=Instant(NOW + kept.LIFETIME)) == kept.Kept()


def test_nothing_to_keep_deletes_the_cookie() -> None:
    jar = cookies.Jar((_written(),), secure=True)
    kept.write(jar, kept.Kept(), "b", RING.page_value, NOW)
    assert "Expires=Thu, 01 Jan 1970" in jar.written[0]


@given(st.text(max_size=200))
def test_garbage_is_nothing(text: str) -> None:
    assert _read(f"__Host-ms_kept={text}") == kept.Kept()


@pytest.mark.attack("PG-3")
@given(st.integers(0, 400), st.integers(0, 127))
def test_a_changed_cookie_is_nothing(place: int, other: int) -> None:
    line = _written()
    place = len("__Host-ms_kept=") + place % (len(line) - len("__Host-ms_kept="))
    changed = line[:place] + chr(other) + line[place + 1 :]
    if changed != line:
        assert _read(changed) == kept.Kept()
