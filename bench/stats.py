"""Figures: paired rounds, medians, spreads, percentiles. Knows nothing of what is measured."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from statistics import median
from typing import Any, TypeVar

A = TypeVar("A")
B = TypeVar("B")


@dataclass(frozen=True)
class Verdict:
    """One demand of a row: what was wanted, what came, whether that is enough."""

    wanted: str
    got: str
    reached: bool


@dataclass
class Row:
    """A measured row. `ratio` is the median over the rounds, `spread` the least and greatest of them."""

    name: str
    against: str
    ratio: float
    spread: tuple[float, float]
    figure: str
    verdicts: list[Verdict]
    detail: dict[str, Any] = field(default_factory=dict)

    @property
    def reached(self) -> bool:
        """Whether every demand is met."""
        return all(verdict.reached for verdict in self.verdicts)


def paired(first: Callable[[], A], second: Callable[[], B], rounds: int) -> list[tuple[A, B]]:
    """Both sides `rounds` times, taking turns at going first: a machine that drifts drifts under both."""
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
    """Median of second / first, and its least and greatest."""
    each = [second / first for first, second in pairs]
    return median(each), (min(each), max(each))


def percentile(ordered: Sequence[float], share: float) -> float:
    """The value below which `share` of the sorted values lie, 0 for none."""
    return ordered[min(len(ordered) - 1, int(len(ordered) * share))] if ordered else 0.0


def curve(latencies: Iterable[Sequence[float]]) -> list[tuple[float, float]]:
    """(share, ms) of all rounds together, for the plots."""
    every = sorted(latency for each in latencies for latency in each)
    shares = [n / 100 for n in range(1, 100)] + [0.995, 0.999]
    return [(share, percentile(every, share) * 1000) for share in shares]


def at_least(what: str, got: float, wanted: float, digits: int = 2) -> Verdict:
    return Verdict(f"{what} ≥ {wanted:,.{digits}f}", f"{got:,.{digits}f}", got >= wanted)


def at_most(what: str, got: float, wanted: float, digits: int = 2) -> Verdict:
    return Verdict(f"{what} ≤ {wanted:,.{digits}f}", f"{got:,.{digits}f}", got <= wanted)


def under(what: str, got: float, wanted: float, digits: int = 2) -> Verdict:
    return Verdict(f"{what} < {wanted:,.{digits}f}", f"{got:,.{digits}f}", got < wanted)
