"""What ought to be of second steps: who needs one, which tickets complete a login, and which devices are trusted."""

from __future__ import annotations

from dataclasses import dataclass, field

from menshen.core.factors.pending import LIFETIME, TRIES
from menshen.core.rules import Origin


@dataclass
class Ticket:
    """A login that waits for its second step."""

    text: str
    origin: Origin
    platform: str | None
    until: int
    tries: int = 0

    def live(self, now: int) -> bool:
        return now < self.until and self.tries < TRIES


@dataclass
class Device:
    """A trusted device: its token, and those that it had."""

    token: str
    until: int
    spent: list[str] = field(default_factory=list)


@dataclass
class Steps:
    """One person's second steps. `on`: a login needs one."""

    on: bool = False
    secret: str = ""
    """What the app holds, "" for no app."""
    codes: list[str] = field(default_factory=list)
    """Recovery codes that are unused."""
    used: list[tuple[str, str]] = field(default_factory=list)
    """Proofs that were used up, with their factors."""
    tickets: list[Ticket] = field(default_factory=list)
    over: list[Ticket] = field(default_factory=list)
    """Tickets that completed a login, or will never complete one."""
    devices: list[Device] = field(default_factory=list)
    untrusted: list[str] = field(default_factory=list)
    """Tokens of devices that are trusted no more."""

    def began(self, text: str, origin: Origin, platform: str | None, now: int) -> None:
        self.tickets.append(Ticket(text, origin, platform, now + LIFETIME))

    def end(self, ticket: Ticket) -> None:
        self.tickets.remove(ticket)
        self.over.append(ticket)

    def distrust(self, device: Device) -> None:
        self.devices.remove(device)
        self.untrusted += [device.token, *device.spent]

    def end_all(self) -> None:
        """Any change of the account ends what was begun before, and all trust."""
        for ticket in list(self.tickets):
            self.end(ticket)
        for device in list(self.devices):
            self.distrust(device)

    def deleted(self) -> None:
        """The factors are gone with the account."""
        self.end_all()
        self.on, self.secret = False, ""
        self.codes.clear()
        self.used.clear()
