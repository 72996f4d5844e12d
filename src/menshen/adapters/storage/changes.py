"""What a transaction changed that this process may remember, and the stores that tell of it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Protocol

from menshen.ports.store.store import Store


@dataclass(slots=True)
class Changes:
    """Collected by the repositories of one connection, whose transactions run one after another.

    `sessions` ended, `tokens` (their digests) were replaced, the status of `accounts` changed; `everything`: every
    session ended; `apps`: one was added or changed.
    """

    sessions: list[str] = field(default_factory=list)
    tokens: list[bytes] = field(default_factory=list)
    accounts: list[int] = field(default_factory=list)
    everything: bool = False
    apps: bool = False

    def __bool__(self) -> bool:
        return bool(self.sessions or self.tokens or self.accounts or self.everything or self.apps)

    def take(self) -> Changes:
        """Hand over what was collected, and begin anew."""
        taken = replace(self)
        self.sessions, self.tokens, self.accounts, self.everything, self.apps = [], [], [], False, False
        return taken


class Pool(Protocol):
    """What the metrics tell of connections to a database."""

    @property
    def in_use(self) -> int: ...
    @property
    def waiting(self) -> int: ...
    @property
    def most(self) -> int: ...
    @property
    def away(self) -> bool: ...


class TellingStore(Store, Protocol):
    """A store that tells what its transactions changed. `connections` is None where it has no pool.

    `on_commit` hears before a transaction's `write` returns or fails; those that commit together are told together. It
    hears of failed ones too: whether a COMMIT that was lost on its way happened, nobody knows.
    """

    on_commit: Callable[[Changes], None]

    @property
    def connections(self) -> Pool | None: ...
