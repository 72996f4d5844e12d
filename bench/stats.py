"""Compute figures: paired rounds, medians, spreads, percentiles. Must not know what is measured."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from statistics import median
from typing import Any, TypeVar

A = TypeVar("A")
B = TypeVar("B")


@dataclass(frozen=True)
class Verdict:
    """Hold one target of a row: the target, the measured value, and if it is reached."""

    wanted: str
    got: str
    reached: bool


@dataclass
class Row:
    """Hold a measured row. `ratio` is the median over the rounds, `spread` their minimum and maximum."""

    name: str
    against: str
    ratio: float
    spread: tuple[float, float]
    figure: str
    verdicts: list[Verdict]
    detail: dict[str, Any] = field(default_factory=dict)

    @property
    def reached(self) -> bool:
        """Check that all targets are reached."""
        return all(verdict.reached for verdict in self.verdicts)


def paired(first: Callable[[], A], second: Callable[[], B], rounds: int) -> list[tuple[A, B]]:
    """Run both sides `rounds` times. They take turns to go first, so that a machine's drift affects both."""
    made = []
    for number in range(rounds):
        if number % 2:
            two = second()
            made.append((first(), two))
        else:
            one = first()
            made.append((one, second()))
    return made


def ratios(pairs: Sequence[tuple[float, float]]) -> tuple[float, tuple[float, float]]:
    """Return the median of second / first, with its minimum and maximum."""
    each = [second / first for first, second in pairs]
    return median(each), (min(each), max(each))


def percentile(ordered: Sequence[float], share: float) -> float:
    """Return the value below which `share` of the sorted values lie, 0 for none."""
    return ordered[min(len(ordered) - 1, int(len(ordered) * share))] if ordered else 0.0


def curve(latencies: Iterable[Sequence[float]]) -> list[tuple[float, float]]:
    """Return (share, ms) of all rounds together, for the plots."""
    every = sorted(latency for each in latencies for latency in each)
    shares = [n / 100 for n in range(1, 100)] + [0.995, 0.999]
    return [(share, percentile(every, share) * 1000) for share in shares]


def at_least(what: str, got: float, wanted: float, digits: int = 2) -> Verdict:
    return Verdict(f"{what} ≥ {wanted:,.{digits}f}", f"{got:,.{digits}f}", got >= wanted)


def at_most(what: str, got: float, wanted: float, digits: int = 2) -> Verdict:
    return Verdict(f"{what} ≤ {wanted:,.{digits}f}", f"{got:,.{digits}f}", got <= wanted)


def under(what: str, got: float, wanted: float, digits: int = 2) -> Verdict:
    return Verdict(f"{what} < {wanted:,.{digits}f}", f"{got:,.{digits}f}", got < wanted)
