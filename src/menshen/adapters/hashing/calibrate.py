"""Find argon2id's parameters for this machine: as much memory as allowed, then as many passes as time allows.

The caller hands in the measure. (RFC 9106 section 4, OWASP Password Storage Cheat Sheet.)
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
"""OWASP's minimum, 19 MiB and 2 passes. It holds on slow machines, too."""

_MIB: Final = 1024

Timer = Callable[[Parameters], float]
"""How long one hash takes, in ms."""


@dataclass(frozen=True, slots=True)
class Proposal:
    """Hold the parameters to set, the time of one hash with them (ms), and its time with the minimum (ms)."""

    parameters: Parameters
    milliseconds: float
    least_milliseconds: float


def propose(target_ms: float, most_kib: int, measure: Timer) -> Proposal:
    """Return the most expensive parameters within `target_ms` and `most_kib`, but at least `LEAST`.

    Memory comes first, because it makes guessing expensive on other machines. Passes use the remaining time.
    """
    least_ms = measure(LEAST)
    # Time grows at least with memory times passes, so the first estimate is never too small.
    parameters = _reckon(LEAST, target_ms / least_ms, max(LEAST.memory_kib, min(most_kib, MOST_KIB)))
    while parameters != LEAST:
        took = measure(parameters)
        if took <= target_ms:
            return Proposal(parameters, took, least_ms)
        parameters = _less(parameters, target_ms / took)
    return Proposal(LEAST, least_ms, least_ms)


def measure_here(parameters: Parameters) -> float:
    """Return the median time of five hashes on this machine, in ms."""
    times = []
    for _ in range(5):
        start = perf_counter()
        argon2id.str(b"no password", opslimit=parameters.passes, memlimit=parameters.memory_kib * 1024)
        times.append(perf_counter() - start)
    return median(times) * 1000


def _reckon(at: Parameters, times: float, most_kib: int) -> Parameters:
    memory = _mib(min(at.memory_kib * times, most_kib))
    passes = int(at.memory_kib * at.passes * times) // memory
    return Parameters(memory, max(LEAST.passes, min(passes, MOST_WORK // memory)))


def _less(at: Parameters, share: float) -> Parameters:
    """Return cheaper parameters: fewer passes down to the minimum, then less memory."""
    if at.passes > LEAST.passes:
        return Parameters(at.memory_kib, max(LEAST.passes, min(at.passes - 1, int(at.passes * share))))
    return Parameters(_mib(min(at.memory_kib - _MIB, at.memory_kib * share)), LEAST.passes)


def _mib(kib: float) -> int:
    return max(LEAST.memory_kib, int(kib) // _MIB * _MIB)
