"""Finding argon2id's parameters for this machine: as much memory as a hash may have, then the passes that time allows.

Measures by what it is given. (RFC 9106 section 4, OWASP Password Storage Cheat Sheet.)
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from statistics import median
from time import perf_counter
from typing import Final

from nacl.pwhash import argon2id

from menshen.adapters.hashing.argon2id import Parameters
from menshen.core.login.hash_costs import MOST_KIB, MOST_WORK

LEAST: Final = Parameters()
"""OWASP's minimum, 19 MiB and 2 passes: no machine is so slow that less would do."""

_MIB: Final = 1024

Timer = Callable[[Parameters], float]
"""How long one hash takes, in ms."""


@dataclass(frozen=True, slots=True)
class Proposal:
    """What to set, how long one hash takes with it (ms), and how long with the least that is allowed."""

    parameters: Parameters
    milliseconds: float
    least_milliseconds: float


def propose(target_ms: float, most_kib: int, measure: Timer) -> Proposal:
    """The dearest parameters that stay within `target_ms` and `most_kib`, but never less than `LEAST`.

    Memory comes first: it is what makes guessing dear on other machines. Passes fill what time is left.
    """
    least_ms = measure(LEAST)
    # Time goes with memory times passes, or faster once the caches are full: from here it can only be too much.
    parameters = _reckon(LEAST, target_ms / least_ms, max(LEAST.memory_kib, min(most_kib, MOST_KIB)))
    while parameters != LEAST:
        took = measure(parameters)
        if took <= target_ms:
            return Proposal(parameters, took, least_ms)
        parameters = _less(parameters, target_ms / took)
    return Proposal(LEAST, least_ms, least_ms)


def measure_here(parameters: Parameters) -> float:
    """The median of five hashes on this machine, in ms."""
    times = []
    for _ in range(5):
        start = perf_counter()
        argon2id.str(b"nobody's password", opslimit=parameters.passes, memlimit=parameters.memory_kib * 1024)
        times.append(perf_counter() - start)
    return median(times) * 1000


def _reckon(at: Parameters, times: float, most_kib: int) -> Parameters:
    memory = _mib(min(at.memory_kib * times, most_kib))
    passes = int(at.memory_kib * at.passes * times) // memory
    return Parameters(memory, max(LEAST.passes, min(passes, MOST_WORK // memory)))


def _less(at: Parameters, share: float) -> Parameters:
    """Fewer passes while there are more than the least, else less memory; always some."""
    if at.passes > LEAST.passes:
        return Parameters(at.memory_kib, max(LEAST.passes, min(at.passes - 1, int(at.passes * share))))
    return Parameters(_mib(min(at.memory_kib - _MIB, at.memory_kib * share)), LEAST.passes)


def _mib(kib: float) -> int:
    return max(LEAST.memory_kib, int(kib) // _MIB * _MIB)
