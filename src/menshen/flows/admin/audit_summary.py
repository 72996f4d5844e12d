"""Sum up audit events for operators: what happened how often, from which network, and why."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from menshen.core.audit.events import Tag
from menshen.core.audit.filters import EventFilter
from menshen.core.networks import scales_of
from menshen.core.time import Instant
from menshen.flows.audit.recording import refusals_of
from menshen.ports.store.store import Store


@dataclass(frozen=True, slots=True)
class Summed:
    """Hold one line: `count` events of one kind from one `network` ("" for none), and when the last one was."""

    tag: Tag
    network: str
    reason: str
    count: int
    last: Instant


async def sum_up(wanted: EventFilter, *, store: Store) -> Sequence[Summed]:
    """Count the events that are wanted by tag, network and reason, the most frequent first.

    Networks are the narrowest by which limits count. An event that stands for many refusals of a flood counts for them.
    """
    found: dict[tuple[Tag, str, str], tuple[int, Instant]] = {}
    for counted in await store.read.audit.count_events(wanted):
        reason, refusals = refusals_of(counted.reason)
        key = counted.tag, scales_of(counted.ip)[0].network if counted.ip else "", reason
        count, last = found.get(key, (0, counted.last))
        found[key] = count + counted.count * refusals, max(last, counted.last)
    lines = [Summed(*key, *value) for key, value in found.items()]
    return sorted(lines, key=lambda line: (-line.count, -line.last, line.tag, line.network, line.reason))
