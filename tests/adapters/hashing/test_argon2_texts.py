"""Texts that look like argon2 and are none: what we call affordable, libsodium really hashes for. (EN-2.)"""

from __future__ import annotations

from functools import partial
from pathlib import Path

import nacl.exceptions
import pytest
from nacl.pwhash import argon2id

from menshen.adapters.hashing.argon2_texts import affordable
from menshen.core.login.hash_costs import argon2_work
from tests.cost import cpu_seconds

WHOLE = argon2id.str(b"password", opslimit=1, memlimit=2048 * 1024).rstrip(b"\0").decode()
START, SALT, DIGEST = WHOLE.rsplit("$", 2)
TEXTS = {
    "whole": WHOLE,
    **{f"digest without its last {n}": f"{START}${SALT}${DIGEST[:-n]}" for n in range(1, 30)},
    **{f"salt without its last {n}": f"{START}${SALT[:-n]}${DIGEST}" for n in range(1, 16)},
    "bits left over in the digest": WHOLE[:-1] + "B",
    "bits left over in the salt": f"{START}${SALT[:-1]}B${DIGEST}",
    "a longer digest": WHOLE + "A" * 20,
    "a digest of one more": WHOLE + "A",
    "a longer salt": f"{START}${SALT}{'A' * 20}${DIGEST}",
    "padding": WHOLE + "=",
    "zeros before the memory": WHOLE.replace("m=2048", "m=02048"),
    "zeros before the passes": WHOLE.replace("t=1", "t=01"),
    "zeros before the lanes": WHOLE.replace("p=1", "p=01"),
    "four lanes": WHOLE.replace("p=1", "p=4"),
    "more lanes than memory": WHOLE.replace("p=1", "p=99").replace("m=2048", "m=512"),
    "argon2i": WHOLE.replace("argon2id", "argon2i").replace("t=1", "t=3"),
    "argon2d": WHOLE.replace("argon2id", "argon2d"),
    "an older version": WHOLE.replace("v=19", "v=16"),
    "no version": WHOLE.replace("$v=19", ""),
    "blanks": WHOLE.replace(",", ", "),
    "the head alone": START + "$",
}


def judge_by(stored: str) -> None:
    try:
        argon2id.verify(stored.encode(), b"wrong")
    except (nacl.exceptions.CryptoError, ValueError):
        return


def held_kib(name: str) -> int:
    """VmRSS, what this process holds, or VmHWM, the most that it held."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith(name))


@pytest.mark.parametrize("kind", TEXTS)
def test_what_is_affordable_is_hashed_and_the_rest_is_given_up(kind: str) -> None:
    """A hash fills its memory; a text that is given up takes none."""
    Path("/proc/self/clear_refs").write_text("5")
    before = held_kib("VmRSS")
    judge_by(TEXTS[kind])
    assert affordable(TEXTS[kind]) == (held_kib("VmHWM") - before > 1024)


@pytest.fixture(scope="module")
def one_hash() -> float:
    return cpu_seconds(partial(judge_by, WHOLE))


@pytest.mark.timing
@pytest.mark.parametrize("kind", TEXTS)
def test_what_is_affordable_costs_a_hash_and_the_rest_none(kind: str, one_hash: float) -> None:
    # A text that is given up costs a thousandth of a hash: the bound has room on both sides.
    assert affordable(TEXTS[kind]) == (cpu_seconds(partial(judge_by, TEXTS[kind])) > one_hash / 6)


def test_work_is_memory_times_passes() -> None:
    assert argon2_work(WHOLE) == 2048
    assert argon2_work(WHOLE.replace("t=1", "t=3")) == 3 * 2048
    assert argon2_work("!") == 0
