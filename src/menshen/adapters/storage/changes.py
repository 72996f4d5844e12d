"""Define what a transaction changed that this process may remember. Stores report it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Protocol

from menshen.core.audit.events import Tag
from menshen.ports.store.store import Store


@dataclass(slots=True)
class Changes:
    """Collect what ended or changed. Each connection has one, and its transactions run one after another.

    `sessions` ended or reached another level, `tokens` (their digests) were replaced, the status or a proof of
    `accounts` changed; `everything`: every session ended; `apps`: one was added or changed, and may have been disabled,
    or its pages changed.
    `alarms` are the audit events of `menshen.core.audit.events.ALARMS`. `messages`: one was put into the outbox.
    """

    sessions: list[str] = field(default_factory=list)
    tokens: list[bytes] = field(default_factory=list)
    accounts: list[int] = field(default_factory=list)
    everything: bool = False
    apps: bool = False
    alarms: list[Tag] = field(default_factory=list)
    messages: bool = False

    def __bool__(self) -> bool:
        return bool(
            self.sessions
            or self.tokens
            or self.accounts
            or self.everything
            or self.apps
            or self.alarms
            or self.messages
        )

    def take(self) -> Changes:
        """Hand over what was collected, and begin anew."""
        taken = replace(self)
        self.sessions, self.tokens, self.accounts, self.everything, self.apps = [], [], [], False, False
        self.alarms, self.messages = [], False
        return taken


class Pool(Protocol):
    """Count connections to a database, for the metrics."""

    @property
    def in_use(self) -> int: ...
    @property
    def waiting(self) -> int: ...
    @property
    def most(self) -> int: ...
    @property
    def away(self) -> bool: ...


class TellingStore(Store, Protocol):
    """Report what transactions changed. `connections` is None for a store without a pool.

    The store calls `on_commit` before a transaction's `write` returns or fails. Transactions that commit together make
    one call. It is called for failed ones, too: when a COMMIT was lost on its way, its effect is unknown.
    """

    on_commit: Callable[[Changes], None]

    @property
    def connections(self) -> Pool | None: ...
